"""AdamW: torch's own.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv 1711.05101, algorithm 2.
"""

from typing import Any

import torch
from torch.optim import Optimizer

from codeglot.optim.settings import Optim

_FUSED_DEVICES = {"cpu", "cuda"}
"""Where torch updates all parameters in one kernel; elsewhere it goes through them in groups."""


def build(hidden: list[dict[str, Any]], others: list[dict[str, Any]], settings: Optim) -> Optimizer:
    """AdamW over parameter groups that bring their own `weight_decay`: matrices of layers, and all else."""
    groups = [*hidden, *others]
    can_fuse = all(p.device.type in _FUSED_DEVICES and p.is_floating_point() for g in groups for p in g["params"])
    way = {"fused": True} if can_fuse else {"foreach": True}
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, eps=settings.eps, **way)
