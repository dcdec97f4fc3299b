"""What a mixture writes of its experts, and how that is read.

ADAPTER/mole.safetensors: A and B of every expert of every linear, and what they began at; float32.

Shapes: I in_features, O out_features, K leading directions, R rank.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from codeglot.errors import EngineError
from codeglot.methods.mole.experts import Expert
from codeglot.methods.mole.start import Start
from codeglot.models.layers import Linear

FILE = "mole.safetensors"
_START = "start"


class Written(NamedTuple):
    """The experts of one linear."""

    module: str
    """Name of the linear in the base."""
    experts: Sequence[Expert]
    factors: Callable[[Expert], tuple[Tensor, Tensor]]
    """A (R, I) and B (O, R) of one."""
    start: Start | None


def write(mixtures: Iterable[Written], folder: Path) -> None:
    """Write the factors of all experts, and what they began at."""
    tensors: dict[str, Tensor] = {}
    for module, experts, factors, start in mixtures:
        pairs = {expert.name: factors(expert) for expert in experts} | ({_START: start} if start is not None else {})
        for name, (a, b) in pairs.items():
            tensors |= {_key(module, name, "lora_A"): a, _key(module, name, "lora_B"): b}
    folder.mkdir(parents=True, exist_ok=True)
    # Each in memory of its own: languages may share an A.
    own = {key: tensor.detach().cpu().clone().contiguous() for key, tensor in tensors.items()}
    save_file(own, folder / FILE, metadata={"format": "pt"})


class Saved:
    """What was written.

    Args:
        folder: That `write` wrote to.
        device: Where tensors are put.

    Raises:
        EngineError: If the file cannot be read.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        self._path, self._device = folder / FILE, device
        try:
            self._tensors = load_file(self._path)
        except (OSError, SafetensorError) as error:
            raise EngineError(f"{self._path} cannot be read: {error}. Copy the adapter again.") from error

    def factors(self, linear: Linear, expert: Expert) -> tuple[Tensor, Tensor]:
        """A (R, I) and B (O, R) of an expert.

        Raises:
            EngineError: If they are missing, or of other sizes than the card or the base says.
        """
        a_RI, b_OR = self._pair(linear, expert.name)
        self._need_sizes(linear, expert.name, (a_RI, b_OR), expert.r)
        return a_RI, b_OR

    def start(self, linear: Linear) -> Start:
        """What the experts of a linear began at.

        Raises:
            EngineError: If it is missing, or of other sizes than the base says.
        """
        a_KI, b_OK = self._pair(linear, _START)
        self._need_sizes(linear, _START, (a_KI, b_OK), len(a_KI))
        return Start(a_KI, b_OK)

    def _pair(self, linear: Linear, name: str) -> tuple[Tensor, Tensor]:
        try:
            a, b = (self._tensors[_key(linear.name, name, factor)] for factor in ("lora_A", "lora_B"))
        except KeyError as error:
            raise self._misfit(f"{error} is not there") from error
        return a.to(self._device), b.to(self._device)

    def _need_sizes(self, linear: Linear, name: str, pair: tuple[Tensor, Tensor], r: int) -> None:
        wanted = [(r, linear.in_features), (linear.out_features, r)]
        if (found := [tuple(tensor.shape) for tensor in pair]) != wanted:
            raise self._misfit(f"'{name}' of {linear.name} has A and B of sizes {found}, not {wanted}")

    def _misfit(self, what: str) -> EngineError:
        return EngineError(f"{self._path} does not fit its card, or its base: {what}. Copy the adapter again.")


def _key(module: str, expert: str, factor: str) -> str:
    return f"{module}.{expert}.{factor}"
