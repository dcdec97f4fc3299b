"""The `[data]` of a run file: what goes together, and what is refused with words that help."""

from typing import Any

import pytest

from codeglot.config import build
from codeglot.data.settings import BENCHMARKS, Data, template_columns
from codeglot.errors import ConfigError
from codeglot.evaluate.benchmarks import benchmark

FILE = {"dataset": "file", "path": "rows.jsonl", "language_id": "java"}
HUB = {"dataset": "hub", "hub": "some/set", "files": ["a.parquet"], "language_id": "java"}
MICRO = {"dataset": "micro", "num_examples": 5}


def data(**values: Any) -> Data:
    return build(Data, {"sources": [FILE], **values}, source="run.toml")


def test_languages_are_kept_by_id_however_they_are_spelled() -> None:
    source = {**FILE, "language_id": "C++", "languages": ["c++"]}
    settings = data(sources=[source], languages=["JS", "py3"], weights={"golang": 2, "C#": 1})
    assert (settings.sources[0].language_id, settings.sources[0].languages) == ("cpp", ("cpp",))
    assert settings.languages == ("javascript", "python")
    assert settings.weights == {"go": 2, "csharp": 1}


def test_settings_as_json_are_settings_again() -> None:
    settings = data(sources=[FILE, HUB, MICRO, {"dataset": "mbpp"}], weights={"java": 1})
    once = settings.model_dump(mode="json", exclude_unset=True)
    assert build(Data, once, source="config.json") == settings


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"sources": []}, "data|sources: there are none"),
        ({"sources": [{**FILE, "path": None}]}, "'file' needs path"),
        ({"sources": [{**HUB, "files": []}]}, "'hub' needs hub"),
        ({"sources": [{**HUB, "path": "x"}]}, "'hub' needs hub"),
        ({"sources": [{**HUB, "hub": "no-owner"}]}, "sources.0.hub"),
        ({"sources": [{**FILE, "revision": "main"}]}, "dataset = 'file' takes no revision; that is for 'hub'"),
        ({"sources": [{"dataset": "micro"}]}, "num_examples"),
        ({"sources": [{**MICRO, "path": "x"}]}, "no path"),
        ({"sources": [{**MICRO, "language_id": "java"}]}, "dataset = 'micro' takes no language_id: .* for 'file' and"),
        ({"sources": [{"dataset": "mbpp", "columns": {"prompt": "text"}}]}, "dataset = 'mbpp' takes no columns: "),
        (
            {"sources": [{"dataset": "mbpp2", "columns": {"prompt": "text"}}]},
            "Unknown training data 'mbpp2'. .*'mbpp'?",
        ),
        ({"sources": [{"dataset": "humaneval"}]}, "Other benchmarks are for evaluation alone"),
        ({"sources": [{**MICRO, "num_examples": 10**12}]}, "num_examples: Input should be less than"),
        ({"max_length": 10**30}, "max_length: Input should be less than"),
        ({"sources": [{**FILE, "detect_language": True}]}, "2 are given"),
        ({"sources": [{"dataset": "file", "path": "x"}]}, "0 are given"),
        ({"sources": [{**FILE, "languages": ["java", "JAVA"]}]}, "java stands there more than once"),
        ({"sources": [{**FILE, "natural_languages": ["en", "en"]}]}, "en stands there more than once"),
        ({"sources": [{**FILE, "language_id": "jaba"}]}, "Unknown language 'jaba'. Did you mean 'java'"),
        ({"sources": [{**FILE, "columns": {"prompt": "{a.b}"}}]}, "'a.b' is not the plain name"),
        ({"sources": [{**FILE, "columns": {"prompt": "{a"}}]}, "no text with columns in braces"),
        ({"sources": [{**FILE, "columns": {"prompt": "{{a}}"}}]}, "names no column"),
        ({"weights": {"java": 0}}, "must be above 0"),
        ({"weights": {"java": 1}, "temperature": 2.0}, "give one of them"),
        ({"temperature": 0.5}, "temperature"),
        ({"max_lenght": 5}, "did you mean 'max_length'"),
    ],
)
def test_what_does_not_go_together_is_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace(".0.", r"\.0\.")):
        data(**values)


def test_benchmarks_to_train_on_are_those_with_a_part_for_it() -> None:
    assert set(BENCHMARKS) == {name for name in benchmark.BENCHMARKS if "train" in benchmark.get(name).splits}


def test_one_mistake_is_one_complaint() -> None:
    with pytest.raises(ConfigError, match=r"has 1 problem\(s\)"):
        data(sources=[{"dataset": "micro"}])


@pytest.mark.parametrize(
    ("template", "columns"), [("a b", ("a b",)), ("{a}", ("a",)), ("x {a}\n\n{b-c} {{}}", ("a", "b-c"))]
)
def test_a_template_names_columns(template: str, columns: tuple[str, ...]) -> None:
    assert template_columns(template) == columns
