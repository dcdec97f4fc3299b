"""Where a training stands, on disk, so that one killed at any moment goes on as if it had not been.

A checkpoint is written to a hidden folder, forced to the disk and renamed, so it is whole or not there. One whose
files were damaged later is passed over for an older one, with a message; one of another training is refused.

    checkpoints/step-00000400/   checkpoint.json, trained.safetensors, optimizer.pt, random.pt
    checkpoints/best-00000300/   trained.safetensors of the step that validation liked best

The frozen base is not in it. Files of torch's own format are read with `weights_only`: numbers and tensors, no code.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple, Self

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from codeglot.config import StrictModel
from codeglot.errors import RunError
from codeglot.runs import CHECKPOINTS, write_json

_STATE = "checkpoint.json"
_TRAINED = "trained.safetensors"
_OPTIMIZER = "optimizer.pt"
_RANDOM = "random.pt"

log = logging.getLogger(__name__)


class Standing(StrictModel):
    """How far a training is."""

    step: int = 0
    """Optimizer steps taken; with the settings, the position in the data too."""
    num_tokens: int = 0
    num_target_tokens: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    best_step: int | None = None
    """Step that validation liked best so far."""
    best_metric: float | None = None
    losses: dict[str, float] = Field(default_factory=dict)
    """Sum of each loss term since the last logged step."""
    num_logged_over: int = 0
    """Steps in those sums."""
    regularizer: dict[str, float] = Field(default_factory=dict)
    """What it has measured so far."""

    def after(self, *, num_tokens: int, num_target_tokens: int, cpu_s: float, wall_s: float) -> Self:
        """One step further, which took so much."""
        return self.model_copy(
            update={
                "step": self.step + 1,
                "num_tokens": self.num_tokens + num_tokens,
                "num_target_tokens": self.num_target_tokens + num_target_tokens,
                "cpu_s": self.cpu_s + cpu_s,
                "wall_s": self.wall_s + wall_s,
                "num_logged_over": self.num_logged_over + 1,
            }
        )


class _State(StrictModel):
    """checkpoint.json."""

    standing: Standing
    identity: dict[str, str]
    """What the training is made of, each part as a hash or a number."""
    sizes: dict[str, int]
    """Bytes of every other file."""


class Tensors(NamedTuple):
    """What a checkpoint holds besides its standing."""

    trained: dict[str, Tensor]
    """By the names of the model; on the CPU."""
    optimizer: dict[str, Any]
    random: list[Any]
    """State of the random generators of each process."""


class Checkpoints:
    """The checkpoints of one run folder.

    Args:
        run: The run folder.
        identity: What the training is made of; a checkpoint of another one is refused.
        keep: How many of the newest stay.
    """

    def __init__(self, run: Path, identity: Mapping[str, str], *, keep: int) -> None:
        self._folder = run / CHECKPOINTS
        self._identity = dict(identity)
        self._keep = keep

    def save(self, standing: Standing, tensors: Tensors) -> None:
        """Write a checkpoint and drop those that are no longer kept.

        Raises:
            RunError: If it cannot be written; older ones are still there.
        """

        def fill(folder: Path) -> None:
            save_file(tensors.trained, folder / _TRAINED)
            torch.save(tensors.optimizer, folder / _OPTIMIZER)
            torch.save(tensors.random, folder / _RANDOM)
            sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
            write_json(folder / _STATE, _State(standing=standing, identity=self._identity, sizes=sizes))

        self._write(f"step-{standing.step:08}", fill)
        self._prune(standing)

    def save_best(self, step: int, trained: dict[str, Tensor]) -> None:
        """Write what was trained at the step that validation likes best.

        Raises:
            RunError: If it cannot be written.
        """
        self._write(f"best-{step:08}", lambda folder: save_file(trained, folder / _TRAINED))

    def load_best(self, step: int) -> dict[str, Tensor]:
        """What `save_best` wrote.

        Raises:
            RunError: If it is not there or damaged.
        """
        path = self._folder / f"best-{step:08}" / _TRAINED
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise RunError(
                f"Cannot read {path}, the best step of this training: {error}. Remove {self._folder} and train again."
            ) from error

    def load(self) -> tuple[Standing, Tensors] | None:
        """The newest whole checkpoint; None if there is none.

        Raises:
            RunError: If it belongs to another training.
        """
        for folder in self._newest_first():
            try:
                state = _State.model_validate_json((folder / _STATE).read_bytes())
            except (OSError, ValidationError) as error:
                log.warning("%s is damaged (%s) and passed over.", folder, type(error).__name__)
                continue
            self._refuse_foreign(folder, state)
            best = state.standing.best_step
            try:
                _check_sizes(folder, state.sizes)
                if best is not None:
                    self.load_best(best)
                return state.standing, _read(folder)
            except (OSError, EOFError, RuntimeError, UnpicklingError, SafetensorError, RunError) as error:
                log.warning("%s is damaged (%s) and passed over.", folder, error)
        return None

    def _refuse_foreign(self, folder: Path, state: _State) -> None:
        parts = self._identity.keys() | state.identity.keys()
        if other := sorted(part for part in parts if self._identity.get(part) != state.identity.get(part)):
            raise RunError(
                f"{folder} belongs to another training: {', '.join(other)} differ from this one's. "
                f"Give another folder, or remove {self._folder} to start afresh."
            )

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("step-*"), reverse=True)

    def _prune(self, standing: Standing) -> None:
        """Remove old checkpoints, and bests that none of the others needs."""
        newest = self._newest_first()
        # One of a later step was passed over as damaged.
        kept = [folder for folder in newest if folder.name <= f"step-{standing.step:08}"][: self._keep]
        for folder in newest:
            if folder not in kept:
                shutil.rmtree(folder)
        needed = {standing.best_step}
        for folder in kept:
            try:
                needed.add(_State.model_validate_json((folder / _STATE).read_bytes()).standing.best_step)
            except (OSError, ValidationError):
                continue  # damaged: never continued from
        for folder in self._folder.glob("best-*"):
            if folder.name not in {f"best-{step:08}" for step in needed if step is not None}:
                shutil.rmtree(folder)

    def _write(self, name: str, fill: Callable[[Path], None]) -> None:
        """Make a folder that is whole or not there."""
        target, hidden = self._folder / name, self._folder / f".{name}"
        with _writing(target, hidden):
            shutil.rmtree(hidden, ignore_errors=True)
            hidden.mkdir(parents=True)
            fill(hidden)
            for path in (*hidden.iterdir(), hidden):
                _force_to_disk(path)
            if target.exists():  # of a step that is taken again; another process cannot be here, the run is locked
                shutil.rmtree(target)
            hidden.rename(target)
            _force_to_disk(self._folder)


@contextmanager
def _writing(target: Path, hidden: Path) -> Iterator[None]:
    """Say what could not be written, and leave nothing half-written."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError, RunError) as error:
        # torch and safetensors report a full disk in exceptions of their own.
        shutil.rmtree(hidden, ignore_errors=True)
        raise RunError(
            f"Cannot write the checkpoint {target}: {error}. The one before it is whole: make room or give the right "
            "to write, and run the same command again."
        ) from error


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if (found := (folder / name).stat().st_size) != size:
            raise RunError(f"{name} has {found} bytes instead of {size}")


def _read(folder: Path) -> Tensors:
    return Tensors(
        load_file(folder / _TRAINED),
        torch.load(folder / _OPTIMIZER, map_location="cpu", weights_only=True),
        torch.load(folder / _RANDOM, map_location="cpu", weights_only=True),
    )
