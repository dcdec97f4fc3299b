"""Starts every step from one resident process; runs inside a box, and nowhere else.

The server keeps what costs time: a root that is built, and an interpreter that has started. For each request it forks a
process that alone reads it, so nothing of a program is ever in the memory from which the next is forked. That process
makes itself a new mount namespace. IPC objects, which the server's namespace would keep, the filter lets no program
make, and its settings belong to nobody in there. The server is the first process of a pid namespace, in which it lets
one step at a time live: the next begins when all of the last one is dead.

To run the interpreter itself, nothing is executed: the server is started with the very command of the program, and
waits where the interpreter has started and asks its path hooks whether the file of the program is an archive. A child
that answers finds a start that goes on: it opens the file, and all that follows is the interpreter's own doing.

The standard library alone, Python 3.9 or newer; this package is only a folder here.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # part of every interpreter
import _socket
import gc
import marshal
import os
import resource
import select
import sys

from codeglot.execute import kernel
from codeglot.execute.fork_server import interpreter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_IGNORED_BY_PYTHON = (13, 25)
"""SIGPIPE and SIGXFSZ, which a program that is executed must not find so."""
_CANNOT_EXECUTE, _NOT_A_BINARY = 127, 8
_NO_SUID = kernel.NO_SUID | kernel.NO_DEVICES
_FIRST_PID = b"1"
_NUMBER_SIZE = 16
_LONGEST_FACT = 256
_MARSHAL_VERSION = 2
"""The same in every Python."""
_HIGHEST_DESCRIPTOR = 256
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")


def main(control: int, folder: str, mount: str, preload: tuple[str, ...]) -> None:
    """Serve until the other end of `control` is closed: at once, or when the start has come to the program.

    Args:
        control: A socket that keeps the limits of messages.
        folder: Where this code lies; hidden from programs.
        mount: Where the folder of the box is seen.
        preload: Modules that programs are likely to import.
    """
    with open(f"{folder}/filter", "rb") as file:
        code = file.read()
    can_fork = "PYTHONPATH" in os.environ  # else this is the program, and nothing waits for it
    if can_fork:
        sys.path.remove(folder)
        for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
            del sys.path_importer_cache[path]
        del os.environ["PYTHONPATH"], os.environ["LD_BIND_NOW"]
        # The interpreter's own one, if there is one, could not be imported any more: programs are executed then.
        can_fork = sys.modules["_frozen_importlib_external"].PathFinder.find_spec("sitecustomize") is None
    hidden = interpreter.preload(preload)
    server = _Server(_socket.socket(fileno=control), code, mount, can_fork=can_fork)
    own = [name for name in sys.modules if name.partition(".")[0] == "codeglot"]
    kernel.keep_for_ever([server, *map(sys.modules.pop, own)])  # to let go of them is work for each program
    if can_fork:
        sys.path_hooks.insert(0, _Program(server, hidden))
    else:
        server.serve()


class _Program:
    """A path hook that serves when it is asked for the file of the program, the last thing before that is opened."""

    def __init__(self, server: _Server, hidden: interpreter.Hidden) -> None:
        self._server = server
        self._hidden = hidden

    def __call__(self, path: str) -> Any:
        """None, which says that it is no archive, as the interpreter's own hooks say of a text."""
        if path != sys.orig_argv[-1]:
            raise ImportError
        sys.path_hooks.remove(self)
        kernel.keep_for_ever(self)
        interpreter.spare_modules(self._hidden)
        self._server.serve()


class _Server:
    def __init__(self, control: _socket.socket, code: bytes, mount: str, *, can_fork: bool) -> None:
        os.set_inheritable(control.fileno(), False)  # noqa: FBT003 - its only form
        self.control = control
        self._filter = kernel.Filter(code)
        self._mount = mount
        self._can_fork = can_fork
        self._number = 0
        user, group = os.getuid(), os.getgid()
        kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS | kernel.NEW_PIDS | kernel.NEW_IPC)
        kernel.keep_user(user, group)
        kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
        for path in ("/dev/pts", *(f"/dev/{name}" for name in _DEVICES)):
            # Devices work all the same; their modes and times cannot be changed, for the next program to find.
            kernel.mount("", path, flags=kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY | _flags_of(path))
        self._flags = kernel.NO_SUID | kernel.NO_DEVICES | _flags_of(mount)
        kernel.forbid_privileges()
        kernel.show_memory(0)
        self._be_first()
        kernel.mount("proc", "/proc", "proc", _NO_SUID | kernel.NO_EXECUTE)
        self._last_pid = _open_last_pid()
        self._sockets = _open_sockets()
        self._share = _Share()
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def _be_first(self) -> None:
        """Go on as the first process of a pid namespace, which dies with the one that this was."""
        first = os.fork()
        if first:
            self.control.close()
            os.waitpid(first, 0)
            os._exit(1)
        kernel.die_with_parent()
        os.setsid()
        # The kernel keeps from it the signals of programs that it has no handler for.
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

    def serve(self) -> None:
        """Answer requests; returns in a child that is to become the program."""
        gc.collect()
        gc.disable()
        gc.freeze()
        main_module = sys.modules["__main__"]
        for part in (main_module, vars(main_module)):
            kernel.track(part)
        self.control.send(b"ready")
        while True:
            for _, events in self._poll.poll():
                if events & select.POLLHUP:
                    os._exit(0)
            self._number += 1
            if self._last_pid is not None:
                os.pwrite(self._last_pid, _FIRST_PID, 0)
            program = os.fork()
            if not program:
                return self._become_program()
            self._wait_for(program)
            self._renew_network()

    def _wait_for(self, program: int) -> None:
        """Answer for a step when all of it is dead."""
        ended = _Ended()
        while ended.wait() != program:
            pass
        status = os.waitstatus_to_exitcode(ended.status)
        while kernel.kill_all():
            ended.wait()
        if status < 0:
            self._forget_request()
            status = 128 - status
        self._answer(status, ended.cpu_s, ended.memory_kib, is_last=self._share.has_changed())

    def _forget_request(self) -> None:
        """Take away the request of a process that was killed before it came to read it."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        number = self.control.recv(_NUMBER_SIZE, _socket.MSG_PEEK) if poll.poll(0) else b""
        if number == marshal.dumps(self._number, _MARSHAL_VERSION):
            self.control.recv(_NUMBER_SIZE)

    def _renew_network(self) -> None:
        """Take a new network where connections of the last program still live: they would keep ports from the next."""
        facts = os.pread(self._sockets, _LONGEST_FACT, 0).split()
        if facts[2] != b"0" or facts[facts.index(b"tw") + 1] != b"0":
            kernel.unshare(kernel.NEW_NETWORK)
            kernel.bring_loopback_up()
            os.close(self._sockets)
            self._sockets = _open_sockets()

    def _answer(
        self, status: int | None, cpu_s: float = 0.0, memory_kib: int = 0, problem: str = "", *, is_last: bool = False
    ) -> None:
        answer = (self._number, status, cpu_s, memory_kib, problem, is_last)
        self.control.send(marshal.dumps(answer, _MARSHAL_VERSION))

    def _become_program(self) -> None:
        """Make the surroundings of a program, and keep this process in them; returns where nothing is executed."""
        try:
            body, *streams = self._receive()
            # As a whole: `marshal.load` reads a file bit by bit.
            surroundings, execution = marshal.loads(os.pread(body, os.lseek(body, 0, os.SEEK_END), 0))  # noqa: S302 - the supervisor's
            self._set_up(surroundings)
        except BaseException as error:
            self._answer(None, problem=f"{type(error).__name__}: {error}", is_last=True)
            os._exit(1)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, _HIGHEST_DESCRIPTOR)
        if not self._can_fork:
            _execute(*marshal.loads(execution))  # noqa: S302 - the supervisor's
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        kernel.show_memory(1)
        kernel.forget_error()
        self.control.detach()
        gc.enable()

    def _receive(self) -> list[int]:
        """The descriptors that belong to a step: of its request, and of its streams."""
        _, ancillary, _, _ = self.control.recvmsg(_NUMBER_SIZE, _socket.CMSG_SPACE(4 * 4), _socket.MSG_CMSG_CLOEXEC)
        numbers = ancillary[0][2]
        return [int.from_bytes(numbers[i : i + 4], sys.byteorder) for i in range(0, len(numbers), 4)]

    def _set_up(self, surroundings: tuple[Any, ...]) -> None:
        disks, is_writable, cwd, files, limits = surroundings
        kernel.unshare(kernel.NEW_MOUNTS)
        for path, options in disks:
            kernel.mount("tmpfs", path, "tmpfs", _NO_SUID, options)
        if not is_writable:
            kernel.mount("", self._mount, flags=kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY | self._flags)
        os.chdir(cwd)
        for path, content in files:
            if "/" in path:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        for number, value in limits:
            resource.setrlimit(number, (value, value))
        kernel.drop_privileges()
        self._filter.enforce()


class _Ended:
    """What the processes of a step used that have ended, and how the last of them did."""

    def __init__(self) -> None:
        self.status = 0
        self.cpu_s = 0.0
        self.memory_kib = 0

    def wait(self) -> int:
        """Wait for one more; its number."""
        pid, self.status, used = os.wait4(-1, 0)
        self.cpu_s += used.ru_utime + used.ru_stime
        self.memory_kib = max(self.memory_kib, used.ru_maxrss)
        return pid


class _Share:
    """The part of the processor that the kernel gives to this session, which a program of it can lower for good."""

    def __init__(self) -> None:
        try:
            self._file = os.open("/proc/self/autogroup", os.O_RDONLY)
        except OSError:  # a kernel that does not share by sessions
            self._file = -1
        self._first = self._read()

    def _read(self) -> bytes:
        return os.pread(self._file, _LONGEST_FACT, 0) if self._file >= 0 else b""

    def has_changed(self) -> bool:
        """Whether a program did that."""
        return self._read() != self._first


def _flags_of(path: str) -> int:
    """How a mount is shown; a change of it has to say that again."""
    return os.statvfs(path).f_flag & (kernel.NO_SUID | kernel.NO_DEVICES | kernel.NO_EXECUTE)


def _open_last_pid() -> int | None:
    """The file that says behind which number the next process comes; None where it is missing or may not be written."""
    try:
        descriptor = os.open("/proc/sys/kernel/ns_last_pid", os.O_WRONLY)
        os.pwrite(descriptor, _FIRST_PID, 0)
    except OSError:
        return None
    return descriptor


def _open_sockets() -> int:
    """The file that counts the sockets of the network that this process is in now."""
    return os.open("/proc/self/net/sockstat", os.O_RDONLY)


def _execute(command: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    """Become a command, which is looked for as a shell does."""
    name = command[0]
    found = [name] if "/" in name else [f"{folder}/{name}" for folder in env["PATH"].split(":")]
    path = next((path for path in found if os.access(path, os.X_OK)), name)
    for number in _IGNORED_BY_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)
    failure = OSError()
    for file, argv in ((path, command), ("/bin/sh", ["/bin/sh", path, *command[1:]])):
        try:
            os.execve(file, argv, env)  # noqa: S606 - in the box
        except OSError as error:
            failure = error
            if error.errno != _NOT_A_BINARY:  # else a script that does not name its interpreter
                break
    os.write(2, f"cannot execute {name}: {failure.strerror}\n".encode())
    os._exit(_CANNOT_EXECUTE)
