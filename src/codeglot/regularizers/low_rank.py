"""What regularizers see of a method: its low-rank updates."""

from typing import NamedTuple

import torch
from torch import Tensor


class LowRank(NamedTuple):
    """One low-rank update `scale * B @ A` of a linear module."""

    module: str
    """Name of the adapted module in the base model."""
    a_RI: Tensor
    """(R, I), differentiable in what is trained; the parameter itself where the whole factor is trained."""
    b_OR: Tensor
    """(O, R), likewise."""
    scale: float
    expert: str = ""
    """Which of several updates of the module this is; empty where there is one."""

    @property
    def name(self) -> str:
        """Name of the update, for people and metrics."""
        return f"{self.module}.{self.expert}" if self.expert else self.module


def difference(now: tuple[Tensor, Tensor], start: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """A (2R, I) and B (O, 2R) whose product is `B A - B0 A0`, as `B (A - A0) + (B - B0) A0`.

    That is small where little has moved; the difference of two large products would be lost in 16 bits.

    Args:
        now: A (R, I) and B (O, R).
        start: A0 and B0, of the same shapes.
    """
    (a_RI, b_OR), (start_a_RI, start_b_OR) = now, start
    return torch.cat([a_RI - start_a_RI, start_a_RI]), torch.cat([b_OR, b_OR - start_b_OR], dim=1)
