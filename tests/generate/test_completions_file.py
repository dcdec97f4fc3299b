"""Somebody else's generations, and every way in which they may not fit."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError
from codeglot.generate.completions_file import TEXT_COLUMNS, CompletionsFile
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.records import Completion, FinishReason, Problem


def problem(task_id: str) -> Problem:
    return Problem(task_id=task_id, benchmark="b", language_id="python", prompt="", tests="assert f()")


PROBLEMS = [problem("T/0"), problem("T/1")]


def engine(path: Path, *rows: dict[str, Any], num_samples: int = 1) -> CompletionsFile:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return CompletionsFile(path, PROBLEMS, num_samples)


def ask(engine: CompletionsFile, *keys: tuple[str, int]) -> list[Completion]:
    requests = [
        GenerationRequest(task_id=task_id, sample=sample, prompt="p", seed=0, prompt_hash="h")
        for task_id, sample in keys
    ]
    return list(engine.generate(requests, Decoding()))


def texts(engine: CompletionsFile, *keys: tuple[str, int]) -> list[str]:
    return [completion.text for completion in ask(engine, *keys)]


@pytest.mark.parametrize("column", TEXT_COLUMNS)
@pytest.mark.parametrize("name", ["c.jsonl", "c.jsonl.gz"])
def test_the_text_may_stand_in_any_known_column(tmp_path: Path, name: str, column: str) -> None:
    found = engine(tmp_path / name, {"task_id": "T/1", column: "one"}, {"task_id": "T/0", column: "", "model": "m"})
    assert texts(found, ("T/0", 0), ("T/1", 0)) == ["", "one"]


def test_the_hash_of_the_request_is_kept_and_so_is_the_reason_for_the_end(tmp_path: Path) -> None:
    rows = [
        {"task_id": "T/0", "text": "a", "finish_reason": "length"},
        {"task_id": "T/1", "text": "b", "finish_reason": "?"},
    ]
    first, second = ask(engine(tmp_path / "c.jsonl", *rows), ("T/0", 0), ("T/1", 0))
    assert (first.prompt_hash, first.finish_reason, second.finish_reason) == (
        "h",
        FinishReason.LENGTH,
        FinishReason.STOP,
    )


def test_samples_come_as_a_list_as_numbers_or_as_repeated_lines(tmp_path: Path) -> None:
    as_list = engine(
        tmp_path / "a.jsonl", *({"task_id": t, "completions": ["x", "y"]} for t in ("T/0", "T/1")), num_samples=2
    )
    numbered = [{"task_id": t, "text": "yx"[n], "sample": 1 - n} for t in ("T/0", "T/1") for n in (0, 1)]
    repeated = [{"task_id": t, "text": text} for text in "xy" for t in ("T/0", "T/1")]
    for found in (
        as_list,
        engine(tmp_path / "b.jsonl", *numbered, num_samples=2),
        engine(tmp_path / "c.jsonl", *repeated, num_samples=2),
    ):
        assert texts(found, ("T/0", 0), ("T/0", 1), ("T/1", 1)) == ["x", "y", "y"]


def test_a_bare_number_stands_for_the_only_problem_with_it(tmp_path: Path) -> None:
    assert texts(
        engine(tmp_path / "c.jsonl", {"task_id": 0, "text": "a"}, {"task_id": "1", "text": "b"}), ("T/1", 0)
    ) == ["b"]
    path = tmp_path / "d.jsonl"
    path.write_text('{"task_id": 0, "text": "a"}\n')
    with pytest.raises(DataError, match=r"1 x names no problem of this run: 0 \("):
        CompletionsFile(path, [problem("A/0"), problem("B/0")])


def test_all_that_does_not_fit_is_told_in_one_error(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    rows: list[dict[str, Any]] = [{"task_id": f"U/{n}", "text": ""} for n in range(7)]
    rows += [{"task_id": "T/0", "text": "", "sample": 0}, {"task_id": "T/0", "text": "", "sample": 0}]
    with pytest.raises(DataError) as error:
        engine(path, *rows)
    message = str(error.value)
    assert message.startswith(f"{path} does not fit the problems of this run:")
    assert "7 x names no problem of this run: 'U/0'" in message
    assert "and 2 more" in message
    assert f"1 x is there twice: T/0 sample 0 ({path}, line 9)" in message
    assert "1 x is missing: T/1" in message


def test_a_line_that_is_there_twice_without_a_sample_is_named(tmp_path: Path) -> None:
    rows = [{"task_id": task_id, "text": ""} for task_id in ("T/0", "T/1", "T/0")]
    with pytest.raises(DataError, match=r"1 x has several lines without 'sample', .*: T/0 \(line 1, line 3\)"):
        engine(tmp_path / "c.jsonl", *rows)
    with pytest.raises(DataError, match=r"run:\n  1 x has fewer than 2 samples, numbered from 0: T/1 \(1\)\n"):
        engine(tmp_path / "c.jsonl", *rows, num_samples=2)


def test_uneven_samples_are_an_error(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"task_id": "T/0", "completions": ["a", "b"]},
        {"task_id": "T/1", "completions": ["a"]},
    ]
    with pytest.raises(DataError, match=r"has fewer than 2 samples, numbered from 0: T/1 \(1\)"):
        engine(tmp_path / "c.jsonl", *rows)


def test_gaps_in_the_numbers_of_samples_are_an_error(tmp_path: Path) -> None:
    rows = [
        {"task_id": t, "text": "", "sample": n} for t in ("T/0", "T/1") for n in ((0, 2) if t == "T/0" else (0, 1, 2))
    ]
    with pytest.raises(DataError, match=r"fewer than 3 samples, numbered from 0: T/0 \(2\)"):
        engine(tmp_path / "c.jsonl", *rows)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"task_id": "T/0", "code": "x"}, "line 1: no completion; one of completion, text"),
        ({"task_id": "T/0"}, "no completion"),
        ({"task_id": "T/0", "text": None}, "text is null; an empty answer is an empty text"),
        ({"task_id": "T/0", "text": 5}, "line 1: text must be a text; it is 5"),
        ({"task_id": "T/0", "completions": "x"}, "must be a list of texts"),
        ({"task_id": "T/0", "text": "x", "completion": "y"}, "line 1: completion and text each hold a completion"),
        ({"text": "x"}, r"1 x has no task_id: .*line 1"),
        ({"task_id": "T/0", "text": "x", "sample": "0"}, "sample must be a whole number"),
        ({"task_id": "T/0", "text": "x", "sample": -1}, "sample must be a whole number"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        engine(tmp_path / "c.jsonl", row)


@pytest.mark.parametrize("wanted", [1, 3])
def test_another_number_of_samples_than_there_are_is_an_error(tmp_path: Path, wanted: int) -> None:
    rows: list[dict[str, Any]] = [{"task_id": t, "completions": ["a", "b"]} for t in ("T/0", "T/1")]
    with pytest.raises(DataError, match=rf"holds 2 sample\(s\) per problem, and {wanted} are asked for.*--samples 2"):
        engine(tmp_path / "c.jsonl", *rows, num_samples=wanted)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.jsonl"):
        CompletionsFile(tmp_path / "absent.jsonl", PROBLEMS)
