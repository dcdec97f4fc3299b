"""What an experiment file refuses before anything is run."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.compare import check
from codeglot.jobs.experiment import Experiment, read_experiment
from codeglot.jobs.experiment_sections import combinations
from tests.jobs.fake_cells import BASE_RUN, experiment

GRID = {"lora": {"optim.lr": [1e-4, 1e-3]}, "java": {"optim.lr": [1e-3, 2e-3]}}
TUNE = {"grid": GRID, "seeds": [90]}


def message(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        experiment(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"baseline": "nobody"}, "baseline: 'nobody' is no arm (arms: base, lora, java, same)"),
        ({"controls": ["nobody"]}, "controls: 'nobody' is no arm"),
        ({"seeds": [0, 0]}, "seeds: some stand there more than once"),
        ({"arms": [{"name": "base"}, {"name": "base"}]}, "arms: some stand there more than once"),
        ({"tune": {**TUNE, "seeds": [90, 1]}}, "tune.seeds: [1] are seeds of the result"),
        ({"tune": {**TUNE, "grid": {"nobody": {"optim.lr": [1]}}}}, "tune.grid: 'nobody' is no arm"),
        ({"tune": {**TUNE, "grid": {"base": {"optim.lr": [1]}}}}, "an arm that is not trained"),
        ({"tune": {**TUNE, "grid": {"lora": {"optim.lr": []}}}}, "lora: give keys with one or more values"),
        (
            {"tune": {**TUNE, "grid": {"lora": {"optim.lr": [1, 2]}, "java": {"optim.lr": [1]}}}},
            "as many trials as the others, not lora 2, java 1",
        ),
        ({"tune": {**TUNE, "grid": {"lora": {"evaluate.k": [[1]]}}}}, "would change how arms are judged"),
        ({"budget": {"cpu_hours": 0}}, "greater than 0"),
        ({"sedes": [1]}, "did you mean 'seeds'"),
    ],
)
def test_mistakes_of_an_experiment_are_named(changes: dict[str, Any], named: str) -> None:
    assert named in message(**changes)


def test_all_mistakes_are_in_one_message() -> None:
    text = message(baseline="nobody", seeds=[0, 0], controls=["someone"])
    assert all(part in text for part in ("nobody", "seeds", "someone"))


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "", "tune"])
def test_names_that_are_no_folder_of_an_arm_are_refused(name: str) -> None:
    assert "arms" in message(arms=[{"name": name}, {"name": "base"}])


def test_unknown_keys_of_all_arms_are_found_before_anything_starts(tmp_path: Path) -> None:
    arms = [
        {"name": "base", "train": False},
        {"name": "lora", "set": {"optim.lrr": 1}},
        {"name": "java", "set": {"train": {"stepz": 1}, "methods.3.r": 1}},
        {"name": "same", "set": {"train": {"stepz": 1}}},
    ]
    with pytest.raises(ConfigError) as caught:
        check(experiment(arms=arms, controls=[]), tmp_path / "out")
    text = str(caught.value)
    assert all(part in text for part in ("Arm 'lora'", "lrr", "Arm 'java'", "methods.3.r", "Arm 'same'", "stepz"))
    assert text.count("Arm 'lora'") == 1  # and not once per seed
    assert not (tmp_path / "out").exists()


def test_every_trial_is_validated_too(tmp_path: Path) -> None:
    grid = {"lora": {"optim.lr": [1e-3, -5.0]}}
    with pytest.raises(ConfigError, match=r"trial 1(.|\n)*optim\.lr"):
        check(experiment(tune={**TUNE, "grid": grid}), tmp_path)


@pytest.mark.parametrize("split", ["test", None])
def test_tuning_on_the_problems_of_the_result_is_refused(tmp_path: Path, split: str | None) -> None:
    evaluate = {"benchmarks": ["mbpp"], **({"split": split} if split else {})}
    with pytest.raises(ConfigError, match="the part of the result"):
        check(experiment(base_run={**BASE_RUN, "evaluate": evaluate}, tune={**TUNE, "split": "test"}), tmp_path)


def test_a_grid_is_every_combination() -> None:
    assert combinations({"a": [1, 2], "b": [3, 4]}) == [
        {"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4},
    ]  # fmt: skip


def write(path: Path, tree: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))
    return path


def test_a_base_run_may_lie_in_its_own_file_whose_paths_it_decides(tmp_path: Path) -> None:
    base = {**BASE_RUN, "evaluate": {"benchmarks": ["problems"], "data": "mine.jsonl"}}
    write(tmp_path / "runs" / "base.json", base)
    tree = experiment().model_dump(mode="json") | {"base_run": "runs/base.json"}
    found = read_experiment(write(tmp_path / "experiment.json", tree))
    assert found.base_run["evaluate"]["data"] == str(tmp_path / "runs" / "mine.jsonl")


def test_paths_in_what_an_arm_changes_are_seen_from_the_experiment_file(tmp_path: Path) -> None:
    changes = {
        "data": {"sources": [{"dataset": "file", "path": "mine.jsonl"}]},
        "data.sources.0.path": "other.jsonl",
        "evaluate.data": "held/out.jsonl",
        "optim.lr": 0.5,
    }
    arms = [{"name": "base", "train": False}, {"name": "lora", "set": changes}]
    tune = {"grid": {"lora": {"optim.lr": [1e-3]}}, "seeds": [9], "set": {"evaluate": {"data": "small.jsonl"}}}
    tree = experiment().model_dump(mode="json") | {"arms": arms, "controls": [], "tune": tune}
    found = read_experiment(write(tmp_path / "experiment.json", tree))
    here = tmp_path.resolve()
    assert found.arm("lora").set == {
        "data": {"sources": [{"dataset": "file", "path": str(here / "mine.jsonl")}]},
        "data.sources.0.path": str(here / "other.jsonl"),
        "evaluate.data": str(here / "held" / "out.jsonl"),
        "optim.lr": 0.5,
    }
    assert found.tune is not None
    assert found.tune.set == {"evaluate": {"data": str(here / "small.jsonl")}}


def test_overrides_reach_into_the_base_run(tmp_path: Path) -> None:
    write(tmp_path / "base.json", dict(BASE_RUN))
    tree = experiment().model_dump(mode="json") | {"base_run": "base.json"}
    path = write(tmp_path / "experiment.json", tree)
    found = read_experiment(path, ("base_run.train.steps=7", "seeds=[4]"))
    assert (found.base_run["train"]["steps"], found.seeds) == (7, (4,))


def test_the_resolved_experiment_is_a_valid_experiment_file(tmp_path: Path) -> None:
    first = experiment(tune=TUNE)
    path = write(tmp_path / "experiment.json", first.model_dump(mode="json"))
    assert read_experiment(path) == first


def test_an_experiment_without_a_base_run_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="base_run must be"):
        read_experiment(write(tmp_path / "experiment.json", {"seeds": [1]}))
    with pytest.raises(ConfigError, match="base_run"):
        build(Experiment, {"seeds": [1]}, source="x")


ROOT = Path(__file__).parents[2]


def test_the_experiment_of_the_guide_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "guides" / "compare.md").read_text()
    (tmp_path / "experiment.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    base = "\n".join(f"{key} = {_toml(value)}" for key, value in BASE_RUN.items())
    (tmp_path / "run.toml").write_text(base)
    found = read_experiment(tmp_path / "experiment.toml")
    assert [cell.folder for cell in check(found, tmp_path / "out")][:2] == ["base/once", "lora/seed-0"]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").rglob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_experiment_is_valid_and_states_its_cost(path: Path, tmp_path: Path) -> None:
    found = read_experiment(path)
    assert check(found, tmp_path)
    assert found.budget.cpu_hours <= 12  # 6 hours on 2 cores
