"""The controls: canonical solutions must pass, and the same with other values returned must fail.

    python benchmarks/reference_answers.py --data FOLDER [--out runs/reference_answers] [--only humaneval_x/java ...]

Prints how many pass of each benchmark and language, and every one that does not, under its reason: those that are
known to be wrong as published stand in `upstream_faults.toml`, beside this file. Without `--only` the page is also
written to `reference_answers.md`. The exit status is 1 if a failure has no reason there, if fewer pass than should, or
if a mutated answer passes. Continues where it was killed. About an hour on two cores.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from codeglot import runs
from codeglot.cli.progress import TerminalProgress
from codeglot.config import StrictModel, build, read_tree
from codeglot.generate.names import EngineName
from codeglot.generate.syntax import Program
from codeglot.jobs.evaluate import evaluate
from codeglot.jobs.runfile import EvaluationRun
from codeglot.jobs.sections import Evaluate, Generate
from codeglot.languages import spec
from codeglot.records import Execution, Problem, Verdict

NUM_MUTATED = 164
"""Mutated answers per benchmark, language and natural language; the first of each."""
FAULTS = Path(__file__).with_name("upstream_faults.toml")


class Fault(StrictModel):
    """Published answers that are wrong for one reason, found by reading them."""

    part: str
    reason: str
    tasks: tuple[str, ...]


class BadSyntax(StrictModel):
    """A part with too many broken answers to read: a parser that is not the compiler tells which are no programs."""

    part: str
    cut_off: str
    """Reason for those that do not end with a closing brace."""
    broken: str
    """Reason for the others."""


class Upstream(StrictModel):
    """`upstream_faults.toml`."""

    least: dict[str, int]
    """By part, how many published answers must pass."""
    not_run: dict[str, str] = Field(default_factory=dict)
    """By part, why its published answers, if there are any, were not run; parts in neither table have none."""
    notes: dict[str, str]
    """By part, what should be known about it."""
    faults: tuple[Fault, ...]
    weak_tests: tuple[Fault, ...] = ()
    """Problems whose tests pass some answers that return other values; these are no survivors."""
    bad_syntax: tuple[BadSyntax, ...]


class Judged(NamedTuple):
    """What became of one part, its problems and executions in the same order."""

    name: str
    problems: list[Problem]
    reference: list[Execution]
    mutated: list[Execution]
    """Only of problems whose unchanged answer passes: a broken answer needs no mutation to fail."""

    @property
    def num_passed(self) -> int:
        """Canonical solutions that pass."""
        return sum(row.verdict is Verdict.PASS for row in self.reference)

    @property
    def survivors(self) -> list[Execution]:
        """Mutated answers that pass."""
        return [row for row in self.mutated if row.verdict is Verdict.PASS]

    def unexpected(self, upstream: Upstream) -> list[Execution]:
        """Those of problems whose tests are not known to be weak."""
        weak = {task for fault in upstream.weak_tests if fault.part == self.name for task in fault.tasks}
        return [row for row in self.survivors if row.task_id not in weak]


def parts() -> list[str]:
    """Every benchmark and language that has canonical solutions, in the order of the list of faults."""
    return list(read_upstream().least)


def read_upstream() -> Upstream:
    """The known faults."""
    return build(Upstream, read_tree(FAULTS), source=str(FAULTS))


def judge(part: str, *, data: Path, out: Path) -> Judged:
    """Run all canonical solutions of one part, and some mutated ones."""
    problems, reference = _run(part, "reference", data=data, out=out)
    passing = {row.task_id for row in reference if row.verdict is Verdict.PASS}
    _, mutated = _run(part, "mutated", data=data, out=out)
    return Judged(part, problems, reference, [row for row in mutated if row.task_id in passing])


def _run(part: str, engine: EngineName, *, data: Path, out: Path) -> tuple[list[Problem], list[Execution]]:
    benchmark, language_id = part.split("/")
    settings = Evaluate(
        benchmarks=(benchmark,),
        languages=(language_id,),
        split="all",
        data=data,
        num_problems=NUM_MUTATED if engine == "mutated" else None,
    )
    folder = out / engine / part
    evaluate(EvaluationRun(generate=Generate(engine=engine), evaluate=settings), folder, TerminalProgress())
    problems = runs.read_rows(folder / runs.PROBLEMS, Problem)
    rows = {row.task_id: row for row in runs.read_rows(folder / runs.EXECUTIONS, Execution)}
    return problems, [rows[problem.task_id] for problem in problems]


def by_reason(judged: Judged, upstream: Upstream) -> tuple[dict[str, list[str]], list[Execution]]:
    """Task ids of the failures under their reasons, and the failures that have none."""
    reasons = {task: fault.reason for fault in upstream.faults if fault.part == judged.name for task in fault.tasks}
    bad_syntax = next((entry for entry in upstream.bad_syntax if entry.part == judged.name), None)
    explained: defaultdict[str, list[str]] = defaultdict(list)
    unexplained = []
    for problem, row in zip(judged.problems, judged.reference, strict=True):
        if row.verdict is Verdict.PASS:
            continue
        reason = reasons.get(row.task_id)
        if reason is None and bad_syntax is not None and row.verdict is Verdict.COMPILE_ERROR:
            reason = syntax_fault(problem, bad_syntax)
        if reason is None or not row.verdict.is_scored:
            unexplained.append(row)
        else:
            explained[reason].append(row.task_id)
    return dict(sorted(explained.items(), key=lambda entry: -len(entry[1]))), unexplained


def syntax_fault(problem: Problem, entry: BadSyntax) -> str | None:
    """Why the answer as published is no program; None where the parser takes it."""
    solution = problem.canonical_solution or ""
    if not Program((problem.prompt + solution).encode(), spec.get(problem.language_id)).root.has_error:
        return None
    return entry.broken if solution.rstrip().endswith("}") else entry.cut_off


def table(results: list[Judged]) -> list[str]:
    """A row per part."""
    lines = [
        "| benchmark, language | canonical solutions that pass | mutated ones that fail | CPU s per program, median |",
        "|---|---:|---:|---:|",
    ]
    for judged in results:
        failed = len(judged.mutated) - len(judged.survivors)
        cpu_s = sorted(row.cpu_s for row in judged.reference)[len(judged.reference) // 2]
        lines.append(
            f"| {judged.name} | {judged.num_passed} / {len(judged.reference)} | {failed} / {len(judged.mutated)} "
            f"| {cpu_s:.2f} |"
        )
    return lines


def section(judged: Judged, upstream: Upstream) -> tuple[list[str], bool]:
    """What one part has to say, and whether all is as it should be."""
    explained, unexplained = by_reason(judged, upstream)
    versions = judged.reference[0].versions.get(judged.problems[0].language_id, "")
    lines = [f"\n## {judged.name}\n", f"Ran with {versions}.\n"]
    if note := upstream.notes.get(judged.name):
        lines.append(f"{note}\n")
    lines += [f"- {reason} ({len(tasks)}): {_ids(tasks)}" for reason, tasks in explained.items()]
    failing = {task for tasks in explained.values() for task in tasks}
    listed = [task for fault in upstream.faults if fault.part == judged.name for task in fault.tasks]
    if spared := [task for task in listed if task not in failing]:
        lines.append(f"- known as faulty, but passing here ({len(spared)}): {_ids(spared)}")
    lines += [f"- **unexplained** `{row.task_id}`: {row.verdict} {_code(row.detail)}".rstrip() for row in unexplained]
    weak = [fault for fault in upstream.weak_tests if fault.part == judged.name]
    lines += [f"- weak: {fault.reason} ({len(fault.tasks)}): {_ids(list(fault.tasks))}" for fault in weak]
    survivors = judged.unexpected(upstream)
    lines += [f"- **mutated, and passes** `{row.task_id}`" for row in survivors]
    least = upstream.least[judged.name]
    if judged.num_passed < least:
        lines.append(f"- **only {judged.num_passed} pass**, at least {least} should")
    if lines[-1].startswith("- "):
        lines.append("")
    lines.append(f"unexplained: {len(unexplained)}")
    return lines, not unexplained and not survivors and judged.num_passed >= least


def _ids(tasks: list[str]) -> str:
    """Task ids of one benchmark, their common beginning said once: `MBJP/180, 198`."""
    prefix = tasks[0].rpartition("/")[0] + "/"
    return tasks[0] + "".join(f", {task.removeprefix(prefix)}" for task in tasks[1:])


def _code(text: str) -> str:
    text = " ".join(text.replace("`", "'").split())
    return f"`{text}`" if text else ""


def page(results: list[Judged], upstream: Upstream) -> tuple[str, bool]:
    """The whole page, and whether all is as it should be."""
    lines = [
        "# Reference answers\n",
        "Written by `python benchmarks/reference_answers.py`. Canonical solutions should pass; every one that does not",
        "is wrong as published, for the reason given. The same with other values returned should all fail, but where",
        f"tests are weak (of the first {NUM_MUTATED} problems of each part and natural language, those whose",
        "canonical solution passes).\n",
        *table(results),
    ]
    is_good = True
    for judged in results:
        more, is_part_good = section(judged, upstream)
        lines += more
        is_good = is_good and is_part_good
    return "\n".join(lines) + "\n", is_good


def main() -> None:
    """Run every part and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/reference_answers"))
    parser.add_argument("--only", nargs="*", choices=parts(), metavar="BENCHMARK/LANGUAGE")
    arguments = parser.parse_args()
    chosen = [part for part in parts() if not arguments.only or part in arguments.only]
    results = [judge(part, data=arguments.data, out=arguments.out) for part in chosen]
    text, is_good = page(results, read_upstream())
    print(text)
    if not arguments.only:
        runs.write_text(Path(__file__).with_suffix(".md"), text)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
