"""Generate, execute, score: what a model's code does on a benchmark.

    problems.jsonl -> completions.jsonl -> executions.jsonl -> scores.json

Each arrow ends in a file of the run folder, so a killed run continues where it stopped, and the same command
on a finished folder only reads it: no model is loaded, no program is run, and the record of where stays.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from codeglot import runs
from codeglot.errors import RunError
from codeglot.evaluate.score import Scores, score
from codeglot.generate.engine import Engine
from codeglot.jobs.boxes import open_judges
from codeglot.jobs.engines import RECALLING, build_engine
from codeglot.jobs.execute import execute, kept_executions
from codeglot.jobs.folder import claim
from codeglot.jobs.generate import build_requests, generate, kept_completions, refuse_changed_answers
from codeglot.jobs.problems import keep_problems, select_problems
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.trained import is_unfinished
from codeglot.records import Completion, Execution, Problem

if TYPE_CHECKING:
    from codeglot.models.load import LoadedBase


def evaluate(run: EvaluationRun, out: Path, progress: Progress | None = None) -> Scores:
    """Do what the run file says and leave everything in `out`.

    Raises:
        CodeglotError: With value, place and remedy; what was finished stays in `out` and is not done again.
    """
    progress = progress or Silent()
    problems = select_problems(run, progress)
    with claim(out, run):
        run = with_adapter(run, out)
        keep_problems(problems, out)
        engine = build_engine(run, problems) if run.generate.engine in RECALLING else None
        if engine is not None:
            refuse_changed_answers(run, problems, engine, out / runs.COMPLETIONS)
        completions, executions = _kept(run, problems, out)
        if len(executions) < len(problems) * run.generate.num_samples or not (out / runs.ENVIRONMENT).exists():
            completions, executions = _work(run, problems, engine, out, progress)
        scores = score(problems, completions, executions, run.evaluate.k)
        runs.write_json(out / runs.SCORES, scores)
    return scores


def check(run: EvaluationRun, progress: Progress, base: "LoadedBase | None" = None) -> None:
    """Do everything of a judging that costs little: its problems, and whether they can be put to what answers them.

    Args:
        run: What is judged, trained or not.
        progress: Is told what is left out.
        base: The model of `[base]`, where it is in memory.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    problems = select_problems(run, progress)
    if run.generate.engine in RECALLING:
        build_engine(run, problems)
    elif base is not None and run.base is not None:
        engine = import_module("codeglot.generate.hf_engine").HuggingFaceEngine.of(base, 1, name=run.base.model)
        first = {request.task_id: request for request in build_requests(run, problems)}
        engine.check(list(first.values()), run.generate)  # all samples of a problem have one prompt


def with_adapter(run: EvaluationRun, out: Path) -> EvaluationRun:
    """The run with what it trained on its base, where it has methods.

    Raises:
        RunError: If it was not trained yet.
    """
    if not run.methods or run.base is None:
        return run
    if not (out / runs.TRAINING).exists():
        state = "The training in {} is not finished" if is_unfinished(out) else "{} was not trained yet"
        raise RunError(
            f"{state.format(out)}, and the run file has [[methods]]. Run `codeglot train` with the same --out first."
        )
    return run.model_copy(update={"base": run.base.model_copy(update={"adapter": out / runs.ADAPTER})})


def _kept(run: EvaluationRun, problems: Sequence[Problem], out: Path) -> tuple[list[Completion], list[Execution]]:
    """What earlier starts finished; no execution while completions are missing, since then there is work anyway."""
    completions = list(kept_completions(run, problems, out / runs.COMPLETIONS).values())
    if len(completions) < len(problems) * run.generate.num_samples:
        return completions, []
    return completions, list(kept_executions(run, problems, completions, out / runs.EXECUTIONS).values())


def _work(
    run: EvaluationRun, problems: Sequence[Problem], engine: Engine | None, out: Path, progress: Progress
) -> tuple[list[Completion], list[Execution]]:
    """Write and judge what is missing; what costs little and can be wrong comes before the model is loaded."""
    with open_judges(run.evaluate, sorted({problem.language_id for problem in problems}), progress) as judges:
        engine = engine or build_engine(run, problems)
        where = runs.environment(device=engine.device, toolchains=judges.versions, sandbox_level=judges.level)
        runs.write_json(out / runs.ENVIRONMENT, where)
        completions = generate(run, problems, engine, out / runs.COMPLETIONS, progress)
        return completions, execute(run, problems, completions, judges.pool, out / runs.EXECUTIONS, progress)
