"""Folders that a program could write to: measured and removed without following anything it left there."""

import contextlib
import fcntl
import os
import secrets
import tempfile
import time
from collections.abc import Container, Iterator
from itertools import count
from pathlib import Path

from codeglot.execute.processes import kill_started_with

STALE_S = 60.0
"""Age from which a folder that no process holds is taken for left over."""


class Folders:
    """Private folders, each held by this process while it is there; safe to use from many threads.

    Args:
        prefix: What their names begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._free: list[str] = []
        """Names of folders that have gone, to be used again: pathlib interns all names, and what interns new ones for
        every program grows."""

    @contextlib.contextmanager
    def make(self, parent: Path | None) -> Iterator[Path]:
        """One in `parent` (None: the system's temporary folder); it is removed at the end, unless it was moved away."""
        folder = self._make(parent or Path(tempfile.gettempdir()))
        with hold(folder):
            try:
                yield folder
            finally:
                if folder.exists():
                    remove_tree(folder)
        self._free.append(folder.name)

    def _make(self, parent: Path) -> Path:
        while True:
            name = self._name()
            with contextlib.suppress(FileExistsError):  # somebody else took it
                (parent / name).mkdir(mode=0o700)
                return parent / name

    def _name(self) -> str:
        try:
            return self._free.pop()
        except IndexError:
            return self._prefix + secrets.token_hex(8)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Mark a folder as used by this process, until it ends in whatever way."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_stale(parent: Path, pattern: str, owners: Container[int], *, command: str) -> None:
    """Remove folders of these owners that no process holds: a process that was killed left them.

    A box whose supervisor was killed while the box was being set up waits for it for ever, so every `command` that was
    started with such a folder is killed too.
    """
    for folder in parent.glob(pattern):
        try:
            facts = folder.lstat()
            if facts.st_uid not in owners or time.time() - facts.st_ctime < STALE_S:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another process removed it, or it is no folder that can be opened
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), folder.lstat()):  # else a new one has the name
                kill_started_with(command, str(folder))
                remove_tree(folder)
        except (BlockingIOError, FileNotFoundError):  # in use, or removed by another process meanwhile
            continue
        finally:
            os.close(descriptor)


def is_larger(folder: Path, *, max_mib: int, max_entries: int) -> bool:
    """Whether a folder, which may be changing, holds more than this."""
    size = entries = 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as listing:
                for entry in listing:
                    entries += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    if entries > max_entries or size > max_mib * 2**20:
                        return True
        except OSError:  # it went away, or hides itself: what it holds still counts when it is shown again
            continue
    return False


def make_readable(folder: Path) -> None:
    """Give what a finished box left to this process's user, readable for all and writable for nobody else."""
    pending = [folder]
    while pending:
        current = pending.pop()
        is_executable = current.is_dir() or current.stat().st_mode & 0o100
        os.chown(current, os.geteuid(), os.getegid())
        current.chmod(0o755 if is_executable else 0o644)
        if current.is_dir():
            pending += [path for path in current.iterdir() if not path.is_symlink()]


def empty(folder: Path, *, was_writable: bool) -> None:
    """Remove all that a folder holds; where programs could change the folder itself, undo that too."""
    if was_writable:
        folder.chmod(0o700)
        for name in os.listxattr(folder):
            os.removexattr(folder, name)
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_tree(Path(entry.path))
        else:
            os.unlink(entry)  # noqa: PTH108 - a path would cost more than what it names


def remove_tree(folder: Path) -> None:
    """Remove a folder that nothing uses any more, however deep it is and whatever its modes are.

    Folders below are moved up to the top, so no path gets long and nothing recurses.
    """
    names = (folder / f"{secrets.token_hex(8)}-{number}" for number in count())
    folder.chmod(0o700)
    while folders := _unlink_files(folder):
        for child in folders:
            for grandchild in _unlink_files(child):
                grandchild.rename(next(names))
            child.rmdir()
    folder.rmdir()


def _unlink_files(folder: Path) -> list[Path]:
    """Remove what is no folder; return the folders, each made writable, since moving one writes to it."""
    folders = []
    for path in list(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
            folders.append(path)
        else:
            path.unlink()
    return folders
