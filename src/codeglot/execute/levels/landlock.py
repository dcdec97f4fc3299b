"""Isolation by Landlock, for machines where no namespace can be made: rules for files and signals, and for root a user.

A program reads the system's own files, its own folder and what its language needs; it writes to folders of its own. A
second filter of system calls denies every socket, since Landlock knows of TCP alone. What is weaker than in a box with
namespaces is told in `docs/design/isolation.md`.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Callable
from typing import Any

from codeglot.errors import SandboxError
from codeglot.execute.cgroups import Cgroups, find_cgroups
from codeglot.execute.levels import launch
from codeglot.execute.levels.bubblewrap import read_filter
from codeglot.execute.levels.mountless import Confinement, Mountless

OLDEST_ABI = 4
OLDEST_ABI_WITHOUT_USERS = 6
"""From which on signals stay in the box; older ones leave that to a user of the box's own, which takes root."""
READ = 0x1 | 0x4 | 0x8
"""Execute, read a file, list a folder."""
WRITE = 0x2
ALL_ACCESS = {4: 0x7FFF, 5: 0xFFFF}
"""What rules can speak of, by ABI; ioctl on devices came with 5."""
NO_DEVICES = ~(0x40 | 0x800)
"""Making character and block devices."""
SYSTEM = (
    *(
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/etc/alternatives",
        "/etc/ld.so.cache",
        "/etc/ssl/openssl.cnf",
    ),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys"),
    *("/dev/random", "/dev/urandom"),
)
"""What every program may read."""
SINKS = ("/dev/null", "/dev/zero", "/dev/full")
"""What every program may write to as well."""
SYSTEM_CALLS = {"x86_64": (41, 302), "aarch64": (198, 261)}
"""Numbers of socket and prlimit64."""
_CREATE_RULESET_VERSION = 1


class Landlock(Mountless):
    """The level `landlock`.

    Args:
        find_groups: Finds what groups of the kernel can do here.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    def __init__(self, find_groups: Callable[[], Cgroups] = find_cgroups) -> None:
        abi = find_abi()
        if abi < OLDEST_ABI:
            found = f"offers Landlock ABI {abi}" if abi else "offers no Landlock (or it is not among its `lsm=`)"
            raise SandboxError(f"The kernel {platform.release()} {found}; ABI {OLDEST_ABI} (Linux 6.7) is needed.")
        if abi < OLDEST_ABI_WITHOUT_USERS and os.geteuid() != 0:
            raise SandboxError(
                f"Landlock ABI {abi} of the kernel {platform.release()} does not keep signals in a box; "
                f"ABI {OLDEST_ABI_WITHOUT_USERS} (Linux 6.12) does, or run as root, when every box has its own user."
            )
        super().__init__("landlock", _Rules(abi), find_groups)


class _Rules(Confinement):
    """What the kernel keeps a step to."""

    def __init__(self, abi: int) -> None:
        self._abi = abi
        self._files = ALL_ACCESS[min(abi, max(ALL_ACCESS))]
        self.filters = (read_filter(), without_sockets(platform.machine()))

    def landlock(self, read: list[str], write: list[str]) -> dict[str, Any]:
        """Rules as `launch` puts them in force: what no rule allows is denied."""
        rules = [(path, READ) for path in (*SYSTEM, *read)] + [(path, READ | WRITE) for path in SINKS]
        rules += [(path, self._files & NO_DEVICES) for path in write]
        # All of TCP, abstract sockets and signals; older kernels know a shorter structure.
        scoped = 0x3 if self._abi >= OLDEST_ABI_WITHOUT_USERS else 0
        size = 24 if scoped else 16
        return {"files": self._files, "network": 0x3, "scoped": scoped, "size": size, "rules": rules, "read": READ}


def find_abi() -> int:
    """Version of Landlock's interface that the kernel offers; 0: none."""
    try:
        return launch.call(launch.CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def without_sockets(machine: str) -> bytes:
    """A filter that denies every `socket`, and `prlimit64` on another process; `socketpair` stays.

    The processor is checked by the shipped filter, which is in force beside this one.
    """
    socket, prlimit64 = SYSTEM_CALLS[machine]
    load, equal, answer = 0x20, 0x15, 0x06
    allow, deny = 0x7FFF0000, 0x00050000 | 1  # EPERM
    code = (
        (load, 0, 0, 0),  # number of the call
        (equal, 4, 0, socket),
        (equal, 0, 2, prlimit64),
        (load, 0, 0, 16),  # its first argument, an int
        (equal, 0, 1, 0),
        (answer, 0, 0, allow),
        (answer, 0, 0, deny),
    )
    return b"".join(struct.pack("HBBI", *line) for line in code)
