"""Many programs at once on this machine."""

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Protocol, TypeVar

from codeglot.errors import SandboxError
from codeglot.execute.probes import canary
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.execute.scheduler import Scheduler, Task
from codeglot.records import Execution, Verdict

Key = TypeVar("Key")

LOOK_AHEAD = 16
"""Requests taken per slot, among which the longest are started first."""


class Pool(Protocol):
    """Runs many programs."""

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, in the order in which they end; stop all when this is left early.

        A key may come again, when it shows that its first verdict was given while its language could not be judged;
        the later execution counts.
        """
        ...


class LocalPool:
    """Runs programs in parallel.

    Args:
        sandbox: Where they run.
        slots: Programs at one time; None: one per core.
        find_canary: The known-good program of a language, run now and then between the others.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        slots: int | None = None,
        find_canary: Callable[[str], ExecutionRequest | None] = canary,
    ) -> None:
        self.slots = slots or len(os.sched_getaffinity(0))
        self._sandbox = sandbox
        self._find_canary = find_canary

    def run_all(self, requests: Iterable[tuple[Key, ExecutionRequest]]) -> Generator[tuple[Key, Execution], None, None]:
        """Yield each execution under its key, as `Pool.run_all` does.

        When this is left early - by an error, an interrupt or by closing the iterator - the sandbox is closed, which
        kills what still runs.
        """
        waiting = iter(requests)
        return self.run_arriving(lambda most, _: islice(waiting, most))

    def run_arriving(
        self, take: Callable[[int, bool], Iterable[tuple[Key, ExecutionRequest]]]
    ) -> Generator[tuple[Key, Execution], None, None]:
        """Like `run_all`, for requests that arrive meanwhile.

        Args:
            take: Gives at most so many, of those that are there. It is told whether nothing else is to be done: then it
                may wait, and when it gives none all is done.
        """
        scheduler: Scheduler[Key] = Scheduler(self.slots, find_canary=self._find_canary)
        running: dict[Future[Execution], Task[Key]] = {}
        with ThreadPoolExecutor(self.slots, thread_name_prefix="codeglot-slot") as executor:
            try:
                while self._fill(scheduler, take, executor, running):
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        # One by one, since who consumes this may send into it, which a list does not take.
                        for verdict in scheduler.end(running.pop(future), future.result()):  # noqa: UP028
                            yield verdict
            except BaseException:
                for future in running:
                    future.cancel()
                self._sandbox.close()
                raise

    def _fill(
        self,
        scheduler: Scheduler[Key],
        take: Callable[[int, bool], Iterable[tuple[Key, ExecutionRequest]]],
        executor: ThreadPoolExecutor,
        running: dict[Future[Execution], Task[Key]],
    ) -> bool:
        """Start what may be started; whether anything runs."""
        is_idle = not running and not scheduler.num_waiting
        for key, request in take(max(0, LOOK_AHEAD * self.slots - scheduler.num_waiting), is_idle):
            scheduler.add(key, request)
        while task := scheduler.start():
            running[executor.submit(self._run, task.to_run)] = task
        return bool(running)

    def _run(self, request: ExecutionRequest) -> Execution:
        """Run one program; a failing sandbox is never the program's fault."""
        try:
            return self._sandbox.run(request)
        except SandboxError as error:
            return Execution(verdict=Verdict.INFRA_ERROR, detail=str(error), level=self._sandbox.level)
