"""What the run file says about the optimizer. No torch here: a run file is checked without it."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel
from codeglot.errors import UnknownNameError
from codeglot.optim.registry import OPTIMIZERS


class Optim(StrictModel):
    """`[optim]`: how gradients become steps."""

    name: str = "adamw"
    """`adamw`; or `muon`, which leaves embeddings and vectors to AdamW; its steps have the size of AdamW's."""
    lr: float = Field(gt=0)
    """Largest learning rate of the schedule. There is no default: it depends on the method and the base."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running means of the gradient and of its square, each in [0, 1)."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the mean square."""
    weight_decay: float = Field(default=0.0, ge=0)
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
