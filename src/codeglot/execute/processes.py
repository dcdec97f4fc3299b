# ruff: noqa: PTH116, PTH123, PTH208 - pathlib interns all names, and what interns those of processes grows with them
"""What the kernel says of the processes of a box, read from the host's /proc."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes has used so far."""

    cpu_s: float = 0.0
    """User and system seconds, with those of children that ended and were waited for."""
    memory_mib: float = 0.0
    """Sum of resident sets; pages shared between processes count once for each."""
    largest_mib: float = 0.0
    """Largest resident set of one of them."""


def measure(root: int) -> Usage:
    """Add up a process and all its descendants; those that end meanwhile are left out."""
    cpu_s = memory_mib = largest_mib = 0.0
    for pid in descendants(root):
        if not (fields := _facts(pid)):
            continue
        cpu_s += sum(map(int, fields[11:15])) * _TICK_S
        resident_mib = int(fields[21]) * _PAGE_MIB
        memory_mib += resident_mib
        largest_mib = max(largest_mib, resident_mib)
    return Usage(cpu_s, memory_mib, largest_mib)


def reaped_cpu_s(pid: int) -> float:
    """User and system seconds of all that a process has waited for; 0 if it is gone."""
    return sum(map(int, _facts(pid)[13:15])) * _TICK_S


def _facts(pid: int) -> list[bytes]:
    """The fields of its `stat` file behind the name, which stands in parentheses and may hold anything."""
    try:
        return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def waited_s(roots: Iterable[int]) -> float | None:
    """Seconds that the living threads below these processes were ready to run and waited for a core.

    Returns:
        None where the kernel does not count it (CONFIG_SCHED_INFO).
    """
    total_ns, is_counted = 0, False
    for pid in (pid for root in roots for pid in descendants(root)):
        for thread in _threads(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total_ns += int(_read(f"{thread}/schedstat").split()[1])
                is_counted = True
    return total_ns / 1e9 if is_counted else None


def descendants(root: int) -> Iterator[int]:
    """Yield `root` and every process below it."""
    pending = [root]
    while pending:
        pid = pending.pop()
        yield pid
        pending += children(pid)


def count_files(pid: int, disks: Iterable[str]) -> int:
    """Files and folders on disks in memory, named as the process sees them; 0 while it still sees the host's root."""
    root = f"/proc/{pid}/root"
    total = 0
    try:
        if os.path.samestat(os.stat(root), os.stat("/")):
            return 0
        for disk in disks:
            counts = os.statvfs(f"{root}{disk}")
            total += counts.f_files - counts.f_ffree
    except OSError:  # it has gone, or its disks are not there yet
        return 0
    return total


def children(pid: int) -> list[int]:
    """Children of all threads of a process; none if it is gone."""
    found: list[int] = []
    for thread in _threads(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, _read(f"{thread}/children").split())
    return found


def _threads(pid: int) -> list[str]:
    """Folders of its threads; none if it is gone."""
    folder = f"/proc/{pid}/task"
    try:
        return [f"{folder}/{name}" for name in os.listdir(folder)]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def kill(pid: int) -> list[int]:
    """Kill a process that holds a box, and its children, which are what this returns."""
    inner = children(pid)
    for number in (pid, *inner):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    return inner


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that holds a box, and all below it; everything of the box is dead when this returns."""
    inner = kill(process.pid)
    process.wait()
    for pid in inner:  # adopted, since this process is a sub-reaper
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def kill_started_with(command: str, argument: str) -> None:
    """Kill every `command` that was started with exactly this argument."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            words = path.read_bytes().split(b"\0")
            if Path(words[0].decode(errors="replace")).name == command and argument.encode() in words[1:]:
                os.kill(int(path.parent.name), signal.SIGKILL)
