"""Run file -> problems.jsonl: which problems are asked, and that they are those of an earlier start."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from codeglot import runs
from codeglot.errors import ConfigError, DataError, RunError
from codeglot.evaluate.benchmarks.benchmark import BENCHMARKS, get, load_problems
from codeglot.execute.assemble import assemble
from codeglot.generate.reference_engine import answerable
from codeglot.jobs.engines import CANONICAL
from codeglot.jobs.execute import build_execution
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.sections import Evaluate
from codeglot.languages import spec
from codeglot.records import Problem


def select_problems(run: EvaluationRun, progress: Progress) -> list[Problem]:
    """The problems that `[evaluate]` asks for; those that canonical solutions cannot answer are left out, and said.

    Raises:
        DataError: If a file is missing or empty, two problems share a task id, or a problem's files are in the way.
        UnknownNameError: If a benchmark, a split or a language does not exist.
        ConfigError: If natural languages are named, and no benchmark has several.
    """
    problems = list(chain.from_iterable(asked_problems(run.evaluate).values()))
    for problem in problems:
        _check_files(problem, run)
    if run.generate.engine in CANONICAL:
        problems, left_out = answerable(problems)
        if left_out:
            progress.say(left_out)
    return problems


def asked_problems(settings: Evaluate) -> dict[str, list[Problem]]:
    """The problems that `[evaluate]` or `[validation]` asks for, by benchmark.

    Raises:
        DataError, UnknownNameError, ConfigError: As `select_problems`.
    """
    _check_natural_languages(settings)
    languages = _languages_of(settings)
    found = {
        name: load_problems(
            name,
            data=settings.data,
            languages=languages[name],
            natural_languages=settings.natural_languages,
            split=settings.split,
            limit=settings.num_problems,
        )
        for name in settings.benchmarks
    }
    _refuse_repeats(list(chain.from_iterable(found.values())))
    return found


def keep_problems(problems: list[Problem], out: Path) -> None:
    """Write the problems down; results of an earlier start must be of the same ones.

    Raises:
        RunError: If the folder holds verdicts on other problems.
    """
    path = out / runs.PROBLEMS
    before = runs.read_rows(path, Problem) if (out / runs.EXECUTIONS).exists() and path.exists() else problems
    if [problem.as_asked for problem in before] != [problem.as_asked for problem in problems]:
        raise RunError(
            f"{out} holds results on problems that changed since: the benchmark's files, or how they are read. "
            "Name another folder with --out."
        )
    runs.write_rows(path, problems)


def _languages_of(settings: Evaluate) -> dict[str, Sequence[str] | None]:
    """Which of the languages each benchmark is asked in: of several benchmarks, each in those that it has."""
    asked = settings.languages
    if asked is None or len(settings.benchmarks) == 1:
        return dict.fromkeys(settings.benchmarks, asked)
    found = {name: tuple(key for key in asked if get(name).knows(key)) for name in settings.benchmarks}
    if lost := [key for key in asked if not any(key in keys for keys in found.values())]:
        raise ConfigError(
            f"None of the benchmarks {', '.join(settings.benchmarks)} has problems in {', '.join(lost)}. Leave out "
            "the language, or name a benchmark that has it."
        )
    if idle := [name for name, keys in found.items() if not keys]:
        raise ConfigError(
            f"The benchmark {idle[0]} has problems in none of {', '.join(asked)}. Leave it out, or name one of its "
            "languages."
        )
    return dict(found)


def _check_natural_languages(settings: Evaluate) -> None:
    if settings.natural_languages and not any(get(name).has_natural_languages for name in settings.benchmarks):
        several = ", ".join(name for name in BENCHMARKS if get(name).has_natural_languages)
        raise ConfigError(
            f"natural_languages = {', '.join(settings.natural_languages)} has no effect: the prompts of "
            f"{', '.join(settings.benchmarks)} are as published. Leave it out, or evaluate one of: {several}."
        )


def _refuse_repeats(problems: list[Problem]) -> None:
    homes: dict[str, list[str]] = {}
    for problem in problems:
        homes.setdefault(problem.task_id, []).append(problem.benchmark)
    if repeated := {task_id: names for task_id, names in homes.items() if len(names) > 1}:
        task_id, names = next(iter(repeated.items()))
        count = Counter(names)
        places = " and in ".join(name if count[name] == 1 else f"{name} {count[name]} times" for name in count)
        raise DataError(
            f"{len(repeated)} task id(s) name several problems, and results are kept by task id: '{task_id}' stands in "
            f"{places}. Evaluate these benchmarks in runs of their own."
        )


def _check_files(problem: Problem, run: EvaluationRun) -> None:
    """Stop at an unknown language, and at files that would lie where the program or its tests do."""
    language = spec.get(problem.language_id)
    if not problem.files:
        return
    try:
        assemble(build_execution(problem, "", run.evaluate.limits), language, nonce="")
    except DataError as error:
        raise DataError(f"{problem.benchmark}, task {problem.task_id}: {error}") from None
