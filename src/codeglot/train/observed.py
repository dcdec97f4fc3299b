"""What a logged step tells besides losses: where the energy of regularized tensors lies, and what curvature does."""

import math
import re
from collections.abc import Mapping, Sequence

from torch import nn
from torch.optim import Optimizer

from codeglot.errors import DivergedError
from codeglot.optim.sophia import Sophia
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.penalty import Penalty
from codeglot.train.metrics import CurvatureRow, EnergyRow

_LAYER = re.compile(r"(?<=\.)\d+(?=\.)")
"""The number of a layer in the name of a tensor."""


def spectrum_rows(penalty: Penalty | None, factors: Sequence[LowRank]) -> dict[str, EnergyRow] | None:
    """Where the energy of each penalised tensor lies; None without a regularizer.

    Raises:
        DivergedError: If a tensor has grown so large that its energy is no number.
    """
    if penalty is None:
        return None
    shares = penalty.shares(factors)
    if wild := next((name for name, share in shares.items() if not math.isfinite(share.energy)), None):
        raise DivergedError(
            f"The weights of {wild} have grown so large that their energy is not a finite number. Lower optim.lr or "
            "optim.weight_decay, and train into another folder."
        )
    return {name: EnergyRow(**share._asdict()) for name, share in shares.items()}


def curvature_rows(optimizer: Optimizer, trained: Mapping[str, nn.Parameter]) -> dict[str, CurvatureRow] | None:
    """What curvature does to each kind of tensor, over all layers; None for optimizers without it."""
    if not isinstance(optimizer, Sophia):
        return None
    kinds: dict[str, list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        if not parameter.requires_grad:  # of an earlier stage
            continue
        kinds.setdefault(_LAYER.sub("*", name), []).append(parameter)
    return {kind: _row(optimizer, parameters) for kind, parameters in kinds.items()}


def _row(optimizer: Sophia, parameters: Sequence[nn.Parameter]) -> CurvatureRow:
    """Over several tensors: shares by their sizes, and the norm of all."""
    total = sum(p.numel() for p in parameters)
    uses = [(use, p.numel() / total) for use, p in zip(optimizer.uses(parameters), parameters, strict=True)]
    return CurvatureRow(
        win_rate=sum(use.win_rate * part for use, part in uses),
        hessian_norm=sum(use.hessian_norm**2 for use, _ in uses) ** 0.5,
        zero_share=sum(use.zero_share * part for use, part in uses),
    )
