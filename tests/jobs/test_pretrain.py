"""A bundled base, rebuilt at a size that takes seconds."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from codeglot import runs
from codeglot.cli.pretrain_micro import pretrain_micro
from codeglot.config import load
from codeglot.errors import ConfigError, RunError
from codeglot.jobs.pretrain import pretrain
from codeglot.micro.recipe import Recipe, assets, names, read_recipe
from codeglot.models.load import load_base
from codeglot.models.settings import Base
from codeglot.train.metrics import MetricsRow
from codeglot.train.summary import TrainingSummary
from tests.methods.test_adapter import no_file_above


def small(**changes: Any) -> Recipe:
    size = {
        "vocab_size": 600,
        "num_tokenizer_texts": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_length": 512,
        "steps": 12,
        "batch_size": 4,
        "warmup_steps": 2,
    }
    return read_recipe("nano").model_copy(update={**size, **changes})


def test_a_recipe_becomes_a_base_with_its_log(tmp_path: Path) -> None:
    summary = pretrain(small(), tmp_path / "run", tmp_path / "assets")
    assert {path.name for path in (tmp_path / "assets").iterdir()} >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "recipe.json",
        runs.TRAINING,
        runs.METRICS,
    }
    assert load(TrainingSummary, tmp_path / "assets" / runs.TRAINING) == summary
    assert load(Recipe, tmp_path / "assets" / "recipe.json") == small()
    assert summary.num_examples == 48
    rows = runs.read_rows(tmp_path / "assets" / runs.METRICS, MetricsRow)
    assert rows[-1].losses["nll"] < rows[0].losses["nll"]
    base = load_base(Base(model=str(tmp_path / "assets"), device="cpu"))
    text = "def solve(xs):\n    return 1\n"
    assert base.tokenizer.decode(base.tokenizer(text)["input_ids"]) == text


def test_the_same_recipe_gives_the_same_base_and_another_seed_another_one(tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        pretrain(small(seed=seed, steps=3), tmp_path / name, tmp_path / f"{name}-assets")
        return (tmp_path / f"{name}-assets" / "model.safetensors").read_bytes()

    first = weights("a", 0)
    assert weights("b", 0) == first
    assert weights("c", 1) != first


def test_a_base_is_replaced_as_a_whole_and_nothing_else_ever_is(tmp_path: Path) -> None:
    pretrain(small(steps=2), tmp_path / "a", tmp_path / "assets")
    before = {path.name: path.read_bytes() for path in (tmp_path / "assets").iterdir()}
    with no_file_above(30_000), pytest.raises(RunError, match=r"assets: .*What was there before is kept"):
        pretrain(small(steps=2), tmp_path / "a", tmp_path / "assets")
    assert {path.name: path.read_bytes() for path in (tmp_path / "assets").iterdir()} == before
    (tmp_path / "assets" / "of an older version").touch()
    with pytest.raises(RunError, match=r"assets holds the base of another training. Replace it with --replace"):
        pretrain(small(steps=3), tmp_path / "b", tmp_path / "assets")
    assert not (tmp_path / "b").exists()
    pretrain(small(steps=3), tmp_path / "b", tmp_path / "assets", is_replacing=True)
    assert {path.name for path in (tmp_path / "assets").iterdir()} == set(before)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "assets"}
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"no recipe\.json"):
        pretrain(small(steps=2), tmp_path / "c", tmp_path / "own")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "c").exists()


def test_a_folder_with_steps_of_another_recipe_is_refused(tmp_path: Path) -> None:
    pretrain(small(steps=2), tmp_path / "run", tmp_path / "assets")
    before = load_file(tmp_path / "assets" / "model.safetensors")
    with pytest.raises(RunError, match=r"another recipe \(steps, lr\)"):
        pretrain(small(steps=3, lr=0.1), tmp_path / "run", tmp_path / "assets")
    after = load_file(tmp_path / "assets" / "model.safetensors")
    assert all(bool((after[name] == before[name]).all()) for name in before)


def test_the_folder_of_another_kind_of_run_is_refused_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "run" / runs.CONFIG
    runs.write_json(config, {"seed": 0, "base": {"model": "micro"}})
    with pytest.raises(RunError, match=r"run holds something else: its config\.json is no recipe") as caught:
        pretrain(small(), tmp_path / "run", tmp_path / "assets")
    assert "\n" not in str(caught.value)
    assert "base" in config.read_text()
    with pytest.raises(RunError, match="replaced as a whole"):
        pretrain(small(), tmp_path / "both", tmp_path / "both")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adamww"}, "Unknown optimizer of the recipe 'adamww'. Did you mean 'adamw'"),
        ({"languages": {"pyton": 1.0}}, "Unknown language of the micro world 'pyton'. Did you mean 'python'"),
        ({"natural_languages": {"en": 1.0, "tlh": 0.5}}, "natural language of the micro world 'tlh'"),
        ({"languages": {"python": 1.0, "java": -0.5}}, "The share of 'java' is -0.5"),
        ({"steps": 10**12}, "The recipe has 1 problem.*\n  steps: Input should be less than"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        pretrain(small(**changes), tmp_path / "run", tmp_path / "assets")
    assert not any(tmp_path.iterdir())


def test_a_base_that_cannot_be_written_is_found_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"Cannot write the base to .*file/assets: .* Name another folder with --assets"):
        pretrain(small(), tmp_path / "run", tmp_path / "file" / "assets")
    assert not (tmp_path / "run").exists()


def test_the_command_replaces_the_bundled_base_only_where_it_is_told_to(tmp_path: Path) -> None:
    before = (assets("nano") / "recipe.json").read_bytes()
    asked = CliRunner().invoke(pretrain_micro, ["nano", "--out", str(tmp_path / "run")])
    assert isinstance(asked.exception, RunError)
    assert f"{assets('nano')} holds the base of another training. Replace it with --replace" in str(asked.exception)
    assert (assets("nano") / "recipe.json").read_bytes() == before
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", names())
def test_the_recipe_beside_the_bundled_weights_is_the_current_one(name: str) -> None:
    assert load(Recipe, assets(name) / "recipe.json") == read_recipe(name)
