from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.report.source import read_run
from codeglot.report.words import NBSP, counted, flat_settings, letter, p_value, percent, percent_range, points, subject
from tests.report.fake_runs import answer, build_problems, write_run


@given(value=st.floats(0, 1))
def test_only_everything_is_written_as_100_and_only_nothing_as_0(value: float) -> None:
    assert (percent(value) == f"100.0{NBSP}%") == (value == 1)
    assert (percent(value) == f"0.0{NBSP}%") == (value == 0)


def test_numbers_read_as_people_write_them() -> None:
    assert percent_range((0.1, 0.25)) == f"10.0 to 25.0{NBSP}%"
    assert [points(value) for value in (0.123, -0.05, 0.0, -0.0, -0.0001)] == [
        "+12.3",
        "\u22125.0",
        "0.0",
        "0.0",
        "0.0",
    ]
    assert [p_value(value) for value in (1.0, 0.25, 0.0432, 0.0001)] == ["1.00", "0.25", "0.043", "< 0.001"]
    assert [counted(1, "program"), counted(2000, "program")] == ["1 program", "2,000 programs"]
    assert [letter(index) for index in (0, 25, 26)] == ["A", "Z", "27"]


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"generate": {"engine": "reference"}}, "The benchmark's own solutions"),
        ({"generate": {"engine": "mutated"}}, "Deliberately broken solutions"),
        ({"generate": {"engine": "huggingface"}, "base": {"model": "acme/m"}}, "acme/m"),
        ({"generate": {"engine": "openai", "openai": {"model": "served"}}}, "served"),
        ({"generate": {"engine": "completions", "completions": "theirs.jsonl"}}, "theirs.jsonl"),
        ({"generate": {"engine": "huggingface"}}, "run"),
        ({}, "run"),
    ],
)
def test_a_run_is_called_after_who_wrote_its_completions(tmp_path: Path, settings: dict[str, Any], who: str) -> None:
    problems = build_problems(["python"], 1)
    folder = write_run(tmp_path, problems, *answer(problems, skill={"python": 1}, seed=0), settings=settings)
    assert subject(read_run(folder, "run")) == who


def test_credentials_in_addresses_are_not_reported(tmp_path: Path) -> None:
    problems = build_problems(["python"], 1)
    settings = {
        "generate": {"openai": {"url": "https://me:secret@host:1/v1", "mail": "a@b"}, "stop": ["x", "y"], "none": None}
    }
    folder = write_run(tmp_path, problems, *answer(problems, skill={"python": 1}, seed=0), settings=settings)
    assert flat_settings(read_run(folder, "run").settings) == {
        "generate.openai.url": "https://***@host:1/v1",
        "generate.openai.mail": "a@b",
        "generate.stop": "x, y",
    }
