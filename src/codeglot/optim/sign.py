"""Steps of one size in every coordinate, by the sign of a running mean: signum and Lion.

Both are baselines of Sophia, which is one of them wherever it clips.

Source: Bernstein et al. 2018, arXiv:1802.04434 (signum); Chen et al. 2023, arXiv:2302.06675, algorithm 2 (Lion).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codeglot.optim.foreach import MeanOptimizer, move, shrink
from codeglot.optim.settings import Optim


def build(hidden: list[dict[str, Any]], others: list[dict[str, Any]], settings: Optim) -> Optimizer:
    """Signum or Lion over parameter groups that bring their own `weight_decay`."""
    kind = Lion if settings.name == "lion" else Signum
    return kind([*hidden, *others], lr=settings.lr, betas=settings.betas)


class Signum(MeanOptimizer):
    """theta - lr sign(m), m the running mean of the gradient.

    Args:
        params: Parameters, or groups with `weight_decay`.
        lr: Learning rate.
        betas: The first is the decay of the mean.
        maximize: Whether to go up the gradient.
    """

    def __init__(
        self, params: Iterable[Any], *, lr: float, betas: tuple[float, float] = (0.9, 0.99), maximize: bool = False
    ) -> None:
        super().__init__(params, lr=lr, maximize=maximize)
        self._betas = betas

    def _take(self, group: dict[str, Any], parameters: list[nn.Parameter], gradients: Sequence[Tensor]) -> None:
        means = self.means(parameters, "exp_avg")
        shrink(parameters, group["lr"], group["weight_decay"])
        torch._foreach_lerp_(means, list(gradients), 1 - self._betas[0])
        move(parameters, torch._foreach_sign(means), group["lr"])


class Lion(Signum):
    """theta - lr sign(beta1 m + (1 - beta1) g), and m the running mean of the gradient by beta2."""

    def _take(self, group: dict[str, Any], parameters: list[nn.Parameter], gradients: Sequence[Tensor]) -> None:
        means, gradients = self.means(parameters, "exp_avg"), list(gradients)
        shrink(parameters, group["lr"], group["weight_decay"])
        directions = torch._foreach_lerp(means, gradients, 1 - self._betas[0])
        torch._foreach_sign_(directions)
        move(parameters, directions, group["lr"])
        torch._foreach_lerp_(means, gradients, 1 - self._betas[1])
