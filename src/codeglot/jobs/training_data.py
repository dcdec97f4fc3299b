"""`[data]` -> examples: files, hub sets, the bundled world, and the training parts of benchmarks.

Answers of a benchmark are trained on only if they pass their own tests here, and nothing is trained on that the run is
judged by.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing

from codeglot.data.examples import LoadedExamples, from_problem, load_examples
from codeglot.data.settings import MICRO, DataSet
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import benchmark
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.jobs.boxes import open_judges
from codeglot.jobs.execute import build_execution
from codeglot.jobs.judge import judge
from codeglot.jobs.overlaps import judged_problems, refuse_overlaps
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.sections import Judging
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
    made: set[str] = set()
    judging = run.evaluate or run.validation or Judging()

    def make(source: DataSet) -> Iterable[Example]:
        if source.dataset == MICRO:
            examples = _of_the_micro_world(source, run.seed)
            made.update(example.source for example in examples)
            return examples
        return _of_benchmark(source, judging, notes, progress)

    judged = judged_problems(run)
    loaded = load_examples(run.data, make)
    notes += refuse_overlaps(loaded.examples, judged, made=made)
    return LoadedExamples(loaded.examples, (*notes, *loaded.notes))


def _of_the_micro_world(source: DataSet, seed: int) -> list[Example]:
    """Examples of the bundled world, in English where no natural language is named."""
    return stream.examples(
        seed=seed,
        languages=source.languages or renderer.languages(),
        natural_languages=source.natural_languages or (ENGLISH,),
        num_per_language=source.num_examples or 0,
    )


def _of_benchmark(source: DataSet, judging: Judging, notes: list[str], progress: Progress) -> list[Example]:
    """Answers of the training part of a benchmark that pass its tests."""
    found = benchmark.get(source.dataset)
    problems = load_problems(source.dataset, data=source.path, languages=source.languages, split=TRAIN)
    answered = [problem for problem in problems if (problem.canonical_solution or "").strip()]
    passing = _passing(answered, judging, progress)
    notes.append(
        f"{source.dataset}: {len(passing)} of {len(problems)} training problems have an answer that passes its tests."
    )
    return [example for problem in passing if (example := from_problem(problem, found.license))]


def _passing(problems: Sequence[Problem], judging: Judging, progress: Progress) -> list[Problem]:
    """Problems whose canonical solution passes here; verdicts are kept over runs."""
    with open_judges(judging, sorted({problem.language_id for problem in problems}), progress) as judges:
        passed: dict[int, bool] = {}
        verdicts = judge(judges.pool, range(len(problems)), lambda place: _program(problems[place]), say=progress.say)
        with progress.track("try training answers", total=len(problems)) as advance, closing(verdicts):
            for place, execution in verdicts:
                if not execution.verdict.is_scored:
                    raise DataError(
                        f"The answer of {problems[place].task_id} could not be tried: {execution.detail}. "
                        "The machine failed, not the answer; run this again."
                    )
                if place not in passed:  # a later verdict takes the place of one that was taken back
                    advance()
                passed[place] = execution.verdict is Verdict.PASS
    return [problem for place, problem in enumerate(problems) if passed[place]]


def _program(problem: Problem) -> ExecutionRequest:
    answer = problem.canonical_solution or ""
    source = problem.prompt + answer if problem.prompt_is_code else answer
    return build_execution(problem, source, Limits())
