from pathlib import Path

import pytest

from codeglot.evaluate.statistics import holm, mcnemar
from codeglot.records import Completion, Execution, Problem, Verdict
from codeglot.report.comparison import Comparison, compare_runs
from codeglot.report.source import read_run
from tests.report.fake_runs import NAMES, write_incomplete, write_pair, write_run


def problem(task_id: str, language: str = "python", tests: str = "t") -> Problem:
    return Problem(task_id=task_id, benchmark="b", language_id=language, prompt="p", tests=tests)


def compared(tmp_path: Path, *ends: dict[str, str], problems: list[list[Problem]] | None = None) -> Comparison:
    """Runs given as task id -> one letter per sample, p for pass."""
    found = []
    for index, end in enumerate(ends):
        mine = problems[index] if problems else [problem(task_id, task_id.split("/")[0]) for task_id in end]
        keys = [(task_id, sample, mark) for task_id, marks in end.items() for sample, mark in enumerate(marks)]
        completions = [Completion(task_id=task_id, sample=sample, text="") for task_id, sample, _ in keys]
        executions = [
            Execution(task_id=t, sample=s, verdict=Verdict.PASS if mark == "p" else Verdict.FAIL_ASSERT)
            for t, s, mark in keys
        ]
        found.append(read_run(write_run(tmp_path / str(index), mine, completions, executions), str(index)))
    return compare_runs(found, NAMES)


def test_problems_are_paired_by_name_not_by_order(tmp_path: Path) -> None:
    first = {"python/1": "p", "python/2": "f", "python/3": "f"}
    second = {"python/3": "p", "python/2": "p", "python/1": "f"}
    (row,) = compared(tmp_path, first, second).differences
    assert (row.only_first, row.only_this) == (1, 2)
    assert row.mean == pytest.approx(1 / 3)
    assert (row.p, row.test) == (mcnemar(1, 2), "McNemar")


def test_the_second_run_is_better_where_the_difference_is_positive(tmp_path: Path) -> None:
    (row,) = compared(tmp_path, {"python/1": "f"}, {"python/1": "p"}).differences
    assert row.mean == 1.0
    assert row.interval[0] > 0


def test_several_samples_are_compared_by_permutation(tmp_path: Path) -> None:
    (row,) = compared(tmp_path, {"python/1": "pf", "python/2": "ff"}, {"python/1": "pp", "python/2": "pf"}).differences
    assert (row.test, row.mean, row.p) == ("permutation", 0.5, 0.5)


def test_the_mean_over_languages_weighs_languages_alike(tmp_path: Path) -> None:
    first = {"python/1": "f", "python/2": "f", "python/3": "f", "rust/1": "p"}
    second = {"python/1": "p", "python/2": "p", "python/3": "p", "rust/1": "p"}
    rows = compared(tmp_path, first, second).differences
    assert [(row.language_id, row.mean) for row in rows] == [(None, 0.5), ("python", 1.0), ("rust", 0.0)]
    assert rows[0].adjusted_p is None


def test_holm_covers_all_languages_and_runs(tmp_path: Path) -> None:
    good = {f"python/{i}": "p" for i in range(8)} | {f"rust/{i}": "p" for i in range(4)}
    bad = dict.fromkeys(good, "f")
    rows = [row for row in compared(tmp_path, bad, good, bad).differences if row.language_id]
    assert [row.adjusted_p for row in rows] == holm([row.p for row in rows])
    assert len(rows) == 4


def test_other_tests_are_other_problems(tmp_path: Path) -> None:
    ends = {"1": "p", "2": "p"}
    problems = [[problem("1"), problem("2")], [problem("1"), problem("2", tests="stronger")]]
    comparison = compared(tmp_path, ends, ends, problems=problems)
    assert comparison.differences == ()
    assert comparison.refusals == ("1, Python: the problems differ (1 alike of 2 and 2)",)


def test_a_language_that_only_one_run_has_is_named(tmp_path: Path) -> None:
    comparison = compared(tmp_path, {"python/1": "p"}, {"python/1": "p", "rust/1": "p"})
    assert [row.language_id for row in comparison.differences] == ["python"]
    assert comparison.refusals == ("1, Rust: only one of the runs has these problems",)


def test_programs_without_a_verdict_are_not_compared(tmp_path: Path) -> None:
    run = read_run(write_incomplete(tmp_path), "r")
    comparison = compare_runs([run, run], NAMES)
    assert {row.natural_language for row in comparison.differences} == {"de"}
    assert "8 programs without a verdict" in comparison.refusals[0]


def test_a_clear_difference_is_found_and_an_absent_one_is_not(tmp_path: Path) -> None:
    runs = [read_run(folder, folder.name) for folder in write_pair(tmp_path)]
    adjusted = {row.language_id: row.adjusted_p for row in compare_runs(runs, NAMES).differences}
    assert adjusted["python"] is not None
    assert adjusted["python"] < 0.001
    assert adjusted["ruby"] == 1.0


def test_forms_of_one_problem_are_one_piece_of_evidence_even_where_one_run_is_older_than_origins(
    tmp_path: Path,
) -> None:
    before = {f"{language}/{i}": "f" for language in ("python", "rust", "java") for i in range(9)}
    after = before | {task: "p" for task in before if int(task.split("/")[1]) < 4}
    plain = [problem(task, task.split("/")[0]) for task in before]
    named = [asked.model_copy(update={"origin": f"b/{asked.task_id.split('/')[1]}"}) for asked in plain]
    for number, problems in enumerate(([named, named], [plain, named], [named, plain])):
        mean, *single = compared(tmp_path / str(number), before, after, problems=problems).differences
        assert mean.interval == pytest.approx(single[0].interval)
        assert mean.p == pytest.approx(mcnemar(0, 4))
    mean, *single = compared(tmp_path / "plain", before, after, problems=[plain, plain]).differences
    assert mean.p == pytest.approx(mcnemar(0, 12))
    assert mean.interval[1] - mean.interval[0] < 0.7 * (single[0].interval[1] - single[0].interval[0])
