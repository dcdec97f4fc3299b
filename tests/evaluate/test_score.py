from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot import runs
from codeglot.errors import ConfigError, DataError
from codeglot.evaluate.passk import pass_at_k
from codeglot.evaluate.score import LeftOut, read_scores, score
from codeglot.evaluate.statistics import wilson_interval
from codeglot.records import Completion, Execution, Problem, Verdict

P, F, INFRA = Verdict.PASS, Verdict.FAIL_ASSERT, Verdict.INFRA_ERROR
Ends = dict[str, Sequence[Verdict | None]]


def problem(task_id: str, language: str = "x", natural: str = "en") -> Problem:
    return Problem(
        task_id=task_id, benchmark="b", language_id=language, natural_language=natural, prompt="p", tests="t"
    )


def rows(ends: Ends) -> tuple[list[Completion], list[Execution]]:
    """Completions with their executions; None is a completion that was not run."""
    keys = [(task_id, sample, verdict) for task_id, found in ends.items() for sample, verdict in enumerate(found)]
    return (
        [Completion(task_id=task_id, sample=sample, text="") for task_id, sample, _ in keys],
        [Execution(task_id=task_id, sample=sample, verdict=verdict) for task_id, sample, verdict in keys if verdict],
    )


def test_pass_at_k_is_the_mean_over_problems() -> None:
    problems = [problem("1"), problem("2"), problem("3")]
    scores = score(problems, *rows({"1": [P, F, F], "2": [F, F, F], "3": [P, P, F]}), ks=[1, 2])
    assert [row.k for row in scores.scores] == [1, 2]
    assert scores.scores[0].pass_at_k == pytest.approx(1 / 3)
    assert scores.scores[1].pass_at_k == pytest.approx((pass_at_k(3, 1, 2) + 0 + 1) / 3)
    assert scores.num_samples == 3


def test_groups_are_benchmark_and_both_languages() -> None:
    problems = [problem("1"), problem("2", "y"), problem("3", natural="de")]
    scores = score(problems, *rows({"1": [P], "2": [F], "3": [P]}), ks=[1])
    assert [(row.language_id, row.natural_language, row.pass_at_k) for row in scores.scores] == [
        ("x", "en", 1.0),
        ("y", "en", 0.0),
        ("x", "de", 1.0),
    ]


def test_macro_gives_each_language_the_same_weight() -> None:
    problems = [problem("1"), problem("2"), problem("3"), problem("4", "y")]
    scores = score(problems, *rows({"1": [F], "2": [F], "3": [F], "4": [P]}), ks=[1])
    (macro,) = scores.macro
    assert (macro.pass_at_k, macro.num_languages) == (0.5, 2)


def test_macro_draws_forms_of_one_problem_together() -> None:
    asked = [(f"{language}/{i}", language, i) for language in ("x", "y", "z") for i in range(20)]
    problems = [problem(task, language).model_copy(update={"origin": f"b/{i}"}) for task, language, i in asked]
    ends: Ends = {task: [P] if i % 3 else [F] for task, _, i in asked}
    found = score(problems, *rows(ends), ks=[1])
    assert found.macro[0].interval == pytest.approx(found.scores[0].interval)
    apart = score([problem(task, language) for task, language, _ in asked], *rows(ends), ks=[1])
    assert apart.scores == found.scores
    assert apart.macro[0].interval != pytest.approx(apart.scores[0].interval, abs=0.05)


def test_a_single_language_has_no_macro() -> None:
    assert score([problem("1")], *rows({"1": [P]}), ks=[1]).macro == ()


def test_problems_that_all_pass_are_not_certain() -> None:
    problems = [problem(str(i)) for i in range(20)]
    (row,) = score(problems, *rows({str(i): [P] for i in range(20)}), ks=[1]).scores
    assert row.interval == wilson_interval(20, 20)


@pytest.mark.parametrize("gap", [None, INFRA, Verdict.TOOLCHAIN_MISSING])
def test_a_program_without_a_verdict_leaves_bounds_in_the_place_of_a_score(gap: Verdict | None) -> None:
    problems = [problem("1"), problem("2"), problem("3", "y")]
    scores = score(problems, *rows({"1": [P, gap], "2": [F, F], "3": [P, P]}), ks=[1])
    gapped, whole = scores.scores
    assert (gapped.pass_at_k, gapped.interval, gapped.incomplete) == (None, None, 1)
    assert gapped.bounds == (0.25, 0.5)
    assert (whole.pass_at_k, whole.incomplete, whole.bounds) == (1.0, 0, (1.0, 1.0))
    assert (scores.macro[0].pass_at_k, scores.macro[0].interval) == (None, None)
    assert scores.macro[0].bounds == (0.625, 0.75)
    assert scores.incomplete == 1


def test_a_problem_without_completions_is_missing_as_many_as_others_have() -> None:
    (row,) = score([problem("1"), problem("2")], *rows({"1": [P, F, P]}), ks=[1]).scores
    assert row.incomplete == 3
    assert row.bounds == pytest.approx((1 / 3, 5 / 6))


def test_a_run_without_any_completion_is_all_missing() -> None:
    scores = score([problem("1")], [], [], ks=[1, 2])
    assert [(row.bounds, row.incomplete) for row in scores.scores] == [((0.0, 1.0), 2), ((0.0, 1.0), 2)]


def test_every_program_is_counted_once_in_the_taxonomy() -> None:
    (row,) = score([problem("1"), problem("2")], *rows({"1": [P, F], "2": [F, INFRA]}), ks=[1]).scores
    assert row.taxonomy == {P: 1, F: 2, INFRA: 1}


def test_of_two_executions_of_one_program_the_last_counts() -> None:
    completions, executions = rows({"1": [INFRA]})
    later = [*executions, Execution(task_id="1", verdict=P)]
    assert score([problem("1")], completions, later, ks=[1]).scores[0].pass_at_k == 1.0


def test_rows_that_belong_to_nothing_are_counted_not_scored() -> None:
    completions, executions = rows({"1": [P], "stranger": [F, F]})
    orphan = Execution(task_id="1", sample=7, verdict=F)
    scores = score([problem("1")], completions, [*executions, orphan], ks=[1])
    assert scores.left_out == LeftOut(completions=2, executions=3)
    assert scores.scores[0].pass_at_k == 1.0


def test_the_smallest_number_of_samples_is_stated() -> None:
    scores = score([problem("1"), problem("2")], *rows({"1": [P, F, F], "2": [P, P]}), ks=[2])
    assert (scores.num_samples, scores.scores[0].n) == (2, 2)


def test_k_beyond_the_samples_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"pass@5 needs 5 samples of every problem, but '2' has 2.*k <= 2"):
        score([problem("1"), problem("2")], *rows({"1": [P] * 5, "2": [P, F]}), ks=[1, 5])


@pytest.mark.parametrize("ks", [[], [0], [1, 1]])
def test_senseless_k_are_refused(ks: list[int]) -> None:
    with pytest.raises(ConfigError, match="different k, each at least 1"):
        score([problem("1")], *rows({"1": [P]}), ks=ks)


def test_no_problems_are_refused() -> None:
    with pytest.raises(DataError, match="no problems to score"):
        score([], [], [], ks=[1])


def test_one_task_id_twice_is_refused() -> None:
    with pytest.raises(DataError, match="more than once, for instance '1'"):
        score([problem("1"), problem("1", "y")], [], [], ks=[1])


def test_scores_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    problems = [problem("1"), problem("2", "y")]
    scores = score(problems, *rows({"1": [P, None], "2": [F, P]}), ks=[1, 2])
    runs.write_json(tmp_path / runs.SCORES, scores)
    assert read_scores(tmp_path / runs.SCORES) == scores


@settings(deadline=None, max_examples=30)
@given(data=st.data(), num_problems=st.integers(1, 5), num_samples=st.integers(1, 3))
def test_the_score_of_any_completion_of_the_gaps_lies_within_the_bounds(
    data: st.DataObject, num_problems: int, num_samples: int
) -> None:
    ends: Ends = {
        str(i): data.draw(st.lists(st.sampled_from([P, F, None, INFRA]), min_size=num_samples, max_size=num_samples))
        for i in range(num_problems)
    }
    filled: Ends = {
        task: [end if end in {P, F} else data.draw(st.sampled_from([P, F])) for end in found]
        for task, found in ends.items()
    }
    problems = [problem(task) for task in ends]
    (gapped,) = score(problems, *rows(ends), ks=[num_samples]).scores
    (whole,) = score(problems, *rows(filled), ks=[num_samples]).scores
    assert whole.pass_at_k is not None
    assert gapped.bounds[0] - 1e-12 <= whole.pass_at_k <= gapped.bounds[1] + 1e-12
