"""What regularizers see of a method: its low-rank updates."""

from typing import NamedTuple

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
