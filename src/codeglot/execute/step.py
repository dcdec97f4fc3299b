"""What an isolation level does: run one command in a box, and say what was seen.

A level knows nothing of languages, tests or verdicts; those are put on top of it, once for all levels.
"""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from socket import socket
from typing import Protocol

from codeglot.execute.processes import Usage
from codeglot.records import Limits

HEAD_AND_TAIL = 32 * 1024
"""Bytes kept of each end of a stream in a record."""

MEMORY_FACTOR = 2
"""All processes of a step together may hold this many times the memory of one."""


def own_cpu_limit_s(limits: Limits) -> int:
    """CPU seconds after which the kernel kills one process, behind the supervisor, which counts all of them together.

    The kernel counts this limit in ticks, which on busy cores run ahead of the time that was used by more than a tenth.
    """
    return 2 * math.ceil(limits.cpu_s) + 1


class Stop(StrEnum):
    """Why the supervisor killed a box."""

    CPU = "cpu"
    WALL = "wall"
    OUTPUT = "output"
    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command for a box."""

    command: tuple[str, ...]
    limits: Limits
    env: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    """Patterns of host folders to show read-only at their own place."""
    mount: str = "/box"
    """Where the box's folder is seen."""
    is_writable: bool = False
    """Whether the command may write to the box's folder, which then is its current folder too; else that is `/work`."""
    prepared: Path | None = None
    """Host folder to show read-only at `/prepared`."""
    stdin: str | None = None
    work_files: Mapping[str, str] = field(default_factory=dict)
    """Files by relative path for the private `/work`."""
    forks: bool = False
    """Whether an interpreter that has started already may fork itself to run this command; where there is none, the
    command is started as any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was seen of one step."""

    status: int | None
    """Exit status, 128 + n after signal n; None where the supervisor killed it."""
    stop: Stop | None = None
    stdout: bytes = b""
    """All that was printed until the output limit."""
    stderr: bytes = b""
    cpu_s: float = 0.0
    """User and system seconds of all its processes."""
    wall_s: float = 0.0
    memory_mib: float = 0.0
    """Largest resident set of one process."""
    waited_s: float | None = None
    """Where the wall limit stopped it: seconds that its living threads were ready to run and waited for a core; None:
    not known."""


class Box(Protocol):
    """A private folder and the steps that see it."""

    folder: Path
    """On the host; only this box's steps and the host's own user can enter it."""

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by relative path; only before the first step, since a step could lay links in the way."""
        ...

    def run(self, step: Step) -> Outcome:
        """Run one step; nothing of it is alive when this returns.

        Raises:
            SandboxError: If the box failed; never for a fault of the command.
        """
        ...


class Service(Protocol):
    """A resident process in a box of its own. What it sends is as little trusted as what a program prints."""

    channel: socket
    """The other end of its standard input and output, a stream."""

    def usage(self) -> Usage:
        """What its processes have used so far."""
        ...

    def stderr(self) -> str:
        """The end of what it wrote there."""
        ...

    def close(self) -> None:
        """Kill it, and remove its box."""
        ...


class Level(Protocol):
    """A way to isolate."""

    name: str
    places: Mapping[str, str]
    """Where boxes have the folders `/box`, `/work`, `/prepared`, `/tmp` and `/npm`, if not there."""
    cgroups: str
    """What groups of the kernel around its boxes count; empty: there are none."""

    def open_box(self, parent: Path | None = None) -> AbstractContextManager[Box]:
        """Make a box, its folder in `parent` (None: the system's temporary folder); it is removed at the end."""
        ...

    def start(self, step: Step) -> Service:
        """Start a process that stays, in a box of its own; the CPU and wall limits of the step are not watched.

        Raises:
            SandboxError: If the box could not be started.
        """
        ...

    def close(self) -> None:
        """Kill all steps and services that run; they and later ones raise SandboxError."""
        ...


def clip(stream: bytes) -> str:
    """Head and tail of a stream as text, with a line between them that says how much is missing."""
    missing = len(stream) - 2 * HEAD_AND_TAIL
    if missing > 0:
        note = f"\n[... {missing} bytes left out ...]\n".encode()
        stream = stream[:HEAD_AND_TAIL] + note + stream[-HEAD_AND_TAIL:]
    return stream.decode("utf-8", errors="replace")
