"""Starts a command in namespaces and a root of its own: what `bwrap` does, for machines that have none.

It understands the options of `bwrap` that this package uses, and `--user NUMBER`. Three processes: the outer one, which
the supervisor watches and kills; the first one of the namespaces, which builds the root and waits; the command. Each
dies with the one before. The standard library alone, since it starts for every box.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Callable, Sequence

from codeglot.execute import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing it takes longer than all else here
    from typing import NoReturn

_BASE = "/tmp"  # noqa: S108 - any folder that is there: what is mounted on it is seen here alone
_OLD, _NEW = "/old", "/new"
_NEW_ALL = (
    *(kernel.NEW_PIDS, kernel.NEW_MOUNTS, kernel.NEW_IPC),
    *(kernel.NEW_NETWORK, kernel.NEW_HOST_NAME, kernel.NEW_CGROUPS),
)
_PLAIN = kernel.NO_SUID | kernel.NO_DEVICES
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_CANNOT_EXECUTE = 127
_NUM_VALUES = {
    **dict.fromkeys(("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"), 0),
    **dict.fromkeys(("--user", "--seccomp", "--json-status-fd", "--cap-drop", "--chdir", "--perms", "--size"), 1),
    **dict.fromkeys(("--proc", "--dev", "--dir", "--tmpfs", "--remount-ro"), 1),
    **dict.fromkeys(("--setenv", "--ro-bind", "--bind", "--symlink", "--file"), 2),
}
"""Every option; those without a value say what is done anyway, as does `--cap-drop`."""

Option = tuple[str, ...]


def main(words: Sequence[str]) -> NoReturn:
    """Be the outer process."""
    options, command = parse(words)
    known = {option[0]: option[-1] for option in options}
    parent = os.getppid()
    if "--user" in known:
        user = int(known["--user"])
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        kernel.show_memory(1)  # it may write to its own /proc again
    kernel.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    user, group = os.getuid(), os.getgid()
    kernel.unshare(kernel.NEW_USERS)
    kernel.keep_user(user, group)
    alive, outer = os.pipe()
    first = kernel.fork_into(sum(_NEW_ALL))
    if not first:
        os.close(outer)
        try:
            _be_first(options, known, command, alive)
        except BaseException as error:
            os.write(2, f"{error}\n".encode(errors="replace"))
        os._exit(1)
    _report(known, "child-pid", first)
    os.waitpid(first, 0)
    os._exit(0)


def parse(words: Sequence[str]) -> tuple[list[Option], list[str]]:
    """The options, each with its values, and the command behind them."""
    options, rest = [], iter(words)
    for word in rest:
        if word == "--":
            break
        options.append((word, *(next(rest) for _ in range(_NUM_VALUES[word]))))
    return options, list(rest)


def _report(known: dict[str, str], name: str, value: int) -> None:
    if "--json-status-fd" in known:
        os.write(int(known["--json-status-fd"]), f'{{"{name}": {value}}}\n'.encode())


def _be_first(options: list[Option], known: dict[str, str], command: list[str], alive: int) -> NoReturn:
    """Build the root, start the command, and wait until it has ended."""
    kernel.die_with_parent()
    poll = select.poll()
    poll.register(alive, 0)
    if poll.poll(0):  # the outer process ended before this one asked to end with it
        os._exit(1)
    os.close(alive)
    if "--json-status-fd" in known:
        os.set_inheritable(int(known["--json-status-fd"]), False)  # noqa: FBT003 - its only form
    code = _read(known["--seccomp"]) if "--seccomp" in known else None
    kernel.bring_loopback_up()
    build_root(options)
    os.chdir(known["--chdir"])
    os.setsid()
    kernel.show_memory(0)
    kernel.forbid_privileges()
    kernel.drop_privileges()
    if code is not None:
        kernel.Filter(code).enforce()
    program = os.fork()
    if not program:
        env = {option[1]: option[2] for option in options if option[0] == "--setenv"}
        _execute(command, env | {"PWD": known["--chdir"]})
    while True:
        pid, ended = os.wait()
        if pid == program:
            status = os.waitstatus_to_exitcode(ended)
            _report(known, "exit-code", status if status >= 0 else 128 - status)
            os._exit(0)


def _execute(command: list[str], env: dict[str, str]) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # the interpreter ignores them
        signal.signal(number, signal.SIG_DFL)
    # Not `execvpe`, which imports a module, and the interpreter's own files are out of sight now.
    for folder in env["PATH"].split(":"):
        with contextlib.suppress(OSError):
            os.execve(f"{folder}/{command[0]}", command, env)  # noqa: S606 - what this program is for
    os.write(2, f"cannot execute {command[0]}\n".encode())
    os._exit(_CANNOT_EXECUTE)


def _read(descriptor: str) -> bytes:
    with open(int(descriptor), "rb") as file:
        return file.read()


def build_root(options: list[Option]) -> None:
    """Make a root of what the options name, and go there."""
    kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("tmpfs", _BASE, "tmpfs", _PLAIN, "mode=0755")
    for name in (_OLD, _NEW):
        os.mkdir(_BASE + name)
    kernel.mount(_BASE + _NEW, _BASE + _NEW, flags=kernel.BIND)
    kernel.change_root(_BASE, _BASE + _OLD)
    mode, size = "0755", None
    for option in options:
        match option:
            case ("--perms", value):
                mode = value
                continue
            case ("--size", value):
                size = value
                continue
            case ("--tmpfs", path):
                os.makedirs(_NEW + path, exist_ok=True)
                kernel.mount("tmpfs", _NEW + path, "tmpfs", _PLAIN, f"mode={mode}" + (f",size={size}" if size else ""))
            case ("--file", descriptor, path):
                _copy(_read(descriptor), _NEW + path, int(mode, 8))
            case (name, *values) if name in _BUILD:
                _BUILD[name](*values)
        mode, size = "0755", None
    kernel.detach(_OLD)
    kernel.change_root(_NEW, ".")
    kernel.detach(".")


def _copy(content: bytes, path: str, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def _show(source: str, target: str, flags: int = 0) -> None:
    """Bind a file or folder of the old root, with all that is mounted below it."""
    source, target = _OLD + source, _NEW + target
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        _copy(b"", target, 0o644)
    kernel.mount(source, target, flags=kernel.BIND | kernel.RECURSIVE)
    kernel.restrict(target, kernel.NO_SUID | flags, all_below=True)


def _link(target: str, path: str) -> None:
    os.makedirs(os.path.dirname(_NEW + path), exist_ok=True)
    os.symlink(target, _NEW + path)


def _mount_devices(path: str) -> None:
    os.makedirs(_NEW + path, exist_ok=True)
    kernel.mount("tmpfs", _NEW + path, "tmpfs", _PLAIN, "mode=0755")
    for name in _DEVICES:
        _show(f"/dev/{name}", f"{path}/{name}", kernel.READ_ONLY)  # its mode and its times; it can be written to
    for name, target in _LINKS.items():
        os.symlink(target, f"{_NEW}{path}/{name}")
    os.mkdir(f"{_NEW}{path}/shm")
    os.mkdir(f"{_NEW}{path}/pts")
    flags = kernel.NO_SUID | kernel.NO_EXECUTE
    kernel.mount("devpts", f"{_NEW}{path}/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=620")


def _mount_processes(path: str) -> None:
    os.makedirs(_NEW + path, exist_ok=True)
    kernel.mount("proc", _NEW + path, "proc", _PLAIN | kernel.NO_EXECUTE)


_BUILD: dict[str, Callable[..., None]] = {
    "--ro-bind": lambda source, target: _show(source, target, kernel.NO_DEVICES | kernel.READ_ONLY),
    "--bind": lambda source, target: _show(source, target, kernel.NO_DEVICES),
    "--symlink": _link,
    "--dir": lambda path: os.makedirs(_NEW + path, exist_ok=True),
    "--dev": _mount_devices,
    "--proc": _mount_processes,
    "--remount-ro": lambda path: kernel.restrict(_NEW + path, kernel.READ_ONLY),
}
