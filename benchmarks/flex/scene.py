"""A step of the bundled experiment, taken apart: the base `micro`, a LoRA on all its linears, its data."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim import Optimizer

from codeglot.config import build
from codeglot.jobs.progress import Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.train import get_ready
from codeglot.methods.base import Method
from codeglot.models.layers import embedding_tables
from codeglot.optim.build import build as build_optimizer
from codeglot.optim.settings import Optim
from codeglot.train.curvature import Curvature
from codeglot.train.portions import Portions
from codeglot.train.processes import Processes
from codeglot.train.step import Stepper

RUN: Mapping[str, Any] = {
    "base": {"model": "micro"},
    "data": {"sources": [{"dataset": "micro", "num_examples": 640, "languages": ["python"]}]},
    "methods": [{"method": "lora", "r": 16, "lora_alpha": 32, "target_modules": "all"}],
    "optim": {"lr": 3e-3},
    "train": {"steps": 40, "batch_size": 16, "micro_batch_size": 8, "packing": True, "max_length": 256},
}


class Scene(NamedTuple):
    """A training between two steps, whose B is not 0."""

    stepper: Stepper
    portions: Portions
    parameters: list[nn.Parameter]
    optimizer: Optimizer
    curvature: Curvature | None
    method: Method

    def step(self, number: int) -> None:
        """Take one."""
        made = self.stepper.accumulate(self.portions.portion(number), by_language=False)
        self.stepper.update(self.optimizer, self.parameters, made, step=number, lr=1e-3)
        if self.curvature is not None and self.curvature.is_due(number):
            self.curvature.refresh(self.optimizer, self.parameters, number)  # type: ignore[arg-type]


def make(**optim: Any) -> Scene:
    """The scene with an optimizer."""
    run = build(TrainingRun, dict(RUN), source="scene")
    ready = get_ready(run, Silent())
    settings = Optim(**{"lr": 3e-3} | optim)
    processes = Processes(on_cpu=True)
    model, methods = ready.attached.model.train(), ready.attached.methods
    portions = Portions(ready.prepared.examples, run.train, seed=0, pad_token_id=0)
    stepper = Stepper(model, methods, train=run.train, optim=settings, processes=processes)
    stepper.open(ready.prepared.examples)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = build_optimizer(settings, parameters, embedding_tables(model))
    curvature = None
    if settings.needs_curvature:
        curvature = Curvature(stepper, portions, optim=settings, processes=processes, seed=0)
    generator = torch.Generator().manual_seed(0)
    for p in parameters:
        if not p.any():
            p.data = 0.02 * torch.randn(p.shape, generator=generator)
    return Scene(stepper, portions, parameters, optimizer, curvature, methods[0])


def cpu_s(work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    before = time.process_time()
    work()
    return time.process_time() - before


def in_turns(works: Mapping[str, Callable[[], Any]], *, rounds: int, repeats: int) -> dict[str, list[float]]:
    """CPU seconds per call, one figure per round; within a round every work has its turn."""
    for work in works.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(cpu_s(lambda work=work: [work() for _ in range(repeats)]) / repeats)  # type: ignore[misc]
    return found


def spread(values: Sequence[float], scale: float = 1e3, digits: int = 2) -> str:
    """Median (lowest to highest), in milliseconds unless told."""
    middle, low, high = (scale * value for value in (statistics.median(values), min(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round."""
    return [left / right for left, right in zip(mine, theirs, strict=True)]
