"""Muon for the matrices of layers, AdamW for all else: both are torch's own.

Muon's step is the running mean of the gradient with its singular values pushed towards 1. Embeddings, output matrices,
vectors and stacks of matrices are left to AdamW, as its author does. The step is scaled to the size of one of AdamW, so
that both share a rate.

Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scale: Liu et al. 2025, arXiv:2502.16982,
equation 4.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from codeglot.optim import adamw
from codeglot.optim.settings import Optim

_MOMENTUM = 0.95
"""Decay of Muon's running mean (Nesterov), the author's; `betas` are those of AdamW."""


def build(hidden: list[dict[str, Any]], others: list[dict[str, Any]], settings: Optim) -> Optimizer:
    """Muon over the matrices of layers, AdamW over all else; each group brings its own `weight_decay`."""
    matrices: list[dict[str, Any]] = []
    stacks: list[dict[str, Any]] = []
    for group in hidden:
        flat = [p for p in group["params"] if p.ndim == 2]
        stacked = [p for p in group["params"] if p.ndim != 2]
        matrices += [group | {"params": flat}] if flat else []
        stacks += [group | {"params": stacked}] if stacked else []
    parts: list[Optimizer] = []
    if matrices:
        parts.append(torch.optim.Muon(matrices, lr=settings.lr, momentum=_MOMENTUM, adjust_lr_fn="match_rms_adamw"))
    if stacks or others:
        parts.append(adamw.build(stacks, others, settings))
    return _Composite(parts)


class _Composite(Optimizer):
    """Several optimizers as one; each has parameters of its own."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self._parts = parts
        super().__init__([{"params": group["params"]} for part in parts for group in part.param_groups], {"lr": 0.0})
        for mine, theirs in self._pairs():
            mine["lr"] = theirs["lr"]

    def _pairs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Groups as others see them, and the same groups in the parts."""
        theirs = [group for part in self._parts for group in part.param_groups]
        return list(zip(self.param_groups, theirs, strict=True))

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Change the weights."""
        if closure is not None:
            raise TypeError("A step with a closure is not supported; compute the gradients first.")
        for mine, theirs in self._pairs():
            theirs["lr"] = mine["lr"]
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The states of the parts, in their order."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the states that `state_dict` gave."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        for mine, theirs in self._pairs():
            mine["lr"] = theirs["lr"]
