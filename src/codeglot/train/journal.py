"""What a training says while it runs: metrics.jsonl, trackers, progress."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from codeglot.runs import METRICS, RowWriter
from codeglot.train.metrics import MetricsRow, cut_after
from codeglot.train.processes import Processes

Progress = Callable[[int, int, MetricsRow | None], None]
"""Called after every step with the steps taken, those of the whole training, and the line that was logged, if one."""


class Journal:
    """Writes what is known about steps; on the first process only.

    Args:
        out: The run folder.
        processes: Its trackers are used.
        settings: What trackers show beside the curves.
        num_steps: Steps of the whole training.
        progress: Who wants to know.
    """

    def __init__(
        self,
        out: Path,
        processes: Processes,
        *,
        settings: Mapping[str, str | float],
        num_steps: int,
        progress: Progress | None,
    ) -> None:
        self._out = out
        self._accelerator = processes.accelerator
        self._settings = dict(settings)
        self._is_first = processes.is_first
        self._num_steps = num_steps
        self._progress = progress
        self._writer: RowWriter | None = None
        self._since = Mark(time.perf_counter(), 0)

    def begin(self, step: int, num_tokens: int) -> None:
        """Continue behind a step; what was written of later ones is dropped."""
        if self._is_first:
            cut_after(self._out / METRICS, step)
            self._writer = RowWriter(self._out / METRICS)
        if self._accelerator.log_with:
            self._accelerator.init_trackers("codeglot", config=self._settings)
        self._since = Mark(time.perf_counter(), num_tokens)
        if self._progress and self._is_first:
            self._progress(step, self._num_steps, None)

    def tokens_per_s(self, num_tokens: int) -> float:
        """Tokens per second since this was last asked."""
        before, self._since = self._since, Mark(time.perf_counter(), num_tokens)
        return (num_tokens - before.num_tokens) / max(self._since.time_s - before.time_s, 1e-9)

    def pause(self, seconds: float) -> None:
        """Take time that was not spent in training out of the next `tokens_per_s`."""
        self._since = Mark(self._since.time_s + seconds, self._since.num_tokens)

    def step(self, step: int, row: MetricsRow | None) -> None:
        """Tell of a finished step, with what is to be logged of it, if anything."""
        if row is not None and self._writer is not None:
            self._writer.write(row)
            if self._accelerator.trackers:
                self._accelerator.log(_flat(row), step=step)
        if self._progress and self._is_first:
            self._progress(step, self._num_steps, row)

    def close(self) -> None:
        """Finish files and trackers."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for tracker in self._accelerator.trackers:
            tracker.finish()
        self._accelerator.trackers.clear()


class Mark(NamedTuple):
    """When how many tokens had been trained on."""

    time_s: float
    num_tokens: int


def _flat(row: MetricsRow) -> dict[str, float]:
    """A line as trackers take it: one number per name."""
    values = {name: value for name, value in row.model_dump(exclude={"step"}).items() if isinstance(value, int | float)}
    tables: Sequence[tuple[str, Mapping[str, float]]] = (
        ("loss", row.losses),
        ("nll", row.nll_by_language),
        ("validation", row.validation or {}),
        *((f"spectrum/{name}", energy.model_dump()) for name, energy in (row.spectrum or {}).items()),
        *((f"curvature/{kind}", use.model_dump()) for kind, use in (row.curvature or {}).items()),
    )
    return values | {f"{table}/{name}": value for table, numbers in tables for name, value in numbers.items()}
