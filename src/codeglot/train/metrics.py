"""metrics.jsonl: one line per logged step. No torch here: reports read it.

A training that continues from a checkpoint cuts off the lines of steps it takes again, so no step is there twice.
"""

from pathlib import Path

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.runs import iter_rows, write_rows


class EnergyRow(StrictModel):
    """Where the energy of one tensor lies, as a regularizer sees it."""

    energy: float
    """Sum of squares."""
    low: float
    """The part of it at frequencies below `regularizer.threshold`, 0 to 1."""
    noise_low: float
    """The same part of white noise: what is low is low only above it."""


class CurvatureRow(StrictModel):
    """What Sophia's curvature does to the tensors of one kind, over all layers."""

    win_rate: float
    """Part of the coordinates that the curvature decided, and no clipping; 0.1 to 0.5 is what its authors aim at."""
    hessian_norm: float
    """Norm of the mean of the curvature."""
    zero_share: float
    """Part of the coordinates whose curvature is exactly 0."""


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
    nats per target token, `spectral` a regularizer's, times its strength. Their sum is what was minimised. In bfloat16
    `nll` has about three digits: between logged steps it is a sum in 16 bits (`nll_by_language`, of the
    logged step, is one in 32)."""
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
    spectrum: dict[str, EnergyRow] | None = None
    """By tensor (or module, for `delta_w`); None without a regularizer."""
    curvature: dict[str, CurvatureRow] | None = None
    """By kind of tensor, `*` for the layer; None for optimizers without curvature."""


def cut_after(path: Path, step: int) -> None:
    """Drop the lines behind `step`, and all that follows a torn one.

    Raises:
        DataError: If a whole line is no such record.
        RunError: If the file cannot be written.
    """
    if path.exists():
        write_rows(path, [row for row in iter_rows(path, MetricsRow) if row.step <= step])
