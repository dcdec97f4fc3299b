"""Watches one box from its start to the death of its last process, in whatever way it was started.

A box from nothing is a `bwrap` process whose child is the first process of a pid namespace. When `bwrap` dies, the
kernel kills that child, and with it the whole namespace. This process is made a sub-reaper, so the child becomes its
own: waiting for it says that nothing survived, and gives the CPU time of all that ran.

CPU time of children that a program refuses to wait for (SIGCHLD ignored) is only seen while they live, but for a box
that has a group of the kernel (`cgroups`), which keeps it; elsewhere the wall limit bounds what can be gained by that.
A supervisor that is killed with SIGKILL while `bwrap` sets up a box leaves a process that waits for ever; a later start
of codeglot on this machine removes it with the box's folder.
"""

import contextlib
import ctypes
import json
import math
import os
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from typing import Any, Protocol

from codeglot.errors import SandboxError
from codeglot.execute.cgroups import Cgroup, Meter
from codeglot.execute.folders import is_larger
from codeglot.execute.processes import children, count_files, kill, measure, waited_s
from codeglot.execute.step import MEMORY_FACTOR, Outcome, Stop
from codeglot.records import Limits

LONGEST_LOOK_S = 0.25
"""Time between two looks at CPU time, memory and disk, at most."""
SHORTEST_LOOK_S = 0.01
UNREAD_MS = 8
"""Time before what a box prints is read; then at once."""
OWN_WORK_S = 0.2
"""CPU time of a group that counts for no program: what starts and keeps the box is in it too, and takes less."""
MAX_ENTRIES = 20_000
"""Files and folders in a box's folder, and on its disks in memory, where even empty ones cost."""

_PR_SET_CHILD_SUBREAPER = 36
_CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a box may use."""

    limits: Limits
    folder: Path | None
    """Host folder that it may write to and that `limits.disk_mib` holds for; None: there is none."""
    disks: tuple[str, ...]
    """Its disks in memory, by their paths inside."""
    stop_fd: int
    """Becomes readable when everything must stop."""
    group: Cgroup
    """Holds all its processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Bounds):
    """How to start a box from nothing, and what it may use."""

    argv: tuple[str, ...]
    """Starts `bwrap`; `{status_fd}` in it is replaced."""
    pass_fds: tuple[int, ...]
    stdin: int
    """File descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a box ended."""

    status: int | None
    """Of the program, 128 + n after signal n; None: it was killed, or never ran."""
    cpu_s: float
    memory_mib: float
    problem: str = ""
    """What the box itself said where it never ran."""


class Running(Protocol):
    """A box that was started."""

    end_fd: int
    """Becomes readable when it has ended."""

    def first(self) -> list[int]:
        """Its first processes, of which all others are descendants."""
        ...

    def reaped_cpu_s(self) -> float:
        """CPU seconds of processes that ended and were waited for, but by none of those that `first` gives."""
        ...

    def end(self) -> End:
        """Kill all of it that lives, and wait until it is dead.

        Raises:
            SandboxError: If it cannot be told what became of it.
        """
        ...


def become_subreaper() -> None:
    """Let orphans below this process become its children, so that boxes can be waited for.

    Raises:
        SandboxError: If the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SandboxError(
            f"Cannot become a sub-reaper: {os.strerror(ctypes.get_errno())}. Linux 3.4 or newer is needed."
        )


def supervise(start: Start) -> Outcome:
    """Run a box from nothing to its end.

    Raises:
        SandboxError: If the box could not be set up, died without a status, or everything must stop.
    """
    with Streams() as streams:
        status, status_write = _pipe()
        try:
            process = subprocess.Popen(  # noqa: S603 - the sandbox's own command
                [argument.replace("{status_fd}", str(status_write)) for argument in start.argv],
                stdin=start.stdin,
                stdout=streams.write_ends[0],
                stderr=streams.write_ends[1],
                pass_fds=(*start.pass_fds, status_write),
                env={},
                cwd="/",
                process_group=0,  # an interrupt from the terminal is for this process alone
            )
            os.close(status_write)
            status_write = -1
            with _pidfd(process.pid) as end_fd:
                return watch(_Wrapped(process, end_fd, status), start, streams)
        finally:
            os.close(status)
            if status_write >= 0:
                os.close(status_write)


class Streams:
    """The pipes for what a box prints."""

    def __init__(self) -> None:
        (out, out_write), (err, err_write) = _pipe(), _pipe()
        self.write_ends = [out_write, err_write]
        self.printed = {out: bytearray(), err: bytearray()}
        """What was read, by the descriptor it is read from; stdout first."""

    def close_write_ends(self) -> None:
        """Leave them to the box."""
        while self.write_ends:
            os.close(self.write_ends.pop())

    def read(self, descriptor: int) -> bool:
        """Take what a pipe holds; whether there may be more some time."""
        try:
            chunk = os.read(descriptor, 2**16)
        except BlockingIOError:
            return True
        self.printed[descriptor] += chunk
        return bool(chunk)

    def drain(self) -> None:
        """Take what dead writers left in the pipes."""
        for descriptor, printed in self.printed.items():
            size = -1
            while size != len(printed):
                size = len(printed)
                self.read(descriptor)

    def __enter__(self) -> "Streams":
        return self

    def __exit__(self, *_: object) -> None:
        self.close_write_ends()
        for descriptor in self.printed:
            os.close(descriptor)


def _pipe() -> tuple[int, int]:
    """Both ends of a pipe; reading does not wait."""
    read, write = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(read, False)
    # The box's user is not this process's, and a program may open /dev/stdout by its name.
    os.fchmod(write, 0o666)
    return read, write


def watch(running: Running, bounds: Bounds, streams: Streams) -> Outcome:
    """Watch a box until it has ended, or has to be killed; nothing of it is alive when this returns.

    Raises:
        SandboxError: If it neither ended by itself nor was stopped for a limit.
    """
    observed = _Watch(running, bounds, streams)
    try:
        streams.close_write_ends()
        observed.until_end()
    except BaseException:
        running.end()  # also on KeyboardInterrupt: no box outlives this call
        raise
    return observed.outcome()


class _Watch:
    """What is known of a box while it runs."""

    def __init__(self, running: Running, bounds: Bounds, streams: Streams) -> None:
        self._running = running
        self._bounds = bounds
        self._streams = streams
        self._meter = Meter(bounds.group)
        self._max_output = bounds.limits.output_kib * 1024
        self._began = time.monotonic()
        self._next_look = self._began
        self._plan_look(0.0)
        self._stop: Stop | None = None
        self._cpu_s = self._memory_mib = 0.0
        self._waited_s: float | None = None

    def until_end(self) -> None:
        """Return when the box has ended or has to be killed; `_stop` then says why."""
        poll = select.poll()
        for number in (self._running.end_fd, self._bounds.stop_fd):
            poll.register(number, select.POLLIN)
        # Most programs end soon, and what they print fits into a pipe; waking for it is a part of what they cost.
        has_ended = self._has_ended(poll, UNREAD_MS)
        for number in self._streams.printed:
            poll.register(number, select.POLLIN)
        while not (has_ended or self._stop or self._look()):
            has_ended = self._has_ended(poll, self._wait_ms())

    def _has_ended(self, poll: select.poll, most_ms: float) -> bool:
        """Wait for something to happen, and take what was printed; whether the box has ended."""
        ready = {number for number, _ in poll.poll(most_ms)}
        if self._bounds.stop_fd in ready:
            raise SandboxError("The sandbox was closed while a program ran in it.")
        for number in ready & self._streams.printed.keys():
            if not self._streams.read(number):
                poll.unregister(number)
        self._check_output()
        return self._running.end_fd in ready

    def _look(self) -> Stop | None:
        """Compare what is used with what may be, when it is time to."""
        now, limits = time.monotonic(), self._bounds.limits
        if now - self._began > limits.wall_guard_s:
            self._stop = Stop.WALL
            self._waited_s = waited_s(self._running.first())
        elif now >= self._next_look:
            memory_mib = self._measure()
            if self._cpu_s > limits.cpu_s:
                self._stop = Stop.CPU
            elif memory_mib > MEMORY_FACTOR * limits.memory_mib:
                self._stop = Stop.MEMORY
            elif self._fills_disks():
                self._stop = Stop.DISK
            self._plan_look(self._cpu_s)
        return self._stop

    def _plan_look(self, cpu_s: float) -> None:
        """Look again when it could have used up its CPU time, if it runs on all cores."""
        earliest_s = (self._bounds.limits.cpu_s - cpu_s) / _CORES
        self._next_look = time.monotonic() + min(max(earliest_s, SHORTEST_LOOK_S), LONGEST_LOOK_S)

    def _fills_disks(self) -> bool:
        """Whether it has written too much; the size of disks in memory is fixed, the number of files is not."""
        folder = self._bounds.folder
        if folder and is_larger(folder, max_mib=self._bounds.limits.disk_mib, max_entries=MAX_ENTRIES):
            return True
        # All of them see the same disks.
        return max((count_files(pid, self._bounds.disks) for pid in self._running.first()), default=0) > MAX_ENTRIES

    def _measure(self) -> float:
        """Look at the living, and keep what was seen: the kernel forgets the CPU time of those that are killed."""
        cpu_s = self._running.reaped_cpu_s()
        usages = [measure(pid) for pid in self._running.first()]
        cpu_s += sum(usage.cpu_s for usage in usages)
        self._cpu_s = max(self._cpu_s, cpu_s, self._meter.cpu_s() - OWN_WORK_S)
        self._memory_mib = max([self._memory_mib, *(usage.largest_mib for usage in usages)])
        return sum(usage.memory_mib for usage in usages)

    def _wait_ms(self) -> float:
        """Time to the next look; rounded up, since waking a little early means looking in vain."""
        due = min(self._next_look, self._began + self._bounds.limits.wall_guard_s)
        return math.ceil(max(0.0, due - time.monotonic()) * 1000)

    def _check_output(self) -> None:
        if sum(map(len, self._streams.printed.values())) > self._max_output:
            self._stop = self._stop or Stop.OUTPUT

    def outcome(self) -> Outcome:
        """End the box, and sum up.

        Raises:
            SandboxError: If it neither ended by itself nor was stopped for a limit.
        """
        if self._stop:
            self._measure()
        end = self._end()
        self._streams.drain()
        self._check_output()
        cpu_s = max(self._cpu_s, end.cpu_s, self._meter.cpu_s() - OWN_WORK_S)
        if cpu_s > self._bounds.limits.cpu_s:
            self._stop = Stop.CPU  # the last word: what ended between two looks counts too
        if self._meter.has_run_out():
            self._stop = Stop.MEMORY  # all else that was seen may follow from that
        stdout, stderr = map(bytes, self._streams.printed.values())
        if end.status is None and self._stop is None:
            reason = (end.problem or stderr.decode(errors="replace")).strip()[-500:] or "no message"
            raise SandboxError(f"A box could not be set up, or lost its first process: {reason}.")
        return Outcome(
            status=None if self._stop else end.status,
            stop=self._stop,
            stdout=stdout,
            stderr=stderr,
            cpu_s=cpu_s,
            wall_s=time.monotonic() - self._began,
            memory_mib=max(self._memory_mib, end.memory_mib),
            waited_s=self._waited_s,
        )

    def _end(self) -> End:
        """End the box; one whose keeper was killed with the program, for their memory, has no end to tell of."""
        try:
            return self._running.end()
        except SandboxError:
            if not self._meter.has_run_out():
                raise
            return End(status=None, cpu_s=0.0, memory_mib=0.0)


class _Wrapped:
    """A box that `bwrap` holds, or a launcher that reports like it."""

    def __init__(self, process: "subprocess.Popen[bytes]", end_fd: int, status: int) -> None:
        self.end_fd = end_fd
        self._process = process
        self._status = status

    def first(self) -> list[int]:
        """What `bwrap` started; it is looked at with it, since it keeps count of those that have ended."""
        return children(self._process.pid)

    def reaped_cpu_s(self) -> float:
        """None: what `bwrap` started waits for all."""
        return 0.0

    def end(self) -> End:
        """End and reap every process of the box."""
        # Before its first process has asked to die with `bwrap`, only this kills it.
        inner = kill(self._process.pid)
        _, status, outer_usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        messages = self._messages()
        inner += [message["child-pid"] for message in messages if "child-pid" in message]
        usages = [usage for pid in set(inner) if (usage := _wait_for(pid))]
        return End(
            status=next((message["exit-code"] for message in messages if "exit-code" in message), None),
            cpu_s=sum(usage.ru_utime + usage.ru_stime for usage in (outer_usage, *usages)),
            # The outer process starts as a copy of this one, so its peak says nothing.
            memory_mib=max([0.0, *(usage.ru_maxrss / 1024 for usage in usages)]),
        )

    def _messages(self) -> list[dict[str, Any]]:
        """What `bwrap` reported: a few JSON objects, one per line, which a pipe holds until now."""
        try:
            lines = os.read(self._status, 2**16).split(b"\n")
        except BlockingIOError:
            return []
        return [json.loads(line) for line in lines if line.strip().endswith(b"}")]


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    """A descriptor that becomes readable when the process ends."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_for(pid: int) -> struct_rusage | None:
    """Usage of an adopted process and of all that it waited for; None if `bwrap` reaped it itself."""
    try:
        return os.wait4(pid, 0)[2]
    except ChildProcessError:
        return None
