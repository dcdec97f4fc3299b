"""Which program runs next, and which one runs again: the policy of a pool, without a thread or a process of its own.

CPU seconds decide a verdict, so a busy machine changes none. What it can still change is made sure of: a program that
starved, or that was refused what others held, is a suspect and runs again alone, and only that verdict counts. A share
of all programs runs twice, which shows the programs that throw dice. Known-good programs, the canaries, run between the
others: one that takes too long lowers the number of slots, one that fails takes back its language's verdicts since the
last good one.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, TypeVar

from codeglot.errors import UnknownNameError
from codeglot.execute.probes import canary
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.verdict import KILLED
from codeglot.languages import spec
from codeglot.records import Execution, Verdict

Key = TypeVar("Key")

NUM_QUIET_RUNS = 2
"""Times that a suspect runs alone before it is taken at its word, or given up as `infra_error`."""
STARVED_SHARE = 0.1
"""Share of a program's wall time spent ready to run but waiting, from which on its wall limit says nothing."""
RECHECKED_SHARES = {Verdict.PASS: 0.02}
"""Share of programs with a verdict that run a second time."""
RECHECKED_SHARE = 0.05
"""The same for every other verdict that the program alone decides."""
CANARY_EVERY = 200
"""Programs of a language from one canary to the next."""
SLOW_CANARY = 3.0
"""Times its fastest run that a canary may take before a slot is closed."""
LONGEST_WALL_S = 86_400.0
MEMORY_SHARE = 0.8
"""Share of the memory that is free at the start which programs may hold."""
UNKNOWN_MEMORY_MIB = 256.0
UNKNOWN_CPU_S = 1.0
_NOT_RECHECKED = {Verdict.TIMEOUT_WALL, Verdict.RESOURCE_DENIED, Verdict.FLAKY, Verdict.EXTRACTION_FAILED}
"""Endings that a suspect had alone already, or that no run decides."""


class Kind(Enum):
    """Why a program runs."""

    FIRST = "first"
    QUIET = "quiet"
    """Alone, because of what the first run met."""
    RECHECK = "recheck"
    """Again, to see whether it ends the same way."""
    CANARY = "canary"


@dataclass(slots=True, eq=False)
class Task(Generic[Key]):
    """One program, on its way to a verdict."""

    key: Key | None
    """None for a canary."""
    request: ExecutionRequest
    kind: Kind = Kind.FIRST
    earlier: list[Execution] = field(default_factory=list)
    """What its runs so far showed."""

    @property
    def to_run(self) -> ExecutionRequest:
        """The request, with twice the time to wait where it runs alone."""
        if self.kind is not Kind.QUIET:
            return self.request
        limits = self.request.limits
        wall_s = min(2 * limits.wall_guard_s, LONGEST_WALL_S)
        return self.request.model_copy(update={"limits": limits.model_copy(update={"wall_s": wall_s})})

    @property
    def is_alone(self) -> bool:
        """Whether nothing else may run beside it."""
        return self.kind is Kind.QUIET or (self.kind is Kind.CANARY and bool(self.earlier))


@dataclass(slots=True)
class _Seen(Generic[Key]):
    """What is known of a language."""

    cpu_s: float = UNKNOWN_CPU_S
    memory_mib: float = UNKNOWN_MEMORY_MIB
    canary_s: float | None = None
    """Wall seconds of its fastest canary."""
    since: list[Task[Key]] = field(default_factory=list)
    """Programs judged since the last good canary."""
    fault: str = ""
    """Why it can no longer be judged; empty where it can."""


def weight(language_id: str) -> float:
    """Cores that a program of a language keeps busy."""
    try:
        return spec.get(language_id).limits.weight
    except UnknownNameError:
        return 1.0


class Scheduler(Generic[Key]):
    """Decides; the pool that owns it starts what it is told and tells how that ended.

    Args:
        slots: Programs at one time, where each weighs 1.
        memory_mib: What all of them together may hold; None: most of what is free now.
        find_canary: The known-good program of a language, if it has one.
        find_weight: Slots that a program of a language takes.
    """

    def __init__(
        self,
        slots: int,
        memory_mib: float | None = None,
        find_canary: Callable[[str], ExecutionRequest | None] = canary,
        find_weight: Callable[[str], float] = weight,
    ) -> None:
        self.slots = self._most_slots = slots
        self._memory_mib = MEMORY_SHARE * _free_mib() if memory_mib is None else memory_mib
        self._find_canary = find_canary
        self._find_weight = find_weight
        self._waiting: list[Task[Key]] = []
        self._first: deque[Task[Key]] = deque()
        """What goes before all others: canaries, then what runs alone."""
        self._running: list[Task[Key]] = []
        self._seen: dict[str, _Seen[Key]] = {}

    @property
    def num_waiting(self) -> int:
        """Programs that have not been started."""
        return len(self._waiting) + len(self._first)

    def add(self, key: Key, request: ExecutionRequest) -> None:
        """Take a program."""
        self._waiting.append(Task(key, request))

    def start(self) -> Task[Key] | None:
        """What is to be started now; None: nothing before something ends."""
        if any(task.is_alone for task in self._running):
            return None
        if self._first:
            if self._first[0].is_alone and self._running:
                return None
            task = self._first.popleft()
        else:
            fitting = [task for task in self._waiting if self._fits(task)]
            if not fitting:
                return None
            task = max(fitting, key=lambda task: self._of(task).cpu_s)
            self._waiting.remove(task)
        self._running.append(task)
        return task

    def end(self, task: Task[Key], execution: Execution) -> Iterable[tuple[Key, Execution]]:
        """Take how a program ended; yield the verdicts that stand now.

        A key may come again, when a canary takes its first verdict back: the later one counts.
        """
        self._running.remove(task)
        if task.kind is Kind.CANARY:
            return self._end_canary(task, execution)
        seen = self._of(task)
        if execution.verdict.is_scored:
            seen.cpu_s += 0.1 * (execution.cpu_s - seen.cpu_s)
            seen.memory_mib = max(0.99 * seen.memory_mib, execution.memory_mib)
        task.earlier.append(execution)
        if task.key is None:
            raise ValueError("only a canary has no key")
        if len(task.earlier) <= NUM_QUIET_RUNS and task.kind is not Kind.RECHECK and is_suspect(execution):
            self._first.append(replace(task, kind=Kind.QUIET))
            return []
        if task.kind is not Kind.RECHECK and is_rechecked(execution):
            self._waiting.append(replace(task, kind=Kind.RECHECK))
            return []
        verdict = _final(task)
        if seen.fault:
            verdict = _withdrawn(verdict, seen.fault)
        else:
            self._count(task, seen)
        return [(task.key, verdict)]

    def _of(self, task: Task[Key]) -> _Seen[Key]:
        return self._seen.setdefault(task.request.language_id, _Seen())

    def _fits(self, task: Task[Key]) -> bool:
        """Whether a program may run beside those that run, as while any of a slot is free; one alone always may."""
        if not self._running:
            return True
        memory_mib = sum(self._of(one).memory_mib for one in [*self._running, task])
        taken = sum(self._find_weight(one.request.language_id) for one in self._running)
        return taken < self.slots and memory_mib <= self._memory_mib

    def _count(self, task: Task[Key], seen: _Seen[Key]) -> None:
        """Send a canary after some programs."""
        seen.since.append(task)
        if len(seen.since) % CANARY_EVERY == 0 and (request := self._find_canary(task.request.language_id)):
            self._first.appendleft(Task(None, request, Kind.CANARY))

    def _end_canary(self, task: Task[Key], execution: Execution) -> Iterable[tuple[Key, Execution]]:
        seen = self._of(task)
        if execution.verdict is Verdict.PASS:
            self._adapt_slots(seen, execution.wall_s)
            again, seen.since = seen.since if task.earlier else [], []
            self._waiting += [Task(one.key, one.request) for one in again]
            return []
        if not task.earlier:
            self._first.appendleft(Task(None, task.request, Kind.CANARY, [execution]))
            return []
        seen.fault = f"its known-good program ended as '{execution.verdict}': {execution.detail}"
        back, seen.since = seen.since, []
        return [(one.key, _withdrawn(one.earlier[-1], seen.fault)) for one in back if one.key is not None]

    def _adapt_slots(self, seen: _Seen[Key], wall_s: float) -> None:
        seen.canary_s = min(wall_s, seen.canary_s or wall_s)
        if wall_s > SLOW_CANARY * seen.canary_s:
            self.slots = max(1, self.slots - 1)
        else:
            self.slots = min(self._most_slots, self.slots + 1)


def is_suspect(execution: Execution) -> bool:
    """Whether the machine, or other programs, may have decided how this run ended."""
    if execution.verdict is Verdict.TIMEOUT_WALL:
        return execution.waited_s is None or execution.waited_s > STARVED_SHARE * execution.wall_s
    if execution.verdict is Verdict.RUNTIME_ERROR:
        return execution.detail == KILLED  # by the program itself, or by a machine without memory
    return execution.verdict in (Verdict.RESOURCE_DENIED, Verdict.INFRA_ERROR)


def is_rechecked(execution: Execution) -> bool:
    """Whether a program is of the share that runs twice; the same programs are, whenever they are asked about."""
    if not execution.verdict.is_scored or execution.verdict in _NOT_RECHECKED or not execution.execution_key:
        return False
    share = RECHECKED_SHARES.get(execution.verdict, RECHECKED_SHARE)
    return int(execution.execution_key, 16) % 10_000 < share * 10_000


def _final(task: Task[Key]) -> Execution:
    """The verdict of a program that has run often enough."""
    last, before = task.earlier[-1], task.earlier[:-1]
    told = {
        "attempts": sum(run.attempts for run in task.earlier),
        "earlier": tuple(run.verdict for run in before),
        "contradicts": next((run.contradicts for run in task.earlier if run.contradicts), ""),
    }
    if task.kind is not Kind.RECHECK:
        return last.model_copy(update=told)
    first = before[-1]
    if last.verdict is first.verdict or not last.verdict.is_scored:
        return first.model_copy(update=told)
    if first.strategy != last.strategy:  # its language was given up meanwhile: what comes from nothing is right
        return (first if last.strategy else last).model_copy(update=told)
    told |= {
        "verdict": Verdict.FLAKY,
        "detail": f"ended as '{first.verdict}', and when it was run again as '{last.verdict}'",
    }
    return last.model_copy(update=told)


def _withdrawn(execution: Execution, why: str) -> Execution:
    """A verdict that is not one, since the language could not be judged at that time."""
    return execution.model_copy(update={"verdict": Verdict.INFRA_ERROR, "detail": f"taken back, since {why}"})


def _free_mib() -> float:
    """Memory that is free now, in MiB."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
