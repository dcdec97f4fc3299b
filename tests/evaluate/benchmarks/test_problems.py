"""The user's own problems."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError, UnknownNameError
from codeglot.evaluate.benchmarks.benchmark import load_problems

ROW = {"task_id": "own/1", "language_id": "python", "prompt": "def f():\n", "tests": "assert f() == 1\n"}


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_four_fields_are_enough_and_a_file_or_its_folder_may_be_given(tmp_path: Path) -> None:
    path = write(tmp_path / "problems.jsonl", ROW)
    [problem] = load_problems("problems", data=path)
    assert load_problems("problems", data=tmp_path) == [problem]
    assert (problem.benchmark, problem.natural_language, problem.prompt_is_code) == ("problems", "en", True)


def test_every_field_of_the_schema_is_taken(tmp_path: Path) -> None:
    row = ROW | {
        "benchmark": "ours",
        "natural_language": "tr",
        "prompt_is_code": False,
        "given": "def f():",
        "stop": ["\n#"],
        "stdin": "1",
        "expected_output": "2",
        "files": {"data/a.txt": "b"},
        "limits": {"cpu_s": 2},
        "canonical_solution": "    return 1\n",
        "entry_point": "f",
        "origin": "mbpp/601",
    }
    [problem] = load_problems("problems", data=write(tmp_path / "mine.jsonl", row))
    assert problem.model_dump(mode="json", exclude={"limits"}) == {k: v for k, v in row.items() if k != "limits"}
    assert problem.limits is not None
    assert problem.limits.cpu_s == 2


def test_a_language_may_be_spelled_as_people_do(tmp_path: Path) -> None:
    [problem] = load_problems("problems", data=write(tmp_path / "p.jsonl", ROW | {"language_id": "C++"}))
    assert problem.language_id == "cpp"


def test_languages_and_limit_choose_among_the_rows(tmp_path: Path) -> None:
    rows = [ROW | {"task_id": str(n), "language_id": ("ruby", "python")[n % 2]} for n in range(6)]
    path = write(tmp_path / "p.jsonl", *rows)

    def ids(**options: Any) -> list[str]:
        return [problem.task_id for problem in load_problems("problems", data=path, **options)]

    assert ids() == list("012345")
    assert ids(limit=1) == ["0", "1"]
    assert ids(languages=["ruby"], limit=2) == ["0", "2"]
    with pytest.raises(UnknownNameError, match=r"language of these problems 'java'. Known: python, ruby"):
        ids(languages=["java"])


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.jsonl",
        ROW,
        ROW | {"task_id": "own/2", "tests": " "},
        ROW | {"task_id": "own/3", "langage_id": "x"},
        {"task_id": "own/4", "language_id": "python"},
        ROW | {"task_id": "own/5", "language_id": "pythn"},
    )
    with pytest.raises(DataError) as error:
        load_problems("problems", data=path)
    message = str(error.value)
    assert "line 1" not in message
    assert f"{path}, line 2, has 1 problem(s)" in message
    assert "problem 'own/2' has neither tests nor an expected_output" in message
    assert "langage_id: unknown key; did you mean 'language_id'?" in message
    assert "line 4, has 1 problem(s):\n  prompt: Field required" in message
    assert "line 5 (task own/5): Unknown language 'pythn'. Did you mean 'python'?" in message


def test_many_mistakes_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", *({"task_id": str(n)} for n in range(30)))
    with pytest.raises(DataError, match=r"and 20 more rows"):
        load_problems("problems", data=path)


def test_a_repeated_task_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="own/1"):
        load_problems("problems", data=write(tmp_path / "p.jsonl", ROW, ROW))


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2: not valid JSON"):
        load_problems("problems", data=write(tmp_path / "p.jsonl", ROW, "{"))


def test_without_a_file_the_error_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"No problems\.jsonl in"):
        load_problems("problems", data=tmp_path)
    monkeypatch.delenv("CODEGLOT_DATA", raising=False)
    with pytest.raises(DataError, match="--data FOLDER"):
        load_problems("problems")
