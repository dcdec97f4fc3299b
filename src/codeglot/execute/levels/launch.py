# ruff: noqa: PTH112, PTH123, PTH208 - pathlib takes longer to import than all else here
"""Starts the command of a step without any namespace; a script of its own, which needs the standard library alone.

Four processes, each a child of the one before:

- the outer one is what the supervisor starts, watches and kills;
- the middle one is killed with it, and is there so that the next is not;
- the keeper adopts whatever the program leaves behind, and outlives the program until all of that is dead;
- the program.

The keeper is told by the kernel when the middle process dies, so a step that is killed, or whose supervisor is, is
cleaned up all the same.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import signal
import struct
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing these takes longer than all else here
    from collections.abc import Iterator
    from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
SECCOMP_MODE_FILTER = 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of Landlock's system calls on every processor."""
RULE_PATH_BENEATH = 1
ACCESS_OF_FILES = 0x1 | 0x2 | 0x4 | 0x4000 | 0x8000
"""Execute, write, read, truncate, ioctl: what a rule for something that is no folder may name."""
CANNOT_EXECUTE = (errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EISDIR)
"""Faults of the command; any other failure to start it is one of the box."""

_libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: Any) -> int:
    """A system call that the standard library does not have.

    Raises:
        OSError: If the kernel refuses.
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def prctl(option: int, first: int, second: int = 0) -> None:
    """Set an attribute of this process.

    Raises:
        OSError: If the kernel refuses.
    """
    _checked(_libc.prctl(option, *map(ctypes.c_ulong, (first, second, 0, 0))), "prctl")


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def main() -> None:
    """Be the outer process."""
    plan_fd, _, *status = sys.argv[1:]
    with os.fdopen(int(plan_fd), "rb") as file:
        plan = marshal.load(file)  # noqa: S302 - written by the process that starts this one
    status_fd = int(status[0]) if status else None
    _die_with(plan["parent"], signal.SIGKILL)
    outer = os.getpid()
    middle = os.fork()
    if not middle:
        _be_middle(plan, outer, status_fd)
    os.close(plan["keeper_fd"])
    _report(status_fd, "child-pid", middle)
    # It is left to be waited for by whoever adopts it, who learns from that what all of them used.
    os.waitid(os.P_PID, middle, os.WEXITED | os.WNOWAIT)
    os._exit(0)


def _be_middle(plan: dict[str, Any], outer: int, status_fd: int | None) -> NoReturn:
    _die_with(outer, signal.SIGKILL)
    middle = os.getpid()
    keeper = os.fork()
    if not keeper:
        try:
            _keep(plan, middle, status_fd)
        except BaseException as error:
            _complain(error)
        os._exit(1)
    os.close(plan["keeper_fd"])
    os.waitpid(keeper, 0)
    os._exit(0)


def _keep(plan: dict[str, Any], middle: int, status_fd: int | None) -> NoReturn:
    """Start the program, and end everything that it started."""
    os.write(plan["keeper_fd"], str(os.getpid()).encode())
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signals = (signal.SIGCHLD, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    if plan["user"] is None and plan["landlock"]:
        _scope_signals()
    _die_with(middle, signal.SIGTERM)
    read, write = os.pipe()
    program = os.fork()
    if not program:
        os.close(read)
        _become_program(plan, write, status_fd)
    os.close(write)
    # Held open, so that rules for it stay valid for as long as the program lives.
    os.open(f"/proc/{program}", os.O_PATH)
    with os.fdopen(read, "rb") as faults:
        fault = faults.read()
    status = None
    while status is None and signal.sigwait(signals) == signal.SIGCHLD:
        for pid, ended in _reap():
            if pid == program:
                status = ended
    _kill_all(plan)
    if fault:
        os.write(2, fault)
    elif status is not None:
        _report(status_fd, "exit-code", status if status >= 0 else 128 - status)
    os._exit(0)


def _reap() -> Iterator[tuple[int, int]]:
    """Each child that has ended, and how."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended[0], os.waitstatus_to_exitcode(ended[1])


def _kill_all(plan: dict[str, Any]) -> None:
    """Kill and reap all that the program left: each is a child of this process, or will be."""
    while True:
        with suppress(ProcessLookupError):
            if plan["user"] is not None:
                _kill_user(plan["user"])
            elif plan["landlock"]:
                os.kill(-1, signal.SIGKILL)  # the kernel keeps it within the scope of signals
            else:
                for pid in _descendants():
                    os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill_user(user: int) -> None:
    """Kill every process of a user that has no others; at once, so that none can fork itself away."""
    killer = os.fork()
    if not killer:
        with suppress(OSError):
            _become(user)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(killer, 0)


def _become(user: int) -> None:
    """Change to a user for good, which is looked at, since much rests on it."""
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if not user or os.getresuid() != (user, user, user) or os.getresgid() != (user, user, user):
        raise PermissionError(errno.EPERM, f"cannot become the user {user}")


def _descendants() -> list[int]:
    found: list[int] = []
    pending = [os.getpid()]
    while pending:
        with suppress(OSError):
            process = pending.pop()
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children", "rb") as children:
                    below = [int(pid) for pid in children.read().split()]
                pending += below
                found += below
    return found


def _become_program(plan: dict[str, Any], fault_fd: int, status_fd: int | None) -> NoReturn:
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # the interpreter ignores them
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number, path in plan["folders"].items():
            os.dup2(os.open(path, os.O_PATH | os.O_DIRECTORY), number)
        for descriptor in (plan["keeper_fd"], *(() if status_fd is None else (status_fd,))):
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no keyword
        rules = _rules(plan["landlock"]) if plan["landlock"] else None
        os.chdir(plan["cwd"])
        if plan["user"] is not None:
            os.setgroups([])
            _become(plan["user"])
        os.umask(0o022)
        _limit(plan["limits"])
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        if rules is not None:
            call(RESTRICT_SELF, rules, 0)
        for code in plan["filters"]:
            _filter(code)
        _execute(plan["command"], plan["env"])
    except BaseException as error:
        os.write(fault_fd, f"{error}".encode(errors="replace"))
    os._exit(1)


def _limit(limits: dict[str, int]) -> None:
    for name, wanted in limits.items():
        number = getattr(resource, name)
        _, hard = resource.getrlimit(number)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(number, (limit, limit))


def _execute(command: list[str], env: dict[str, str]) -> None:
    name = command[0]
    if "/" not in name:
        found = (f"{folder}/{name}" for folder in env["PATH"].split(":"))
        name = next((path for path in found if os.access(path, os.X_OK)), name)
    try:
        os.execve(name, command, env)  # noqa: S606 - what all of this is for
    except OSError as error:
        if error.errno not in CANNOT_EXECUTE:
            raise
        _complain(error)
        os._exit(127)


def _rules(landlock: dict[str, Any]) -> int:
    """A set of Landlock rules, not in force yet."""
    handled = struct.pack("QQQ", landlock["files"], landlock["network"], landlock["scoped"])
    rules = call(CREATE_RULESET, handled, ctypes.c_size_t(landlock["size"]), 0)
    for path, access in (*landlock["rules"], (f"/proc/{os.getpid()}", landlock["read"])):
        with suppress(FileNotFoundError):
            opened = os.open(path, os.O_PATH)
            allowed = access if os.path.isdir(path) else access & ACCESS_OF_FILES
            call(ADD_RULE, rules, RULE_PATH_BENEATH, struct.pack("=Qi", allowed & landlock["files"], opened), 0)
            os.close(opened)
    return rules


def _scope_signals() -> None:
    """Let no signal of this process and those below leave them, which is tried before it is relied on."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    call(RESTRICT_SELF, call(CREATE_RULESET, struct.pack("QQQ", 0, 0, 2), ctypes.c_size_t(24), 0), 0)
    with suppress(PermissionError):
        os.kill(os.getppid(), 0)
        raise OSError(errno.ENOSYS, "the kernel does not keep signals within a Landlock scope")


def _filter(code: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    program = Program(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _die_with(parent: int, number: signal.Signals) -> None:
    """Be sent a signal when the parent ends, also if it has ended already."""
    prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def _report(status_fd: int | None, name: str, value: int) -> None:
    """Tell the supervisor, in the way of `bwrap`."""
    if status_fd is not None:
        os.write(status_fd, f'{{"{name}": {value}}}\n'.encode())


def _complain(error: BaseException) -> None:
    os.write(2, f"{error}\n".encode(errors="replace"))


if __name__ == "__main__":
    main()
