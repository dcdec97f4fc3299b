"""Sophia: the running mean of the gradient by an estimate of the curvature's diagonal, each coordinate clipped to 1.

    m = b1 m + (1 - b1) g                every k steps: h = b2 h + (1 - b2) estimate
    theta = theta - lr weight_decay theta
    theta = theta - lr clip(m / max(gamma h, eps), 1)

Where the estimate comes from is told in `train/curvature.py`: this optimizer only takes it. A coordinate without
curvature, or with a negative one, moves by its sign.

The authors' code writes the same otherwise: h without the number of predictions B, and |m| / (rho B h + 1e-15). Both
agree where gamma h = rho B h' (`form`).

Source: Liu et al. 2024, arXiv:2305.14342, algorithm 3; https://github.com/Liuhong99/Sophia at a7e1572.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codeglot.optim.foreach import MeanOptimizer, move, shrink
from codeglot.optim.settings import Optim
from codeglot.optim.settings import Sophia as Settings

_OFFICIAL_EPS = 1e-15
_GAMMA = {"sophia_g": 0.05, "sophia_h": 0.01}
"""The paper's for language models."""


def build(hidden: list[dict[str, Any]], others: list[dict[str, Any]], settings: Optim) -> Optimizer:
    """Sophia over parameter groups that bring their own `weight_decay`."""
    own = settings.sophia or Settings()
    return Sophia(
        [*hidden, *others],
        lr=settings.lr,
        betas=settings.betas,
        eps=settings.eps,
        gamma=own.gamma or _GAMMA[settings.name],
        form=own.form,
        bias_correct_m=own.bias_correct_m,
        bias_correct_h=own.corrects_h,
        hessian_init=own.hessian_init,
    )


class Use(NamedTuple):
    """How much of a tensor's curvature decides."""

    win_rate: float
    """Part of the coordinates that were not clipped."""
    hessian_norm: float
    """Norm of h, corrected as it is used."""
    zero_share: float
    """Part of the coordinates whose h is exactly 0."""


class Sophia(MeanOptimizer):
    """Clipped steps by curvature.

    Args:
        params: Parameters, or groups with `weight_decay`.
        lr: Learning rate.
        betas: Decay of the running means of the gradient and of the curvature.
        eps: Curvature below it, gamma included, counts as none.
        gamma: Multiplies the curvature; `rho` of the official form.
        form: See above.
        bias_correct_m: Whether the mean of the gradient is corrected for beginning at 0.
        bias_correct_h: Whether that of the curvature is.
        hessian_init: `first`: the mean of the curvature begins with the first estimate.
        maximize: Whether to go up the gradient.
    """

    def __init__(  # noqa: PLR0913 - every number of the published method by its name
        self,
        params: Iterable[Any],
        *,
        lr: float,
        betas: tuple[float, float] = (0.965, 0.99),
        eps: float = 1e-12,
        gamma: float = _GAMMA["sophia_g"],
        form: Literal["paper", "official"] = "paper",
        bias_correct_m: bool = False,
        bias_correct_h: bool = True,
        hessian_init: Literal["zero", "first"] = "zero",
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, maximize=maximize)
        self._betas = betas
        self._eps = eps
        self._gamma = gamma
        self._form = form
        self._corrects_m = bias_correct_m
        self._corrects_h = bias_correct_h
        self._begins_with_first = hessian_init == "first"

    @torch.no_grad()
    def refresh(self, estimates: Mapping[nn.Parameter, Tensor], num_predictions: float = 1.0) -> None:
        """Take an estimate of the curvature's diagonal into the running mean.

        Args:
            estimates: Of each parameter that has one; those that have none keep what they had.
            num_predictions: B, which estimates from sampled labels are multiplied with.
        """
        parameters = list(estimates)
        if not parameters:
            return
        given = [estimates[p].float() for p in parameters]
        if self._form == "official":
            given = list(torch._foreach_div(given, num_predictions))
        means = self.means(parameters, "hessian")
        for p, mean, estimate in zip(parameters, means, given, strict=True):
            state = self.state[p]
            if self._begins_with_first and not state.get("num_estimates"):
                mean.copy_(estimate)
            else:
                mean.lerp_(estimate, 1 - self._betas[1])
            state["num_estimates"] = state.get("num_estimates", 0) + 1
            state["num_predictions"] = float(num_predictions)

    def _take(self, group: dict[str, Any], parameters: list[nn.Parameter], gradients: Sequence[Tensor]) -> None:
        means = self.means(parameters, "exp_avg")
        shrink(parameters, group["lr"], group["weight_decay"])
        torch._foreach_lerp_(means, list(gradients), 1 - self._betas[0])
        for p in parameters:
            self.state[p]["step"] = self.state[p].get("step", 0) + 1
        move(parameters, self._ratios(parameters), group["lr"])

    def _ratios(self, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
        """The step of each parameter in units of lr, each coordinate from -1 to 1."""
        ratios = self._unclipped(parameters)
        torch._foreach_clamp_max_(ratios, 1.0)
        torch._foreach_clamp_min_(ratios, -1.0)
        return ratios

    def _unclipped(self, parameters: Sequence[nn.Parameter]) -> list[Tensor]:
        divisors = list(torch._foreach_mul(self.means(parameters, "hessian"), self._factors(parameters)))
        if self._form == "official":
            torch._foreach_add_(divisors, _OFFICIAL_EPS)
        else:
            torch._foreach_clamp_min_(divisors, self._eps)
        # In place: for large tensors, a new one costs more than all of the arithmetic.
        ratios = divisors
        torch._foreach_reciprocal_(ratios)
        torch._foreach_mul_(ratios, self.means(parameters, "exp_avg"))
        if self._corrects_m:
            steps = (self.state[p]["step"] for p in parameters)
            torch._foreach_div_(ratios, [1 - self._betas[0] ** step for step in steps])
        return ratios

    def _factors(self, parameters: Sequence[nn.Parameter]) -> list[float]:
        """What the mean of each parameter's curvature is multiplied with."""
        if self._form == "official":
            return [self._gamma * self.state[p].get("num_predictions", 1.0) for p in parameters]
        return [self._gamma / self._correction(p) for p in parameters]

    def _correction(self, p: nn.Parameter) -> float:
        """Part of its steady value that a parameter's mean of the curvature has reached."""
        count = self.state[p].get("num_estimates", 0)
        return 1 - self._betas[1] ** count if self._corrects_h and count else 1.0

    @torch.no_grad()
    def uses(self, parameters: Sequence[nn.Parameter]) -> list[Use]:
        """How much the curvature, as it is now, decides of the step of each parameter."""
        found = []
        for p in parameters:
            if "step" not in self.state.get(p, {}):
                found.append(Use(0.0, 0.0, 1.0))
                continue
            (ratio,), (mean,) = self._unclipped([p]), self.means([p], "hessian")
            # What does not move was not clipped, but no curvature decided that.
            wins = ((ratio.abs() < 1) & (mean != 0)).float().mean()
            norm = mean.norm() / self._correction(p)
            found.append(Use(float(wins), float(norm), float((mean == 0).float().mean())))
        return found
