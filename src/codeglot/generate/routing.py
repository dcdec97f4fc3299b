"""Which language is each token in that a model reads or writes? Told to models whose methods route by language.

The labels come from the function that training uses, and depend only on the tokens up to each one. So what a cache
holds stays exact when the language changes in the middle of an answer. Where they come from, first to last: the
language asked for, which covers a completion, and its prompt where that is code; the fences of a chat; else the text
is other text.

Shapes: B rows, L positions.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from codeglot.data.batch import OTHER_LANGUAGE, PADDING_LANGUAGE
from codeglot.data.token_languages import TokenLanguages
from codeglot.generate.engine import GenerationRequest
from codeglot.generate.rows import Row
from codeglot.languages.fences import FenceMachine
from codeglot.models.layers import plain_model
from codeglot.models.load import Routing


class Labeler:
    """Languages of the tokens of one row, prompt and answer.

    Args:
        request: What is asked.
        prompt_ids: Its tokens.
        languages: Labels single tokens.
        text_is_code: Whether other text counts as the language that is asked for.
    """

    def __init__(
        self, request: GenerationRequest, prompt_ids: Sequence[int], languages: TokenLanguages, *, text_is_code: bool
    ) -> None:
        self._languages = languages
        asked = languages.index(request.language_id)
        self._text = asked if text_is_code else OTHER_LANGUAGE
        self._fixed = None if request.messages else asked
        """Language of the whole answer; None: that of its fences."""
        if request.messages:
            self.prompt = self._told(languages.label(prompt_ids)[0])
        else:
            self.prompt = self._told([asked if request.prompt_is_code else OTHER_LANGUAGE] * len(prompt_ids))
        self._states: dict[tuple[int, ...], FenceMachine] = {}
        """By beginning of the answer, the machine behind it: beams share beginnings, and change their places."""

    def answer(self, token_ids: Sequence[int], num_last: int) -> list[int]:
        """Languages of the last tokens of an answer."""
        if self._fixed is not None:
            return [self._fixed] * num_last
        before, last = tuple(token_ids[: len(token_ids) - num_last]), token_ids[len(token_ids) - num_last :]
        state = self._states.get(before)
        if state is None:
            state = self._languages.label(before)[1]
        labels, self._states[tuple(token_ids)] = self._languages.label(last, state)
        return self._told(labels)

    def forget(self, length: int) -> None:
        """Drop what is known of beginnings shorter than this."""
        self._states = {tokens: state for tokens, state in self._states.items() if len(tokens) >= length}

    def _told(self, labels: list[int]) -> list[int]:
        return [self._text if label == OTHER_LANGUAGE else label for label in labels]


@contextmanager
def routed(
    model: Any, routing: Routing | None, rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase
) -> Iterator["Labels | None"]:
    """Tell a model the languages of its tokens while `generate` of transformers runs, greedy, sampling or with beams.

    Args:
        model: With adapters around it or not.
        routing: How it is routed; None: it is not.
        rows: Of the batch, in order; prompts are padded on the left.
        tokenizer: That of the model.
    """
    if routing is None:
        yield None
        return
    languages = TokenLanguages(tokenizer, routing.languages)
    labels = Labels(
        [Labeler(row.request, row.prompt_ids, languages, text_is_code=routing.text_is_code) for row in rows],
        width=max(len(row.prompt_ids) for row in rows),
    )
    plain = plain_model(model)
    prepare = plain.prepare_inputs_for_generation
    with ExitStack() as opened:

        @wraps(prepare)
        def prepare_and_route(input_ids: Tensor, *arguments: Any, **settings: Any) -> Any:
            inputs = prepare(input_ids, *arguments, **settings)
            opened.close()
            opened.enter_context(routing.route(labels.of_last(input_ids, inputs["input_ids"].shape[1])))
            return inputs

        plain.prepare_inputs_for_generation = prepare_and_route
        try:
            yield labels
        finally:
            del plain.prepare_inputs_for_generation


def forced(routing: Routing, label: int) -> Routing:
    """Take all tokens, prompts and answers, for this language; 0 is other text."""
    return routing._replace(route=lambda ids_BL: routing.route(ids_BL.where(ids_BL == PADDING_LANGUAGE, label)))


class Labels:
    """Languages of a batch that grows.

    Args:
        labelers: One for each prompt.
        width: Positions of the longest prompt, to which the others are padded.
    """

    def __init__(self, labelers: Sequence[Labeler], width: int) -> None:
        self._labelers = list(labelers)
        self._width = width

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these rows."""
        self._labelers = [self._labelers[place] for place in places]

    def of_last(self, input_ids_BL: Tensor, num_last: int) -> Tensor:
        """Languages of the last positions of a batch, which may hold several rows for each prompt, as beams do."""
        per_prompt = len(input_ids_BL) // len(self._labelers)
        num_answered = input_ids_BL.shape[1] - self._width
        of_answer = min(num_last, num_answered)
        answers = input_ids_BL[:, self._width :].tolist()
        found = []
        for number, answer in enumerate(answers):
            labeler = self._labelers[number // per_prompt]
            labels = labeler.answer(answer, of_answer) if of_answer else []
            if num_last > of_answer:
                padding = [PADDING_LANGUAGE] * (self._width - len(labeler.prompt))
                labels = [*padding, *labeler.prompt][of_answer - num_last :] + labels
            found.append(labels)
        for labeler in self._labelers:
            labeler.forget(num_answered)
        return torch.tensor(found, device=input_ids_BL.device)
