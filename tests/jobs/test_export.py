"""What was trained, written so that other software loads it unchanged."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError, UnknownNameError
from codeglot.jobs import train
from codeglot.jobs.export import export
from codeglot.jobs.runfile import TrainingRun
from codeglot.methods.adapter import load_methods
from codeglot.models.load import load_base
from tests.jobs.test_train import ROWS, tree, write_rows
from tests.tiny_model import save_tiny_model

IDS = torch.arange(5, 29).reshape(2, 12)
MOLE = {"method": "mole", "r": 2, "shared_r": 4}


@pytest.fixture(scope="module")
def runs_by_name(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Trainings of a few steps."""
    root = tmp_path_factory.mktemp("exports")
    model, rows = save_tiny_model(root / "model"), write_rows(root / "rows.jsonl", ROWS)
    methods: dict[str, list[dict[str, Any]]] = {
        "mole": [MOLE],
        "mole, taken out": [{**MOLE, "init": "shared_first"}],
        "mole, ranks": [{**MOLE, "r_by_language": {"lua": 3}}],
        "lora": [{"method": "lora", "r": 2}],
        "pissa": [{"method": "lora", "r": 2, "init": "pissa"}],
        "both": [{"method": "lora", "r": 3, "target_modules": "attention"}, MOLE],
        "dora": [{"method": "lora", "r": 2, "use_dora": True}],
        "full": [{"method": "full"}],
    }
    for name, tables in methods.items():
        run = build(TrainingRun, tree(model, rows, methods=tables), source=name)
        train.train(run, root / name)
    return {name: root / name for name in methods}


def routed(run: Path, label: int) -> Tensor:
    """Logits of the run itself, where all tokens are of one language."""
    settings = build(TrainingRun, json.loads((run / runs.CONFIG).read_text()), source="run")
    attached = load_methods(load_base(settings.base).model, run / runs.ADAPTER)
    with attached.route(torch.full_like(IDS, label)), torch.no_grad():
        found: Tensor = attached.model(input_ids=IDS).logits
    return found


def by_peft(run: Path, folder: Path) -> Any:
    """The original base with an adapter, as PEFT alone puts them together."""
    base = AutoModelForCausalLM.from_pretrained(run.parent / "model")
    with warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        return PeftModel.from_pretrained(base, str(folder)).eval()


@pytest.mark.parametrize("name", ["mole", "mole, taken out", "mole, ranks", "both"])
def test_each_language_is_a_plain_adapter_of_the_original_base(
    name: str, runs_by_name: dict[str, Path], tmp_path: Path
) -> None:
    run = runs_by_name[name]

    folders = export(run, tmp_path, "peft")

    assert [folder.name for folder in folders] == ["other", "lua", "python"]
    for label, folder in enumerate(folders):
        with torch.no_grad():
            found = by_peft(run, folder)(input_ids=IDS).logits
        torch.testing.assert_close(found, routed(run, label), rtol=0, atol=1e-4)
    assert not torch.allclose(routed(run, 1), routed(run, 2), atol=1e-4)
    assert json.loads((folders[1] / "adapter_config.json").read_text())["r"] <= 12 + 3
    card = (folders[2] / "README.md").read_text()
    assert "as it treats Python" in card
    assert "trained with codeglot" in card


@pytest.mark.parametrize("name", ["mole, ranks", "both"])
def test_an_adapter_is_in_the_form_that_vllm_reads(name: str, runs_by_name: dict[str, Path], tmp_path: Path) -> None:
    """It has one rank and one scaling, lora_alpha / r, for all modules, and takes nothing but factors.

    Source: vllm/lora/peft_helper.py and lora_model.py of github.com/vllm-project/vllm.
    """
    for folder in export(runs_by_name[name], tmp_path, "peft"):
        config = json.loads((folder / "adapter_config.json").read_text())
        tensors = load_file(folder / "adapter_model.safetensors")
        assert config["lora_alpha"] == config["r"]
        assert not config.keys() & {"modules_to_save", "rank_pattern", "alpha_pattern", "use_dora"}
        names = [re.fullmatch(r"base_model\.model\.(.+)\.lora_([AB])\.weight", key) for key in tensors]
        for found, tensor in zip(names, tensors.values(), strict=True):
            assert found
            assert found[1].rpartition(".")[2] in config["target_modules"]
            assert tensor.shape[0 if found[2] == "A" else 1] == config["r"]


@pytest.mark.parametrize("name", ["lora", "pissa"])
@pytest.mark.parametrize("form", ["peft", "merged"])
def test_a_run_that_is_not_routed_has_one_export(
    name: str, form: Any, runs_by_name: dict[str, Path], tmp_path: Path
) -> None:
    run = runs_by_name[name]

    (folder,) = export(run, tmp_path / "out", form)

    assert folder == tmp_path / "out"
    with torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(folder) if form == "merged" else by_peft(run, folder)
        torch.testing.assert_close(model.eval()(input_ids=IDS).logits, routed(run, 0), rtol=0, atol=1e-4)


def test_merged_weights_compute_what_the_run_does_for_that_language(
    runs_by_name: dict[str, Path], tmp_path: Path
) -> None:
    run = runs_by_name["mole"]

    (folder,) = export(run, tmp_path, "merged", ["lua"])

    with torch.no_grad():
        model: Any = AutoModelForCausalLM.from_pretrained(folder)
        found = model.eval()(input_ids=IDS).logits
    torch.testing.assert_close(found, routed(run, 1), rtol=0, atol=1e-4)
    assert (folder / "tokenizer.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["lua"]


@pytest.mark.parametrize(
    ("name", "languages", "error", "message"),
    [
        ("dora", (), ConfigError, "What 'lora' trained is no sum of low-rank updates"),
        ("full", (), ConfigError, "What 'full' trained is no sum of low-rank updates"),
        ("lora", ("lua",), ConfigError, "--language lua: this run is not routed by language"),
        ("mole", ("rust",), UnknownNameError, "rust"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    name: str,
    languages: tuple[str, ...],
    error: type[Exception],
    message: str,
    runs_by_name: dict[str, Path],
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=message):
        export(runs_by_name[name], tmp_path / "out", "peft", languages)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["mole", "lora"])
def test_what_lies_in_the_folder_already_is_left_alone(
    name: str, runs_by_name: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lua").mkdir()
    (tmp_path / "lua" / "mine").write_text("mine")
    monkeypatch.chdir(tmp_path)
    for out in (tmp_path, Path()):
        with pytest.raises(RunError, match=r"holds lua already, which would be lost\. Name an empty or a new folder"):
            export(runs_by_name[name], out, "peft")
    with pytest.raises(RunError, match=r"holds .*adapter"):
        export(runs_by_name[name], runs_by_name[name], "peft")
    assert [path.name for path in tmp_path.rglob("*")] == ["lua", "mine"]


def test_an_empty_folder_that_is_the_current_one_may_be_filled(
    runs_by_name: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert export(runs_by_name["lora"], Path(), "peft") == [tmp_path / "out"]
    assert (tmp_path / "out" / "adapter_config.json").exists()


def test_a_folder_without_a_finished_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nothing was trained there"):
        export(tmp_path, tmp_path / "out", "peft")
