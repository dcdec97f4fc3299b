"""The bundled world, checked: every canonical solution is run, every test is weighed, leaks are looked for.

    python benchmarks/micro_world.py [--out runs/micro_world] [--languages python,java] [--problems 20]

Runs the canonical solution of every validation and test problem in every language, and of some in every natural
language; chooses the tests anew and counts the mutants that they kill; looks for held-out meanings among training
examples. Without --languages and --problems the page is also written to `micro_world.md`. The exit status is 1 if
anything is not as it should be. Continues where it was killed. Some hours on two cores, nearly all of it compilers.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from codeglot import runs
from codeglot.cli.progress import TerminalProgress
from codeglot.jobs.evaluate import evaluate
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.sections import Evaluate, Generate
from codeglot.micro.bundled import bundled
from codeglot.micro.cases import Suite, choose
from codeglot.micro.phrasing import natural_languages
from codeglot.micro.problems import Task, all_tasks, solution
from codeglot.micro.renderers.renderer import languages, renderer
from codeglot.micro.splits import Split, fingerprint, held_out
from codeglot.micro.stream import stream, training_compositions
from codeglot.records import Example, Execution, Verdict

NUM_SPOKEN = 12
"""Problems of each split that are also run with their prompts in every natural language."""
NUM_STREAMED = 100_000
"""Training examples of each language whose code is compared."""
NUM_MEANINGS = 100_000
"""Training compositions whose answers are compared."""
CODE_LANGUAGES = ("python", "java")
"""One without types, one with them."""


class Judged(NamedTuple):
    """What became of the programs of one language."""

    language_id: str
    executions: list[Execution]

    @property
    def failures(self) -> list[Execution]:
        """Canonical solutions that do not pass."""
        return [row for row in self.executions if row.verdict is not Verdict.PASS]


def judge(language_id: str, out: Path, num_problems: int | None) -> Judged:
    """Run every canonical solution once, and the first ones in every natural language."""
    english, *others = sorted(natural_languages(), key=lambda code: (code != "en", code))
    rows = _run(language_id, (english,), "all", num_problems, out / language_id / "all")
    few = min(NUM_SPOKEN, num_problems or NUM_SPOKEN)
    for split in ("validation", "test"):
        rows += _run(language_id, tuple(others), split, few, out / language_id / f"spoken-{split}") if others else []
    return Judged(language_id, rows)


def _run(language_id: str, spoken: tuple[str, ...], split: str, num: int | None, folder: Path) -> list[Execution]:
    settings = Evaluate(
        benchmarks=("micro_nl",),
        languages=(language_id,),
        natural_languages=spoken,
        split=split,
        num_problems=num,
        reuse=False,
    )
    evaluate(EvaluationRun(generate=Generate(engine="reference"), evaluate=settings), folder, TerminalProgress())
    return runs.read_rows(folder / runs.EXECUTIONS, Execution)


class Weighed(NamedTuple):
    """What the tests of some problems are worth."""

    num_problems: int
    num_cases: int
    num_killed: int
    num_equivalent: int
    changed: list[Task]
    """Problems whose tests are not those that are chosen now."""


def weigh(tasks: Sequence[Task]) -> Weighed:
    """Choose the tests anew: each kills every mutant that differs anywhere, or the problem would not be there."""
    suites = [(task, choose(bundled(), task.composition)) for task in tasks]
    good = [suite for _, suite in suites if isinstance(suite, Suite)]
    return Weighed(
        num_problems=len(tasks),
        num_cases=sum(len(task.inputs) for task in tasks),
        num_killed=sum(suite.num_killed for suite in good),
        num_equivalent=sum(len(suite.equivalent) for suite in good),
        changed=[task for task, suite in suites if not isinstance(suite, Suite) or suite.inputs != task.inputs],
    )


def leaks(tasks: Sequence[Task]) -> list[str]:
    """A line for each way of being the same, with how many held-out problems training has."""
    lines = []
    for language_id in CODE_LANGUAGES:
        held = {renderer(language_id).completion(solution(bundled(), task.composition)) for task in tasks}
        seen = {example.completion for example in _streamed(language_id)}
        lines.append(
            f"- {language_id} code of {NUM_STREAMED} training examples ({len(seen)} different): "
            f"{len(held & seen)} of {len(held)} held-out solutions"
        )
    held = {found for task in tasks if (found := fingerprint(bundled(), task.composition)) is not None}
    drawn = islice(training_compositions(Random("leaks")), NUM_MEANINGS)
    meanings = {fingerprint(bundled(), composition) for composition in drawn}
    lines.append(
        f"- answers of {NUM_MEANINGS} training compositions to fixed arguments: {len(held & meanings)} of {len(held)} "
        "held-out problems"
    )
    return lines


def _streamed(language_id: str) -> Iterator[Example]:
    return islice(stream(seed=0, languages={language_id: 1.0}, natural_languages={"en": 1.0}), NUM_STREAMED)


def counts_table() -> list[str]:
    """Shapes and problems of every family in every split."""
    shapes = Counter((shape[0], held_out().get(shape, Split.TRAIN)) for shape in bundled().shapes())
    problems = Counter((task.composition.family, task.split) for task in all_tasks())
    lines = [
        "| family | shapes for training | validation | test | problems of validation | of test |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in bundled().families:
        cells = [shapes[name, split] for split in Split] + [problems[name, split] for split in list(Split)[1:]]
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    total = [sum(shapes[name, split] for name in bundled().families) for split in Split]
    total += [sum(problems[name, split] for name in bundled().families) for split in list(Split)[1:]]
    return [*lines, "| all | " + " | ".join(map(str, total)) + " |"]


def page(judged: Sequence[Judged], weighed: Weighed, leaked: Sequence[str]) -> str:
    """The whole page."""
    lines = [
        "# The bundled world\n",
        "Written by `python benchmarks/micro_world.py`.\n",
        "## Shapes and problems\n",
        *counts_table(),
        "\n## Tests\n",
        f"{weighed.num_problems} problems with {weighed.num_cases} tests.\n",
        f"- One-step mutants that differ from the right solution on some argument: {weighed.num_killed}, all killed",
        f"- Mutants that answer alike on every argument: {weighed.num_equivalent}",
        f"- Problems whose tests would be chosen differently now: {len(weighed.changed)}\n",
        "## Held-out problems in training\n",
        *leaked,
        "\n## Canonical solutions\n",
        f"All of them with English prompts, and {NUM_SPOKEN} of each split in every other natural language.\n",
        "| language | pass | of | CPU s per program, median | version |",
        "|---|---:|---:|---:|---|",
    ]
    for one in judged:
        cpu_s = sorted(row.cpu_s for row in one.executions)[len(one.executions) // 2]
        version = one.executions[0].versions.get(one.language_id, "")
        passed = len(one.executions) - len(one.failures)
        lines.append(f"| {one.language_id} | {passed} | {len(one.executions)} | {cpu_s:.2f} | {version} |")
    failures = [f"- **fails** `{row.task_id}`: {row.verdict}" for one in judged for row in one.failures]
    return "\n".join([*lines, "", *failures, f"failures: {len(failures)}"]) + "\n"


def main() -> None:
    """Check everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/micro_world"))
    parser.add_argument("--languages", type=lambda text: text.split(","), default=None)
    parser.add_argument("--problems", type=int, default=None, help="only the first this many")
    arguments = parser.parse_args()
    tasks = all_tasks() if arguments.problems is None else all_tasks()[: arguments.problems]
    judged = [judge(name, arguments.out, arguments.problems) for name in arguments.languages or languages()]
    weighed, leaked = weigh(tasks), leaks(tasks)
    text = page(judged, weighed, leaked)
    print(text)
    if arguments.languages is None and arguments.problems is None:
        runs.write_text(Path(__file__).with_suffix(".md"), text)
    is_good = not any(one.failures for one in judged) and not weighed.changed and all(": 0 of" in row for row in leaked)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
