"""What the run file says about the training loop. No torch here: a run file is checked without it."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel

Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
"""Each by the name of its package."""
CHANGES_NOTHING = frozenset({"log_every", "save_every", "keep_checkpoints", "trackers"})
"""Settings that a training may be continued with others of; a logged step is summed up in another order, no more."""


class Train(StrictModel):
    """`[train]`: how much is trained, in which portions, and what is kept of it."""

    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; None: by `epochs`."""
    epochs: float | None = Field(default=None, gt=0)
    """Passes over the examples; None: by `steps`."""
    batch_size: int = Field(default=16, ge=1)
    """Examples of one optimizer step, over all processes together."""
    micro_batch_size: int = Field(default=8, ge=1)
    """Rows of one forward pass. Smaller takes less memory and gives the same result."""
    packing: bool = False
    """Whether several examples share a row, without seeing each other. Gives the same result with less padding."""
    max_length: int | None = Field(default=None, ge=2)
    """Tokens of the longest row, no less than those of the longest example; None: as many as that has."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16`: matrix products in 16 bits (autocast); trained parameters keep their own number format."""
    gradient_checkpointing: bool = False
    """Whether layers are computed again on the way back: less memory, about a third more work."""
    log_every: int = Field(default=10, ge=1)
    """Steps between two lines of metrics.jsonl; the first and the last step are always there."""
    save_every: int = Field(default=0, ge=0)
    """Steps between two checkpoints; 0: only at the end."""
    keep_checkpoints: int = Field(default=1, ge=1)
    """How many of the newest checkpoints are kept; the best one by validation is kept besides."""
    trackers: tuple[Tracker, ...] = ()
    """Where metrics go besides metrics.jsonl. None of them is installed or used unless named here."""

    @field_validator("trackers")
    @classmethod
    def _are_different(cls, names: tuple[Tracker, ...]) -> tuple[Tracker, ...]:
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} stands there more than once; name each once")
        return names

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs: how long to train has no default")
        return self

    def num_draws(self, num_examples: int) -> int:
        """Examples drawn in all, of `num_examples` that there are."""
        if self.steps is not None:
            return self.steps * self.batch_size
        return max(round((self.epochs or 0) * num_examples), 1)
