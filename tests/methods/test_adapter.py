import json
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from codeglot.errors import EngineError, RunError
from codeglot.methods.adapter import (
    CARD,
    attach_methods,
    check_adapter,
    load_adapted,
    load_methods,
    save_methods,
)
from codeglot.methods.full import Full
from codeglot.methods.lora import Lora
from codeglot.models.load import load_base, load_model
from codeglot.models.settings import Base
from tests.methods.little_training import IDS, LANGUAGES, TEXT, logits, tiny, train_a_little, trained, trained_folder
from tests.tiny_model import byte_level_tokenizer, random_llama, save_tiny_adapter, save_tiny_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder_at(tmp_path_factory.mktemp("run") / "adapter")


def trained_folder_at(folder: Path) -> Path:
    trained_folder(folder, Lora(r=2))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def edit_card(folder: Path, to: Path, **changes: object) -> Path:
    copy = Path(shutil.copytree(folder, to))
    (copy / CARD).write_text(json.dumps(json.loads((copy / CARD).read_text()) | changes))
    return copy


@contextmanager
def no_file_above(num_bytes: int) -> Iterator[None]:
    """As on a full disk, a write beyond this size fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_one_method_is_a_plain_folder(saved: Path) -> None:
    assert names(saved) == ["adapter_config.json", "adapter_model.safetensors", CARD]
    assert names(saved.parent) == ["adapter"]
    card = json.loads((saved / CARD).read_text())
    assert card["languages"] == list(LANGUAGES)
    assert card["methods"] == [Lora(r=2).model_dump(mode="json")]


def test_several_methods_have_a_folder_each_and_come_back_in_their_order(tmp_path: Path) -> None:
    methods = (Lora(name="one", init="pissa", r=3), Lora(name="two", r=2, use_rslora=True, target_modules="mlp"))
    attached = trained_folder(tmp_path / "adapter", *methods)

    loaded = load_methods(tiny(), tmp_path / "adapter")

    assert names(tmp_path / "adapter") == ["0_lora", "1_lora", CARD]
    assert loaded.methods == methods
    torch.testing.assert_close(logits(loaded.model), logits(attached.model.eval()), rtol=1e-5, atol=2e-4)
    assert check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 1e-4


def test_saving_again_replaces_the_folder(tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", Lora(r=2))
    (tmp_path / "adapter" / "stale").touch()
    train_a_little(attached.model)

    save_methods(attached, tmp_path / "adapter")

    assert "stale" not in names(tmp_path / "adapter")
    assert names(tmp_path) == ["adapter"]
    assert check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 1e-5


@pytest.mark.parametrize("method", [Lora(r=64), Full()], ids=lambda method: method.method)
def test_a_full_disk_leaves_the_folder_before_and_nothing_half_written(method: Lora | Full, tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", method)
    before = {path.name: path.read_bytes() for path in (tmp_path / "adapter").iterdir()}
    train_a_little(attached.model)

    with no_file_above(4096), pytest.raises(RunError, match=r"Cannot write .*adapter: .*What was there before is kept"):
        save_methods(attached, tmp_path / "adapter")

    assert {path.name: path.read_bytes() for path in (tmp_path / "adapter").iterdir()} == before
    assert names(tmp_path) == ["adapter"]


def test_a_folder_left_between_two_moves_is_put_back_before_anything_is_written(tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", Lora(r=64))
    (tmp_path / "adapter").rename(tmp_path / ".adapter.old")

    with no_file_above(4096), pytest.raises(RunError):
        save_methods(attached, tmp_path / "adapter")

    assert names(tmp_path) == ["adapter"]
    assert check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 1e-5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    attached = trained(Lora(r=2))
    tmp_path.chmod(0o500)

    with pytest.raises(RunError, match="Cannot write"):
        save_methods(attached, tmp_path / "adapter")


class Forgetful(Lora):
    """Writes something else than it trained."""

    def save(self, model: nn.Module, folder: Path) -> None:
        for factor in self.factors(model):
            factor.b_OR.data *= 0.5
        super().save(model, folder)
        for factor in self.factors(model):
            factor.b_OR.data *= 2


def test_the_check_fails_when_the_file_holds_something_else(tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", Forgetful())

    with pytest.raises(RunError, match="loaded again, does not compute what was trained"):
        check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT)


def test_the_check_fails_when_nothing_was_trained(tmp_path: Path) -> None:
    attached = attach_methods(tiny(), [Lora()], LANGUAGES)
    save_methods(attached, tmp_path / "adapter")

    with pytest.raises(RunError, match="changes no logit of the base model"):
        check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT)


def test_the_check_fails_on_what_is_no_number(tmp_path: Path) -> None:
    attached = trained(Lora())
    *_, last = Lora().factors(attached.model)
    last.b_OR.data.fill_(float("nan"))
    save_methods(attached, tmp_path / "adapter")

    with pytest.raises(RunError, match="logits differ by nan"):
        check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT)


def test_the_check_leaves_the_model_in_its_modes(tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", Lora(lora_dropout=0.3))
    attached.model.train()
    next(iter(attached.model.modules())).training = True
    modes = [module.training for module in attached.model.modules()]

    check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT)

    assert [module.training for module in attached.model.modules()] == modes


def test_other_layers_are_another_base(saved: Path) -> None:
    with pytest.raises(EngineError, match="the one given has other layers"):
        load_methods(random_llama(310), saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, r"codeglot\.json has 1 problem.*version.*(?s:.*)newer version of codeglot"),
        ({"methods": [{"method": "later"}]}, r"Unknown method 'later'.*newer version of codeglot"),
        ({"base": None}, r"codeglot\.json has 1 problem"),
    ],
)
def test_a_card_that_cannot_be_understood_is_an_error(
    changes: dict[str, object], message: str, saved: Path, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=rf"(?s){message}"):
        load_methods(tiny(), edit_card(saved, tmp_path / "copy", **changes))


def test_a_folder_without_a_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"codeglot\.json cannot be read.*Give the adapter folder that a run of"):
        load_methods(tiny(), tmp_path)


def test_a_base_is_loaded_with_an_adapter_of_either_origin(tmp_path: Path) -> None:
    base = save_tiny_model(tmp_path / "base")
    plain = load_base(Base(model=str(base)))
    attached = attach_methods(load_base(Base(model=str(base))).model, [Lora(init="pissa", r=4)], LANGUAGES)
    train_a_little(attached.model)
    save_methods(attached, tmp_path / "ours")
    save_tiny_adapter(tmp_path / "theirs")

    ours = load_adapted(Base(model=str(base), adapter=tmp_path / "ours"))
    theirs = load_adapted(Base(model=str(base), adapter=tmp_path / "theirs"))
    none = load_adapted(Base(model=str(base)))

    torch.testing.assert_close(logits(ours.model), logits(attached.model.eval()), rtol=1e-5, atol=1e-4)
    assert torch.equal(logits(none.model), logits(plain.model))
    assert not torch.allclose(logits(theirs.model), logits(plain.model))


def test_a_damaged_card_is_found_before_the_model_is_loaded(saved: Path, tmp_path: Path) -> None:
    folder = edit_card(saved, tmp_path / "copy", version=9)

    with pytest.raises(EngineError, match="version"):
        load_adapted(Base(model=str(tmp_path / "no_such_model"), adapter=folder))


def test_a_full_training_is_a_model_by_itself_when_it_gets_a_tokenizer(tmp_path: Path) -> None:
    attached = trained(Full())
    save_methods(attached, tmp_path / "adapter", byte_level_tokenizer())

    loaded = load_base(Base(model=str(tmp_path / "adapter")))

    assert torch.equal(logits(loaded.model), logits(attached.model))
    assert loaded.tokenizer.decode(loaded.tokenizer("a b")["input_ids"]) == "a b"


def test_a_lora_gets_no_tokenizer(tmp_path: Path) -> None:
    save_methods(trained(Lora()), tmp_path / "adapter", byte_level_tokenizer())

    assert names(tmp_path / "adapter") == ["adapter_config.json", "adapter_model.safetensors", CARD]


def test_a_full_training_of_a_16_bit_base_is_in_float32_and_stays_so(tmp_path: Path) -> None:
    tiny().bfloat16().save_pretrained(tmp_path / "base")

    def base() -> nn.Module:
        return load_model(tmp_path / "base", "auto", torch.device("cpu"))

    attached = trained(Full(), base=base)
    save_methods(attached, tmp_path / "adapter")
    assert next(base().parameters()).dtype is torch.bfloat16
    loaded = load_methods(base(), tmp_path / "adapter")

    assert {parameter.dtype for parameter in attached.model.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in attached.model.parameters())
    assert torch.equal(logits(loaded.model), logits(attached.model))
