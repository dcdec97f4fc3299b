"""What a run file refuses before anything is read."""

from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.runfile import EvaluationRun


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
        ("generate", "completions", "theirs.jsonl", "do not go together"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(section: str, key: str, value: object, named: str) -> None:
    tree: dict[str, Any] = {"generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    tree[section][key] = value
    with pytest.raises(ConfigError) as caught:
        build(EvaluationRun, tree, source="run.toml")
    assert named in str(caught.value)
    assert "Value error" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_a_generator_would_not_take_is_refused(seed: int) -> None:
    tree = {"seed": seed, "generate": {"engine": "reference"}, "evaluate": {"benchmarks": ["humaneval"]}}
    with pytest.raises(ConfigError, match=rf"seed: .*it is {seed}"):
        build(EvaluationRun, tree, source="run.toml")
