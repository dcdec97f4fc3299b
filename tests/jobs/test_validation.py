"""pass@1 while training: asked as trained, and nothing counts as wrong that was not judged."""

from collections.abc import Generator, Iterable
from typing import Any

import pytest

from codeglot.config import build
from codeglot.data.format import PromptStyle
from codeglot.errors import SandboxError
from codeglot.generate.reference_engine import ReferenceEngine
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.validation import as_evaluation, measure
from codeglot.records import Execution, Problem, Verdict

PROBLEMS = [
    Problem(
        task_id=f"{language_id}/{number}",
        benchmark="problems",
        language_id=language_id,
        prompt="f = ",
        canonical_solution="1",
        tests="check",
    )
    for language_id, count in (("python", 2), ("lua", 1))
    for number in range(count)
]


class FixedPool:
    """Gives each task the ending that it was made with."""

    def __init__(self, **verdicts: Verdict) -> None:
        self._verdicts = verdicts

    def run_all(self, requests: Iterable[tuple[Any, Any]]) -> Generator[tuple[Any, Execution], None, None]:
        for key, _ in requests:
            yield key, Execution(verdict=self._verdicts.get(key, Verdict.PASS), detail="no room")


def run(**changes: Any) -> TrainingRun:
    tree: dict[str, Any] = {
        "base": {"model": "micro"},
        "data": {"sources": [{"dataset": "micro", "num_examples": 1}]},
        "methods": [{"method": "lora"}],
        "optim": {"lr": 1e-3},
        "train": {"steps": 1},
        "validation": {"benchmarks": ["problems"], "every": 1},
    }
    return build(TrainingRun, tree | changes, source="run.toml")


def test_languages_weigh_alike() -> None:
    pool: Any = FixedPool(**{"python/0": Verdict.FAIL_ASSERT})
    figures = measure(as_evaluation(run()), PROBLEMS, ReferenceEngine(PROBLEMS), pool)
    assert figures == {"pass_at_1": 0.75, "lua": 1.0, "python": 0.5}


def test_a_program_that_the_machine_could_not_judge_is_an_error_and_no_wrong_answer() -> None:
    pool: Any = FixedPool(**{"lua/0": Verdict.INFRA_ERROR})
    with pytest.raises(SandboxError, match=r"lua/0 could not be judged: no room.*same command again"):
        measure(as_evaluation(run()), PROBLEMS, ReferenceEngine(PROBLEMS), pool)


@pytest.mark.parametrize("style", list(PromptStyle))
def test_a_run_that_does_not_say_how_it_asks_is_asked_as_it_is_trained(style: PromptStyle) -> None:
    data = {"sources": [{"dataset": "micro", "num_examples": 1}], "style": style}
    assert as_evaluation(run(data=data)).generate.style is style
    other = {"engine": "huggingface", "style": "completion", "temperature": 0.8, "num_samples": 3}
    asked = as_evaluation(run(data=data, generate=other)).generate
    assert (asked.style, asked.temperature, asked.num_samples) == (PromptStyle.COMPLETION, 0.0, 1)
