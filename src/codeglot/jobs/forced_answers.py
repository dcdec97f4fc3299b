"""What does each expert write in each language? pass@1 with every expert forced on prompts and answers.

OUT/forced/<expert>/completions.jsonl -> executions.jsonl, each of which goes on where an earlier start ended.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from codeglot import runs
from codeglot.errors import ConfigError, RunError
from codeglot.evaluate.passk import pass_at_k
from codeglot.evaluate.score import tally
from codeglot.generate.engine import Engine
from codeglot.generate.hf_engine import HuggingFaceEngine
from codeglot.jobs.boxes import Judges, open_judges
from codeglot.jobs.execute import execute
from codeglot.jobs.folder import claim
from codeglot.jobs.generate import generate
from codeglot.jobs.problems import select_problems
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.models.load import LoadedBase, Routing
from codeglot.records import Problem

FOLDER = "forced"


def forced_passes(
    run: TrainingRun, adapter: Path, base: LoadedBase, experts: Mapping[str, Routing], out: Path, progress: Progress
) -> dict[str, tuple[float, ...]]:
    """pass@1 of each language, by expert.

    Args:
        run: That was trained; its `[generate]` and `[evaluate]` say what is asked, and how.
        adapter: What it trained.
        base: Its model with that on it.
        experts: By name, how each is forced on all tokens.
        out: Folder of the answers and verdicts.
        progress: Is told of each expert.

    Raises:
        CodeglotError: If nothing is asked, programs cannot be judged, or the folder holds answers of another adapter.
    """
    asked = _asked(run, adapter)
    problems = select_problems(asked, progress)
    languages = sorted({problem.language_id for problem in problems})
    found: dict[str, list[float]] = {language: [] for language in languages}
    with open_judges(asked.evaluate, languages, progress) as judges:
        for name, routing in experts.items():
            progress.say(f"{name}: forced on {len(problems)} problems")
            engine = HuggingFaceEngine.of(
                base._replace(routing=routing), asked.generate.batch_size, name=run.base.model
            )
            folder = out / FOLDER / name
            with claim(folder, asked):
                passed = _passed(asked, problems, engine, judges, folder, progress)
            for language in languages:
                found[language].append(fmean(passed[p.task_id] for p in problems if p.language_id == language))
    return {language: tuple(values) for language, values in found.items()}


def _asked(run: TrainingRun, adapter: Path) -> EvaluationRun:
    if run.generate is None or run.evaluate is None:
        raise ConfigError("The run file has no [generate] or no [evaluate], so it does not say what is asked, and how.")
    base = run.base.model_copy(update={"adapter": adapter.resolve()})
    settings = run.generate.model_copy(update={"engine": "huggingface"})
    return EvaluationRun(seed=run.seed, base=base, generate=settings, evaluate=run.evaluate)


def _passed(
    asked: EvaluationRun, problems: Sequence[Problem], engine: Engine, judges: Judges, folder: Path, progress: Progress
) -> dict[str, float]:
    """pass@1 of each problem with one expert."""
    completions = generate(asked, problems, engine, folder / runs.COMPLETIONS, progress)
    executions = execute(asked, problems, completions, judges.pool, folder / runs.EXECUTIONS, progress)
    tallies = tally(problems, {execution.key: execution.verdict for execution in executions})
    if missing := sum(entry.missing for entry in tallies.values()):
        raise RunError(
            f"{folder}: {missing} programs have no verdict, since the machine failed. Run the same command again; only "
            "they are run."
        )
    return {task_id: pass_at_k(entry.num_samples, entry.passed, 1) for task_id, entry in tallies.items()}
