"""Groups of the kernel (cgroups) around boxes: a second belt where this process may make them, and never needed.

A box's group holds all its processes. So the kernel itself stops what grows between two looks of the supervisor, and
what no process owns (buffers, files in memory); and it keeps the CPU time of processes that nobody waited for.

The unified tree (v2) is taken where it counts something, and for the rest those of v1, each of which may be missing. No
process is moved but those of boxes, each at its start. What a killed process left is removed by a later one.
"""

import contextlib
import errno
import math
import subprocess
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from codeglot.errors import SandboxError
from codeglot.execute import cgroup_trees
from codeglot.execute.cgroup_trees import CPU, MEMORY, TASKS, Number, Tree
from codeglot.execute.step import MEMORY_FACTOR, Step
from codeglot.records import Limits

OWN_TASKS = 32
"""Above those of a program: what starts and keeps its box, and the servers of its slot."""
OWN_MIB = 256
"""Above what a program may hold: the same."""
NUM_DISKS = 4
"""Disks of a box, its folder among them, which may all lie in memory."""

_MOST_SWAP = 2**20
"""Not 0, since of two equal limits some kernels do not count how often the one that they look at first is met."""
_JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 1; shift; done; shift; exec "$@"'


class Cgroup:
    """The group of one box: a folder in each tree; without trees it limits and counts nothing.

    Raises:
        SandboxError: If it cannot be made.
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        name = cgroup_trees.new_name()
        self._folders = [tree.folder / name for tree in trees]
        self._num_tasks = self._size = math.inf
        self._tasks: Path | None = None
        self._memory: list[Path] = []
        """The file that limits it, and, where there is one, that for memory and swap, which is never below it."""
        self._events: list[Number] = []
        self._cpu: list[Number] = []
        try:
            for folder, tree in zip(self._folders, trees, strict=True):
                folder.mkdir()
                if TASKS in tree.counts:
                    self._tasks = folder / "pids.max"
                if MEMORY in tree.counts:
                    self._memory, self._events = tree.use_memory(folder)
                if CPU in tree.counts:
                    self._cpu = [tree.cpu_s(folder)]
        except OSError as error:
            self.remove()
            raise SandboxError(f"No group can be made for a box: {error}.") from error

    def join(self, step: Step) -> tuple[str, ...]:
        """Set the limits of a step.

        Returns:
            What its command begins with, so that all that it starts is in the group.

        Raises:
            SandboxError: If they cannot be set.
        """
        self.limit(step)
        if not self._folders:
            return ()
        return ("/bin/sh", "-c", _JOIN, "join", *(str(folder / "cgroup.procs") for folder in self._folders), "--")

    def limit(self, step: Step) -> None:
        """Set limits above all that the box of a step can come to where its limits are kept without a group.

        Raises:
            SandboxError: If they cannot be set.
        """
        num_tasks = step.limits.num_tasks + OWN_TASKS
        mib = MEMORY_FACTOR * step.limits.memory_mib + NUM_DISKS * step.limits.disk_mib + OWN_MIB
        size = mib * 2**20 + 4 * sum(map(len, step.work_files.values()))  # no character takes more bytes
        try:
            if self._tasks and num_tasks != self._num_tasks:
                self._tasks.write_bytes(b"%d" % num_tasks)
                self._num_tasks = num_tasks
            if self._memory and size != self._size:
                sizes = list(zip(self._memory, (size, size + _MOST_SWAP), strict=False))
                for file, limit in sizes if size < self._size else reversed(sizes):
                    file.write_bytes(b"%d" % limit)
                self._size = size
        except OSError as error:
            if error.errno != errno.EBUSY:  # it holds more, of the step before: the next step tries again
                raise SandboxError(f"The group of a box cannot be limited: {error}.") from error

    def cpu_s(self) -> float:
        """CPU seconds that its processes have used; 0 where that is not counted.

        Raises:
            SandboxError: If the group has gone.
        """
        return sum(number.read() for number in self._cpu)

    def memory_events(self) -> Iterator[float]:
        """Yield how many of its processes the kernel killed for memory, and how often its limit on memory was met.

        Processes are killed for the memory of the machine, too; and the limit is met by files that are read, too, which
        are forgotten then. Both together say that the group took too much.

        Raises:
            SandboxError: If the group has gone.
        """
        return (number.read() for number in self._events)

    def remove(self) -> None:
        """Remove it; its processes are dead, or about to be."""
        for number in (*self._events, *self._cpu):
            number.close()
        for folder in self._folders:
            cgroup_trees.remove(folder)


class Meter:
    """What has happened in a group since this was made."""

    def __init__(self, group: Cgroup) -> None:
        self._group = group
        self._cpu_s, self._events = group.cpu_s(), list(group.memory_events())

    def cpu_s(self) -> float:
        """CPU seconds of all its processes."""
        return self._group.cpu_s() - self._cpu_s

    def has_run_out(self) -> bool:
        """Whether the kernel killed one of its processes for the group's own limit on memory."""
        events = zip(self._group.memory_events(), self._events, strict=True)
        return bool(self._events) and all(now > before for now, before in events)


class Cgroups:
    """The groups of a level, each used by one box at a time; safe to use from many threads.

    Args:
        trees: Where they are made; none: boxes have no groups.
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._trees = tuple(trees)
        self._free: list[Cgroup] = []
        self._made: list[Cgroup] = []
        self._lock = threading.Lock()
        self._is_closed = False
        weakref.finalize(self, _remove, self._made)  # at the latest when this process ends

    def __str__(self) -> str:
        """What they count; empty without trees."""
        if not self._trees:
            return ""
        counts = [thing for thing in (TASKS, MEMORY, CPU) if any(thing in tree.counts for tree in self._trees)]
        versions = sorted({"v2" if tree.is_unified else "v1" for tree in self._trees})
        return f"{', '.join(counts)} (cgroups {' and '.join(versions)})"

    @contextlib.contextmanager
    def take(self) -> Iterator[Cgroup]:
        """A group for a box."""
        with self._lock:
            if not self._free:
                self._made.append(Cgroup(self._trees))
                self._free.append(self._made[-1])
            group = self._free.pop()
        try:
            yield group
        finally:
            with self._lock:
                self._free.append(group)
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Remove them; those in use when they are given back."""
        with self._lock:
            self._is_closed = True
            free, self._free = self._free, []
        _remove(free)


def _remove(groups: Iterable[Cgroup]) -> None:
    for group in groups:
        group.remove()


def find_cgroups(process: Path = Path("/proc/self")) -> Cgroups:
    """What can be used here, which may be nothing: each tree is tried by starting a process in it."""
    chosen: list[Tree] = []
    for tree in cgroup_trees.find_trees(process):
        needed = replace(tree, counts=tree.counts.difference(*(other.counts for other in chosen)))
        if needed.counts and _works(needed):
            chosen.append(needed)
    return Cgroups(chosen)


def _works(tree: Tree) -> bool:
    """Whether a group can be made, limited, read and joined."""
    cgroup_trees.remove_stale(tree.folder)
    with contextlib.suppress(OSError, SandboxError, ValueError):
        group = Cgroup([tree])
        try:
            meter = Meter(group)
            command = (*group.join(Step(command=(), limits=Limits())), "/bin/sh", "-c", ":")
            ended = subprocess.run(command, env={}, capture_output=True, check=False)  # noqa: S603 - fixed command
            return ended.returncode == 0 and meter.cpu_s() >= 0 and not meter.has_run_out()
        finally:
            group.remove()
    return False
