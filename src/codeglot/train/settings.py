"""What the run file says about the training loop. No torch here: a run file is checked without it."""

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel
from codeglot.errors import ConfigError

Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]
"""Each by the name of its package."""
MOST = 10_000_000
"""Steps, epochs, tokens of a row, examples of a step: more is a slip of the finger, not a wish."""
MOST_DRAWS = 100_000_000
"""Examples drawn in one training; their order is kept in memory."""
CHANGES_NOTHING = frozenset({"log_every", "save_every", "keep_checkpoints", "trackers"})
"""Settings that a training may be continued with others of; a logged step is summed up in another order, no more."""


class Train(StrictModel):
    """`[train]`: how much is trained, in which portions, and what is kept of it."""

    steps: int | None = Field(default=None, ge=1, le=MOST)
    """Optimizer steps; None: by `epochs`."""
    epochs: float | None = Field(default=None, gt=0, le=MOST)
    """Passes over the examples; None: by `steps`."""
    batch_size: int = Field(default=16, ge=1, le=MOST)
    """Examples of one optimizer step, over all processes together."""
    micro_batch_size: int = Field(default=8, ge=1)
    """Rows of one forward pass. Smaller takes less memory and gives the same result."""
    packing: bool = False
    """Whether several examples share a row, without seeing each other. Gives the same result with less padding."""
    max_length: int | None = Field(default=None, ge=2, le=MOST)
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
        if self.steps is None and self.epochs is None:
            raise ValueError("give either steps or epochs: how long to train has no default")
        if self.steps is not None and self.epochs is not None:
            raise ValueError(
                f"steps = {self.steps} and epochs = {self.epochs:g} both say how long to train; take one of them out"
            )
        if self.steps is not None and self.steps * self.batch_size > MOST_DRAWS:
            raise ValueError(
                f"steps = {self.steps} of batch_size = {self.batch_size} draw more than {MOST_DRAWS:,} examples; "
                "give fewer of either"
            )
        return self

    def num_draws(self, num_examples: int) -> int:
        """Examples drawn in all, of `num_examples` that there are.

        Raises:
            ConfigError: If they are too many to keep their order in memory.
        """
        if self.steps is not None:
            return self.steps * self.batch_size
        num_draws = max(round((self.epochs or 0) * num_examples), 1)
        if num_draws > MOST_DRAWS:
            raise ConfigError(
                f"train.epochs = {self.epochs:g} of {num_examples} examples draw more than {MOST_DRAWS:,}; give fewer."
            )
        return num_draws

    def num_steps(self, num_examples: int) -> int:
        """Optimizer steps, of which the last takes what is left.

        Raises:
            ConfigError: As `num_draws`.
        """
        return math.ceil(self.num_draws(num_examples) / self.batch_size)
