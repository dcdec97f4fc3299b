"""How does an example become tokens that carry their labels and languages?

Prompt and completion are tokenized apart, so a prompt has in training exactly the tokens that it has when the model
is asked. What is trained on follows from that split, never from marks in a chat template. A completion ends with the
end token, which is what stops generation.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from codeglot.data.batch import IGNORED, EncodedExample
from codeglot.data.format import Message, PromptStyle, build_turns
from codeglot.data.settings import Data
from codeglot.data.token_languages import TokenLanguages
from codeglot.errors import DataError, EngineError
from codeglot.languages import spec
from codeglot.records import Example

_AT_ONCE = 1024
"""Texts given to the tokenizer at a time."""
_SHOWN = 10
"""Faults named in one error."""
_ANCHORS = ("\n", ";", "a", "☺")
"""Texts to put before one that continues another, tried in this order."""


class Encoding(NamedTuple):
    """What became of a list of examples."""

    examples: list[EncodedExample]
    """In the order of the list, without those left out."""
    kept: list[int]
    """Place of each of them in the list that was given."""
    notes: tuple[str, ...]
    """What was left out or cut, one line each, for people."""


class _Limit(NamedTuple):
    """How long an example may be, and what says so."""

    num_tokens: int
    name: str


class _Parts(NamedTuple):
    """The two halves of one example in tokens, with their languages."""

    prompt_ids: list[int]
    completion_ids: list[int]
    """With the end token."""
    prompt_languages: list[int]
    completion_languages: list[int]


def encode(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    settings: Data,
    languages: Sequence[str],
    num_positions: int | None = None,
) -> Encoding:
    """Turn examples into tokens, labels and languages.

    Args:
        examples: All in one of `languages`.
        tokenizer: That of the base model.
        settings: Prompt style, greatest length, and what to do beyond it.
        languages: The run's, in the order of `language_ids` 1, 2, ...
        num_positions: Tokens that the base model can tell the places of; None: any number.

    Raises:
        EngineError: If the tokenizer has no end token, or no chat template that the style needs.
        DataError: If an example has nothing to train on or is too long, each by its source; or if a language has
            none left.
    """
    if tokenizer.eos_token_id is None:
        raise EngineError(
            "The tokenizer has no end token, so a model trained with it would never stop. "
            "Set eos_token in its tokenizer_config.json to a token of its vocabulary."
        )
    labeler = TokenLanguages(tokenizer, languages)
    split = _split_chat if settings.style is PromptStyle.CHAT else _split_completion
    if settings.style is PromptStyle.CHAT:
        _need_template(tokenizer)
    limit = _limit(settings, num_positions)
    faults: list[str] = []
    encoded: list[EncodedExample] = []
    kept: list[int] = []
    known: dict[int, int] = {}
    num_cut = 0
    for start in range(0, len(examples), _AT_ONCE):
        some = examples[start : start + _AT_ONCE]
        for offset, (example, parts) in enumerate(zip(some, split(some, tokenizer, labeler), strict=True)):
            fault = _fault(example, parts, tokenizer, settings, limit)
            if fault:
                faults.append(f"{example.source}: {fault}")
                continue
            length = len(parts.prompt_ids) + len(parts.completion_ids)
            if length > limit.num_tokens and settings.too_long == "drop":
                continue
            num_cut += length > limit.num_tokens
            encoded.append(_join(parts, example.source, limit.num_tokens, known))
            kept.append(start + offset)
    _refuse(faults)
    _need_every_language(examples, kept, limit)
    return Encoding(encoded, kept, _notes(len(examples) - len(encoded), num_cut, limit))


def _limit(settings: Data, num_positions: int | None) -> _Limit:
    if num_positions is not None and num_positions < settings.max_length:
        return _Limit(num_positions, f"the {num_positions} positions of the base model")
    return _Limit(settings.max_length, f"data.max_length = {settings.max_length}")


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    """Tokens of a prompt that a model is to continue, the same in training and in generation."""
    return encode_prompts(tokenizer, [prompt])[0]


def encode_prompts(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]) -> list[list[int]]:
    """Tokens of prompts that a model is to continue, with what the tokenizer puts before a text.

    Some tokenizers close every text with the end token, after which there is nothing to continue: it is taken off.
    """
    end_id, end = tokenizer.eos_token_id, tokenizer.eos_token
    rows = _tokenize(tokenizer, prompts, add_special_tokens=True)
    return [
        ids[:-1] if ids and end_id is not None and ids[-1] == end_id and not prompt.endswith(end) else ids
        for prompt, ids in zip(prompts, rows, strict=True)
    ]


def _split_completion(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, labeler: TokenLanguages
) -> Iterator[_Parts]:
    prompts = encode_prompts(tokenizer, [example.prompt for example in examples])
    completions = _encode_continuations(tokenizer, [example.completion for example in examples])
    for example, prompt_ids, ids in zip(examples, prompts, completions, strict=True):
        completion_ids = [*ids, tokenizer.eos_token_id]
        index = labeler.index(example.language_id)
        yield _Parts(
            prompt_ids,
            completion_ids,
            [index if example.prompt_is_code else labeler.index(None)] * len(prompt_ids),
            [index] * len(completion_ids),
        )


def _split_chat(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, labeler: TokenLanguages
) -> Iterator[_Parts]:
    pairs = [_render(example, tokenizer) for example in examples]
    prompts = _tokenize(tokenizer, [prompt for prompt, _ in pairs], add_special_tokens=False)
    answers = _encode_continuations(tokenizer, [answer for _, answer in pairs])
    for prompt_ids, ids in zip(prompts, answers, strict=True):
        completion_ids = _end(ids, tokenizer)
        # The answer begins anew: some templates put it on the line of their own marks.
        yield _Parts(prompt_ids, completion_ids, labeler.label(prompt_ids)[0], labeler.label(completion_ids)[0])


def _render(example: Example, tokenizer: PreTrainedTokenizerBase) -> tuple[str, str]:
    """What the chat template makes of the question, up to where the answer begins, and what it makes of the answer."""
    question, answer = build_turns(example, spec.get(example.language_id))
    prompt = _apply_template(tokenizer, [question], example, add_generation_prompt=True)
    whole = _apply_template(tokenizer, [question, answer], example, add_generation_prompt=False)
    rest = whole.removeprefix(prompt)
    if not whole.startswith(prompt) or answer.content.strip() not in rest:
        raise DataError(
            f"{example.source}: the chat template does not put the answer, unchanged, behind the prompt that it gives "
            f"when the model is asked, which ends in {prompt[-40:]!r}; so what is trained on cannot be told. "
            "Give the tokenizer a template that does, or set data.style = 'completion'."
        )
    return prompt, rest


def _apply_template(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], example: Example, *, add_generation_prompt: bool
) -> str:
    turns = [message.model_dump() for message in messages]
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=add_generation_prompt))
    except TemplateError as error:
        raise DataError(
            f"{example.source}: the chat template does not take a question and an answer: {error}. "
            "Give the tokenizer another one, or set data.style = 'completion'."
        ) from error


def _need_template(tokenizer: PreTrainedTokenizerBase) -> None:
    if not tokenizer.chat_template:
        raise EngineError(
            "The tokenizer has no chat template, so data.style = 'chat' cannot be trained. "
            "Set data.style = 'completion', or take a model that is tuned for chat."
        )


def _end(ids: list[int], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """An answer as the template closes it, without white space behind its last mark, and ending with the end token."""
    special = set(tokenizer.all_special_ids)
    last = max((place for place, token_id in enumerate(ids) if token_id in special), default=-1)
    if last >= 0 and not str(tokenizer.decode(ids[last + 1 :])).strip():
        ids = ids[: last + 1]
    return ids if ids and ids[-1] == tokenizer.eos_token_id else [*ids, tokenizer.eos_token_id]


def _encode_continuations(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Tokens of texts that continue another one, each as a model would write it there.

    A tokenizer that puts a space before every text would put one between prompt and completion; there, the text is
    tokenized behind an anchor, whose tokens are then taken off.
    """
    alone = _bare(tokenizer, ["a", "\na", "\n"])
    if alone[1] == alone[2] + alone[0]:
        return _bare(tokenizer, texts)
    found: list[list[int] | None] = [None] * len(texts)
    for anchor in _ANCHORS:
        open_places = [place for place, ids in enumerate(found) if ids is None]
        head, *rows = _bare(tokenizer, [anchor, *(anchor + texts[place] for place in open_places)])
        for place, ids in zip(open_places, rows, strict=True):
            if ids[: len(head)] == head:
                found[place] = ids[len(head) :]
    if None in found:
        text = texts[found.index(None)]
        raise EngineError(
            f"The tokenizer joins {text[:40]!r} to whatever stands before it, so it cannot be tokenized as a "
            "continuation. Take a base model with a fast tokenizer of its own."
        )
    return [ids for ids in found if ids is not None]


def _bare(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    return _tokenize(tokenizer, texts, add_special_tokens=False)


def _tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, add_special_tokens: bool) -> list[list[int]]:
    """Tokens of each text; padding and truncation are switched off, since tokenizer.json may have them on."""
    encoded: Any = tokenizer(
        list(texts),
        add_special_tokens=add_special_tokens,
        padding=False,
        truncation=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    return [list(ids) for ids in encoded["input_ids"]]


def _fault(
    example: Example, parts: _Parts, tokenizer: PreTrainedTokenizerBase, settings: Data, limit: _Limit
) -> str | None:
    """What is wrong with an example; None if nothing is."""
    length = len(parts.prompt_ids) + len(parts.completion_ids)
    if not example.prompt or not parts.prompt_ids:
        return "the prompt is empty; a completion needs something that it continues"
    if not example.completion.strip():
        return "the completion is empty, so no token would be trained on"
    if tokenizer.eos_token in example.completion:
        return f"the completion holds the end token {tokenizer.eos_token} as text, where generation would stop"
    if length > limit.num_tokens and settings.too_long == "error":
        return f"it has {length} tokens, above {limit.name}"
    if len(parts.prompt_ids) >= limit.num_tokens and settings.too_long == "truncate":
        return f"its prompt alone has {len(parts.prompt_ids)} tokens, so cut to {limit.num_tokens} none is trained on"
    return None


def _join(parts: _Parts, where: str, max_length: int, known: dict[int, int]) -> EncodedExample:
    """Both halves together; a completion too long loses its end, and with it the end token.

    `known` holds one object per token id, which all examples share: half the memory.
    """
    num_prompt = len(parts.prompt_ids)
    ids = [known.setdefault(token_id, token_id) for token_id in (parts.prompt_ids + parts.completion_ids)[:max_length]]
    return EncodedExample(
        input_ids=ids,
        labels=[IGNORED] * num_prompt + ids[num_prompt:],
        language_ids=(parts.prompt_languages + parts.completion_languages)[:max_length],
        where=where,
    )


def _refuse(faults: Sequence[str]) -> None:
    if not faults:
        return
    more = [f"... and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    lines = "\n".join(f"  {line}" for line in chain(faults[:_SHOWN], more))
    raise DataError(
        f"{len(faults)} example(s) cannot be trained on:\n{lines}\n"
        "Mend or leave out these rows; for those that are too long, raise data.max_length as far as the base model has "
        "positions, or set data.too_long = 'drop' or 'truncate'."
    )


def _need_every_language(examples: Sequence[Example], kept: Sequence[int], limit: _Limit) -> None:
    left = {examples[place].language_id for place in kept}
    if absent := sorted({example.language_id for example in examples} - left):
        raise DataError(
            f"All examples in {', '.join(absent)} have more tokens than {limit.name}, and data.too_long = 'drop' "
            "leaves none of them. Raise data.max_length as far as the base model has positions, or set "
            "data.too_long = 'truncate'."
        )


def _notes(num_dropped: int, num_cut: int, limit: _Limit) -> tuple[str, ...]:
    beyond = f"with more tokens than {limit.name}"
    notes = [
        (num_dropped, f"{num_dropped} example(s) {beyond} were left out (data.too_long = 'drop')."),
        (num_cut, f"{num_cut} example(s) {beyond} were cut (data.too_long = 'truncate')."),
    ]
    return tuple(text for count, text in notes if count)
