"""A mixture of language experts on a model: where it begins, what it trains, how it is routed."""

from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from codeglot.data.batch import Batch
from codeglot.errors import ConfigError, EngineError
from codeglot.methods.adapter import CARD, attach_methods, load_methods, save_methods
from codeglot.methods.lora import Lora
from codeglot.methods.mole.experts import ExpertType, Init
from codeglot.methods.mole.layer import RoutedLinear
from codeglot.methods.mole.method import Mole
from tests.methods.little_training import IDS, logits, tiny

LANGUAGES = ("python", "java", "rust")
SMALL = {"r": 2, "shared_r": 4}
TAKE_OUT = {"shared_first", "shared_last"}
"""Inits that take out of the weight what experts begin at."""
EIGHT = ("c", "java", "javascript", "cpp", "go", "rust", "python", "csharp")


def mole(**settings: Any) -> Mole:
    return Mole.model_validate({**SMALL, **settings})


def routed_logits(model: Any, method: Mole, labels: Tensor, ids: Tensor = IDS) -> Tensor:
    with method.route(labels):
        return logits(model, ids)


def backward(model: Any, method: Mole, labels: Tensor) -> None:
    with method.route(labels):
        model(input_ids=IDS, labels=IDS).loss.backward()


def moved(method: Mole, model: Any, amount: float = 0.05) -> None:
    """Move every factor, as a training would."""
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "experts_" in name:
            parameter.data += amount * torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize(
    ("kind", "init"),
    [pair for pair in product(get_args(ExpertType), get_args(Init)) if pair not in {("no_other", i) for i in TAKE_OUT}],
)
def test_it_begins_as_the_base_for_every_label(kind: ExpertType, init: Init) -> None:
    expected = logits(tiny())
    method = mole(expert_type=kind, init=init)
    model = attach_methods(tiny(), [method], LANGUAGES).model
    is_exact = init not in TAKE_OUT

    for label in range(len(LANGUAGES) + 1):
        labels = torch.full_like(IDS, label)
        with method.route(labels):
            with_gradients = model(input_ids=IDS).logits.detach()
        for found in (routed_logits(model, method, labels), with_gradients):
            if is_exact:
                assert torch.equal(found, expected)
            else:
                torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("init", ["shared_first_exact", "std_zero"])
def test_in_bfloat16_the_start_is_the_base_bit_for_bit(init: Init) -> None:
    expected = logits(tiny().bfloat16())
    method = mole(init=init)
    model = attach_methods(tiny().bfloat16(), [method], LANGUAGES).model

    assert torch.equal(routed_logits(model, method, torch.full_like(IDS, 2)), expected)


def test_taking_the_start_out_of_a_weight_rounds_in_bfloat16() -> None:
    expected = logits(tiny().bfloat16()).float()
    method = mole(init="shared_first")
    model = attach_methods(tiny().bfloat16(), [method], LANGUAGES).model

    found = routed_logits(model, method, torch.full_like(IDS, 2)).float()

    assert not torch.equal(found, expected)
    assert (found - expected).abs().max() <= 3e-2 * expected.abs().max()


EXPECTED = {
    "other": {0: {"other"}, 2: {"java", "shared"}},
    "share_other": {0: {"other", "shared"}, 2: {"java", "shared"}},
    "no_code": {0: {"other"}, 2: {"shared"}},
    "no_share": {0: {"other"}, 2: {"java"}},
    "no_other": {0: {"shared"}, 2: {"java", "shared"}},
}


@pytest.mark.parametrize("label", [0, 2])
@pytest.mark.parametrize("kind", EXPECTED)
def test_only_experts_that_tokens_meet_get_a_gradient(kind: ExpertType, label: int) -> None:
    method = mole(expert_type=kind)
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)

    backward(model, method, torch.full_like(IDS, label))

    names = {
        name.rpartition(".")[2] for name, p in model.named_parameters() if "experts_" in name and p.grad is not None
    }
    assert names == EXPECTED[kind][label]
    assert all(p.grad.any() for p in model.parameters() if p.grad is not None)


def test_experts_absent_from_a_step_do_not_move_by_momentum() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-2, weight_decay=0.1)
    for label in (1, 2):
        before = {name: p.detach().clone() for name, p in model.named_parameters() if name.endswith("python")}
        backward(model, method, torch.full_like(IDS, label))
        method.before_step(model)
        optimizer.step()
        optimizer.zero_grad()
        is_same = {torch.equal(p, before[name]) for name, p in model.named_parameters() if name in before}
        assert is_same == {label == 2}


def test_without_labels_all_text_is_other() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)

    assert torch.equal(logits(model), routed_logits(model, method, torch.zeros_like(IDS)))
    assert not torch.equal(logits(model), routed_logits(model, method, torch.ones_like(IDS)))


def test_padding_and_its_place_change_nothing() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    ids, labels = IDS[:1], torch.tensor([[0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 0, 0]])
    expected = routed_logits(model, method, labels, ids)
    pad_ids, pad_labels = torch.full((1, 3), 9), torch.full((1, 3), -1)

    for side in ("left", "right"):
        order = [0, 1] if side == "left" else [1, 0]
        both_ids = torch.cat([[pad_ids, ids][i] for i in order], dim=1)
        both_labels = torch.cat([[pad_labels, labels][i] for i in order], dim=1)
        mask = (both_labels >= 0).long()
        with method.route(both_labels), torch.no_grad():
            found = model(
                input_ids=both_ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0)
            ).logits
        torch.testing.assert_close(found[mask.bool()][None], expected, rtol=0, atol=1e-5)


def test_switching_languages_over_a_cache_equals_computing_all_again() -> None:
    method = mole()
    model: Any = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    labels = torch.tensor([[0, 0, 1, 1, 1, 0, 2, 2, 2, 0, 3, 3], [2, 2, 2, 0, 0, 3, 3, 1, 1, 1, 1, 0]])
    whole = routed_logits(model, method, labels)

    cache, parts = None, []
    for start, end in ((0, 3), *((place, place + 1) for place in range(3, 12))):
        with method.route(labels[:, start:end]), torch.no_grad():
            step = model(input_ids=IDS[:, start:end], past_key_values=cache, use_cache=True)
        cache = step.past_key_values
        parts.append(step.logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-4)


def test_the_label_of_a_token_changes_nothing_before_it() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    one, other = torch.ones_like(IDS), torch.ones_like(IDS)
    other[:, 7] = 3

    first, second = routed_logits(model, method, one), routed_logits(model, method, other)

    # Another mixture of labels is computed in another order, which rounds differently.
    torch.testing.assert_close(first[:, :7], second[:, :7], rtol=0, atol=2e-6 * float(first.abs().max()))
    assert not torch.equal(first[:, 7:], second[:, 7:])


def test_a_mixed_batch_equals_single_rows() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model
    moved(method, model)
    labels = torch.tensor([[1] * 12, [3] * 12])
    mixed = routed_logits(model, method, labels)

    for row in (0, 1):
        alone = routed_logits(model, method, labels[row : row + 1], IDS[row : row + 1])
        torch.testing.assert_close(mixed[row : row + 1], alone, rtol=0, atol=1e-5)


def test_a_label_count_that_does_not_match_is_refused() -> None:
    method = mole()
    model = attach_methods(tiny(), [method], LANGUAGES).model

    with pytest.raises(EngineError, match=r"There are 12 language ids, shape \(1, 12\), for 24 tokens"):
        routed_logits(model, method, torch.ones(1, 12, dtype=torch.long))


@pytest.mark.parametrize(
    ("settings", "languages", "count"),
    [
        ({}, EIGHT, 130_498_560),
        ({"r": 8, "shared_r": 56}, EIGHT, 100_048_896),
    ],
)
def test_trainable_parameters_on_the_geometry_of_the_paper(
    settings: dict[str, Any], languages: tuple[str, ...], count: int
) -> None:
    config = LlamaConfig(
        hidden_size=2048, intermediate_size=5504, num_hidden_layers=24, num_attention_heads=16, vocab_size=32_256
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
        Mole.model_validate(settings).attach(model, languages)

    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == count


def test_a_lora_of_equal_rank_has_a_quarter_of_the_parameters() -> None:
    config = LlamaConfig(
        hidden_size=2048, intermediate_size=5504, num_hidden_layers=24, num_attention_heads=16, vocab_size=32_256
    )
    with torch.device("meta"):
        model = Lora(r=64, target_modules="mlp").attach(LlamaForCausalLM(config), EIGHT)

    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 34_799_616


def test_one_a_for_all_languages_is_one_parameter() -> None:
    model = attach_methods(tiny(), [mole(share_a=True)], LANGUAGES).model
    layer = next(module for module in model.modules() if isinstance(module, RoutedLinear))

    assert layer.experts_A["python"] is layer.experts_A["rust"]
    assert layer.experts_A["python"] is not layer.experts_A["shared"]
    assert layer.experts_B["python"] is not layer.experts_B["rust"]


@pytest.mark.parametrize("init", get_args(Init))
def test_saved_and_loaded_it_computes_the_same_for_every_label(init: Init, tmp_path: Path) -> None:
    method = mole(init=init, r_by_language={"java": 3} if init in {"shared_first_exact", "std_zero"} else {})
    attached = attach_methods(tiny(), [method], LANGUAGES)
    moved(method, attached.model)
    save_methods(attached, tmp_path / "adapter")

    loaded = load_methods(tiny(), tmp_path / "adapter")

    for label in range(4):
        labels = torch.full_like(IDS, label)
        with loaded.route(labels):
            found = logits(loaded.model)
        torch.testing.assert_close(found, routed_logits(attached.model, method, labels), rtol=0, atol=1e-5)


def test_labels_of_blocks_are_dropped_whole() -> None:
    labels = torch.tensor([[0, 1, 1, 1, 2, 2, 0, 1, -1]] * 200)
    method = mole(label_dropout=0.5)
    torch.manual_seed(0)
    batch = Batch(labels, labels, labels, None, None)

    found = method.prepare(batch).language_ids

    blocks = (slice(1, 4), slice(4, 6), slice(7, 8))
    for block in blocks:
        dropped = found[:, block] == 0
        assert (dropped.all(dim=1) == dropped.any(dim=1)).all()
        assert 60 < int(dropped.all(dim=1).sum()) < 140
    assert torch.equal(found[:, [0, 6, 8]], labels[:, [0, 6, 8]])


def test_no_label_is_dropped_where_the_loss_itself_is_looked_into() -> None:
    labels = torch.tensor([[0, 1, 1, 2]] * 50)

    found = mole(label_dropout=0.5).prepare(Batch(labels, labels, labels, None, None), drops=False).language_ids

    assert torch.equal(found, labels)


def test_without_an_expert_for_text_it_takes_the_language_of_its_example() -> None:
    labels = torch.tensor([[0, 0, 2, 2, 1, 0, 0, 3, 3, -1], [0] * 10])
    positions = torch.tensor([[0, 1, 2, 3, 4, 5, 0, 1, 2, 0], list(range(10))])

    found = mole(expert_type="no_other").prepare(Batch(labels, labels, labels, None, positions)).language_ids

    assert found.tolist() == [[2, 2, 2, 2, 1, 2, 3, 3, 3, -1], [0] * 10]


@pytest.mark.parametrize(
    ("settings", "languages", "message"),
    [
        ({}, (), "has an expert for each language of the data, and the data is in none"),
        ({"r_by_language": {"go": 4}}, LANGUAGES, "Unknown language of the data .go."),
        ({"r": 16, "shared_r": 48}, LANGUAGES, r"begin at 64 singular directions, and model\.layers\.0\.mlp"),
        ({"target_modules": ["nothing"]}, LANGUAGES, "nothing match"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], languages: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mole(**settings).attach(tiny(), languages)


@pytest.mark.parametrize("init", sorted(TAKE_OUT))
def test_without_an_expert_for_text_nothing_may_be_taken_out_of_the_weight(init: Init) -> None:
    with pytest.raises(ValueError, match="text in no language of the data would lack the directions of the languages"):
        mole(expert_type="no_other", init=init)


def test_factors_of_other_sizes_than_the_card_says_are_refused(tmp_path: Path) -> None:
    attached = attach_methods(tiny(), [mole()], LANGUAGES)
    save_methods(attached, tmp_path / "adapter")
    card = tmp_path / "adapter" / CARD
    card.write_text(card.read_text().replace('"r": 2', '"r": 1'))

    with pytest.raises(EngineError, match=r"does not fit its card.*'python' of .* has A and B of sizes"):
        load_methods(tiny(), tmp_path / "adapter")


@pytest.mark.parametrize("first", [Lora(target_modules="mlp"), mole()])
def test_two_methods_cannot_share_a_linear(first: Any) -> None:
    second = mole() if isinstance(first, Lora) else Lora(target_modules="mlp")

    with pytest.raises(ConfigError, match=r"gate_proj carries what an earlier method of this run put on it"):
        attach_methods(tiny(), [first, second], LANGUAGES)


@pytest.mark.parametrize("is_first", [True, False])
def test_it_goes_with_a_lora_on_other_linears(is_first: bool, tmp_path: Path) -> None:
    lora, experts = Lora(target_modules="attention", name="shared"), mole()
    attached = attach_methods(tiny(), [lora, experts] if is_first else [experts, lora], LANGUAGES)
    for parameter in attached.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05
    save_methods(attached, tmp_path / "adapter")

    loaded = load_methods(tiny(), tmp_path / "adapter")

    labels = torch.full_like(IDS, 2)
    with attached.route(labels):
        expected = logits(attached.model)
    with loaded.route(labels):
        torch.testing.assert_close(logits(loaded.model), expected, rtol=0, atol=1e-5)
