"""Many programs at once on this machine."""

import os
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Protocol, TypeVar

from codeglot.errors import SandboxError
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.records import Execution, Verdict

Key = TypeVar("Key")

NUM_ATTEMPTS = 3
"""Before a program is given up as `infra_error`."""
LOOK_AHEAD = 2
"""Requests taken per slot: one that runs, one that waits."""


class Pool(Protocol):
    """Runs many programs."""

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, in the order in which they end; stop all when this is left early."""
        ...


class LocalPool:
    """Runs programs in parallel.

    Args:
        sandbox: Where they run.
        slots: Programs at one time; None: one per core.
    """

    def __init__(self, sandbox: Sandbox, slots: int | None = None) -> None:
        self.slots = slots or len(os.sched_getaffinity(0))
        self._sandbox = sandbox

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, in the order in which they end.

        When this is left early - by an error, an interrupt or by closing the iterator - the sandbox is closed, which
        kills what still runs.
        """
        waiting = iter(requests)
        running: dict[Future[Execution], Key] = {}
        with ThreadPoolExecutor(self.slots, thread_name_prefix="codeglot-slot") as executor:
            try:
                while True:
                    for key, request in islice(waiting, LOOK_AHEAD * self.slots - len(running)):
                        running[executor.submit(self._run, request)] = key
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield running.pop(future), future.result()
            except BaseException:
                for future in running:
                    future.cancel()
                self._sandbox.close()
                raise

    def _run(self, request: ExecutionRequest) -> Execution:
        """Run one program; a failing sandbox gets further attempts, and is never the program's fault."""
        error = SandboxError()
        for _ in range(NUM_ATTEMPTS):
            try:
                return self._sandbox.run(request)
            except SandboxError as failure:
                error = failure
        level = self._sandbox.level
        return Execution(verdict=Verdict.INFRA_ERROR, detail=str(error), level=level, attempts=NUM_ATTEMPTS)
