"""N positions, D width, V vocabulary."""

import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM
from transformers.models import cohere, gemma2, gpt2, gpt_neox, granite, llama, qwen2

from codeglot.data.batch import IGNORED
from codeglot.data.collate import collate, collate_packed
from codeglot.train import loss as room
from codeglot.train.loss import Reader, language_model_loss, nll_sum, split, whole
from tests.train.scene import VOCABULARY, make_examples

SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "initializer_range": 0.4,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
CONFIGS: dict[str, Any] = {
    "llama": llama.LlamaConfig(**SMALL),
    "tied": qwen2.Qwen2Config(**SMALL, tie_word_embeddings=True),
    "soft cap": gemma2.Gemma2Config(**SMALL, head_dim=8, final_logit_softcapping=3.0),
    "divided": granite.GraniteConfig(**SMALL, logits_scaling=7.0),
    "multiplied": cohere.CohereConfig(**SMALL, logit_scale=0.3),
    "gpt2": gpt2.GPT2Config(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0),
    "neox": gpt_neox.GPTNeoXConfig(**{k: v for k, v in SMALL.items() if k != "num_key_value_heads"}),
}


def make(name: str) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(CONFIGS[name]).eval()


def naive(model: Any, batch: Any) -> Any:
    """Every logit, then the loss: what the fast way must equal."""
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False).logits.float()
    return functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), batch.labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum"
    )


def gradients(model: Any, value: Any) -> Any:
    model.zero_grad(set_to_none=True)
    value.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_equal_gradients(left: Any, right: Any) -> None:
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("is_twice", [False, True])
def test_the_loss_is_that_of_all_logits_in_value_and_gradient(name: str, is_twice: bool) -> None:
    model, batch = make(name), collate(make_examples(5), 0)
    expected = naive(model, batch)
    expected_gradients = gradients(model, expected)

    found = language_model_loss(split(model), batch, twice_differentiable=is_twice).total

    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert_equal_gradients(gradients(model, found), expected_gradients)


def test_a_head_with_an_adapter_is_asked_for_its_logits() -> None:
    config = LoraConfig(r=2, target_modules=["lm_head"], init_lora_weights=False)
    with warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        model, batch = get_peft_model(make("llama"), config), collate(make_examples(4), 0)
    expected = naive(model, batch)
    expected_gradients = gradients(model, expected)

    found = language_model_loss(split(model), batch).total

    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert_equal_gradients(gradients(model, found), expected_gradients)


def test_a_model_that_cannot_be_taken_apart_gives_the_same_loss_from_its_logits() -> None:
    model, batch = make("soft cap"), collate(make_examples(4), 0)

    found = language_model_loss(whole(model), batch).total

    torch.testing.assert_close(found, naive(model, batch), rtol=1e-5, atol=1e-4)


@given(num_targets=st.integers(1, 20), width=st.integers(1, 5), vocabulary=st.integers(2, 9), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
@pytest.mark.parametrize("is_twice", [False, True])
def test_chunks_add_up_to_the_whole(
    monkeypatch_chunk: None, is_twice: bool, num_targets: int, width: int, vocabulary: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    head = nn.Linear(width, vocabulary, bias=bool(seed % 2))
    hidden = torch.randn(num_targets, width, generator=generator, requires_grad=True)
    targets = torch.randint(0, vocabulary, (num_targets,), generator=generator)
    expected = functional.cross_entropy(head(hidden), targets, reduction="sum")
    expected_gradients = torch.autograd.grad(expected, [hidden, *head.parameters()])

    found = nll_sum(Reader(head, head), hidden, targets, twice_differentiable=is_twice)

    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for left, right in zip(torch.autograd.grad(found, [hidden, *head.parameters()]), expected_gradients, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def monkeypatch_chunk() -> Any:
    """Chunks of three positions, so that several are needed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_CHUNK", 3)
        yield


def test_the_second_derivative_is_that_of_all_logits() -> None:
    torch.manual_seed(0)
    head, vector = nn.Linear(4, 9), torch.randn(600, 4)
    hidden, targets = torch.randn(600, 4, requires_grad=True), torch.randint(0, 9, (600,))

    def product(value: Any) -> Any:
        (first,) = torch.autograd.grad(value, hidden, create_graph=True)
        return torch.autograd.grad((first * vector).sum(), hidden)[0]

    found = product(nll_sum(Reader(head, head), hidden, targets, twice_differentiable=True))

    expected = product(functional.cross_entropy(head(hidden), targets, reduction="sum"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_losses_of_the_languages_add_up_to_the_total(is_packed: bool) -> None:
    model, examples = make("llama"), make_examples(6)
    batch = collate_packed([examples[:4], examples[4:]], 0) if is_packed else collate(examples, 0)

    found = language_model_loss(split(model), batch, by_language=True)

    plain = language_model_loss(split(model), batch).total
    torch.testing.assert_close(found.total, plain, rtol=1e-5, atol=1e-4)
    assert_equal_gradients(gradients(model, found.total), gradients(model, plain))
    assert set(found.by_language) == {0, 1, 2}
    for language, (value, count) in found.by_language.items():
        alone = [example for example in examples if example.language_ids[0] == language]
        torch.testing.assert_close(value, naive(model, collate(alone, 0)).detach(), rtol=1e-4, atol=1e-4)
        assert count == sum(example.num_targets for example in alone)


@pytest.mark.parametrize("is_twice", [False, True])
def test_sixteen_bits_are_close_to_thirty_two(is_twice: bool) -> None:
    model, batch = make("llama"), collate(make_examples(6), 0)
    expected = naive(model, batch).item()

    with torch.autocast("cpu", torch.bfloat16):
        found = language_model_loss(split(model), batch, twice_differentiable=is_twice).total

    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, rel=0.02)
    found.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("is_autocast", [True, False], ids=["autocast", "weights in 16 bits"])
def test_what_is_logged_by_language_is_summed_in_thirty_two_bits(is_autocast: bool) -> None:
    model, batch = make("llama"), collate(make_examples(60), 0)
    model = model if is_autocast else model.bfloat16()

    with torch.autocast("cpu", torch.bfloat16, enabled=is_autocast), torch.no_grad():
        found = language_model_loss(split(model), batch, by_language=True)
        logits = model(batch.input_ids).logits[:, :-1].float()
    labels = batch.labels[:, 1:].flatten()
    expected = functional.cross_entropy(logits.flatten(0, 1), labels, reduction="sum", ignore_index=IGNORED)

    assert float(sum(part for part, _ in found.by_language.values())) == pytest.approx(expected.item(), rel=1e-5)
    assert found.total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_batch_without_targets_has_a_loss_of_zero_and_a_gradient() -> None:
    model, batch = make("llama"), collate(make_examples(2), 0)
    batch.labels.fill_(IGNORED)

    loss = language_model_loss(split(model), batch, by_language=True)
    loss.total.backward()

    assert loss.total.item() == 0.0
    assert not loss.by_language
