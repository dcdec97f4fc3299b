"""Unprivileged users for boxes, none of which two boxes of a machine have at the same time.

The kernel counts some things per user wherever its processes live, as the pages of all pipes, so a box whose user
another one has could be refused what that other one holds.
"""

import contextlib
import functools
import os
import pwd
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from codeglot.errors import SandboxError


@contextlib.contextmanager
def own_user(user_ids: Sequence[int]) -> Iterator[int | None]:
    """One of these users for one box; None where this process may not change its own.

    A name that only one process at a time can hold says who has which: no file of it can be left over.

    Raises:
        SandboxError: If all are in use.
    """
    if os.geteuid() != 0:
        yield None
        return
    with socket.socket(socket.AF_UNIX) as claim:
        for user in user_ids:
            with contextlib.suppress(OSError):
                if user not in _taken():
                    claim.bind(f"\0codeglot-user-{user}")
                    break
        else:
            raise SandboxError(f"All {len(user_ids)} users for boxes are in use; run fewer programs at once.")
        yield user


def check_users(user_ids: Sequence[int]) -> None:
    """Make sure that root has these users here: in a user namespace it has those alone that were mapped into it.

    Raises:
        SandboxError: If it lacks one.
    """
    if os.geteuid() != 0:
        return
    for path in ("/proc/self/uid_map", "/proc/self/gid_map"):
        lines = (map(int, line.split()) for line in Path(path).read_text(encoding="ascii").splitlines())
        mapped = [range(first, first + count) for first, _, count in lines]
        if not all(any(user in ids for ids in mapped) for user in user_ids):
            raise SandboxError(
                f"codeglot is root in a user namespace that lacks some of the users {user_ids[0]} to {user_ids[-1]} "
                f"({path}), so no box can have a user of its own. Start codeglot outside of it as a plain user, or map "
                "65536 users into it (rootless containers: a line for you in /etc/subuid and in /etc/subgid)."
            )


@functools.cache
def _taken() -> frozenset[int]:
    """Users that somebody has."""
    return frozenset(entry.pw_uid for entry in pwd.getpwall())
