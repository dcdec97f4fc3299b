"""Verdicts that turned out wrong are given again, wherever programs are judged."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from codeglot.execute.local import LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.generate.reference_engine import ReferenceEngine
from codeglot.jobs import training_data
from codeglot.jobs.boxes import Judges
from codeglot.jobs.judge import judge
from codeglot.jobs.progress import Silent
from codeglot.jobs.sections import Judging
from codeglot.jobs.validation import as_evaluation, measure
from codeglot.records import Execution, Problem, Verdict
from tests.jobs.test_execute import WarmSandbox
from tests.jobs.test_validation import run

PROBLEMS = [
    Problem(
        task_id=str(number),
        benchmark="mine",
        language_id="python",
        prompt="def f():\n",
        canonical_solution=f"    return {number}\n",
        tests="check",
    )
    for number in range(3)
]


def pool() -> LocalPool:
    """One whose second program shows that the verdict on the first one is wrong."""
    return LocalPool(WarmSandbox(contradicted=2), 1)


def test_a_verdict_of_what_judged_wrongly_comes_again() -> None:
    def program(number: int) -> ExecutionRequest | Execution:
        if number == 3:
            return Execution(verdict=Verdict.EXTRACTION_FAILED)
        return ExecutionRequest(source=f"f = {number}", tests="check", language_id="python")

    found = list(judge(pool(), range(4), program))
    assert sorted(key for key, _ in found) == [0, 0, 1, 2, 2, 3]
    ends = dict(found)
    assert [ends[number].verdict for number in range(4)] == [Verdict.PASS] * 3 + [Verdict.EXTRACTION_FAILED]


def test_validation_counts_the_later_verdict() -> None:
    figures = measure(as_evaluation(run()), PROBLEMS, ReferenceEngine(PROBLEMS), pool())
    assert figures == {"pass_at_1": 1.0, "python": 1.0}


def test_training_answers_are_chosen_by_the_later_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def judges(*_: object) -> Iterator[Judges]:
        yield Judges(pool(), {}, "counting")

    monkeypatch.setattr(training_data, "open_judges", judges)
    assert training_data._passing(PROBLEMS, Judging(), Silent()) == PROBLEMS
