"""Loading problems: languages, splits, limits, and every way in which data can be wrong."""

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from codeglot.data.sources import DATA_VARIABLE
from codeglot.errors import ConfigError, DataError, UnknownNameError
from codeglot.evaluate.benchmarks import benchmark
from codeglot.evaluate.benchmarks.benchmark import BENCHMARKS, get, load_problems


@pytest.fixture(autouse=True)
def _no_data_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def human_eval(number: int = 0, **changes: Any) -> dict[str, Any]:
    row = {
        "task_id": f"HumanEval/{number}",
        "prompt": 'def f(x):\n    """Double."""\n',
        "entry_point": "f",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    }
    return row | changes


def human_eval_x(language: str, number: int = 0) -> dict[str, Any]:
    return {
        "task_id": f"{language}/{number}",
        "prompt": "p(",
        "declaration": "d(",
        "canonical_solution": "s",
        "test": "t",
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_says_what_it_is(name: str) -> None:
    found = get(name)
    assert found.name == name
    assert found.languages
    assert (found.made is None) == (found.problem is not None) == bool(found.sources)
    assert found.license
    assert found.default_split in {*found.splits, benchmark.ALL}
    assert all(source.files for source in found.sources.values())
    assert all(bool(source.hub) == bool(source.hub_files) for source in found.sources.values())


def test_an_unknown_benchmark_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'humaneval'"):
        load_problems("humanevl")


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "HumanEval.jsonl.gz", human_eval(1), human_eval(0))
    assert [problem.task_id for problem in load_problems("humaneval", data=tmp_path)] == ["HumanEval/1", "HumanEval/0"]


def test_the_environment_names_the_folder_where_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "humaneval" / "HumanEval.jsonl", human_eval())
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert len(load_problems("humaneval")) == 1


def test_a_single_file_may_be_given_for_a_single_language(tmp_path: Path) -> None:
    path = write(tmp_path / "any_name.jsonl", human_eval())
    assert len(load_problems("humaneval", data=path)) == 1


def test_a_single_file_for_several_languages_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "humaneval_js.jsonl", human_eval_x("JavaScript"))
    with pytest.raises(ConfigError, match="one file, and humaneval_x has one per language"):
        load_problems("humaneval_x", data=path)
    assert len(load_problems("humaneval_x", data=path, languages=["javascript"])) == 1


def test_languages_are_chosen_by_id_name_or_alias_and_in_that_order(tmp_path: Path) -> None:
    write(tmp_path / "humaneval_js.jsonl", human_eval_x("JavaScript"))
    write(tmp_path / "humaneval_cpp.jsonl", human_eval_x("CPP"))
    problems = load_problems("humaneval_x", data=tmp_path, languages=["js", "C++", "javascript"])
    assert [problem.language_id for problem in problems] == ["javascript", "cpp"]


def test_a_language_that_the_benchmark_lacks_is_told_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"language of humaneval_x 'lua'.*Known: cpp, go, java"):
        load_problems("humaneval_x", data=tmp_path, languages=["lua"])
    with pytest.raises(UnknownNameError, match=r"language of humaneval_x 'klingon'. Known: cpp, go"):
        load_problems("humaneval_x", data=tmp_path, languages=["klingon"])


def test_without_languages_those_with_data_are_taken_and_the_others_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "humaneval_js.jsonl", human_eval_x("JavaScript"))
    with caplog.at_level(logging.WARNING):
        assert [problem.language_id for problem in load_problems("humaneval_x", data=tmp_path)] == ["javascript"]
    assert "no data for python, java, cpp, go, rust" in caplog.text


def test_a_language_that_is_asked_for_must_have_data(tmp_path: Path) -> None:
    write(tmp_path / "humaneval_js.jsonl", human_eval_x("JavaScript"))
    with pytest.raises(DataError, match=r"No humaneval_java\.jsonl"):
        load_problems("humaneval_x", data=tmp_path, languages=["js", "java"])


def test_a_folder_without_any_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No humaneval_python\.jsonl"):
        load_problems("humaneval_x", data=tmp_path)


def test_the_limit_holds_for_each_language(tmp_path: Path) -> None:
    write(tmp_path / "humaneval_js.jsonl", *(human_eval_x("JavaScript", n) for n in range(3)))
    write(tmp_path / "humaneval_cpp.jsonl", *(human_eval_x("CPP", n) for n in range(3)))
    problems = load_problems("humaneval_x", data=tmp_path, languages=["js", "cpp"], limit=2)
    assert [problem.task_id for problem in problems] == ["JavaScript/0", "JavaScript/1", "CPP/0", "CPP/1"]


def test_an_unknown_split_is_told_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"split of mbpp 'dev'. Known: all, prompt, test, train, validation"):
        load_problems("mbpp", data=tmp_path, split="dev")
    with pytest.raises(UnknownNameError, match=r"split of humaneval 'test'. Known: all"):
        load_problems("humaneval", data=tmp_path, split="test")


def test_a_split_without_problems_is_an_error(tmp_path: Path) -> None:
    row = {"task_id": 5, "text": "t", "code": "c", "test_list": ["assert f(1)"]}
    write(tmp_path / "mbpp.jsonl", row)
    with pytest.raises(DataError, match="mbpp has no problem in split 'test' of this data; use --split all"):
        load_problems("mbpp", data=tmp_path)
    assert len(load_problems("mbpp", data=tmp_path, split="all")) == 1


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (human_eval(test=""), r"HumanEval\.jsonl, line 2 \(task HumanEval/0\): no text in 'test'"),
        (human_eval(test=None), "no text in 'test'"),
        (human_eval(entry_point=" "), "no text in 'entry_point'"),
        ({"task_id": "HumanEval/0"}, "the columns are task_id"),
        (human_eval(7), "1 task ids occur more than once, first HumanEval/7"),
    ],
)
def test_a_row_that_cannot_be_judged_is_named(tmp_path: Path, row: dict[str, Any], complaint: str) -> None:
    write(tmp_path / "HumanEval.jsonl", human_eval(7), row)
    with pytest.raises(DataError, match=complaint):
        load_problems("humaneval", data=tmp_path)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "HumanEval.jsonl")
    with pytest.raises(DataError, match="holds no rows"):
        load_problems("humaneval", data=tmp_path)
