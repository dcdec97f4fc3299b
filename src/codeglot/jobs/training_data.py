"""`[data]` -> examples: files, hub sets, the bundled world, and the training parts of benchmarks.

Answers of a benchmark are trained on only if they pass their own tests here, and nothing is trained on that the run is
judged by.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain

from codeglot.data.contamination import OverlapKind, find_overlaps
from codeglot.data.examples import LoadedExamples, from_problem, load_examples
from codeglot.data.settings import MICRO, DataSet
from codeglot.errors import ConfigError, DataError
from codeglot.evaluate.benchmarks import benchmark
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.local import LocalPool
from codeglot.execute.log import ReusingPool, VerdictLog, default_log
from codeglot.jobs.execute import build_execution
from codeglot.jobs.preflight import preflight
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.sections import Evaluate
from codeglot.micro import stream
from codeglot.micro.renderers import renderer
from codeglot.records import Example, Limits, Problem, Verdict

ENGLISH = "en"
TRAIN = "train"
"""The split of a benchmark that may be trained on."""


def training_examples(run: TrainingRun, progress: Progress) -> LoadedExamples:
    """Everything that the run trains on.

    Raises:
        ConfigError: If a source may not be trained on, or checkpoints would be chosen on problems of the score.
        DataError: If rows are missing or malformed, a named language has no example, or a task is also judged.
        ToolchainError: If answers of a benchmark cannot be tried on this machine.
    """
    notes: list[str] = []

    def make(source: DataSet) -> Iterable[Example]:
        if source.dataset == MICRO:
            return _of_the_micro_world(source, run.seed)
        return _of_benchmark(source, notes, progress)

    sections = [section for section in (run.evaluate, run.validation) if section is not None]
    judged = [_judged_problems(section) for section in sections]
    if not run.is_trial:
        _refuse_shared(judged)
    loaded = load_examples(run.data, make)
    for section, problems in zip(sections, judged, strict=True):
        notes += _refuse_overlaps(loaded.examples, problems, ", ".join(section.benchmarks))
    return LoadedExamples(loaded.examples, (*notes, *loaded.notes))


def _of_the_micro_world(source: DataSet, seed: int) -> list[Example]:
    """Examples of the bundled world, in English where no natural language is named."""
    return stream.examples(
        seed=seed,
        languages=source.languages or renderer.languages(),
        natural_languages=source.natural_languages or (ENGLISH,),
        num_per_language=source.num_examples or 0,
    )


def _of_benchmark(source: DataSet, notes: list[str], progress: Progress) -> list[Example]:
    """Answers of the training part of a benchmark that pass its tests."""
    found = benchmark.get(source.dataset)
    if TRAIN not in found.splits:
        trainable = [name for name in benchmark.BENCHMARKS if TRAIN in benchmark.get(name).splits]
        raise ConfigError(
            f"{source.dataset} has no part that may be trained on; it is for evaluation. "
            f"Benchmarks with one: {', '.join(trainable)}. Your own rows: dataset = 'file'."
        )
    problems = load_problems(source.dataset, data=source.path, languages=source.languages, split=TRAIN)
    answered = [problem for problem in problems if (problem.canonical_solution or "").strip()]
    passing = _passing(answered, progress)
    notes.append(
        f"{source.dataset}: {len(passing)} of {len(problems)} training problems have an answer that passes its tests."
    )
    return [example for problem in passing if (example := from_problem(problem, found.license))]


def _passing(problems: Sequence[Problem], progress: Progress) -> list[Problem]:
    """Problems whose canonical solution passes here; verdicts are kept over runs."""
    with closing(ColdSandbox(Bubblewrap())) as sandbox, VerdictLog(default_log(sandbox.level)) as log:
        local = LocalPool(sandbox)
        versions = preflight(local, sorted({problem.language_id for problem in problems}), progress)
        requests = (
            (place, build_execution(problem, _program(problem), problem.limits or Limits()))
            for place, problem in enumerate(problems)
        )
        passed: set[int] = set()
        with progress.track("try training answers", total=len(problems)) as advance:
            for place, execution in ReusingPool(local, log, versions).run_all(requests):
                advance()
                if execution.verdict is Verdict.PASS:
                    passed.add(place)
                elif not execution.verdict.is_scored:
                    raise DataError(
                        f"The answer of {problems[place].task_id} could not be tried: {execution.detail}. "
                        "The machine failed, not the answer; run this again."
                    )
    return [problem for place, problem in enumerate(problems) if place in passed]


def _program(problem: Problem) -> str:
    answer = problem.canonical_solution or ""
    return problem.prompt + answer if problem.prompt_is_code else answer


def _judged_problems(judged: Evaluate) -> list[Problem]:
    return list(
        chain.from_iterable(
            load_problems(name, data=judged.data, languages=judged.languages, split=judged.split)
            for name in judged.benchmarks
        )
    )


def _refuse_shared(judged: Sequence[Sequence[Problem]]) -> None:
    """Stop where `[evaluate]` scores problems of `[validation]`, in any form; two splits may hold the same ones."""
    roots = [{problem.root for problem in problems} for problems in judged]
    if len(roots) > 1 and (shared := sorted(set.intersection(*roots))):
        raise ConfigError(
            f"[validation] and [evaluate] share {len(shared)} problem(s), first {shared[0]}; a score on problems by "
            "which the checkpoint was chosen says nothing. Set evaluate.split or validation.split to another part."
        )


def _refuse_overlaps(examples: Sequence[Example], problems: Sequence[Problem], names: str) -> list[str]:
    """Stop at examples made from problems that are judged; likenesses that may be chance are counted."""
    overlaps = find_overlaps(examples, problems)
    if same := [overlap for overlap in overlaps if overlap.kind is OverlapKind.TASK]:
        num_examples = len({overlap.example for overlap in same})
        raise DataError(
            f"{num_examples} training example(s) are made from problems that this run is judged on, first "
            f"{same[0].source}, judged as {same[0].task_id}. Set evaluate.split (or validation.split) to another part "
            "than the one trained on."
        )
    alike = {overlap.example for overlap in overlaps}
    return [f"{len(alike)} training example(s) share an answer or a long run of words with {names}."] if alike else []
