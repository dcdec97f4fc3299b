"""What an experiment file refuses before anything is run."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.compare import check, compare
from codeglot.jobs.experiment import Experiment, read_experiment
from codeglot.jobs.experiment_sections import combinations
from codeglot.jobs.selection import select
from codeglot.micro import recipe
from tests.jobs.fake_cells import BASE_RUN, FakeCells, experiment

GRID = {"lora": {"optim.lr": [1e-4, 1e-3]}, "java": {"optim.lr": [1e-3, 2e-3]}}
TUNE = {"grid": GRID, "seeds": [90]}
OWN = {"grid": {"lora": {"optim.lr": [1e-4, 1e-3]}}, "seeds": [90]}
ARMS = [{"name": "base"}, {"name": "lora"}]


def judged(**changes: Any) -> dict[str, Any]:
    return {**BASE_RUN, "evaluate": {**BASE_RUN["evaluate"], **changes}}


def java(changes: dict[str, Any]) -> dict[str, Any]:
    """An experiment with one arm more, which changes this."""
    return {"arms": [*ARMS, {"name": "java", "set": changes}], "controls": []}


def extends(name: str, **changes: Any) -> dict[str, Any]:
    """An experiment with an arm that goes on from this one."""
    arms = [{"name": "base", "train": False}, {"name": "lora"}, {"name": "java", "extends": name, "set": changes}]
    return {"arms": arms, "controls": []}


def message(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        experiment(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"baseline": "bas"}, "baseline: Unknown arm 'bas'. Did you mean 'base'? Known: base, java, lora, same"),
        ({"controls": ["nobody"]}, "controls: Unknown arm 'nobody'"),
        ({"seeds": [-1]}, "seeds: [-1] cannot be seeds; those are whole numbers from 0 to 2147483647"),
        ({"tune": {**TUNE, "seeds": [2**31]}}, "tune.seeds: [2147483648] cannot be seeds"),
        ({"seeds": [0, 0]}, "seeds: some stand there more than once"),
        ({"arms": [{"name": "base"}, {"name": "base"}]}, "arms: some stand there more than once"),
        ({"tune": {**TUNE, "seeds": [90, 1]}}, "tune.seeds: [1] are seeds of the result"),
        ({"tune": {**TUNE, "grid": {"nobody": {"optim.lr": [1]}}}}, "tune.grid: Unknown arm 'nobody'"),
        ({"tune": {**TUNE, "grid": {"base": {"optim.lr": [1]}}}}, "an arm that is not trained"),
        ({"tune": {**TUNE, "grid": {"lora": {"optim.lr": []}}}}, "lora: give keys with one or more values"),
        (
            {"arms": [{"name": "base", "train": False, "extends": "lora"}, {"name": "lora"}], "controls": []},
            "arms.base.extends: has no effect, since the arm is not trained",
        ),
        (extends("base"), "arms.java.extends: 'base' is no trained arm that stands before it"),
        (extends("java"), "arms.java.extends: 'java' is no trained arm that stands before it"),
        (extends("lora", extends="elsewhere"), "arms.java.extends: base_run or set says already what is extended"),
        (
            {**extends("lora"), "tune": {**TUNE, "grid": {"java": {"optim.lr": [1]}}}},
            "tune.grid.java: a trial has nothing to extend",
        ),
        (
            {"tune": {**TUNE, "grid": {"lora": {"optim.lr": [1, 2]}, "java": {"optim.lr": [1]}}}},
            "as many trials as the others, not lora 2, java 1",
        ),
        ({"tune": {**TUNE, "grid": {"lora": {"evaluate.k": [[1]]}}}}, "would change how arms are judged"),
        (
            {"tune": {**TUNE, "grid": {"lora": {"optim.lr": [1e-3, 0.001]}}}},
            "lora: values of optim.lr stand there more",
        ),
        ({"budget": {"cpu_hours": 0}}, "greater than 0"),
        (
            {"arms": [{"name": "base"}, {"name": "few", "set": {"evaluate": {"num_problems": 3}}}], "controls": []},
            "arms.few.set: evaluate.num_problems would give it other problems",
        ),
        (
            {"arms": [{"name": "base"}, {"name": "other", "set": {"evaluate.split": "validation"}}], "controls": []},
            "arms.other.set: evaluate.split would give it other problems",
        ),
        (
            {"arms": [{"name": "base", "train": False, "set": {"optim.lr": 3}}], "controls": []},
            "arms.base.set: optim.lr has no effect, since the arm is not trained",
        ),
        (
            {"arms": [{"name": "base"}, {"name": "lucky", "set": {"seed": 7}}], "controls": []},
            "arms.lucky.set: seed has no effect",
        ),
        (
            {"arms": [{"name": "base"}, {"name": "lora", "set": {"optim": {"lr": 1}}}], "controls": [], "tune": OWN},
            "arms.lora.set: optim.lr has no effect, since tune.grid.lora tunes it",
        ),
        (
            {
                "arms": [*ARMS, {"name": "java", "tuned_as": "lora", "set": {"optim.lr": 1}}],
                "controls": [],
                "tune": OWN,
            },
            "arms.java.set: optim.lr has no effect, since tune.grid.lora tunes it",
        ),
        (
            {
                "arms": [{"name": "base"}, {"name": "lora", "set": {"methods": [{"method": "lora", "r": 2}]}}],
                "controls": [],
                "tune": {**OWN, "grid": {"lora": {"methods.0.r": [1, 2]}}},
            },
            "arms.lora.set: methods.0.r has no effect",
        ),
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


def test_a_mistake_that_many_cells_share_is_said_once(tmp_path: Path) -> None:
    arms = [*ARMS, {"name": "java", "tuned_as": "lora"}]
    tune = {"grid": {"lora": {"optim.lrr": [1e-4, 1e-3, 1e-2]}}, "seeds": [90, 91]}
    with pytest.raises(ConfigError) as caught:
        check(experiment(arms=arms, controls=[], tune=tune), tmp_path)
    text = str(caught.value)
    assert text.startswith("tune.grid.lora (trial 0) has 1 problem(s):\n  optim.lrr: unknown key; did you mean 'lr'?")
    assert text.count("optim.lrr") == 1
    assert all(place in text for place in ("trial 2", "Arm 'lora'", "Arm 'java'"))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tune": {**TUNE, "split": "dev"}}, "tune/lora/trial-0/seed-90: Unknown split of micro 'dev'"),
        ({"base_run": judged(languages=["pyhton"])}, "base/once: Unknown language of micro 'pyhton'"),
        ({"base_run": judged(natural_languages=["de"])}, "natural_languages = de has no effect"),
        ({"base_run": judged(benchmarks=["problems"], split="all", data="/no.jsonl")}, "no /no.jsonl"),
        ({"base_run": {**BASE_RUN, "base": {"model": "./nowhere"}}}, "base.model = './nowhere' is not a folder"),
        (java({"methods.0.target_modules": ["wq"]}), "java/seed-0: target_modules: wq match(es) no linear"),
        ({"base_run": {**BASE_RUN, "generate": {"engine": "huggingface", "style": "chat"}}}, "no chat template"),
        (java({"data.sources": [{"dataset": "file", "path": "/no.jsonl", "language_id": "java"}]}), "read /no.jsonl"),
        (java({"train.max_length": 20}), "java/seed-0: 120 example(s) are longer than train.max_length = 20"),
        (java({"optim.warmup_steps": 999}), "java/seed-0: optim.warmup_steps = 999"),
    ],
)
def test_what_cells_ask_for_must_be_there_before_anything_starts(
    changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    cells = FakeCells(5)
    with pytest.raises(ConfigError) as caught:
        compare(experiment(**changes), tmp_path / "out", run_cell=cells)
    assert str(caught.value).count(named) == 1, caught.value
    assert not (tmp_path / "out").exists()


def test_what_other_starts_ask_for_is_not_looked_for(tmp_path: Path) -> None:
    """They may be on other machines, or need all memory of the accelerator for themselves."""
    whole = experiment(**java({"base.model": "./nowhere"}))
    assert check(whole, tmp_path, select(whole, ("base", "lora"), None))
    with pytest.raises(ConfigError, match=r"java/seed-0: .*nowhere"):
        check(whole, tmp_path, select(whole, ("java",), None))


def test_arms_may_set_what_changes_no_verdict() -> None:
    assert experiment(**java({"evaluate.slots": 1, "evaluate.reuse": False}))


def test_what_finished_cells_asked_for_is_not_looked_for(tmp_path: Path) -> None:
    base = shutil.copytree(recipe.assets("nano"), tmp_path / "nano")
    whole = experiment(base_run={**BASE_RUN, "base": {"model": str(base)}})
    compare(whole, tmp_path / "out", run_cell=FakeCells(5))
    shutil.rmtree(base)
    assert check(whole, tmp_path / "out")


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
        "validation.data": "held/out.jsonl",
        "base.chat_template": "chat.jinja",
        "optim.weight_decay": 0.5,
    }
    arms = [{"name": "base", "train": False}, {"name": "lora", "set": changes}]
    tune = {"grid": {"lora": {"optim.lr": [1e-3]}}, "seeds": [9], "set": {"evaluate": {"data": "small.jsonl"}}}
    tree = experiment().model_dump(mode="json") | {"arms": arms, "controls": [], "tune": tune}
    found = read_experiment(write(tmp_path / "experiment.json", tree))
    here = tmp_path.resolve()
    assert found.arm("lora").set == {
        "data": {"sources": [{"dataset": "file", "path": str(here / "mine.jsonl")}]},
        "data.sources.0.path": str(here / "other.jsonl"),
        "validation.data": str(here / "held" / "out.jsonl"),
        "base.chat_template": str(here / "chat.jinja"),
        "optim.weight_decay": 0.5,
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


def test_a_base_run_that_is_not_there_is_named_with_the_file_and_the_key(tmp_path: Path) -> None:
    path = write(tmp_path / "experiment.json", {"base_run": "missing.toml"})
    with pytest.raises(ConfigError, match=r"experiment\.json, base_run = 'missing\.toml': Cannot read .*missing\.toml"):
        read_experiment(path)


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


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_experiment_is_valid_and_states_its_cost(path: Path, tmp_path: Path) -> None:
    assert read_experiment(path).budget.cpu_hours <= 12  # 6 hours on 2 cores
    fewer = re.sub(r"(num_examples|num_problems) = \d+", r"\1 = 4", path.read_text())
    (tmp_path / path.name).write_text(fewer)
    assert check(read_experiment(tmp_path / path.name), tmp_path / "out")
