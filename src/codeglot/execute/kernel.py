"""What Linux offers and Python has no function for.

Runs inside boxes too: the standard library alone, Python 3.9 or newer, and no import that a program could notice.
"""

import _socket
import ctypes
import os
import struct

NEW_MOUNTS, NEW_HOST_NAME, NEW_IPC, NEW_USERS, NEW_PIDS, NEW_NETWORK, NEW_CGROUPS = (
    *(0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x2000000),
)
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTE, REMOUNT, BIND, RECURSIVE, PRIVATE = (
    *(0x1, 0x2, 0x4, 0x8, 0x20, 0x1000, 0x4000, 0x40000),
)
_DETACH = 0x2
_MOUNT_SETATTR, _HERE, _AND_BELOW = 442, -100, 0x8000
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _SET_FILTER, _DROP_BOUND, _NO_NEW_PRIVILEGES = 1, 4, 22, 24, 38
_FILTER_MODE = 2
_CAPABILITIES_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 0x1

_NAME, _NEXT = struct.calcsize("P"), 3 * struct.calcsize("P")
_CLONE = {"x86_64": 56, "aarch64": 220}
_KILL, _CHILD_ENDED = 9, 17

_libc = ctypes.PyDLL(None, use_errno=True)
# Looked up here, since each process that is forked would have to do it again.
_capset, _exit, _fflush, _ioctl, _kill, _mount, _pivot_root, _prctl, _syscall, _umount2, _unshare = map(
    _libc.__getattr__,
    ("capset", "exit", "fflush", "ioctl", "kill", "mount", "pivot_root", "prctl", "syscall", "umount2", "unshare"),
)
_OWN_CAPABILITIES = struct.pack("Ii", _CAPABILITIES_VERSION, 0)
_NO_CAPABILITIES = struct.pack("6I", *[0] * 6)


def _check(result: int, name: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(kinds: int) -> None:
    """Leave namespaces for new ones."""
    _check(_unshare(kinds), "unshare")


def fork_into(kinds: int) -> int:
    """Fork into new namespaces; 0 in the child, which must not start a thread.

    The C library is not told, which a process that only forks and executes can do without; its children are as usual.
    """
    pid = _syscall(ctypes.c_long(_CLONE[os.uname().machine]), ctypes.c_ulong(kinds | _CHILD_ENDED), 0, 0, 0, 0)
    _check(pid < 0, "clone")
    return int(pid)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Show something at a folder, or change how it is shown."""
    _check(_mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()), f"mount {target}")


def restrict(path: str, flags: int, *, all_below: bool = False) -> None:
    """Add flags to a mount, and to all mounts below it."""
    attributes = struct.pack("4Q", flags, 0, 0, 0)  # the lowest flags have the same numbers there
    result = _syscall(
        ctypes.c_long(_MOUNT_SETATTR), _HERE, path.encode(), _AND_BELOW if all_below else 0, attributes, len(attributes)
    )
    _check(result, f"mount_setattr {path}")


def change_root(folder: str, old: str) -> None:
    """Make a mounted folder the root; the old root is seen at `old`, in the folder."""
    os.chdir(folder)
    _check(_pivot_root(b".", old.encode()), "pivot_root")
    os.chdir("/")


def detach(path: str) -> None:
    """Let go of a mount, and of all below it."""
    _check(_umount2(path.encode(), _DETACH), f"umount {path}")


def keep_user(user: int, group: int) -> None:
    """In a new user namespace, be the same user as outside, and nobody else."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "wb") as file:  # another encoding is a module that programs could see
            file.write(text.encode())


def forbid_privileges() -> None:
    """No program started from now on gains any privilege; this process keeps what it has."""
    for number in range(_LAST_CAPABILITY + 1):
        if _prctl(_DROP_BOUND, number, 0, 0, 0):
            break  # the kernel has no more
    _check(_prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def drop_privileges() -> None:
    """Give up all capabilities."""
    _check(_capset(_OWN_CAPABILITIES, _NO_CAPABILITIES), "capset")


class Filter:
    """A filter of system calls.

    Args:
        code: For the kernel's virtual machine.
    """

    def __init__(self, code: bytes) -> None:
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(self._code))

    def enforce(self) -> None:
        """Put it in force for this process, for good."""
        _check(_prctl(_SET_FILTER, _FILTER_MODE, self._program, 0, 0), "seccomp")


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    _check(_prctl(_SET_DEATH_SIGNAL, _KILL, 0, 0, 0), "prctl")


def kill_all() -> bool:
    """Kill all that this process may kill; whether there was any. For the first one of a pid namespace."""
    return not _kill(-1, _KILL)


def show_memory(shown: int) -> None:
    """Let other processes of this user look into this one (1), or not (0)."""
    _check(_prctl(_SET_DUMPABLE, shown, 0, 0, 0), "prctl")


def forget_error() -> None:
    """Leave no number of an error behind that a program could read."""
    ctypes.set_errno(0)


class Libraries:
    """What the dynamic linker has loaded so far, and the folders of that."""

    def __init__(self) -> None:
        self._last = int(_libc._handle)
        self._folders = {_folder_of(self._last)}
        while following := _next_library(self._last):
            self._last = following
            self._folders.add(_folder_of(following))

    def are_joined_by_foreign_ones(self) -> bool:
        """Whether something of another folder was loaded since: no part of the interpreter or of the system."""
        entry = self._last
        while entry := _next_library(entry):
            if _folder_of(entry) not in self._folders:
                return True
        return False


def _next_library(entry: int) -> int:
    """The entry behind one of the linker's list (`link_map` of <link.h>); 0: there is none."""
    return ctypes.c_void_p.from_address(entry + _NEXT).value or 0


def _folder_of(entry: int) -> bytes:
    name = ctypes.c_char_p.from_address(entry + _NAME).value or b""
    return name.rpartition(b"/")[0]


def flush_streams() -> None:
    """Write what the C library's streams hold."""
    _fflush(None)


def leave(status: int) -> None:
    """End this process as the C library does: its handlers are called and its streams are written."""
    _exit(status)


def keep_for_ever(thing: object) -> None:
    """Count a reference that nobody has, so that an object outlives the interpreter."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def track(thing: object) -> None:
    """Let the garbage collector look at a frozen object again."""
    ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(thing))
    ctypes.pythonapi.PyObject_GC_Track(ctypes.py_object(thing))


def bring_loopback_up() -> None:
    """Make 127.0.0.1 work in a new network namespace."""
    request = ctypes.create_string_buffer(struct.pack("16sh22x", b"lo", 0), 40)
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        _check(_ioctl(sock.fileno(), ctypes.c_ulong(_GET_FLAGS), request), "ioctl")
        flags = struct.unpack_from("16sh", request)[1]
        request = ctypes.create_string_buffer(struct.pack("16sh22x", b"lo", flags | _IS_UP), 40)
        _check(_ioctl(sock.fileno(), ctypes.c_ulong(_SET_FLAGS), request), "ioctl")
    finally:
        sock.close()
