from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from codeglot.data.format import Message
from codeglot.errors import EngineError
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.generate.hf_engine import HuggingFaceEngine
from codeglot.methods.adapter import CARD, attach_methods, save_methods
from codeglot.methods.base import Method
from codeglot.methods.full import Full
from codeglot.methods.lora import Lora
from codeglot.models.layers import plain_model
from codeglot.models.load import LoadedBase, load_base
from codeglot.models.settings import Base
from codeglot.records import Completion, FinishReason
from tests.tiny_model import CHAT_TEMPLATE, END, byte_level_tokenizer, random_llama, save_tiny_adapter, save_tiny_model

GREEDY = Decoding(max_new_tokens=24)
SAMPLED = Decoding(max_new_tokens=24, temperature=0.9, top_p=0.95)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base(model=str(save_tiny_model(tmp_path_factory.mktemp("model"), num_positions=96)))


@pytest.fixture(scope="module")
def engine(base: Base) -> HuggingFaceEngine:
    return HuggingFaceEngine(base, batch_size=4)


def request(number: int = 0, prompt: str | None = None, **changes: Any) -> GenerationRequest:
    text = "def add(a, b):\n" + "    # x\n" * (number % 4) if prompt is None else prompt
    fields = {"task_id": f"t/{number}", "sample": 0, "prompt": text, "seed": 100 + number, "prompt_hash": f"h{number}"}
    return GenerationRequest.model_validate(fields | changes)


REQUESTS = [request(number) for number in range(6)]


def by_task(completions: Iterator[Completion]) -> dict[str, Completion]:
    return {completion.task_id: completion for completion in completions}


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_completion_is_the_same_alone_and_in_any_batch(engine: HuggingFaceEngine, decoding: Decoding) -> None:
    requests = [request(number) for number in range(9)]

    together = by_task(engine.generate(requests, decoding))
    backwards = by_task(engine.generate(requests[::-2], decoding))
    alone = by_task(completion for one in requests for completion in engine.generate([one], decoding))

    assert together == alone
    assert backwards == {task_id: together[task_id] for task_id in backwards}


@pytest.mark.parametrize("has_adapter", [False, True])
def test_greedy_text_equals_taking_the_largest_logit_step_by_step(
    base: Base, has_adapter: bool, tmp_path: Path
) -> None:
    base = base.model_copy(update={"adapter": save_tiny_adapter(tmp_path) if has_adapter else None})
    model, tokenizer, *_ = load_base(base)
    asked = request(1)
    prompt_ids = tokenizer(asked.prompt)["input_ids"]
    ids = list(prompt_ids)
    with torch.inference_mode():
        for _ in range(GREEDY.max_new_tokens):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == tokenizer.eos_token_id:
                break

    (completion,) = HuggingFaceEngine(base, 1).generate([asked], GREEDY)

    assert completion.num_tokens == len(ids) - len(prompt_ids)
    expected = tokenizer.decode(ids, skip_special_tokens=True)
    assert asked.prompt + completion.text == expected


def test_another_seed_draws_another_completion(engine: HuggingFaceEngine) -> None:
    first, second = (next(engine.generate([request(0, seed=seed)], SAMPLED)) for seed in (1, 2))

    assert first.text != second.text
    assert (first.seed, second.seed) == (1, 2)


def test_greedy_completions_have_no_seed(engine: HuggingFaceEngine) -> None:
    assert next(engine.generate([request()], GREEDY)).seed is None


def test_each_row_is_cut_at_its_own_stop_strings(engine: HuggingFaceEngine) -> None:
    requests = [request(number) for number in range(4)]
    plain = by_task(engine.generate(requests, SAMPLED))
    stops = {task_id: completion.text[5:7] for task_id, completion in plain.items()}

    cut = by_task(
        engine.generate([one.model_copy(update={"stop": (stops[one.task_id],)}) for one in requests], SAMPLED)
    )

    for task_id, completion in cut.items():
        assert completion.text == plain[task_id].text.partition(stops[task_id])[0]
        assert completion.finish_reason is FinishReason.STOP
        assert (completion.num_tokens or 0) <= (plain[task_id].num_tokens or 0)


class ScriptedModel:
    """Writes a fixed text after any prompt, and has no memory for more than `num_rows` rows."""

    def __init__(
        self, ids: Sequence[int], vocab_size: int, *, num_rows: int = 100, end_ids: int | list[int] | None = None
    ) -> None:
        self.model = random_llama(vocab_size, num_positions=200)
        self.model.generation_config = GenerationConfig(
            eos_token_id=end_ids, do_sample=True, temperature=0.1, repetition_penalty=5.0, max_length=3
        )
        self.ids = list(ids)
        self.num_rows = num_rows
        self.batch_sizes: list[int] = []
        self.model.forward = self.forward

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any) -> Any:
        from transformers.modeling_outputs import CausalLMOutputWithPast

        if self.batch_sizes[-1:] != [len(input_ids)]:
            self.batch_sizes.append(len(input_ids))
            self.step = 0
        if len(input_ids) > self.num_rows:
            raise torch.OutOfMemoryError("out of memory")
        logits = torch.zeros(*input_ids.shape[:1], 1, self.model.config.vocab_size)
        logits[:, :, self.ids[self.step % len(self.ids)]] = 100.0
        self.step += 1
        return CausalLMOutputWithPast(logits=logits)


def scripted(text: str, batch_size: int = 4, **settings: Any) -> tuple[HuggingFaceEngine, ScriptedModel]:
    tokenizer = byte_level_tokenizer()
    model = ScriptedModel(tokenizer(text)["input_ids"], len(tokenizer), **settings)
    loaded = LoadedBase(model.model, tokenizer, torch.device("cpu"))
    return HuggingFaceEngine(Base(model="scripted"), batch_size, load=lambda _: loaded), model


def test_any_of_several_end_tokens_ends_a_completion() -> None:
    tokenizer = byte_level_tokenizer()
    other_end = tokenizer(";")["input_ids"][0]
    engine, _ = scripted("abc;abc", end_ids=[tokenizer.eos_token_id, other_end])

    (completion,) = engine.generate([request()], GREEDY)

    assert (completion.text, completion.finish_reason) == ("abc", FinishReason.STOP)


def test_the_end_token_of_the_tokenizer_ends_a_completion_where_the_model_names_none() -> None:
    engine, _ = scripted(f"ab{END}ab")

    (completion,) = engine.generate([request()], GREEDY)

    assert (completion.text, completion.finish_reason, completion.num_tokens) == ("ab", FinishReason.STOP, 3)


def test_decoding_settings_of_the_model_folder_are_not_applied() -> None:
    engine, _ = scripted("aaaaaaaaaaaaaa")  # its repetition penalty and its max_length would change this

    (completion,) = engine.generate([request()], Decoding(max_new_tokens=6))

    assert (set(completion.text), completion.num_tokens) == ({"a"}, 6)


def test_the_batch_is_halved_until_memory_suffices(caplog: pytest.LogCaptureFixture) -> None:
    engine, model = scripted(f"ab{END}", batch_size=8, num_rows=3)

    completions = by_task(engine.generate([request(number) for number in range(9)], GREEDY))

    assert model.batch_sizes == [8, 4, 2, 1]  # 2 + 2 + 2 + 2 + 1
    assert [completion.text for completion in completions.values()] == ["ab"] * 9
    assert "going on with 4" in caplog.text


def test_memory_that_does_not_suffice_for_one_prompt_is_an_error_that_names_it() -> None:
    engine, _ = scripted("ab", num_rows=0)

    with pytest.raises(EngineError, match=r"t/3 alone \(\d+ tokens of prompt, 24 to write\).*max_new_tokens"):
        list(engine.generate([request(3)], GREEDY))


def test_all_prompts_that_are_too_long_are_named_before_anything_is_generated() -> None:
    engine, model = scripted("ab")
    requests = [request(0), request(1, prompt="!?" * 200), request(2), request(3, prompt="!?" * 300)]

    with pytest.raises(EngineError) as raised:
        next(engine.generate(requests, GREEDY))

    assert "t/1: the prompt has 400 tokens, the model 200 positions" in str(raised.value)
    assert "t/3: the prompt has 600 tokens" in str(raised.value)
    assert "t/0" not in str(raised.value)
    assert not model.batch_sizes


def test_an_answer_that_reaches_the_last_position_is_marked_as_cut(caplog: pytest.LogCaptureFixture) -> None:
    engine, _ = scripted("ab")
    requests = [request(0, prompt="!?" * 95), request(1, prompt="!")]

    completions = by_task(engine.generate(requests, Decoding(max_new_tokens=24)))

    assert (completions["t/0"].num_tokens, completions["t/0"].finish_reason) == (10, FinishReason.LENGTH)
    assert completions["t/1"].num_tokens == 24
    assert "fewer than max_new_tokens=24" in caplog.text


def test_an_empty_prompt_is_an_error_that_names_the_task() -> None:
    engine, _ = scripted("ab")

    with pytest.raises(EngineError, match="t/5: the prompt has no tokens"):
        next(engine.generate([request(5, prompt="")], GREEDY))


def test_a_chat_is_put_through_the_template(base: Base, engine: HuggingFaceEngine) -> None:
    chat = request(0, prompt="", messages=(Message(role="user", content="add two numbers"),))
    text = request(0, prompt="[user] add two numbers\n[assistant] ")

    assert CHAT_TEMPLATE
    assert list(engine.generate([chat], GREEDY)) == list(engine.generate([text], GREEDY))


def test_a_chat_without_a_template_is_an_error_with_a_remedy() -> None:
    engine, _ = scripted("ab")
    chat = request(0, prompt="", messages=(Message(role="user", content="add"),))

    with pytest.raises(EngineError, match=r"no chat template.*generate.style=completion"):
        next(engine.generate([chat], GREEDY))


def test_a_template_that_refuses_the_messages_is_an_error_that_names_the_task(base: Base) -> None:
    engine = HuggingFaceEngine(base, 1)
    engine._tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    chat = request(4, prompt="", messages=(Message(role="system", content="be brief"),))

    with pytest.raises(EngineError, match="t/4: no system role"):
        next(engine.generate([chat], GREEDY))


def test_completions_of_a_batch_are_handed_out_before_the_next_one_begins() -> None:
    engine, model = scripted(f"ab{END}", batch_size=2)
    stream = engine.generate([request(number) for number in range(3)], GREEDY)

    next(stream)
    assert model.batch_sizes == [2]
    assert len(list(stream)) == 2
    assert model.batch_sizes == [2, 1]


def test_the_device_is_named(engine: HuggingFaceEngine) -> None:
    assert engine.device == ("cpu" if not torch.cuda.is_available() else torch.cuda.get_device_name())


def test_an_end_token_that_the_tokenizer_puts_behind_the_prompt_is_taken_off(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = byte_level_tokenizer()
    plain = HuggingFaceEngine(Base(model=str(save_tiny_model(tmp_path / "plain", tokenizer))), 1)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.eos_token_id)]
    )
    closing = HuggingFaceEngine(Base(model=str(save_tiny_model(tmp_path / "closing", tokenizer))), 1)

    assert list(closing.generate([request()], GREEDY)) == list(plain.generate([request()], GREEDY))


def counting(model: Any) -> list[int]:
    """Rows of every forward pass from now on."""
    sizes: list[int] = []
    model.register_forward_hook(
        lambda _module, _args, kwargs, _out: sizes.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    return sizes


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_rows_that_have_ended_cost_nothing_and_change_nothing(base: Base, decoding: Decoding) -> None:
    loaded = load_base(base)
    alone = HuggingFaceEngine.of(loaded, 1, name="tiny")
    together = HuggingFaceEngine.of(loaded, 16, name="tiny")
    plain = by_task(alone.generate([request(number) for number in range(12)], decoding))
    # some end at once, some late, some never
    stops = {task_id: one.text[5 * number : 5 * number + 2] for number, (task_id, one) in enumerate(plain.items())}
    requests = [
        one.model_copy(update={"stop": (stops[one.task_id] or "no such text",)})
        for one in (request(number) for number in range(12))
    ]
    expected = by_task(alone.generate(requests, decoding))
    sizes = counting(loaded.model)

    found = by_task(together.generate(requests, decoding))

    assert found == expected
    assert sizes[0] == 12
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) <= 6
    assert len({one.num_tokens for one in found.values()}) > 3


@pytest.mark.parametrize("is_adapted", [False, True])
def test_a_model_in_training_is_left_as_it_was(base: Base, is_adapted: bool) -> None:
    loaded = load_base(base)
    model: Any = loaded.model
    if is_adapted:
        model = attach_methods(model, [Lora(lora_dropout=0.5, init="pissa", r=4)], ("python",)).model
    adapted = loaded._replace(model=model.eval())
    expected = by_task(HuggingFaceEngine.of(adapted, 4, name="x").generate(REQUESTS, GREEDY))
    model.train()
    model.get_input_embeddings().eval()  # not even a mixture is evened out
    model.config.use_cache = False
    model.generation_config = GenerationConfig(temperature=0.3, do_sample=True, max_new_tokens=1)
    inner = plain_model(model)

    def state() -> list[object]:
        return [
            [module.training for module in model.modules()],
            [parameter.requires_grad for parameter in model.parameters()],
            [parameter.grad for parameter in model.parameters()],
            (model.generation_config, inner.generation_config, inner.config.to_dict()),
            torch.get_rng_state().tolist(),
            torch.is_grad_enabled(),
        ]

    before = state()
    engine = HuggingFaceEngine.of(adapted, 4, name="x")
    found = {}
    for completion in engine.generate(REQUESTS, GREEDY):
        found[completion.task_id] = completion
        assert state() == before  # also between two batches

    assert found == expected
    assert model.generation_config is before[3][0]  # type: ignore[index]


def test_a_batch_that_fails_leaves_the_model_as_it_was_too() -> None:
    engine, model = scripted("ab", num_rows=0)
    model.model.train()
    own = model.model.generation_config

    with pytest.raises(EngineError, match="alone"):
        list(engine.generate([request(3)], GREEDY))

    assert model.model.training
    assert model.model.generation_config is own


@pytest.mark.parametrize("kind", ["ours", "several", "full", "theirs"])
def test_what_was_trained_is_what_generates(base: Base, tmp_path: Path, kind: str) -> None:
    loaded = load_base(base)
    methods: dict[str, tuple[Method, ...]] = {
        "ours": (Lora(init="pissa", r=4),),
        "theirs": (Lora(),),
        "several": (Lora(name="one"), Lora(name="two", target_modules="mlp")),
        "full": (Full(),),
    }
    attached = attach_methods(loaded.model, methods[kind], ("python",))
    for parameter in attached.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    save_methods(attached, tmp_path / "adapter")
    if kind == "theirs":
        (tmp_path / "adapter" / CARD).unlink()
    trained: Any = attached.model
    expected = by_task(HuggingFaceEngine.of(loaded._replace(model=trained), 4, name="x").generate(REQUESTS, GREEDY))

    adapted = HuggingFaceEngine(base.model_copy(update={"adapter": tmp_path / "adapter"}), 4)
    plain = HuggingFaceEngine(base, 4)

    assert by_task(adapted.generate(REQUESTS, GREEDY)) == expected
    assert by_task(plain.generate(REQUESTS, GREEDY)) != expected
