"""Wall and CPU time of judging every canonical solution of HumanEval-X, from nothing and with all kept ready.

    python benchmarks/execution/humaneval_x.py [--data FOLDER]

Writes benchmarks/execution/humaneval_x.md. What starts once for a language is started before, by eight programs. Run it
on an idle machine; about five minutes.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from compare import Cost, timed

from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.choose import open_level
from codeglot.execute.local import LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.generate.reference_engine import answerable
from codeglot.jobs.boxes import warm_sandbox
from codeglot.jobs.execute import build_program
from codeglot.languages import spec
from codeglot.records import Completion, Limits, Verdict

SLOTS = 2
NUM_STARTED = 8
HEAD = """# HumanEval-X: judging all canonical solutions

<!-- Written by benchmarks/execution/humaneval_x.py; do not edit. -->

From nothing (cold), and with compilers and interpreters kept ready (warm, where 2 % are judged from nothing too). In
both, 2 % of those that pass and 5 % of the others run twice. {slots} programs at a time, level `{level}`, one run. CPU
time is that of everything, the supervisor included.

| language | programs | pass cold, warm | CPU s cold | warm | wall s cold | warm | wall cold : warm |
|---|---:|---:|---:|---:|---:|---:|---:|
"""


class Way(NamedTuple):
    """How many programs passed, and what judging all took."""

    num_passed: int
    cost: Cost


def judge(requests: Sequence[tuple[str, ExecutionRequest]], *, is_warm: bool) -> Way:
    """Judge all in a sandbox of its own that has been used before."""
    level = open_level("auto")
    with closing(warm_sandbox(level) if is_warm else ColdSandbox(level)) as sandbox:
        pool = LocalPool(sandbox, SLOTS)
        list(pool.run_all(requests[:NUM_STARTED]))
        verdicts: dict[str, Verdict] = {}
        cost = timed(lambda: verdicts.update((key, found.verdict) for key, found in pool.run_all(requests)))
    return Way(sum(verdict is Verdict.PASS for verdict in verdicts.values()), cost)


def row(name: str, num_programs: int, cold: Way, warm: Way) -> str:
    """One line of the table."""
    cells = [name, num_programs, f"{cold.num_passed}, {warm.num_passed}"]
    cells += [f"{seconds:.1f}" for seconds in (cold.cost.cpu_s, warm.cost.cpu_s, cold.cost.wall_s, warm.cost.wall_s)]
    return f"| {' | '.join(map(str, cells))} | {cold.cost.wall_s / warm.cost.wall_s:.1f} |"


def total(ways: Sequence[Way]) -> Way:
    """Of all languages."""
    cost = Cost(sum(way.cost.cpu_s for way in ways), sum(way.cost.wall_s for way in ways))
    return Way(sum(way.num_passed for way in ways), cost)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEGLOT_DATA"))
    arguments = parser.parse_args()
    rows, num_programs = [], 0
    ways: dict[bool, list[Way]] = {False: [], True: []}
    for language_id in get("humaneval_x").languages:
        problems, _ = answerable(load_problems("humaneval_x", data=arguments.data, languages=[language_id]))
        requests = []
        for problem in problems:
            completion = Completion(task_id=problem.task_id, text=problem.canonical_solution or "")
            program = build_program(problem, completion, Limits())
            if not isinstance(program, ExecutionRequest):
                sys.exit(f"{problem.task_id}: no program is found in its canonical solution.")
            requests.append((problem.task_id, program))
        num_programs += len(requests)
        for is_warm, found in ways.items():
            found.append(judge(requests, is_warm=is_warm))
        rows.append(row(spec.get(language_id).name, len(requests), ways[False][-1], ways[True][-1]))
        print(rows[-1], flush=True)
    rows.append(row("**all**", num_programs, total(ways[False]), total(ways[True])))
    head = HEAD.format(slots=SLOTS, level=open_level("auto").name)
    (Path(__file__).parent / "humaneval_x.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
