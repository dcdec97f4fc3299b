"""The rows of one batch while they are written: text as it grows, and the moment each row ends.

Text is decoded in a sliding window of tokens: what a window yields beyond its known beginning is new. So the
first token keeps its leading spaces, which decoding it alone would strip, and half a character waits for the rest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, StoppingCriteria

from codeglot.generate.engine import GenerationRequest
from codeglot.generate.stop import find_stop
from codeglot.records import FinishReason

_CONTEXT = 8
"""Tokens of the prompt before the first generated one; a few, since the end of the prompt is its own context."""
_HALF_A_CHARACTER = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Turns tokens, one at a time, into the text that they add to the prompt."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt_ids: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._known = list(prompt_ids[-_CONTEXT:])
        self._new: list[int] = []

    def push(self, token_id: int) -> str:
        """Return the text that is certain with this token; empty while a character is incomplete."""
        self._new.append(token_id)
        text = self._text_of_new()
        if not text or text.endswith(_HALF_A_CHARACTER):
            return ""
        self._known, self._new = self._new, []
        return text

    def flush(self) -> str:
        """Return what is left at the end, an incomplete character as U+FFFD."""
        text, self._new = self._text_of_new(), []
        return text

    def _text_of_new(self) -> str:
        return self._decode(self._known + self._new)[len(self._decode(self._known)) :]

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


@dataclass
class Row:
    """One completion in the making."""

    request: GenerationRequest
    prompt_ids: list[int]
    max_new_tokens: int
    text: str = ""
    num_tokens: int = 0
    """Tokens generated, the end token included."""
    finish_reason: FinishReason | None = None
    """None while it is being written."""


class RowEnds(StoppingCriteria):
    """Takes each new token to its row and says which rows have ended.

    Args:
        rows: In the order of the batch; their text, count and ending are filled in.
        tokenizer: That of the model.
        end_ids: Tokens that end a completion.
        share: All rows are said to have ended when no more than this part of them goes on; 0: when none does.
    """

    def __init__(
        self, rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase, end_ids: Collection[int], share: float = 0.0
    ) -> None:
        self._rows = list(rows)
        self._streams = [TextStream(tokenizer, row.prompt_ids) for row in rows]
        self._end_ids = end_ids
        self._share = share

    @property
    def room(self) -> int:
        """Tokens that the longest row may still get."""
        return max(row.max_new_tokens - row.num_tokens for row in self._rows)

    def narrow(self) -> list[int]:
        """Forget the rows that have ended; return the places in the batch of the others."""
        places = [place for place, row in enumerate(self._rows) if row.finish_reason is None]
        self._rows = [self._rows[place] for place in places]
        self._streams = [self._streams[place] for place in places]
        return places

    def __call__(self, input_ids: Tensor, _scores: object, **_: object) -> Tensor:
        """Return a boolean per row: True where it has ended."""
        for row, stream, token_id in zip(self._rows, self._streams, input_ids[:, -1].tolist(), strict=True):
            if row.finish_reason is None:
                self._advance(row, stream, token_id)
        ended = [row.finish_reason is not None for row in self._rows]
        if ended.count(False) <= self._share * len(ended):
            ended = [True] * len(ended)
        return torch.tensor(ended, device=input_ids.device)

    def _advance(self, row: Row, stream: TextStream, token_id: int) -> None:
        row.num_tokens += 1
        if token_id in self._end_ids:
            row.finish_reason = FinishReason.STOP
        elif row.num_tokens >= row.max_new_tokens:
            row.finish_reason = FinishReason.LENGTH
        added = "" if row.finish_reason is FinishReason.STOP else stream.push(token_id)
        if row.finish_reason is not None:
            added += stream.flush()
        self._append(row, added)

    @staticmethod
    def _append(row: Row, added: str) -> None:
        seen = len(row.text)
        row.text += added
        longest = max(map(len, row.request.stop), default=0)
        end = find_stop(row.text, row.request.stop, max(0, seen - longest + 1))
        if end is not None:
            row.text = row.text[:end]
            row.finish_reason = FinishReason.STOP
