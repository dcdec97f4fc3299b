"""Run files to begin with."""

import re
import tomllib
from typing import Any

import pytest

from codeglot.config import build, tables
from codeglot.data.settings import Columns
from codeglot.errors import UnknownNameError
from codeglot.generate.openai_engine import OpenAIServer
from codeglot.jobs.init import init
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.methods.registry import METHODS, get
from codeglot.optim.settings import Sophia
from codeglot.records import Limits
from codeglot.regularizers.settings import Spectral


def optional_tables(method: str) -> dict[str, Any]:
    """Schemas of the tables that stand behind `#`, by dotted name."""
    own = {f"methods.{name}": schema for name, schema in tables(get(method)).items()}
    return own | {
        "data.sources.columns": Columns,
        "regularizer": Spectral,
        "optim.sophia": Sophia,
        "validation.limits": Limits,
        "generate.openai": OpenAIServer,
        "evaluate.limits": Limits,
    }


def name_if_optional(part: str) -> str:
    heading = re.search(r"^# \[([a-z._]+)\]$", part, re.MULTILINE)
    return heading[1] if heading else ""


def with_defaults(text: str) -> str:
    """Every comment of the form `# key = value` made real."""
    return re.sub(r"^# (\w+ = .+)$", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_run_file_that_can_be_trained_and_judged(method: str) -> None:
    tree = tomllib.loads(init(method))
    run = build(TrainingRun, tree, source="run.toml")
    assert [table.model_dump()["method"] for table in run.methods] == [method]
    assert build(EvaluationRun, tree, source="run.toml").evaluate.benchmarks == ("micro",)


@pytest.mark.parametrize("method", METHODS)
def test_a_setting_that_is_commented_out_means_its_default(method: str) -> None:
    text = init(method)
    there = "\n\n".join(part for part in text.split("\n\n") if not name_if_optional(part))
    # the two ways to give a warm-up exclude each other
    full = with_defaults(there).replace("\nwarmup_share", "\n# warmup_share")
    assert full.count("\n# ") < there.count("\n# ") - 20
    assert build(TrainingRun, tomllib.loads(full), source="run.toml") == build(
        TrainingRun, tomllib.loads(text), source="run.toml"
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_table_that_is_commented_out_has_every_key_with_its_meaning_and_its_default(method: str) -> None:
    parts = {name: part for part in init(method).split("\n\n") if (name := name_if_optional(part))}
    schemas = optional_tables(method)

    assert parts.keys() == schemas.keys()
    for name, part in parts.items():
        without_breaks = re.sub(r"\n# | ", "", part)
        table = tomllib.loads(with_defaults(part))
        for key, field in schemas[name].model_fields.items():
            assert field.description
            assert re.sub(r"\s", "", field.description) in without_breaks
            assert f"\n# {key} =" in part
            assert table.get(key) == (None if field.is_required() else field.default)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("lora", "regularizer"),
        ("flex_dw", "methods.regularizer"),
        ("lora", "optim.sophia"),
        ("lora", "evaluate.limits"),
    ],
)
def test_a_table_whose_sign_is_taken_away_is_one_of_the_run_file(method: str, name: str) -> None:
    text = init(method).replace(f"# [{name}]", f"[{name}]").replace('# name = "adamw"', 'name = "sophia_g"')
    found: Any = build(TrainingRun, tomllib.loads(text), source="run.toml")
    for key in name.split("."):
        found = getattr(found, key)
        found = found[0] if key == "methods" else found
    assert found == optional_tables(method)[name]()


@pytest.mark.parametrize("method", METHODS)
def test_the_rate_is_the_one_that_is_usual_for_the_method(method: str) -> None:
    assert tomllib.loads(init(method))["optim"]["lr"] == get(method).usual_lr


def test_all_weights_are_trained_at_a_lower_rate_than_an_adapter() -> None:
    assert get("full").usual_lr < get("lora").usual_lr


def test_an_unknown_method_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown method 'mloe'"):
        init("mloe")
