"""Choosing the problems of a run by the language of their prompts."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codeglot import runs
from codeglot.cli.evaluate import evaluate
from codeglot.errors import ConfigError, RunError
from codeglot.jobs import problems
from codeglot.jobs.problems import asked_problems, keep_problems, select_problems
from codeglot.jobs.progress import Silent
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.sections import Evaluate, Generate
from codeglot.records import Problem


def run_of(*benchmarks: str, natural_languages: tuple[str, ...] | None) -> EvaluationRun:
    settings = Evaluate(
        benchmarks=benchmarks, languages=("python",), natural_languages=natural_languages, num_problems=2
    )
    return EvaluationRun(generate=Generate(engine="reference"), evaluate=settings)


def test_problems_in_the_named_natural_languages_alone_are_asked() -> None:
    found = select_problems(run_of("micro_nl", natural_languages=("hi", "de")), Silent())
    assert [problem.natural_language for problem in found] == ["hi", "hi", "de", "de"]


def test_benchmarks_with_one_natural_language_stay_as_they_are_beside_one_with_several() -> None:
    found = select_problems(run_of("micro", "micro_nl", natural_languages=("de",)), Silent())
    assert [(problem.benchmark, problem.natural_language) for problem in found] == [
        ("micro", "en"),
        ("micro", "en"),
        ("micro_nl", "de"),
        ("micro_nl", "de"),
    ]


def test_natural_languages_that_no_benchmark_heeds_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"natural_languages = de has no effect.*evaluate one of: .*\bmicro_nl"):
        select_problems(run_of("micro", natural_languages=("de",)), Silent())


def asked_languages(*languages: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What HumanEval (Python alone) and MultiPL-E are asked in."""
    asked: dict[str, Any] = {}

    def load(name: str, **settings: Any) -> list[Problem]:
        asked[name] = settings["languages"]
        return []

    monkeypatch.setattr(problems, "load_problems", load)
    asked_problems(Evaluate(benchmarks=("humaneval", "multipl_e"), languages=languages))
    return asked


def test_of_several_benchmarks_each_is_asked_in_the_languages_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked_languages("Python", "java", "c++", monkeypatch=monkeypatch)
    assert found == {"humaneval": ("Python",), "multipl_e": ("Python", "java", "c++")}


def test_a_language_that_no_benchmark_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="None of the benchmarks humaneval, multipl_e has problems in cobol, tcl"):
        asked_languages("python", "java", "cobol", "tcl", monkeypatch=monkeypatch)


def test_a_benchmark_that_has_none_of_the_languages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="The benchmark humaneval has problems in none of java"):
        asked_languages("java", monkeypatch=monkeypatch)


def test_the_command_line_takes_natural_languages_by_commas() -> None:
    line = "--engine reference --benchmark micro_nl --natural-languages de,hi --out unused --check"
    result = CliRunner().invoke(evaluate, line.split())
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["evaluate"]["natural_languages"] == ["de", "hi"]


def test_a_folder_that_is_older_than_origins_goes_on_and_gets_them(tmp_path: Path) -> None:
    problems = select_problems(run_of("micro", natural_languages=None), Silent())
    rows = [problem.model_dump(mode="json", exclude={"origin"}) for problem in problems]
    path = tmp_path / runs.PROBLEMS
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / runs.EXECUTIONS).touch()
    assert {problem.origin for problem in runs.read_rows(path, Problem)} == {None}
    keep_problems(problems, tmp_path)
    assert runs.read_rows(path, Problem) == problems
    with pytest.raises(RunError, match="problems that changed since"):
        keep_problems([problem.model_copy(update={"tests": "other"}) for problem in problems], tmp_path)
