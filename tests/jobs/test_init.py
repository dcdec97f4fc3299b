"""Run files to begin with."""

import tomllib

import pytest

from codeglot.config import build
from codeglot.errors import UnknownNameError
from codeglot.jobs.init import init
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.methods.registry import METHODS, get


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_run_file_that_can_be_trained_and_judged(method: str) -> None:
    tree = tomllib.loads(init(method))
    run = build(TrainingRun, tree, source="run.toml")
    assert [table.model_dump()["method"] for table in run.methods] == [method]
    assert build(EvaluationRun, tree, source="run.toml").evaluate.benchmarks == ("micro",)


@pytest.mark.parametrize("method", METHODS)
def test_a_setting_that_is_commented_out_means_its_default(method: str) -> None:
    """With every comment of the form `# key = value` made real, nothing changes."""
    text = init(method)
    lines = [line.removeprefix("# ") if _is_setting(line) else line for line in text.splitlines()]
    plain, full = (build(TrainingRun, tomllib.loads(t), source="run.toml") for t in (text, "\n".join(lines)))
    assert len(lines) > 100
    assert full == plain


def _is_setting(line: str) -> bool:
    key, equals, value = line.removeprefix("# ").partition(" = ")
    # steps and epochs exclude each other, and so do the two ways to give a warm-up
    return bool(line.startswith("# ") and equals and key.isidentifier() and value and key != "warmup_share")


@pytest.mark.parametrize("method", METHODS)
def test_the_rate_is_the_one_that_is_usual_for_the_method(method: str) -> None:
    assert tomllib.loads(init(method))["optim"]["lr"] == get(method).usual_lr


def test_all_weights_are_trained_at_a_lower_rate_than_an_adapter() -> None:
    assert get("full").usual_lr < get("lora").usual_lr


def test_an_unknown_method_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown method 'mloe'"):
        init("mloe")
