"""What the kernel says of the processes of a box, read from the host's /proc."""

import contextlib
import os
import signal
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
        try:
            # The name, in parentheses, may hold anything; the fields behind it are numbers.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        cpu_s += sum(map(int, fields[11:15])) * _TICK_S
        resident_mib = int(fields[21]) * _PAGE_MIB
        memory_mib += resident_mib
        largest_mib = max(largest_mib, resident_mib)
    return Usage(cpu_s, memory_mib, largest_mib)


def waited_s(roots: Iterable[int]) -> float | None:
    """Seconds that the living threads below these processes were ready to run and waited for a core.

    Returns:
        None where the kernel does not count it (CONFIG_SCHED_INFO).
    """
    total_ns, is_counted = 0, False
    for pid in (pid for root in roots for pid in descendants(root)):
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total_ns += int(path.read_bytes().split()[1])
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
    root = Path(f"/proc/{pid}/root")
    total = 0
    try:
        if root.stat().st_ino == Path("/").stat().st_ino and root.stat().st_dev == Path("/").stat().st_dev:
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
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return found
    for thread in threads:
        try:
            found += map(int, (thread / "children").read_bytes().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def kill_started_with(command: str, argument: str) -> None:
    """Kill every `command` that was started with exactly this argument."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            words = path.read_bytes().split(b"\0")
            if Path(words[0].decode(errors="replace")).name == command and argument.encode() in words[1:]:
                os.kill(int(path.parent.name), signal.SIGKILL)
