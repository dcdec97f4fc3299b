"""CPU and wall time per program: codeglot cold, codeglot warm and plain command lines, in turns on the same programs.

    npm install --prefix TSC typescript@5.8.3
    python benchmarks/execution/compare.py --tsc TSC/node_modules/.bin/tsc [--rounds 5] [--only java,cpp]

Writes benchmarks/execution/result.md (not with --only). `programs/` holds the programs, our own, each with its tests;
`plain.toml` the command lines that people usually type, which run without any isolation. codeglot's figures count
everything: the supervisor in this process, the boxes, and what is kept ready. Run it on an idle machine; about half an
hour. `humaneval_x.py`, beside it, judges a whole benchmark.
"""

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.choose import open_level
from codeglot.execute.processes import descendants
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.jobs.boxes import warm_sandbox
from codeglot.languages import spec
from codeglot.records import Verdict

HERE = Path(__file__).parent
TESTS = "--- tests ---"
"""In a comment, on the line between a program and its tests."""
LEAST_REPEATS, MOST_REPEATS = 3, 40
"""Runs of each program in a round."""
LEAST_CPU_S = 2.0
"""What the plain way takes in a round, where that is not too many runs: of our resident processes the kernel tells
hundredths of a second alone, so cheap programs need many."""
WAYS = ("plain", "cold", "warm")
WANTED = {"typescript": 12.0, "java": 5.0, "scala": 5.0, "kotlin": 5.0, "cpp": 4.5, "python": 4.0, "go": 2.5}
"""Least CPU time of the plain way over that of the warm one."""
LONGEST_DEATH_S = 0.2
"""A process that lives for longer after its program was judged is one that stays."""


class Program(NamedTuple):
    """One program with its tests."""

    name: str
    source: str
    tests: str

    @property
    def whole(self) -> str:
        """As people would put it into one file."""
        return f"{self.source}\n{self.tests}"


class Plain(NamedTuple):
    """How people run a language without a harness."""

    file: str
    commands: tuple[tuple[str, ...], ...]


class Cost(NamedTuple):
    """What one program took."""

    cpu_s: float
    wall_s: float


def read_programs(language_id: str) -> list[Program]:
    """The programs of a language."""
    programs = []
    for path in sorted((HERE / "programs" / language_id).iterdir()):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if TESTS in line)
        programs.append(Program(path.stem, "".join(lines[:at]), "".join(lines[at + 1 :])))
    return programs


def read_plain(tsc: Path) -> dict[str, Plain]:
    """The plain command lines by language id; `{tsc}` in them is the TypeScript compiler that people use."""
    text = (HERE / "plain.toml").read_text(encoding="utf-8")
    tree = tomllib.loads(text.replace("{tsc}", str(tsc.absolute())))
    return {
        name: Plain(entry["file"], tuple(tuple(command) for command in entry["commands"]))
        for name, entry in tree.items()
    }


def own_cpu_s() -> float:
    """CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_below_s() -> float:
    """CPU seconds of all that this process has waited for, and of all below it that is alive."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in descendants(os.getpid()):
        if pid != os.getpid():
            try:
                fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            ticks += sum(map(int, fields[11:15]))
    return usage.ru_utime + usage.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def timed(action: Callable[[], object]) -> Cost:
    """What an action costs; the wall time until it returns, the CPU time until all that it started and left is dead.

    Where something that was kept ready ended meanwhile, what it took is seen no more: the action is done again.
    """
    while (cost := _timed_once(action)) is None:
        pass
    return cost


def _timed_once(action: Callable[[], object]) -> Cost | None:
    residents, below_s = set(descendants(os.getpid())), cpu_below_s()
    own_s, began = own_cpu_s(), time.perf_counter()
    action()
    own_s, wall_s = own_cpu_s() - own_s, time.perf_counter() - began
    while time.perf_counter() - began - wall_s < LONGEST_DEATH_S and set(descendants(os.getpid())) - residents:
        time.sleep(0.001)
    if residents - set(descendants(os.getpid())):
        return None
    return Cost(own_s + cpu_below_s() - below_s, wall_s)


def run_plain(program: Program, plain: Plain) -> None:
    """Compile and run in a temporary folder; every program must pass."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / plain.file).write_text(program.whole, encoding="utf-8")
        for command in plain.commands:
            ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if ended.returncode:
                sys.exit(f"{program.name}: {' '.join(command)} failed: {ended.stdout}{ended.stderr}")


def run_boxed(program: Program, language_id: str, sandbox: Sandbox) -> None:
    """Judge it; every program must pass."""
    execution = sandbox.run(ExecutionRequest(source=program.source, tests=program.tests, language_id=language_id))
    if execution.verdict is not Verdict.PASS:
        sys.exit(f"{language_id} {program.name}: {execution.verdict} {execution.detail}\n{execution.stderr}")


def start_all(languages: Sequence[str], sandbox: Sandbox) -> None:
    """Have everything kept ready that can be."""
    for name in languages:
        run_boxed(read_programs(name)[0], name, sandbox)


def measure(language_id: str, plain: Plain, rounds: int, sandboxes: dict[str, Sandbox]) -> dict[str, list[Cost]]:
    """Mean cost of a program in each round, by way; what starts once is started before."""
    programs = read_programs(language_id)
    actions: dict[str, Callable[[Program], None]] = {
        "plain": lambda program: run_plain(program, plain),
        "cold": lambda program: run_boxed(program, language_id, sandboxes["cold"]),
        "warm": lambda program: run_boxed(program, language_id, sandboxes["warm"]),
    }
    costs: dict[str, list[Cost]] = defaultdict(list)
    repeats = LEAST_REPEATS
    for number in range(rounds + 1):
        taken: dict[str, list[Cost]] = defaultdict(list)
        for program in programs * repeats:
            for way in WAYS:
                taken[way].append(timed(partial(actions[way], program)))
        means = {way: Cost(*map(statistics.fmean, zip(*taken[way], strict=True))) for way in WAYS}
        if number:
            for way in WAYS:
                costs[way].append(means[way])
        else:  # the first one starts compilers and fills caches, and tells how many runs the others need
            wanted = math.ceil(LEAST_CPU_S / (len(programs) * means["plain"].cpu_s))
            repeats = min(max(wanted, LEAST_REPEATS), MOST_REPEATS)
    return costs


def row(language_id: str, costs: dict[str, list[Cost]], strategy: str) -> str:
    """One line of the table."""
    cells = [f"{spec.get(language_id).name} | {strategy or 'boxes only'}"]
    for way in WAYS:
        cpu = sorted(cost.cpu_s for cost in costs[way])
        wall = statistics.median(cost.wall_s for cost in costs[way])
        cells.append(
            f"{1000 * statistics.median(cpu):.0f} ({1000 * cpu[0]:.0f}-{1000 * cpu[-1]:.0f}) | {1000 * wall:.0f}"
        )
    cells.append(f"{ratio(costs, 'cold'):.1f} | {ratio(costs, 'warm'):.1f}")
    wanted = WANTED.get(language_id)
    return f"| {' | '.join(cells)} | {f'{wanted:g}' if wanted else ''} |"


def median_cpu_s(costs: dict[str, list[Cost]], way: str) -> float:
    """Median over rounds."""
    return statistics.median(cost.cpu_s for cost in costs[way])


def ratio(costs: dict[str, list[Cost]], way: str) -> float:
    """How many times less CPU than the plain way."""
    return median_cpu_s(costs, "plain") / median_cpu_s(costs, way)


def total(results: dict[str, dict[str, list[Cost]]], languages: Sequence[str]) -> float:
    """The same for one program of each of these languages."""
    plain, warm = (sum(median_cpu_s(results[name], way) for name in languages) for way in ("plain", "warm"))
    return plain / warm


HEAD = """# Execution: cold, warm, and plain command lines

<!-- Written by benchmarks/execution/compare.py; do not edit. -->

{programs} programs of our own with tests, {rounds} rounds in turns, {least} to {most} runs of each a round (more of
cheap ones), one at a time. CPU in milliseconds per program: median over rounds (lowest to highest) of everything that
runs, supervisor and resident processes included; wall time is the median. "Plain" is `plain.toml`: no isolation, no
limits. "Cold" is a box of the level `{level}` for each step; "warm" keeps ready what the second column says, programs
still run in boxes of their own. The last columns are plain CPU over ours. What starts once (compilers, forking
interpreters, precompiled headers) is started before; that costs {start:.1f} CPU s here for all languages.
"""

COLUMNS = (
    "| language | kept ready | plain ms | wall | cold ms | wall | warm ms | wall "
    "| plain : cold | plain : warm | wanted |"
)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="language ids, separated by commas")
    parser.add_argument("--tsc", type=Path, required=True, help="the command tsc of TypeScript 5.8.3")
    arguments = parser.parse_args()
    plain = read_plain(arguments.tsc)
    chosen = arguments.only.split(",") if arguments.only else sorted(plain)
    level = open_level("auto")
    sandboxes: dict[str, Sandbox] = {"cold": ColdSandbox(level), "warm": warm_sandbox(level)}
    with closing(sandboxes["warm"]):
        start = timed(partial(start_all, chosen, sandboxes["warm"]))
        results: dict[str, dict[str, list[Cost]]] = {}
        rows = []
        for name in chosen:
            results[name] = measure(name, plain[name], arguments.rounds, sandboxes)
            warm = spec.get(name).warm
            rows.append(row(name, results[name], warm.strategy if warm else ""))
            print(rows[-1], flush=True)
        named = [name for name in WANTED if name in results]
        names = ", ".join(spec.get(name).name for name in named)
        sums = [
            f"Summed over {names}: {total(results, named):.1f} times less CPU than plain (wanted: 6).",
            f"Summed over all {len(results)} languages: {total(results, chosen):.1f} times less (wanted: 4).",
        ]
        print("\n".join(sums))
        lines = [
            HEAD.format(
                programs=sum(len(read_programs(name)) for name in chosen),
                rounds=arguments.rounds,
                least=LEAST_REPEATS,
                most=MOST_REPEATS,
                level=level.name,
                start=start.cpu_s,
            ),
            COLUMNS,
            "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            *rows,
            "",
            *sums,
            "",
        ]
    if not arguments.only:
        (HERE / "result.md").write_text("\n".join(lines), encoding="utf-8")
    else:
        print("\n".join(lines[len(rows) + 6 :]))


if __name__ == "__main__":
    main()
