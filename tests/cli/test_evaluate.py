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


def test_a_command_that_names_no_engine_is_told_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--benchmark", "humaneval", "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert "Give --engine (as --engine reference), --model, --base-url or --completions" in capsys.readouterr().err
