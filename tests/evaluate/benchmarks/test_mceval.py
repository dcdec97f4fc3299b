"""McEval: rows become whole programs whose tests can fail, and languages that cannot be run are named."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import ConfigError
from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.records import Problem
from tests.conftest import needs_data

ROW: dict[str, Any] = {
    "task_id": "X/3",
    "prompt": "P",
    "canonical_solution": "S",
    "test": "T",
    "entry_point": "f",
}


def load(folder: Path, language_id: str, **columns: Any) -> Problem:
    (folder / f"mceval_{language_id}.jsonl").write_text(json.dumps(ROW | columns) + "\n")
    [problem] = load_problems("mceval", data=folder, languages=[language_id])
    return problem


@pytest.mark.parametrize(("prompt", "solution"), [("P", "\nS"), ("P\n", "S")])
def test_the_answer_begins_on_a_line_of_its_own(tmp_path: Path, prompt: str, solution: str) -> None:
    problem = load(tmp_path, "python", prompt=prompt)
    assert (problem.prompt, problem.canonical_solution, problem.tests) == (prompt, solution, "T")
    assert (problem.task_id, problem.entry_point, problem.root) == ("X/3", "f", "mceval/X/3")


def test_java_is_run_by_a_class_main_and_has_no_public_class(tmp_path: Path) -> None:
    problem = load(tmp_path, "java", prompt="import a.B;\npublic class Solution {\n  public int f()")
    assert problem.prompt == "import a.B;\nclass Solution {\n  public int f()"
    assert problem.tests.startswith("T\nclass Main {")
    assert "Solution.main(args);" in problem.tests


@pytest.mark.parametrize("prompt", ["using System;\nclass P {", "using System.Linq;\nclass P {"])
def test_csharp_has_what_its_sdk_imports_once(tmp_path: Path, prompt: str) -> None:
    problem = load(tmp_path, "csharp", prompt=prompt)
    assert problem.prompt.count("using System.Linq;") == 1
    assert problem.prompt.endswith(prompt)


def test_fortran_answers_stand_inside_of_the_program_that_tests_them(tmp_path: Path) -> None:
    test, solution = "program main\ncontains\nsubroutine assert", "  end function f\n\n\nend program main"
    problem = load(tmp_path, "fortran", test=test, canonical_solution=solution)
    assert problem.tests == f"{test}\ninclude 'main.f90'\nend program main\n"
    assert problem.canonical_solution == "\n  end function f\n"


@pytest.mark.parametrize(
    ("language_id", "task_id", "tests", "mended"),
    [
        ("lua", "Lua/1", "function t()\nend", "function t()\nend\n\ntestHelloMMCodeEval()\n"),
        ("csharp", "C#/1", "Console.WriteLine(F(1) == 2);", "System.Diagnostics.Debug.Assert(F(1) == 2);"),
        ("python", "Python/35", "unittest.main()", "assert unittest.main(exit=False).result.wasSuccessful()"),
        ("haskell", "Haskell/23", 'then " (Pass)" else " (Fail)"', 'then " (Pass)" else error "Test failed"'),
        ("lua", "Lua/2", "T", "T"),
    ],
)
def test_tests_that_cannot_fail_or_never_end_are_mended(
    tmp_path: Path, language_id: str, task_id: str, tests: str, mended: str
) -> None:
    assert load(tmp_path, language_id, task_id=task_id, test=tests).tests == mended


@pytest.mark.parametrize(
    ("task_id", "name"), [("Elixir/15", "quicksort"), ("Elixir/40", "leap_year?"), ("Elixir/3", "f")]
)
def test_a_function_under_test_that_is_not_there_is_mended(tmp_path: Path, task_id: str, name: str) -> None:
    assert load(tmp_path, "elixir", task_id=task_id).entry_point == name


def test_a_language_without_programs_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mceval is not run in html: .* neither tests nor answers"):
        load_problems("mceval", data=tmp_path, languages=["html"])


def test_a_language_that_nothing_describes_is_refused_or_left_out_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = get("mceval").unknown_languages
    assert unknown
    assert "python" not in unknown
    with pytest.raises(ConfigError, match=rf"problems in {unknown[0]}, which codeglot cannot run .*{unknown[0]}\.toml"):
        load(tmp_path, unknown[0])
    load(tmp_path, "python")
    with caplog.at_level(logging.WARNING):
        assert [problem.language_id for problem in load_problems("mceval", data=tmp_path)] == ["python"]
    assert f"problems in {', '.join(unknown)}, html, json, markdown are left out" in caplog.text


@needs_data
@pytest.mark.parametrize(
    "language_id", [key for key in get("mceval").languages if key not in get("mceval").unknown_languages]
)
def test_every_published_answer_is_there_and_no_stop_cuts_it(language_id: str) -> None:
    problems = load_problems("mceval", languages=[language_id])
    assert len(problems) == (53 if language_id == "java" else 50)
    cut = [
        (problem.task_id, mark)
        for problem in problems
        for mark in problem.stop
        if mark in (problem.canonical_solution or "")
    ]
    assert not cut
    assert all(problem.stop and problem.entry_point and problem.canonical_solution for problem in problems)
