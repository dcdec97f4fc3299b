"""A resident process in a box: a compiler or an interpreter that has started once and serves many programs.

The box is the same as that of a program; what comes out of it is read with the same mistrust. It ends when it is
closed, when its level is closed, or with this process.
"""

import contextlib
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from socket import SOCK_STREAM, socketpair
from typing import Self

from codeglot.errors import SandboxError
from codeglot.execute.processes import Usage, end, measure

LONGEST_STDERR = 4096
STARTER = ThreadPoolExecutor(1, thread_name_prefix="codeglot-starter")
"""Starts what outlives the step that needs it: the kernel ends a box with the *thread* that started it, and the threads
of a pool come and go, while this one stays."""


class BoxService:
    """A running service.

    Args:
        argv: Starts the box.
        pass_fds: Descriptors that it inherits.
        on_close: Called once when everything of it is dead.
    """

    def __init__(self, argv: Sequence[str], pass_fds: Sequence[int], on_close: Callable[[], None]) -> None:
        self._on_close = on_close
        self._is_closed = False
        self._stderr = os.memfd_create("codeglot-service", os.MFD_CLOEXEC)
        self.channel, theirs = socketpair(type=SOCK_STREAM)
        try:
            self._process = STARTER.submit(
                subprocess.Popen,  # the sandbox's own command
                list(argv),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._stderr,
                pass_fds=list(pass_fds),
                env={},
                cwd="/",
                process_group=0,  # an interrupt from the terminal is for this process alone
            ).result()
        except BaseException:
            self.channel.close()
            os.close(self._stderr)
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Of the process that holds the box."""
        return self._process.pid

    def usage(self) -> Usage:
        """What its processes have used so far."""
        return measure(self.pid)

    def stderr(self) -> str:
        """The end of what it wrote there."""
        size = os.fstat(self._stderr).st_size
        return os.pread(self._stderr, LONGEST_STDERR, max(0, size - LONGEST_STDERR)).decode(errors="replace").strip()

    def close(self) -> None:
        """Kill it, and remove its box."""
        if self._is_closed:
            return
        self._is_closed = True
        end(self._process)
        self.channel.close()
        os.close(self._stderr)
        self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Services:
    """The resident processes of a level, and the descriptor that tells its steps to stop; both end with the level."""

    def __init__(self) -> None:
        self.stop_fd = os.eventfd(0, os.EFD_CLOEXEC)
        """Becomes readable when everything must stop."""
        self._running: set[BoxService] = set()
        self._is_closed = False

    def start(self, argv: Sequence[str], pass_fds: Sequence[int], remains: contextlib.ExitStack) -> BoxService:
        """Start one.

        Args:
            argv: Starts the box.
            pass_fds: Descriptors that it inherits.
            remains: What is left for when it has ended; closed at once where it cannot be started.

        Raises:
            SandboxError: If the level was closed.
        """
        if self._is_closed:
            remains.close()
            raise SandboxError("The sandbox was closed.")
        try:
            service = BoxService(argv, pass_fds, on_close=remains.close)
        except BaseException:
            remains.close()
            raise
        self._running.add(service)
        remains.callback(self._running.discard, service)
        return service

    def close(self) -> None:
        """Kill all steps and services."""
        self._is_closed = True
        os.eventfd_write(self.stop_fd, 1)
        for service in list(self._running):
            service.close()

    def __del__(self) -> None:
        """Give the descriptor back."""
        os.close(self.stop_fd)
