"""What a linear with experts keeps between forward passes, and what it refuses."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from codeglot.errors import EngineError
from codeglot.methods.adapter import attach_methods
from codeglot.methods.mole.kernels import FEW_TOKENS, READY
from tests.methods.little_training import IDS, logits, tiny
from tests.methods.mole.test_mole import LANGUAGES, mole, moved, routed_logits

MIXED = torch.arange(IDS.shape[1]).expand_as(IDS) % 4


def test_a_copied_model_is_routed_as_the_model_is() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    copied = deepcopy(model)

    found = routed_logits(copied, method, MIXED)

    assert torch.equal(found, routed_logits(model, method, MIXED))
    assert not torch.equal(found, routed_logits(model, method, torch.zeros_like(IDS)))


@pytest.mark.parametrize("assign", [False, True])
def test_loaded_weights_count_after_an_inference_pass(assign: bool) -> None:
    method, other = mole(), mole()
    model, source = (attach_methods(tiny(), [m], LANGUAGES).model for m in (method, other))
    moved(other, source)
    expected = routed_logits(source, other, MIXED)
    before = routed_logits(model, method, MIXED)

    model.load_state_dict(source.state_dict(), assign=assign)

    found = routed_logits(model, method, MIXED)
    assert torch.equal(found, expected)
    assert not torch.equal(found, before)


@pytest.mark.parametrize("impl", ["auto", "grouped", "masked", "gather", "eager"])
def test_a_model_brought_into_16_bits_as_a_whole_still_decodes_mixed_batches(impl: str) -> None:
    method = mole(impl=impl)
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    expected = routed_logits(model, method, MIXED)

    found = routed_logits(model.to(torch.bfloat16), method, MIXED).float()

    assert (found - expected).abs().max() < 0.1 * expected.abs().max()


def test_what_is_attached_in_inference_mode_can_be_used() -> None:
    method = mole()
    expected = logits(tiny())
    with torch.inference_mode():
        model = attach_methods(tiny(), [method], LANGUAGES).model
        assert torch.equal(routed_logits(model, method, MIXED), expected)


def test_a_language_id_that_there_is_not_is_refused() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model

    with pytest.raises(EngineError, match=r"a language id 7, and the mixture has 3 languages"):
        routed_logits(model, method, torch.full_like(IDS, 7))


def test_many_tokens_are_not_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    gather = READY["gather"]
    taken: list[int] = []

    def told(x_TI: Tensor, *arguments: Any) -> Tensor | None:
        taken.append(len(x_TI))
        return gather(x_TI, *arguments)

    monkeypatch.setitem(READY, "gather", told)
    methods = {impl: mole(impl=impl) for impl in ("gather", "eager")}
    models = {impl: attach_methods(tiny(), [method], LANGUAGES).model for impl, method in methods.items()}
    for impl, method in methods.items():
        moved(method, models[impl])

    for ids in (IDS, IDS.repeat(FEW_TOKENS // IDS.numel() + 1, 1)):
        labels = (torch.arange(ids.numel()) % 4).view_as(ids)
        found, expected = (routed_logits(models[impl], methods[impl], labels, ids) for impl in methods)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert set(taken) == {IDS.numel()}
