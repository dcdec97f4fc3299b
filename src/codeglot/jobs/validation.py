"""pass@1 of a model in memory on the validation problems, while it is being trained."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from codeglot.errors import SandboxError
from codeglot.execute.local import Pool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.generate.engine import Decoding, Engine
from codeglot.generate.hf_engine import HuggingFaceEngine
from codeglot.jobs.boxes import open_judges
from codeglot.jobs.execute import build_program
from codeglot.jobs.generate import build_requests
from codeglot.jobs.judge import judge
from codeglot.jobs.problems import select_problems
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.jobs.sections import Generate
from codeglot.models.load import LoadedBase
from codeglot.records import Execution, Problem, Verdict
from codeglot.train import loop

METRIC = "pass_at_1"
"""Mean over languages, by which the best state is chosen."""


@contextmanager
def validator(run: TrainingRun, base: LoadedBase, progress: Progress) -> Iterator[loop.Validation | None]:
    """What the loop measures now and then; None where the run has no `[validation]`.

    Raises:
        ToolchainError: If a language of the problems cannot be judged on this machine.
        DataError: If the problems are missing or malformed.
    """
    if run.validation is None:
        yield None
        return
    judged = as_evaluation(run)
    problems = select_problems(judged, progress)
    with open_judges(run.validation, sorted({problem.language_id for problem in problems}), progress) as judges:

        def validate(model: Any, step: int) -> dict[str, float]:
            engine = HuggingFaceEngine.of(base._replace(model=model), judged.generate.batch_size, name=run.base.model)
            figures = measure(judged, problems, engine, judges.pool)
            progress.say(f"step {step}: pass@1 {figures[METRIC]:.1%} on {len(problems)} validation problem(s)")
            return figures

        yield loop.Validation(validate, METRIC, run.validation.every)


def judgings(run: TrainingRun) -> list[EvaluationRun]:
    """What the trained model is asked, as runs of their own: on validation problems, and on those of the score."""
    found = [as_evaluation(run)] if run.validation else []
    if run.generate and run.evaluate:
        found.append(EvaluationRun(seed=run.seed, base=run.base, generate=run.generate, evaluate=run.evaluate))
    return found


def as_evaluation(run: TrainingRun) -> EvaluationRun:
    """The validation as a run of its own: greedy, one completion a problem, asked as the run's own evaluation asks.

    Without a `[generate]`, it is asked as it was trained: continued, or in chat.
    """
    generate = run.generate or Generate(engine="huggingface", style=run.data.style)
    settings = generate.model_copy(update={"num_samples": 1, "temperature": 0.0, "engine": "huggingface"})
    return EvaluationRun(seed=run.seed, base=run.base, generate=settings, evaluate=run.validation)


def measure(run: EvaluationRun, problems: Sequence[Problem], engine: Engine, pool: Pool) -> dict[str, float]:
    """pass@1 of each language and their mean.

    Raises:
        SandboxError: If a program has no verdict.
    """
    problem_by_id = {problem.task_id: problem for problem in problems}
    passed = {problem.task_id: False for problem in problems}
    decoding = Decoding(max_new_tokens=run.generate.max_new_tokens)
    completions = list(engine.generate(list(build_requests(run, problems)), decoding))
    completion_by_id = {completion.task_id: completion for completion in completions}

    def program(task_id: str) -> ExecutionRequest | Execution:
        return build_program(problem_by_id[task_id], completion_by_id[task_id], run.evaluate.limits)

    with closing(judge(pool, completion_by_id, program)) as verdicts:
        for task_id, execution in verdicts:
            if not execution.verdict.is_scored:
                raise SandboxError(
                    f"The answer to {task_id} could not be judged: {execution.detail}. The machine failed, not the "
                    "answer; without its verdict the best step cannot be told. Run the same command again: it goes on "
                    "from its last checkpoint."
                )
            passed[task_id] = execution.verdict is Verdict.PASS
    figures: dict[str, float] = {}
    for language_id in sorted({problem.language_id for problem in problems}):
        values = [passed[problem.task_id] for problem in problems if problem.language_id == language_id]
        figures[language_id] = float(np.mean(values))
    return {METRIC: float(np.mean(list(figures.values()))), **figures}
