"""metrics.jsonl: one line per logged step. No torch here: reports read it.

A training that continues from a checkpoint cuts off the lines of steps it takes again, so no step is there twice.
"""

from pathlib import Path

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.runs import iter_rows, write_rows


class MetricsRow(StrictModel):
    """What is known after one optimizer step."""

    step: int = Field(ge=1)
    """Steps taken so far."""
    stage: str
    """Name of the training that it belongs to, where a method has several in a row."""
    num_tokens: int
    """Tokens that went through the model so far, prompts included, padding not."""
    num_target_tokens: int
    """Tokens trained on so far."""
    losses: dict[str, float]
    """Each term as it entered the loss, mean over the steps since the last line; `nll` is the language model's, in
    nats per target token. Their sum is what was minimised. In bfloat16 `nll` has about three digits: between logged
    steps it is a sum in 16 bits (`nll_by_language`, of the logged step, is one in 32)."""
    nll_by_language: dict[str, float]
    """Language-model loss of this step alone, per target token of each language."""
    lr: float
    grad_norm: float
    """Norm of the whole gradient of this step, before it was scaled down."""
    tokens_per_s: float
    """Tokens through the model per second of wall time since the last line."""
    cpu_s: float
    """CPU seconds of this process in training steps so far; validation is not in it."""
    wall_s: float
    """The same in seconds of wall time."""
    validation: dict[str, float] | None = None
    """What validation measured after this step; None where there was none."""


def cut_after(path: Path, step: int) -> None:
    """Drop the lines behind `step`, and all that follows a torn one.

    Raises:
        DataError: If a whole line is no such record.
        RunError: If the file cannot be written.
    """
    if path.exists():
        write_rows(path, [row for row in iter_rows(path, MetricsRow) if row.step <= step])
