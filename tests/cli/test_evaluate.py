"""Scores as the terminal shows them."""

from pathlib import Path

import pytest

from codeglot.cli.evaluate import _lines
from codeglot.cli.main import main
from codeglot.evaluate.score import score
from tests.report.fake_runs import answer, build_problems

SKILL = {"python": 0.5, "go": 0.5}


def lines(*naturals: str) -> list[str]:
    problems = [problem for name in naturals for problem in build_problems(["python", "go"], 4, natural=name)]
    return _lines(score(problems, *answer(problems, skill=SKILL, seed=1), (1,)))


def test_each_row_says_the_language_of_its_prompts_where_there_are_several() -> None:
    found = lines("en", "ja")
    assert len(found) == 6
    assert len({line.split("pass@1")[0] for line in found}) == 6
    assert sum("mean over languages (ja)" in line for line in found) == 1
    assert len({line.index("pass@1") for line in found}) == 1


def test_one_language_of_prompts_is_not_repeated_in_each_row() -> None:
    assert not [line for line in lines("en") if "(en)" in line]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--benchmark humaneval", "Give --engine (as --engine reference), --model, --base-url or --completions"),
        ("--engine reference", "No benchmark is named. Give --benchmark"),
        ("--base-url http://localhost:1/v1 --completions c.jsonl", "--completions and --base-url both name who writes"),
    ],
)
def test_a_command_without_an_engine_or_a_benchmark_is_told_how(
    tmp_path: Path, line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", *line.split(), "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("option", ["--out", "--data", "--completions"])
def test_an_empty_path_is_not_the_current_folder(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--engine", "reference", "--benchmark", "humaneval", option, ""])
    assert caught.value.code == 2
    assert f"Invalid value for '{option}': it is empty" in " ".join(capsys.readouterr().err.split())
