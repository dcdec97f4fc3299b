"""What the run file says about the regularizer. No torch here: a run file is checked without it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from codeglot.config import StrictModel

LARGEST = 1e9
"""Of strengths: beyond it nothing is trained, and float32 overflows."""


class Spectral(StrictModel):
    """`[regularizer]`: a penalty on the frequencies of low-rank updates, as FLeX has it and in forms that work.

    With rho(k) = 1 - phi(k), and phi falling from `phi_low` at frequency 0 to `phi_high` at `threshold`, the penalty of
    a tensor is the sum of rho(k) |spectrum(k)|^2.
    """

    name: Literal["spectral"] = "spectral"
    """The only one there is."""
    mode: Literal["loss", "decoupled", "as_released"] = "loss"
    """`loss`: a term of the loss; `decoupled`: a decay of each frequency after the optimizer's step, which no rescaling
    by the optimizer touches; `as_released`: the value is logged and has no gradient, as in FLeX's published code."""
    strength: float | None = Field(default=None, ge=0, le=LARGEST)
    """Lambda. With `ortho`, `two_sided` and `sum` it is that of a ridge (the sum of squares, where rho is 1); None:
    0.003. For `decoupled` it is of the size of a weight decay: a step takes lr x strength x rho of a frequency; None:
    1."""
    auto_ratio: float | None = Field(default=None, gt=0, le=LARGEST)
    """Instead of `strength`: lambda is such that the penalty's gradients of the first 20 steps after B has left 0 have
    this part of the norms of the task's, summed (0.05 is a beginning); that of `delta_w` goes on growing with B. None:
    by `strength`."""
    target: Literal["factors", "delta_w"] = "factors"
    """`factors`: A and B, each by itself; `delta_w`: their product, which does not depend on how it is factored."""
    layout: Literal["flatten", "feature_axis", "fft2", "dct2"] = "flatten"
    """What is transformed: `flatten`: a tensor's rows, end to end; `feature_axis`: A along the inputs and B along the
    outputs; `fft2`, `dct2`: both axes, which is what `delta_w` needs."""
    fft_norm: Literal["ortho", "backward", "energy_ratio"] = "ortho"
    """`ortho`: the transform keeps lengths; `backward`: it does not, and the penalty grows with the tensor's size;
    `energy_ratio`: the penalty is divided by the tensor's energy, so that shrinking does not lower it; a tensor of
    nothing counts as 0."""
    spectrum: Literal["two_sided", "one_sided"] = "two_sided"
    """`two_sided`: all of the energy; `one_sided`: frequencies that come in pairs count once."""
    reduction: Literal["sum", "mean"] = "sum"
    """Over tensors: `sum`: each feels the same however many there are; `mean`."""
    threshold: float = Field(default=0.5, gt=0, le=1)
    """T: part of the spectrum at which phi has fallen to `phi_high`."""
    phi_low: float = Field(default=1.0, ge=0)
    """phi at frequency 0; at most 1, or the penalty has no lower bound."""
    phi_high: float = Field(default=0.1, ge=0)
    """phi from `threshold` on; at most `phi_low`."""
    weighting: Literal["high", "uniform", "low", "permuted"] = "high"
    """Controls: `uniform`: every frequency has the mean of rho (a ridge of the same strength on noise); `low`: rho from
    its other end; `permuted`: the places of a tensor's entries are shuffled once, which makes frequency meaningless."""
    warmup_share: float = Field(default=0.1, ge=0, le=1)
    """Part of the steps in which lambda rises from 0 in equal parts, since B begins at 0."""
    every: int = Field(default=1, ge=1)
    """Applied in every this many steps, as many times as strong."""

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self.phi_low > 1:
            raise ValueError(
                f"phi_low = {self.phi_low:g} makes rho negative at frequency 0 ({1 - self.phi_low:g}), so the loss "
                "could be lowered without end by growing weights; phi_low is at most 1"
            )
        if self.phi_high > self.phi_low:
            raise ValueError(
                f"phi_high = {self.phi_high:g} is above phi_low = {self.phi_low:g}; to penalise low frequencies "
                "instead, set weighting = 'low'"
            )
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        mistakes = []
        if self.target == "delta_w" and self.layout not in {"fft2", "dct2"}:
            mistakes.append(
                f"target = 'delta_w' has no low-rank form in layout = '{self.layout}'; set layout = 'fft2' or 'dct2'"
            )
        if self.spectrum == "one_sided" and self.layout in {"fft2", "dct2"}:
            mistakes.append(
                f"spectrum = 'one_sided' is not defined for layout = '{self.layout}'; set spectrum = 'two_sided'"
            )
        if self.mode == "decoupled":
            if self.target == "delta_w":
                mistakes.append("mode = 'decoupled' decays factors, and delta_w is none; set target = 'factors'")
            fixed = {"fft_norm": "ortho", "spectrum": "two_sided", "reduction": "sum"}
            mistakes += [
                f"{key} = '{getattr(self, key)}' has no effect on mode = 'decoupled', which decays by a rate; leave it "
                "out, or take method = 'flex_decoupled'"
                for key, value in fixed.items()
                if getattr(self, key) != value
            ]
        if self.phi_low == self.phi_high == 1:
            mistakes.append(
                "phi_low = 1 and phi_high = 1 leave nothing to penalise; lower phi_high, or set strength = 0"
            )
        if self.fft_norm == "energy_ratio" and self.weighting == "uniform":
            mistakes.append(
                "fft_norm = 'energy_ratio' and weighting = 'uniform' make a constant of the penalty; set fft_norm = "
                "'ortho'"
            )
        has_own = self.strength != type(self).model_fields["strength"].default
        if self.auto_ratio is not None and (self.mode != "loss" or has_own):
            mistakes.append("auto_ratio chooses the strength of mode = 'loss'; give it alone, without strength")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @property
    def full_strength(self) -> float:
        """Lambda after the warm-up, unless it is found by `auto_ratio`."""
        usual = 1.0 if self.mode == "decoupled" else 3e-3
        return usual if self.strength is None else self.strength

    @property
    def max_rho(self) -> float:
        """Upper bound of rho; over two axes it is 1 - phi^2."""
        return 1 - (self.phi_high**2 if self.layout in {"fft2", "dct2"} else self.phi_high)

    def check_rate(self, lr: float) -> None:
        """Refuse a decay that would flip the sign of what it decays.

        Raises:
            ValueError: If `mode` is `decoupled` and lr * lambda * max(rho) >= 1.
        """
        if self.mode == "decoupled" and (part := lr * self.full_strength * self.every * self.max_rho) >= 1:
            every = f" x every {self.every}" if self.every > 1 else ""
            raise ValueError(
                f"mode = 'decoupled' takes lr {lr:g} x strength {self.full_strength:g}{every} x max(rho) "
                f"{self.max_rho:g} = {part:g} of a frequency in one step; it must be below 1. Lower the regularizer's "
                "strength, or optim.lr"
            )
