"""A level whose steps are started by resident servers instead of from nothing; what they promise is the same.

Each slot has a user, a folder and its servers, one for each kind of root that its languages need; it holds one box at
a time. The root stays, and with it the mounts that show it; processes, private disks and, where a program left
connections, the network are new for every step.
"""

import contextlib
import marshal
import os
import resource
import select
import signal
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from socket import CMSG_SPACE, SO_PASSCRED, SOCK_SEQPACKET, SOL_SOCKET, send_fds, socketpair
from struct import Struct
from typing import Any, Protocol, runtime_checkable

from codeglot.errors import SandboxError
from codeglot.execute.folders import empty
from codeglot.execute.levels.bubblewrap import (
    DISKS,
    WORK,
    BubblewrapBox,
    encode,
    environment,
    give,
    memory_file,
    read_filter,
    resource_limits,
)
from codeglot.execute.processes import children, end, reaped_cpu_s
from codeglot.execute.service import STARTER
from codeglot.execute.step import Level, Outcome, Service, Step, Stop
from codeglot.execute.supervise import Bounds, End, Streams, watch

NUM_STEPS = 2000
"""Steps after which a server is replaced."""
MOST_SERVERS = 8
"""Servers of one slot; the one that was not used for longest makes room."""
START_S = 60.0
"""A server that has not started by then never will."""
END_S = 30.0
"""A step that was killed and is not dead by then shows that its server is broken."""

KILL_AGAIN_S = 0.05

_LEAST_TASKS = 3
"""The server, the first process and the program; from nothing, the server is not counted."""
_CREDENTIALS = Struct("3i")
_MARSHAL_VERSION = 2
"""The same in every Python."""
_LONGEST_ANSWER = 2**16


@runtime_checkable
class Ground(Level, Protocol):
    """A level that can hold servers."""

    def server_argv(
        self,
        step: Step,
        box: BubblewrapBox,
        provide: Callable[[bytes], str],
        files: Mapping[str, bytes],
        command: Sequence[str],
    ) -> list[str]:
        """The command that starts a resident process which can make boxes of its own for steps like this one."""
        ...


class ForkServers:
    """A level over another one; safe to use from many threads.

    Args:
        ground: Where the servers live.
        preload: Modules that an interpreter that forks itself loads beforehand.
    """

    def __init__(self, ground: Ground, preload: Sequence[str] = ()) -> None:
        self.name = ground.name
        self.places = ground.places
        self.cgroups = ground.cgroups
        self.stop_fd = os.eventfd(0, os.EFD_CLOEXEC)
        self.preload = tuple(preload)
        self.ground = ground
        self._free: list[_Slot] = []
        self._lock = threading.Lock()
        self._is_closed = False

    @contextlib.contextmanager
    def open_box(self, parent: Path | None = None) -> Iterator["BubblewrapBox | _Slot"]:
        """Make a box; one whose folder has to lie in `parent` is a box from nothing."""
        if parent is not None:
            with self.ground.open_box(parent) as box:
                yield box  # type: ignore[misc]
            return
        slot = self._take()
        try:
            yield slot
        finally:
            self._give_back(slot)

    def start(self, step: Step) -> Service:
        """Start a process that stays, in a box from nothing; see `Level.start`."""
        return self.ground.start(step)

    def close(self) -> None:
        """Kill all steps and servers; later steps raise SandboxError. The level below stays open."""
        with self._lock:
            self._is_closed = True
            os.eventfd_write(self.stop_fd, 1)
            free, self._free = self._free, []
        for slot in free:
            slot.close()

    def _take(self) -> "_Slot":
        with self._lock:
            if self._is_closed:
                raise SandboxError("The sandbox was closed.")
            if self._free:
                return self._free.pop()
        return _Slot(self)

    def _give_back(self, slot: "_Slot") -> None:
        slot.clean()
        with self._lock:
            if not self._is_closed:
                self._free.append(slot)
                return
        slot.close()

    def __del__(self) -> None:
        """Give the descriptor back."""
        if hasattr(self, "stop_fd"):
            os.close(self.stop_fd)


class _Slot:
    """A box that is used again and again, emptied in between."""

    def __init__(self, servers: ForkServers) -> None:
        self._owner = servers
        self._stack = contextlib.ExitStack()
        self._box: BubblewrapBox = self._stack.enter_context(servers.ground.open_box())  # type: ignore[assignment]
        self._servers: OrderedDict[tuple[object, ...], _Server] = OrderedDict()
        self._was_writable = False
        self.folder = self._box.folder
        self.user = self._box.user

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by relative path; only before the first step, since a step could lay links in the way."""
        self._box.put(files)

    def run(self, step: Step) -> Outcome:
        """Run one step; nothing of it is alive when this returns.

        Raises:
            SandboxError: If the box failed; never for a fault of the command.
        """
        forks = step.forks and not step.is_writable
        key = (step.binds, step.prepared, step.mount, *((step.command, *sorted(step.env.items())) if forks else ()))
        server = self._servers.get(key)
        if server is None or not server.is_usable():
            server = self._start(key, step, forks=forks)
        self._servers.move_to_end(key)
        self._was_writable |= step.is_writable
        try:
            outcome = server.run(step, self._box, self._owner.stop_fd)
        except BaseException:
            self._servers.pop(key).close()
            raise
        if outcome.stop is Stop.MEMORY:  # the kernel may have killed the server too
            self._servers.pop(key).close()
        return outcome

    def _start(self, key: tuple[object, ...], step: Step, *, forks: bool) -> "_Server":
        if key in self._servers:
            self._servers.pop(key).close()
        elif len(self._servers) >= MOST_SERVERS:
            self._servers.popitem(last=False)[1].close()
        self._servers[key] = _Server(self._owner.ground, self._box, step, self._owner.preload if forks else None)
        return self._servers[key]

    def clean(self) -> None:
        """Make the folder what it was."""
        empty(self.folder, was_writable=self._was_writable)
        self._was_writable = False

    def close(self) -> None:
        """End the servers, and remove the folder."""
        while self._servers:
            self._servers.popitem()[1].close()
        self._stack.close()


class _Server:
    """The near end of one server.

    Args:
        ground: The level it lives on.
        box: Whose steps it starts.
        step: One of them, for all others that need the same root.
        preload: Modules to load, for one that forks itself to run this very command; None: it executes commands.
    """

    def __init__(self, ground: Ground, box: BubblewrapBox, step: Step, preload: Sequence[str] | None) -> None:
        self._number = 0
        self._spent_s = 0.0
        """CPU time of all steps that have ended."""
        self._is_spoiled = False
        """Whether a program left something behind that the next would feel."""
        self._process: subprocess.Popen[bytes] | None = None
        self._control, theirs = socketpair(type=SOCK_SEQPACKET)
        self._control.setsockopt(SOL_SOCKET, SO_PASSCRED, 1)
        self._streams = Streams()
        try:
            with theirs:
                # A box dies with the thread that started it: that one stays.
                started = STARTER.submit(self._launch, ground, box, step, preload, theirs.fileno())
                self._process = started.result()
            self._streams.close_write_ends()
            self.end_fd = self._control.fileno()
            self._pid = self._await_start()
        except BaseException:
            self.close()
            raise

    def _launch(
        self, ground: Ground, box: BubblewrapBox, step: Step, preload: Sequence[str] | None, control: int
    ) -> "subprocess.Popen[bytes]":
        """Start it with streams like those that programs get: an interpreter remembers of which kind they are."""
        command = step.command
        if preload is None:
            command = ("python3", "-I", "-S", f"{WORK}/sitecustomize.py")
        else:
            step = replace(step, env={**step.env, "PYTHONPATH": WORK, "LD_BIND_NOW": "1"})
        files = _server_files(control, step.mount, preload)
        fds = [control]
        with contextlib.ExitStack() as stack:
            argv = ground.server_argv(step, box, lambda data: give(data, fds, stack), files, command)
            return subprocess.Popen(  # noqa: S603 - the sandbox's own command
                argv,
                stdin=memory_file(b"", stack),
                stdout=self._streams.write_ends[0],
                stderr=self._streams.write_ends[1],
                pass_fds=fds,
                env={},
                cwd="/",
                process_group=0,  # an interrupt from the terminal is for this process alone
            )

    def _await_start(self) -> int:
        """Its number on this side of all namespaces, once it is ready."""
        if self._poll(START_S):
            with contextlib.suppress(ConnectionResetError):
                data, ancillary, _, _ = self._control.recvmsg(16, CMSG_SPACE(_CREDENTIALS.size))
                if data:
                    return int(_CREDENTIALS.unpack(ancillary[0][2])[0])
        raise SandboxError(f"A fork server did not start: {self._complaint()}. It needs python3 in /usr.")

    def _complaint(self) -> str:
        """The end of what it printed."""
        self._streams.drain()
        return b"".join(self._streams.printed.values()).decode(errors="replace").strip()[-500:] or "no message"

    def is_usable(self) -> bool:
        """Whether it lives, and is not due to be replaced."""
        return self._number < NUM_STEPS and not self._is_spoiled and not self._poll(0.0)

    def run(self, step: Step, box: BubblewrapBox, stop_fd: int) -> Outcome:
        """Start a step, and watch it."""
        self._number += 1
        box.group.limit(step)
        folder = box.folder if step.is_writable else None
        bounds = Bounds(limits=step.limits, folder=folder, disks=DISKS, stop_fd=stop_fd, group=box.group)
        request = marshal.dumps(_request(step), _MARSHAL_VERSION)
        with Streams() as streams, contextlib.ExitStack() as stack:
            fds = [memory_file(data, stack) for data in (request, encode(step.stdin or ""))]
            try:
                send_fds(self._control, [marshal.dumps(self._number, _MARSHAL_VERSION)], [*fds, *streams.write_ends])
            except OSError as error:
                raise SandboxError(f"A fork server ended before it was asked: {error.strerror}.") from error
            return watch(self, bounds, streams)

    def first(self) -> list[int]:
        """The program, and those whose parents have ended; the server waits for them, so their numbers stay theirs."""
        return children(self._pid)

    def reaped_cpu_s(self) -> float:
        """CPU seconds of those of this step that the server has waited for."""
        return reaped_cpu_s(self._pid) - self._spent_s

    def end(self) -> End:
        """Wait for what the server says of the step; kill it until then.

        Raises:
            SandboxError: If the server ended, or does not answer.
        """
        deadline = time.monotonic() + END_S
        has_killed = False
        while time.monotonic() < deadline:
            if self._poll(0.0):
                number, status, cpu_s, memory_kib, problem, is_last = self._answer()
                if number == self._number:
                    self._spent_s += cpu_s
                    self._is_spoiled = is_last
                    return End(status=status, cpu_s=cpu_s, memory_mib=memory_kib / 1024, problem=problem)
                if not has_killed:
                    raise SandboxError(f"A fork server answered for step {number} instead of {self._number}.")
            for pid in self.first():  # which may still be that of the step before, on its way out
                self._kill(pid)
            has_killed = True
            self._poll(KILL_AGAIN_S)
        raise SandboxError(f"A fork server did not end a step within {END_S:.0f} s.")

    def _answer(self) -> tuple[int, int | None, float, int, str, bool]:
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = self._control.recv(_LONGEST_ANSWER)
        if not answer:
            raise SandboxError(f"A fork server ended while a program ran: {self._complaint()}.")
        found: tuple[int, int | None, float, int, str, bool] = marshal.loads(answer)  # noqa: S302 - no program writes it
        return found

    def _kill(self, pid: int) -> None:
        """Kill a child of the server, and no other process that has got its number meanwhile."""
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                if pid in self.first():
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)

    def _poll(self, seconds: float) -> bool:
        """Whether it says something, or has ended."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        """Kill it and all below it."""
        self._control.close()
        self._streams.__exit__()
        if self._process:
            end(self._process)


def _server_files(control: int, mount: str, preload: Sequence[str] | None) -> dict[str, bytes]:
    """What lies in the server's `/work`: its code as a package, and what starts it, either way."""
    start = [
        *([] if preload is not None else ["import sys", f"sys.path.insert(0, {WORK!r})"]),
        "from codeglot.execute.fork_server.server import main",
        f"main({control}, {WORK!r}, {mount!r}, {tuple(preload or ())!r})",
        "raise ImportError(name='sitecustomize')",  # as if there were none, which is how the program's start goes on
    ]
    code = {
        f"codeglot/execute/{name}": resources.files("codeglot.execute").joinpath(name).read_bytes()
        for name in ("kernel.py", "fork_server/interpreter.py", "fork_server/server.py")
    }
    packages = {
        f"{folder}/__init__.py": b"" for folder in ("codeglot", "codeglot/execute", "codeglot/execute/fork_server")
    }
    return {"sitecustomize.py": "\n".join(start).encode(), "filter": read_filter(), **packages, **code}


def _request(step: Step) -> tuple[tuple[Any, ...], bytes]:
    """What the server is asked to start: what each program needs, and packed what only one needs that is executed.

    Few objects of few kinds: each new one costs the process that reads it a page of memory.
    """
    limits = step.limits
    size = limits.disk_mib * 2**20
    files = [(f"{WORK}/{path}", encode(text)) for path, text in step.work_files.items()]
    cwd = step.mount if step.is_writable else WORK
    sizes = dict.fromkeys(DISKS, size) | {WORK: size + sum(len(data) for _, data in files)}
    disks = [(path, f"size={size},mode={'0755' if path == WORK else '1777'}") for path, size in sizes.items()]
    most = {**resource_limits(limits), "nproc": max(limits.num_tasks + 1, _LEAST_TASKS)}
    numbers = [(getattr(resource, f"RLIMIT_{name.upper()}"), value) for name, value in most.items()]
    execution = marshal.dumps((step.command, {**environment(step.env), "PWD": cwd}), _MARSHAL_VERSION)
    return (disks, step.is_writable, cwd, files, numbers), execution
