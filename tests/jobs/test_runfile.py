"""What a run file refuses before anything is read."""

from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.runfile import EvaluationRun, RunFile, TrainingRun


@pytest.mark.parametrize(
    ("section", "key", "value", "named"),
    [
        ("evaluate", "benchmarks", ["humaneval", "humaneval"], "humaneval stands there more than once"),
        ("evaluate", "benchmarks", [], "should not be empty"),
        ("evaluate", "languages", [], "should not be empty"),
        ("evaluate", "k", [], "should not be empty"),
        ("evaluate", "k", [1, 1], "1 stands there more than once"),
        ("evaluate", "k", [0], "pass@k is undefined"),
        ("evaluate", "k", [2], "pass@k is undefined"),
        ("evaluate", "slots", 10**6, "it is 1000000"),
        ("evaluate", "limits", {"memory_mib": 10**30}, "limits.memory_mib"),
        ("generate", "temperature", float("inf"), "finite number; it is inf"),
        ("generate", "engine", "refrence", "it is 'refrence'"),
        ("generate", "completions", "theirs.jsonl", "need each other, and one is missing"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(section: str, key: str, value: object, named: str) -> None:
    tree: dict[str, Any] = {"generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    tree[section][key] = value
    with pytest.raises(ConfigError) as caught:
        build(EvaluationRun, tree, source="run.toml")
    assert named in str(caught.value)
    assert "Value error" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"evaluate": {"benchmarks": ["micro"], "k": [5]}},
            "evaluate.k = [5] needs 1 <= k <= generate.num_samples = 1",
        ),
        ({"generate": {"engine": "reference"}}, "generate.engine is 'reference'"),
        ({"generate": {"engine": "reference"}, "evaluate": None}, "generate.engine is 'reference'"),
        ({"generate": {"engine": "completions", "completions": "theirs.jsonl"}}, "generate.engine is 'completions'"),
        ({"validation": {"benchmarks": ["micro"], "every": 1, "k": [5]}}, "validation.k: [5] has no effect"),
    ],
)
def test_a_training_that_could_not_be_judged_afterwards_is_refused(changes: dict[str, Any], named: str) -> None:
    tree: dict[str, Any] = {
        "base": {"model": "micro"},
        "data": {"sources": [{"dataset": "micro", "num_examples": 1}]},
        "methods": [{"method": "lora"}],
        "optim": {"lr": 1e-3},
        "train": {"steps": 1},
        "generate": {"engine": "huggingface"},
        "evaluate": {"benchmarks": ["micro"]},
    }
    build(TrainingRun, tree, source="run.toml")
    with pytest.raises(ConfigError) as caught:
        build(TrainingRun, tree | changes, source="run.toml")
    assert named in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_a_generator_would_not_take_is_refused(seed: int) -> None:
    tree = {"seed": seed, "generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    with pytest.raises(ConfigError, match=rf"seed: .*it is {seed}"):
        build(EvaluationRun, tree, source="run.toml")


def test_mistakes_in_methods_stand_behind_their_own_keys() -> None:
    tree = {"methods": [{"method": "lora", "r": 0}, {"method": "lroa"}], "seed": -1}
    with pytest.raises(ConfigError) as caught:
        build(RunFile, tree, source="run.toml")
    first, *lines = str(caught.value).splitlines()
    assert first == "run.toml has 3 problem(s):"
    assert [line.strip().partition(":")[0] for line in lines] == ["seed", "methods.0.r", "methods.1.method"]
