"""The sentences above the charts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from codeglot.records import Completion, Execution, Problem, Verdict
from codeglot.report.comparison import compare_runs
from codeglot.report.method import method
from codeglot.report.source import Run, read_run
from codeglot.report.summary import summary, warnings
from tests.report.fake_runs import ENVIRONMENT, NAMES, write_run

P, W, M = Verdict.PASS, Verdict.FAIL_ASSERT, Verdict.MEMORY


def run_of(folder: Path, ends: dict[str, Sequence[Verdict]], *, level: str = "bubblewrap", strangers: int = 0) -> Run:
    """A run with one sample per problem, given by language."""
    problems, executions = [], []
    for language, verdicts in ends.items():
        for number, verdict in enumerate(verdicts):
            task_id = f"{language}/{number}"
            problems.append(Problem(task_id=task_id, benchmark="b", language_id=language, prompt="p", tests="t"))
            executions.append(Execution(task_id=task_id, verdict=verdict))
    completions = [Completion(task_id=row.task_id, text="") for row in executions]
    completions += [Completion(task_id=f"stranger/{number}", text="") for number in range(strangers)]
    environment = ENVIRONMENT.model_copy(update={"sandbox_level": level})
    settings = {"generate": {"engine": "mutated"}}
    return read_run(
        write_run(folder, problems, completions, executions, settings=settings, environment=environment), folder.name
    )


def sentences(*runs: Run) -> list[str]:
    return [text.replace("\u00a0", " ") for text in summary(runs, compare_runs(runs, NAMES), NAMES)]


def test_one_language_is_summed_up_with_its_problems(tmp_path: Path) -> None:
    (text,) = sentences(run_of(tmp_path, {"python": [P, P, W, M, W]}))
    assert text.startswith(
        "Deliberately broken solutions solved 40.0 % of the 5 Python problems of b in one try (pass@1; 95 % interval "
    )
    assert text.endswith("); the most frequent failure is \u201cwrong answer\u201d (2 of 3).")


def test_failures_that_are_all_alike_are_said_to_be(tmp_path: Path) -> None:
    (text,) = sentences(run_of(tmp_path, {"python": [P, W, W]}))
    assert text.endswith("; all 2 failures ended as \u201cwrong answer\u201d.")


@pytest.mark.parametrize("ends", [[P, P], [P, W]])
def test_nothing_is_said_of_failures_that_are_none_or_one(tmp_path: Path, ends: list[Verdict]) -> None:
    (text,) = sentences(run_of(tmp_path, {"python": ends}))
    assert text.endswith(" %).")


def test_several_languages_are_summed_up_from_the_worst_to_the_best(tmp_path: Path) -> None:
    (text,) = sentences(run_of(tmp_path, {"rust": [P, P], "python": [P, W], "go": [W, M]}))
    assert "solved 50.0 % of b in one try, on average over 3 languages" in text
    assert ", from Go (0.0 %) to Rust (100.0 %)" in text


def test_a_difference_in_one_language_is_named_with_it(tmp_path: Path) -> None:
    first = run_of(tmp_path / "weak", {"python": [W] * 12})
    text = sentences(first, run_of(tmp_path / "strong", {"python": [P] * 12}))[0]
    assert text.startswith(
        "B (strong) against A (weak) on b: +100.0 points of pass@1 in Python (95 % interval +75.8 to +100.0)"
    )
    assert text.endswith("more than chance explains (p < 0.001).")


def test_a_difference_that_no_language_shows_by_itself_is_said_so(tmp_path: Path) -> None:
    first = run_of(tmp_path / "weak", {"python": [W] * 3, "rust": [W] * 3, "go": [W] * 3})
    text = sentences(first, run_of(tmp_path / "strong", {"python": [P] * 3, "rust": [P] * 3, "go": [P] * 3}))[0]
    assert text.endswith("(p = 0.004); none of 3 languages differs by itself after Holm's correction.")


def test_runs_of_unlike_sandboxes_are_marked(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / level, {"python": [P]}, level=level) for level in ("bubblewrap", "process")]
    (text,) = warnings(runs, compare_runs(runs, NAMES), NAMES)
    assert text.startswith("The runs had different toolchains or sandbox levels")


def test_rows_in_no_score_are_counted(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"python": [P]}, strangers=2)
    (text,) = warnings([run], compare_runs([run], NAMES), NAMES)
    assert text == "In no score: 2 completions of unknown problems and 0 executions of unknown completions in this run."


def test_groups_with_wilsons_interval_are_named_until_they_are_many(tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", {"python": [P, P], "rust": [P, W]})
    (text,) = [text for text in method([few], compare_runs([few], NAMES), NAMES) if "Wilson" in text]
    assert text.endswith("Wilson's (b, Python, k = 1).")
    many = run_of(tmp_path / "many", {f"language{number}": [P, P] for number in range(9)})
    (text,) = [text for text in method([many], compare_runs([many], NAMES), NAMES) if "Wilson" in text]
    assert text.endswith("; and 3 more).")


def test_what_judged_a_program_wrongly_and_was_given_up_is_named(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"java": [P, W], "python": [P]})
    rows = dict(run.executions)
    rows["java/1", 0] = rows["java/1", 0].model_copy(update={"contradicts": "compile_server"})
    run = replace(run, executions=rows)
    (text,) = warnings([run], compare_runs([run], NAMES), NAMES)
    assert text == (
        "In this run, what was kept ready for Java (compile_server) was given up: it did not end java/1 (sample 0) as "
        "\u201cwrong answer\u201d, as a start from nothing does. Its verdicts were taken back; all that count on that "
        "language are from nothing."
    )
