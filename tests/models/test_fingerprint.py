import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codeglot.models.fingerprint import fingerprint
from tests.tiny_model import random_llama


def rounded_llama(dtype: torch.dtype, seed: int = 0) -> nn.Module:
    model: nn.Module = random_llama(300, seed=seed)
    return model.to(dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_base_is_the_same_in_every_number_format_it_is_loaded_in(dtype: torch.dtype) -> None:
    whole, rounded = fingerprint(random_llama(300)), fingerprint(rounded_llama(dtype))

    assert whole.matches(rounded)
    assert rounded.matches(whole)
    assert rounded.matches(fingerprint(rounded_llama(dtype).float()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_another_training_of_the_same_architecture_is_another_base(dtype: torch.dtype) -> None:
    assert not fingerprint(random_llama(300)).matches(fingerprint(rounded_llama(dtype, seed=1)))


def test_between_the_16_bit_formats_the_structure_alone_decides() -> None:
    one = fingerprint(random_llama(300).bfloat16())

    assert one.matches(fingerprint(random_llama(300).half()))
    assert not one.matches(fingerprint(random_llama(301).half()))


@settings(deadline=None, max_examples=20)
@given(number=st.integers(0, 20))
def test_a_change_of_any_one_tensor_is_seen(number: int) -> None:
    model = random_llama(300)
    parameters = list(model.parameters())
    before = fingerprint(model)

    parameters[number % len(parameters)].data *= 1.02

    assert not before.matches(fingerprint(model))


def test_of_frozen_values_alone_trained_ones_do_not_count() -> None:
    model, other = random_llama(96), random_llama(96)
    for each in (model, other):
        each.requires_grad_(requires_grad=False).lm_head.weight.requires_grad = True
    other.lm_head.weight.data += 1
    assert fingerprint(model, frozen_only=True) == fingerprint(other, frozen_only=True)
    assert fingerprint(model) != fingerprint(other)
    other.model.norm.weight.data += 1
    assert fingerprint(model, frozen_only=True) != fingerprint(other, frozen_only=True)
