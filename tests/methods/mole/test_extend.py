"""Experts for further languages beside trained ones, which stay as they are, bit for bit."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from codeglot.errors import ConfigError, EngineError
from codeglot.methods.adapter import Attached, attach_methods, extend_methods, load_methods, save_methods
from codeglot.methods.lora import Lora
from codeglot.methods.mole.experts import Init
from tests.methods.little_training import IDS, logits, tiny
from tests.methods.mole.test_mole import SMALL, mole, moved, routed_logits

KNOWN, WHOLE = ("python", "java"), ("python", "java", "rust", "go")


def saved(folder: Path, **settings: Any) -> Attached:
    method = mole(**settings)
    attached = attach_methods(tiny(), [method], KNOWN)
    moved(method, attached.model)
    save_methods(attached, folder)
    return attached


def factors(attached: Attached) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in attached.model.named_parameters() if "experts_" in name}


@pytest.mark.parametrize("share_a", [False, True])
@pytest.mark.parametrize("init", get_args(Init))
def test_only_the_experts_of_new_languages_are_trained(init: Init, share_a: bool, tmp_path: Path) -> None:
    settings = {"init": init, "share_a": share_a}
    first = saved(tmp_path / "first", **settings)
    before = {label: routed_logits(first.model, first.methods[0], torch.full_like(IDS, label)) for label in range(3)}  # type: ignore[arg-type]
    old = factors(first)
    second = extend_methods(tiny(), [mole(**settings)], tmp_path / "first", WHOLE)
    trainable = {name.rpartition(".")[2] for name, p in second.model.named_parameters() if p.requires_grad}

    optimizer = torch.optim.AdamW([p for p in second.model.parameters() if p.requires_grad], lr=0.05)
    for label in (3, 4, 3):
        with second.route(torch.full_like(IDS, label)):
            second.model(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    save_methods(second, tmp_path / "second")
    loaded = load_methods(tiny(), tmp_path / "second")

    assert trainable == {"rust", "go"}
    assert loaded.languages == WHOLE
    new = factors(loaded)
    assert all(torch.equal(new[name], value) for name, value in old.items())
    for label, expected in before.items():
        with loaded.route(torch.full_like(IDS, label)):
            torch.testing.assert_close(logits(loaded.model), expected, rtol=0, atol=1e-5)
    with loaded.route(torch.full_like(IDS, 3)):
        assert not torch.allclose(logits(loaded.model), logits(tiny()), atol=1e-2)


def test_a_new_language_begins_where_the_old_ones_began(tmp_path: Path) -> None:
    saved(tmp_path / "first")
    second = extend_methods(tiny(), [mole()], tmp_path / "first", WHOLE)
    fresh = attach_methods(tiny(), [mole()], WHOLE)

    found, expected = factors(second), factors(fresh)

    for name in found:
        assert torch.equal(found[name], expected[name]) == name.endswith(("rust", "go"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"r": 3}, r"trained with other settings: r differ\(s\)"),
        ({"init": "std_zero"}, r"other settings: init differ"),
        ({"r_by_language": {"java": 3}}, r"r_by_language\.java differ"),
        ({"r_by_language": {"go": 9}}, r"r_by_language\.go = 9 is more .* Take at most 2"),
    ],
)
def test_other_settings_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    saved(tmp_path / "first")

    with pytest.raises(ConfigError, match=message):
        extend_methods(tiny(), [mole(**settings)], tmp_path / "first", WHOLE)


def test_a_method_without_parts_of_languages_cannot_be_extended(tmp_path: Path) -> None:
    attached = attach_methods(tiny(), [Lora(r=2)], KNOWN)
    save_methods(attached, tmp_path / "first")

    with pytest.raises(ConfigError, match="'lora', which has no parts that belong to one language"):
        extend_methods(tiny(), [Lora(r=2)], tmp_path / "first", WHOLE)


def test_another_base_and_other_methods_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "first")

    with pytest.raises(EngineError, match="another base model"):
        extend_methods(tiny(seed=5), [mole()], tmp_path / "first", WHOLE)
    with pytest.raises(ConfigError, match="was trained by mole"):
        extend_methods(tiny(), [mole(), Lora(target_modules="attention")], tmp_path / "first", WHOLE)


def test_languages_without_experts_cannot_be_added(tmp_path: Path) -> None:
    saved(tmp_path / "first", expert_type="no_code")

    with pytest.raises(ConfigError, match="languages have no experts"):
        extend_methods(tiny(), [mole(expert_type="no_code", **SMALL)], tmp_path / "first", WHOLE)
