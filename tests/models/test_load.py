import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from codeglot.errors import ConfigError, EngineError
from codeglot.models.load import accelerator, load_base, load_tokenizer
from codeglot.models.settings import Base
from tests.tiny_model import byte_level_tokenizer, random_llama, save_tiny_adapter, save_tiny_model

IDS = torch.tensor([[5, 6, 7, 8]])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_adapter(tmp_path_factory.mktemp("adapters") / "lora")


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_model_of_a_folder_computes_what_was_saved(saved: Path) -> None:
    loaded = load_base(Base(model=str(saved)))
    expected = random_llama(len(loaded.tokenizer), end_id=loaded.tokenizer.eos_token_id)

    assert torch.equal(loaded.model(IDS).logits, expected(IDS).logits)
    assert not loaded.model.training
    assert loaded.tokenizer.decode(loaded.tokenizer("def f():")["input_ids"]) == "def f():"


@pytest.mark.parametrize(("dtype", "expected"), [("auto", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_number_format_is_the_one_asked_for(saved: Path, dtype: str, expected: torch.dtype) -> None:
    model = load_base(Base.model_validate({"model": str(saved), "dtype": dtype})).model

    assert {parameter.dtype for parameter in model.parameters()} == {expected}


def test_automatic_format_is_the_one_of_the_folder(tmp_path: Path) -> None:
    tokenizer = byte_level_tokenizer()
    random_llama(len(tokenizer)).bfloat16().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)

    assert load_base(Base(model=str(tmp_path))).model.dtype is torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an accelerator here")
def test_an_accelerator_that_is_not_there_is_an_error(saved: Path) -> None:
    with pytest.raises(ConfigError, match=r"base.device = 'cuda'.*Set base.device to auto or cpu"):
        load_base(Base(model=str(saved), device="cuda"))


@pytest.mark.parametrize(("rank", "num_devices", "index"), [(None, 4, 0), ("0", 4, 0), ("3", 4, 3), ("3", 1, 0)])
def test_each_process_of_a_machine_has_an_accelerator_of_its_own(
    monkeypatch: pytest.MonkeyPatch, rank: str | None, num_devices: int, index: int
) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert accelerator(num_devices) == torch.device("cuda", index)


def test_an_adapter_is_put_on(saved: Path, adapter: Path) -> None:
    plain = load_base(Base(model=str(saved)))
    adapted = load_base(Base(model=str(saved), adapter=adapter))

    assert not torch.allclose(plain.model(IDS).logits, adapted.model(IDS).logits)
    assert isinstance(adapted.model, PeftModel)
    with adapted.model.disable_adapter():
        assert torch.equal(plain.model(IDS).logits, adapted.model(IDS).logits)
    assert not adapted.model.training


def test_an_adapter_of_another_base_is_an_error(saved: Path, adapter: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(adapter, tmp_path / "lora"))
    edit_json(path / "adapter_config.json", target_modules=["no_such_module"])

    with pytest.raises(EngineError, match=r"adapter .*lora does not fit the base model"):
        load_base(Base(model=str(saved), adapter=path))


def test_an_adapter_that_lacks_a_part_is_an_error(saved: Path, adapter: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(adapter, tmp_path / "lora"))
    weights = load_file(path / "adapter_model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, path / "adapter_model.safetensors")

    with pytest.raises(EngineError, match=r"does not fit the base model.*missing adapter keys"):
        load_base(Base(model=str(saved), adapter=path))


def test_weights_that_lack_a_tensor_are_an_error_and_not_random(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.0.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EngineError, match=r"lack 1 tensor.*model\.layers\.0\.mlp\.up_proj\.weight"):
        load_base(Base(model=str(folder)))


def test_weights_of_another_shape_are_an_error(folder: Path) -> None:
    edit_json(folder / "config.json", intermediate_size=96)

    with pytest.raises(EngineError, match="cannot be loaded"):
        load_base(Base(model=str(folder)))


def test_a_tensor_that_the_model_does_not_use_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"extra.weight": torch.zeros(2)}, folder / "model.safetensors", metadata={"format": "pt"})

    load_base(Base(model=str(folder)))

    assert "does not use: extra.weight" in caplog.text
    assert len(caplog.records) == 1  # and not by transformers as well


def test_torn_weights_are_an_error(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(EngineError, match="cannot be loaded"):
        load_base(Base(model=str(folder)))


def test_an_architecture_that_transformers_does_not_know_is_an_error_and_no_code_is_run(folder: Path) -> None:
    (folder / "modeling_own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    edit_json(
        folder / "config.json",
        model_type="own",
        auto_map={"AutoConfig": "modeling_own.Config", "AutoModelForCausalLM": "modeling_own.Model"},
    )

    with pytest.raises(EngineError, match=r"(?s)code that comes with a model is not run"):
        load_base(Base(model=str(folder)))

    assert not (folder / "ran").exists()


def test_a_chat_template_of_its_own_takes_the_place_of_the_tokenizer_s(saved: Path, tmp_path: Path) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}@{{ m.role }} {{ m.content }}{% endfor %}")
    for load in (lambda base: load_base(base).tokenizer, load_tokenizer):
        tokenizer = load(Base(model=str(saved), chat_template=template))
        rendered = tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False)
        assert rendered == "@user hello"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_chat_template_that_cannot_be_read_is_named(saved: Path, tmp_path: Path, content: bytes | None) -> None:
    template = tmp_path / "chat.jinja"
    if content is not None:
        template.write_bytes(content)
    with pytest.raises(
        ConfigError, match=r"base\.chat_template = '.*chat\.jinja' cannot be read: .* Name a Jinja file"
    ):
        load_base(Base(model=str(saved), chat_template=template))
