from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from codeglot.generate.cache import GrowingLayer, growing_cache
from tests.tiny_model import random_llama


@settings(deadline=None)
@given(
    steps=st.lists(
        st.one_of(st.integers(1, 70), st.sampled_from(["select", "crop"])),
        min_size=1,
        max_size=12,
    ),
    seed=st.integers(0, 99),
)
def test_a_growing_layer_holds_what_the_librarys_own_holds(steps: list[int | str], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    ours: Any = DynamicCache()
    theirs: Any = DynamicCache()
    ours.layers = [GrowingLayer()]
    num_rows = 3
    for step in steps:
        if isinstance(step, int):
            keys, values = torch.randn(2, num_rows, 2, step, 4, generator=generator)
            for found, expected in zip(ours.update(keys, values, 0), theirs.update(keys, values, 0), strict=True):
                assert torch.equal(found, expected)
        elif theirs.get_seq_length() > 1:
            rows = torch.arange(num_rows)[: max(1, num_rows - 1)]
            for cache in (ours, theirs):
                if step == "crop":
                    cache.layers[0].crop(-1)
                else:
                    cache.batch_select_indices(rows)
            num_rows = num_rows if step == "crop" else len(rows)
        assert ours.get_seq_length() == theirs.get_seq_length()


def test_what_was_handed_out_is_not_written_over() -> None:
    layer = GrowingLayer()
    one = torch.ones(1, 1, 1, 2)
    first, _ = layer.update(one, one)
    kept = first.clone()
    layer.crop(-1)
    layer.update(one * 7, one * 7)

    assert torch.equal(first, kept)


def test_a_model_that_keeps_all_of_its_past_gets_one() -> None:
    cache = growing_cache(random_llama(300))

    assert cache is not None
    assert [type(layer) for layer in cache.layers] == [GrowingLayer] * 2


def test_a_sliding_window_is_left_to_the_library() -> None:
    config = MistralConfig(
        vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, sliding_window=4,
    )  # fmt: skip

    assert growing_cache(MistralForCausalLM(config)) is None


@pytest.mark.parametrize("answer", [None, lambda _model: False])
def test_a_model_that_does_not_say_that_it_takes_a_cache_gets_none(answer: Any) -> None:
    class Own(LlamaForCausalLM):
        _supports_default_dynamic_cache = answer

    config = LlamaConfig(vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)

    assert growing_cache(Own(config)) is None
