"""Which language is each token in? Asked by training, prefill and decoding, and answered here for all of them.

The answer for a token is the state of the fence machine behind it, so it depends only on the tokens up to it and
never changes later. The text of a token does not depend on its neighbours here: where a character is split over
tokens, each part counts as one unknown character, in training as in decoding.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from codeglot.data.batch import OTHER_LANGUAGE
from codeglot.languages.fences import FenceMachine


class TokenLanguages:
    """Labels tokens with indices into a run's list of languages: 1, 2, ... in its order, 0 for other text.

    Args:
        tokenizer: That of the model.
        languages: Language ids in the order of the indices.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, languages: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._indices = {language_id: number for number, language_id in enumerate(languages, start=1)}
        # Some decoders strip the first space of a text, so a token is decoded behind another one.
        self._before = tokenizer.encode("a", add_special_tokens=False)[-1:]
        self._start = len(self._decode(self._before))
        self._texts: dict[int, str] = {}

    def index(self, language_id: str | None) -> int:
        """Index of one language; 0 for None and for a language outside the list."""
        return OTHER_LANGUAGE if language_id is None else self._indices.get(language_id, OTHER_LANGUAGE)

    def label(self, token_ids: Sequence[int], state: FenceMachine | None = None) -> tuple[list[int], FenceMachine]:
        """Language of each token, and the state of the machine behind them.

        Args:
            token_ids: They follow what the machine has read; special tokens count as no text.
            state: Of the machine before them; None: they are the beginning of a prompt, or of an answer.
        """
        state = state or FenceMachine()
        index = self.index(state.language_id)
        labels = []
        for token_id in token_ids:
            text = self._text(token_id)
            # In a line that can be no fence, the state changes at its end alone.
            if state.line is not None or "\n" in text or "\r" in text:
                state = state.feed(text)
                index = self.index(state.language_id)
            labels.append(index)
        return labels, state

    def _text(self, token_id: int) -> str:
        text = self._texts.get(token_id)
        if text is None:
            text = self._texts[token_id] = self._decode([*self._before, token_id])[self._start :]
        return text

    def _decode(self, token_ids: list[int]) -> str:
        return str(self._tokenizer.decode(token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
