"""What the run file says about the optimizer. No torch here: a run file is checked without it."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel
from codeglot.errors import UnknownNameError
from codeglot.optim.registry import OPTIMIZERS, USUAL


class Sophia(StrictModel):
    """`[optim.sophia]`: how the curvature is estimated and used, for `sophia_g` and `sophia_h`."""

    form: Literal["paper", "official"] = "paper"
    """`paper`: step = clip(m / max(gamma h, eps), 1); `official`: as in the authors' code, for audits: h without
    the number of predictions, which enters at each step, first estimate after step k, nothing corrected."""
    gamma: float | None = Field(default=None, gt=0, le=1e6)
    """What the curvature is multiplied with, called rho in the authors' code: higher clips less. To be tuned until a
    win rate between 0.1 and 0.5 is logged; None: 0.05 for `sophia_g` and 0.01 for `sophia_h`."""
    every: int = Field(default=10, ge=1)
    """k: steps from one estimate of the curvature to the next."""
    rows_share: float = Field(default=1.0, gt=0, le=1)
    """Part of a step's examples that the estimate is made from: fewer are cheaper and noisier."""
    hessian_init: Literal["zero", "first"] = "zero"
    """What the running mean of the curvature begins with: 0, or a copy of the first estimate."""
    bias_correct_h: bool | None = None
    """Whether that mean is corrected for beginning at 0, as Adam's are; without it, a training of 280 steps ends with a
    quarter of the curvature. None: yes, in `paper` with hessian_init = 'zero'."""
    bias_correct_m: bool = False
    """Whether the running mean of the gradient is."""
    dropout: bool = False
    """Whether dropout is on in the estimate."""
    clip_norm: float | None = Field(default=None, gt=0)
    """`sophia_g`: the estimate's gradient is scaled down to this norm, which biases it; None: not in `paper`, to 1.0 in
    `official`."""
    probe: Literal["gaussian", "rademacher"] = "gaussian"
    """`sophia_h`: random vectors that the Hessian is multiplied with."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.form == "official" and (self.bias_correct_h or self.bias_correct_m or self.hessian_init == "first"):
            raise ValueError(
                "form = 'official' corrects nothing and begins at 0; leave bias_correct_h, bias_correct_m and "
                "hessian_init out, or set form = 'paper'"
            )
        if self.bias_correct_h and self.hessian_init == "first":
            raise ValueError("hessian_init = 'first' leaves nothing to correct; set bias_correct_h = false")
        return self

    @property
    def clips_at(self) -> float | None:
        """Norm that the gradient of an estimate is scaled down to; None: it is left as it is."""
        return 1.0 if self.clip_norm is None and self.form == "official" else self.clip_norm

    @property
    def corrects_h(self) -> bool:
        """Whether the mean of the curvature is corrected."""
        if self.bias_correct_h is None:
            return self.form == "paper" and self.hessian_init == "zero"
        return self.bias_correct_h


class Optim(StrictModel):
    """`[optim]`: how gradients become steps."""

    name: str = "adamw"
    """`adamw`; `muon`, which leaves embeddings and vectors to AdamW, with steps of the size of AdamW's; `sophia_g`,
    `sophia_h`: steps by curvature, estimated from sampled labels or random vectors; `lion`, `signum`: signs alone."""
    lr: float = Field(gt=0, le=1e3)
    """Largest learning rate of the schedule. There is no default: it depends on the method and the base."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running means, of the gradient and of its square or the curvature, each in [0, 1). Left out: those
    of its authors, for `sophia_g` and `sophia_h` 0.965 and 0.99, for `lion` 0.9 and 0.99; `signum` has the first
    alone."""
    eps: float = Field(default=1e-8, ge=1e-30, le=1)
    """Added to the root of the mean square; for `sophia_g` and `sophia_h` (left out: 1e-12) curvature below it counts
    as none."""
    weight_decay: float = Field(default=0.0, ge=0, le=1e3)
    """Decoupled decay of matrices; vectors (biases, norms) are never decayed."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """How the rate goes from `lr` to `lr * min_lr_share` after the warm-up."""
    warmup_steps: int | None = Field(default=None, ge=0)
    """Steps in which the rate rises from 0; None: by `warmup_share`."""
    warmup_share: float = Field(default=0.03, ge=0, lt=1)
    """The same as a part of all steps, rounded up; without effect where `warmup_steps` is given."""
    min_lr_share: float = Field(default=0.0, ge=0, le=1)
    """Rate at the end of the schedule, as a part of `lr`."""
    max_grad_norm: float | None = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm, over all trained parameters together; None: left as they are."""
    sophia: Sophia | None = None
    """For `sophia_g` and `sophia_h`; None: the defaults."""

    @model_validator(mode="before")
    @classmethod
    def _has_what_is_usual(cls, data: Any) -> Any:
        """Write down what its authors take, so that every record of a run tells it."""
        if not isinstance(data, Mapping):
            return data
        name = data.get("name", "adamw")
        usual = USUAL.get(name, {}) if isinstance(name, str) else {}
        return {**usual, **data}

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in OPTIMIZERS:
            raise ValueError(str(UnknownNameError("optimizer", name, OPTIMIZERS)))
        return name

    @field_validator("betas")
    @classmethod
    def _are_decays(cls, betas: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"{list(betas)} must lie in [0, 1), as in [0.9, 0.999]")
        return betas

    @model_validator(mode="after")
    def _one_warmup(self) -> Self:
        if self.warmup_steps is not None and "warmup_share" in self.model_fields_set:
            raise ValueError("warmup_steps and warmup_share say the same thing; give one of them")
        return self

    @model_validator(mode="after")
    def _fits_the_optimizer(self) -> Self:
        if self.sophia and not self.needs_curvature:
            raise ValueError(f"sophia has no effect on name = '{self.name}'; leave it out, or set name = 'sophia_g'")
        has_own_eps = self.eps != USUAL[self.name]["eps"]
        if has_own_eps and OPTIMIZERS[self.name] == "sign":
            raise ValueError(f"eps has no effect on name = '{self.name}', which divides by nothing; leave it out")
        own = self.sophia or Sophia()
        if has_own_eps and self.needs_curvature and own.form == "official":
            raise ValueError("eps has no effect on sophia.form = 'official', whose own is 1e-15; leave it out")
        usual: Any = USUAL[self.name]["betas"]
        if self.name == "signum" and self.betas[1] != usual[1]:
            raise ValueError(f"betas: {self.betas[1]:g} has no effect on name = 'signum', which has the first alone")
        if self.name == "sophia_h" and own.form == "official":
            raise ValueError("sophia.form = 'official': its authors released no sophia_h; set form = 'paper'")
        idle = {"sophia_h": own.clip_norm is not None, "sophia_g": own.probe != "gaussian"}
        if idle.get(self.name, False):
            key = "clip_norm" if self.name == "sophia_h" else "probe"
            raise ValueError(f"sophia.{key} has no effect on name = '{self.name}'; leave it out")
        return self

    @property
    def needs_curvature(self) -> bool:
        """Whether an estimate of the Hessian's diagonal is to be made."""
        return OPTIMIZERS[self.name] == "sophia"
