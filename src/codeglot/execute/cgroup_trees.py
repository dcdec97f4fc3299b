"""Where this process could make groups of the kernel (cgroups), what they are called, and what is read from them.

Whether a group can be made and joined in a tree shows only when it is.
"""

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from codeglot.errors import SandboxError

TASKS, MEMORY, CPU = "tasks", "memory", "CPU time"
REMOVAL_S = 1.0
"""A group whose processes are not dead by then is left to a later process."""

_COUNTS = {"pids": TASKS, "memory": MEMORY, "cpuacct": CPU}
"""By the names that the kernel has for its controllers."""
_NAME = re.compile(r"codeglot-(\d+)-(\d+)-(\d+)-\d+")
_NUMBERS = count()
_LONGEST = 2**14


class Number:
    """What the kernel counts in a file, behind a name where there are many; the file stays open until it is closed.

    Raises:
        OSError: If the file cannot be opened.
    """

    def __init__(self, file: str, name: bytes = b"", unit: float = 1) -> None:
        self._name, self._unit = name, unit
        self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> float:
        """What it is now.

        Raises:
            SandboxError: If the file has gone.
        """
        try:
            words = os.pread(self._descriptor, _LONGEST, 0).split()
        except OSError as error:
            raise SandboxError(f"The group of a box cannot be read: {error}.") from error
        return int(words[words.index(self._name) + 1 if self._name else 0]) * self._unit

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder to make groups in."""

    folder: Path
    counts: frozenset[str]
    """Of TASKS, MEMORY and CPU."""
    is_unified: bool

    def cpu_s(self, folder: Path) -> Number:
        """CPU seconds that the processes of a group have used."""
        if self.is_unified:
            return Number(f"{folder}/cpu.stat", b"usage_usec", 1e-6)
        return Number(f"{folder}/cpuacct.usage", unit=1e-9)

    def use_memory(self, folder: Path) -> tuple[list[Path], list[Number]]:
        """A group's limits on memory, and what tells how many were killed for it and how often they were met.

        Swap is no way around them.
        """
        if self.is_unified:
            if (swap := folder / "memory.swap.max").exists():
                swap.write_bytes(b"0")
            return [folder / "memory.max"], [Number(f"{folder}/memory.events", name) for name in (b"oom_kill", b"oom")]
        limits = [folder / "memory.limit_in_bytes"]
        if (with_swap := folder / "memory.memsw.limit_in_bytes").exists():
            limits.append(with_swap)
        else:
            (folder / "memory.swappiness").write_bytes(b"0")
        return limits, [Number(f"{folder}/memory.oom_control", b"oom_kill"), Number(f"{folder}/memory.failcnt")]


def find_trees(process: Path) -> list[Tree]:
    """Those of a process, the unified one first.

    In the trees of v1 groups are made below its own one. In the unified tree a group with processes cannot limit those
    below it: unless it is the root, they are made beside it.

    Args:
        process: Its folder in /proc.
    """
    try:
        own = [line.split(":", 2)[1:] for line in (process / "cgroup").read_text().splitlines()]
        mounts = (process / "mountinfo").read_text().splitlines()
    except OSError:
        return []
    found: list[Tree] = []
    for line in mounts:
        place, _, source = line.partition(" - ")
        root, point = place.split()[3:5]
        kind, *_, options = source.split()
        for names, path in own:
            controllers = set(filter(None, names.split(",")))
            is_here = kind == ("cgroup" if controllers else "cgroup2") and controllers <= set(options.split(","))
            if is_here and Path(path).is_relative_to(root) and ".." not in path:
                folder = point / Path(path).relative_to(root)
                found.append(_tree(folder, controllers) if controllers else _unified_tree(folder))
    return sorted(found, key=lambda tree: not tree.is_unified)


def _tree(own: Path, controllers: set[str]) -> Tree:
    return Tree(own, frozenset(_COUNTS[name] for name in controllers & _COUNTS.keys()), is_unified=False)


def _unified_tree(own: Path) -> Tree:
    is_root = not (own / "cgroup.type").exists()  # it alone has none
    folder = own if is_root else own.parent
    handed_on = folder / "cgroup.subtree_control"
    for name in ("pids", "memory") if is_root else ():
        with contextlib.suppress(OSError):  # it has none, or is not for this process to change
            handed_on.write_text(f"+{name}", encoding="ascii")
    names = handed_on.read_text(encoding="ascii").split() if handed_on.exists() else []
    counts = {_COUNTS[name] for name in ("pids", "memory") if name in names}
    return Tree(folder, frozenset(counts | {CPU} if counts else ()), is_unified=True)


def new_name() -> str:
    """A name for a group that tells which process it belongs to."""
    own = os.getpid()
    return f"codeglot-{_namespace()}-{own}-{_start_of(own)}-{next(_NUMBERS)}"


def remove_stale(folder: Path) -> None:
    """Remove groups of processes that have gone: of this folder, and of its neighbors, which those may have had."""
    for path in (*folder.glob("codeglot-*"), *folder.parent.glob("*/codeglot-*")):
        match = _NAME.fullmatch(path.name)
        if match and int(match[1]) == _namespace() and _start_of(int(match[2])) != int(match[3]):
            remove(path, kills=True)


def remove(folder: Path, *, kills: bool = False) -> None:
    """Remove a group whose processes are about to be dead, or are killed, as one that waits for its supervisor."""
    deadline = time.monotonic() + REMOVAL_S
    while folder.exists() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # not all of them are dead yet, or another process removed it
            folder.rmdir()
            return
        with contextlib.suppress(OSError):
            for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split() if kills else ():
                if pid != "0":  # which stands for those that are not seen here, and would be this process's own group
                    os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.01)


def _namespace() -> int:
    """Number of the namespace in which the numbers of processes are what they are here."""
    return Path("/proc/self/ns/pid").stat().st_ino


def _start_of(pid: int) -> int | None:
    """When a process started, which tells it from an older one of this number; None: it has gone."""
    try:
        # The name, in parentheses, may hold anything; the fields behind it are numbers.
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None
