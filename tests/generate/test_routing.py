"""Languages told to a routed model while it writes: as in training, whatever way it decodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GenerationConfig

from codeglot.data.format import Message
from codeglot.data.token_languages import TokenLanguages
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.generate.hf_engine import HuggingFaceEngine
from codeglot.generate.routing import Labeler, routed
from codeglot.generate.rows import Row
from codeglot.methods.adapter import Attached, attach_methods
from codeglot.methods.lora import Lora
from codeglot.methods.mole.method import Mole
from codeglot.models.load import LoadedBase, Routing
from tests.tiny_model import CHAT_TEMPLATE, byte_level_tokenizer, random_llama

TOKENIZER = byte_level_tokenizer(CHAT_TEMPLATE)
LANGUAGES = ("python", "rust")
ANSWER = "Both:\n```python\nx = 1\n```\nand\n```rust\nlet x = 1;\n```\nDone.\n"


def request(number: int = 0, **changes: Any) -> GenerationRequest:
    fields = {"task_id": f"t/{number}", "sample": 0, "prompt": "def f():\n", "seed": number, "prompt_hash": "h"}
    return GenerationRequest.model_validate(fields | changes)


CHAT = request(1, prompt="", messages=(Message(role="user", content="Write\n```rust\nfn f()\n```\n"),))


class Recorder:
    """A model's routes, which only notes what it is told."""

    def __init__(self, *, text_is_code: bool = False) -> None:
        self.seen: list[Tensor] = []
        self.routing = Routing(LANGUAGES, self.route, text_is_code)

    @contextmanager
    def route(self, language_ids: Tensor) -> Iterator[None]:
        self.seen.append(language_ids)
        yield


def rows(*requests: GenerationRequest) -> list[Row]:
    prompts = [TOKENIZER.encode(asked.prompt) if asked.prompt else list(_chat_ids(asked)) for asked in requests]
    return [Row(asked, prompt, 20) for asked, prompt in zip(requests, prompts, strict=True)]


def _chat_ids(asked: GenerationRequest) -> Any:
    messages = [message.model_dump() for message in asked.messages]
    encoded: Any = TOKENIZER.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    return encoded["input_ids"]


def batch(some: list[Row]) -> tuple[Tensor, Tensor]:
    width = max(len(row.prompt_ids) for row in some)
    ids = [[0] * (width - len(row.prompt_ids)) + row.prompt_ids for row in some]
    mask = [[0] * (width - len(row.prompt_ids)) + [1] * len(row.prompt_ids) for row in some]
    return torch.tensor(ids), torch.tensor(mask)


def labels_of(row: Row, answer: list[int], *, text_is_code: bool = False) -> list[int]:
    """What training would say of prompt and answer."""
    languages = TokenLanguages(TOKENIZER, LANGUAGES)
    labeler = Labeler(row.request, row.prompt_ids, languages, text_is_code=text_is_code)
    return labeler.prompt + labeler.answer(answer, len(answer))


def test_a_completion_is_in_the_language_asked_for() -> None:
    (row,) = rows(request(language_id="rust"))
    answer = TOKENIZER.encode(ANSWER)

    assert labels_of(row, answer) == [0] * len(row.prompt_ids) + [2] * len(answer)
    (row,) = rows(request(language_id="rust", prompt_is_code=True))
    assert set(labels_of(row, answer)) == {2}
    for unknown in (None, "cobol"):
        (row,) = rows(request(language_id=unknown, prompt_is_code=True))
        assert set(labels_of(row, answer)) == {0}


def test_a_chat_is_in_the_languages_of_its_fences_and_the_answer_begins_anew() -> None:
    (row,) = rows(CHAT)
    answer = TOKENIZER.encode(ANSWER)
    languages = TokenLanguages(TOKENIZER, LANGUAGES)

    expected = languages.label(row.prompt_ids)[0] + languages.label(answer)[0]

    assert labels_of(row, answer) == expected
    assert {0, 1, 2} == set(expected[len(row.prompt_ids) :])


def test_text_counts_as_the_language_asked_for_where_a_method_has_no_expert_for_it() -> None:
    (row,) = rows(CHAT.model_copy(update={"language_id": "python"}))
    answer = TOKENIZER.encode("Look:\n```rust\nlet x = 1;\n```\n")

    assert set(labels_of(row, answer, text_is_code=True)) == {1, 2}


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_an_answer_in_pieces_is_labeled_as_a_whole(pieces: int) -> None:
    (row,) = rows(CHAT)
    answer = TOKENIZER.encode(ANSWER)
    labeler = Labeler(row.request, row.prompt_ids, TokenLanguages(TOKENIZER, LANGUAGES), text_is_code=False)

    found: list[int] = []
    for end in [*range(pieces, len(answer), pieces), len(answer)]:
        found += labeler.answer(answer[:end], end - len(found))
        labeler.forget(end)

    assert [*labeler.prompt, *found] == labels_of(row, answer)


@pytest.mark.parametrize(
    "settings",
    [{}, {"do_sample": True}, {"num_beams": 3}, {"use_cache": False}],
    ids=["greedy", "sampling", "beams", "no cache"],
)
def test_every_position_that_the_model_is_given_has_the_label_of_its_own_row(settings: dict[str, Any]) -> None:
    """Checked against what the tokens of that row are, which the model's input alone tells."""
    model: Any = random_llama(len(TOKENIZER))
    recorder = Recorder()
    some = rows(CHAT, request(2, language_id="python"), request(3, language_id="rust", prompt_is_code=True))
    ids, mask = batch(some)
    given: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, __, values: given.append(values["input_ids"]), with_kwargs=True)

    with routed(model, recorder.routing, some, TOKENIZER):
        torch.manual_seed(0)
        config = GenerationConfig(max_new_tokens=6, pad_token_id=0, eos_token_id=None, **settings)
        found = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)

    assert "prepare_inputs_for_generation" not in vars(model)
    assert [tuple(labels.shape) for labels in recorder.seen] == [tuple(tokens.shape) for tokens in given]
    assert recorder.seen[0].shape[1] == ids.shape[1]
    if settings.get("num_beams") is None:
        for number, row in enumerate(some):
            answer = found[number, ids.shape[1] : -1].tolist()
            expected = [-1] * (ids.shape[1] - len(row.prompt_ids)) + labels_of(row, answer)
            last = recorder.seen[-1][number].tolist()
            told = [*recorder.seen[0][number].tolist(), *(labels[number, -1].item() for labels in recorder.seen[1:])]
            assert told == expected
            assert last == expected[-len(last) :]


def trained_mixture() -> tuple[Attached, Mole]:
    method = Mole(r=2, shared_r=4)
    attached = attach_methods(random_llama(len(TOKENIZER)), [method], LANGUAGES)
    generator = torch.Generator().manual_seed(3)
    for parameter in attached.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return attached, method


def engine(attached: Attached, batch_size: int) -> HuggingFaceEngine:
    model: Any = attached.model
    loaded = LoadedBase(model, TOKENIZER, torch.device("cpu"), attached.routing)
    return HuggingFaceEngine.of(loaded, batch_size, name="tiny")


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_batch_of_several_languages_writes_what_each_alone_writes(temperature: float) -> None:
    attached, _ = trained_mixture()
    asked = [
        CHAT,
        *(request(n, language_id=name, prompt="x" * n) for n, name in enumerate(("rust", "python", None, "rust"), 2)),
    ]
    decoding = Decoding(max_new_tokens=16, temperature=temperature)

    together = {c.task_id: c.text for c in engine(attached, 8).generate(asked, decoding)}
    alone = {c.task_id: c.text for c in engine(attached, 1).generate(asked, decoding)}

    assert together == alone
    assert len(set(together.values())) > 1


def test_decoding_with_switches_equals_computing_everything_again() -> None:
    """Greedy, with a cache and labels told step by step, against whole passes with the labels of training."""
    attached, method = trained_mixture()
    (row,) = rows(CHAT)
    ids = list(row.prompt_ids)
    with torch.inference_mode():
        for _ in range(24):
            labels = labels_of(row, ids[len(row.prompt_ids) :])
            with method.route(torch.tensor([labels])):
                ids.append(int(attached.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == TOKENIZER.eos_token_id:
                break

    (completion,) = engine(attached, 1).generate([CHAT], Decoding(max_new_tokens=24))

    expected = TOKENIZER.decode(ids, skip_special_tokens=True)
    assert completion.text == expected[len(TOKENIZER.decode(row.prompt_ids, skip_special_tokens=True)) :]


def test_models_without_routes_are_left_alone() -> None:
    model = random_llama(len(TOKENIZER))

    with routed(model, None, [], TOKENIZER) as labels:
        assert labels is None
        assert "prepare_inputs_for_generation" not in vars(model)
    assert attach_methods(model, [Lora(r=2)], LANGUAGES).routing is None
