"""What the training loop feeds a model with: rows of tokens that carry their labels and their languages.

Shapes: B rows, L positions.
"""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

IGNORED = -100
"""Label of a position that is not trained on."""
PADDING_LANGUAGE = -1
"""Language id of padding."""
OTHER_LANGUAGE = 0
"""Language id of text in no language of the adapter's list."""


class EncodedExample(NamedTuple):
    """One example as tokens; all lists have the same length, prompt + completion + end of text."""

    input_ids: list[int]
    labels: list[int]
    """`input_ids` where trained on, else -100. Not shifted: position t is predicted from those before it."""
    language_ids: list[int]
    """Index into the run's list of languages, 0 for other."""
    where: str
    """Source of the example, for messages."""

    @property
    def num_targets(self) -> int:
        """Positions that are trained on; the first position can never be one."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one forward pass, on the device of the model."""

    input_ids: Tensor
    """(B, L), int64."""
    labels: Tensor
    """(B, L), int64, -100 where not trained on; not shifted. The first token of every example is -100."""
    language_ids: Tensor
    """(B, L), int64; -1 on padding."""
    attention_mask: Tensor | None
    """(B, L), 1 on tokens; None for packed rows, whose examples `position_ids` tell apart."""
    position_ids: Tensor | None
    """(B, L), from 0 within each example; None for rows of one example each."""

    @property
    def num_targets(self) -> int:
        """Positions that are trained on."""
        return int((self.labels != IGNORED).sum())
