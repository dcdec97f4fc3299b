"""How a long job says how far it is; the command line draws it, everyone else stays silent."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

Advance = Callable[[], None]
"""Called once for each finished piece of work."""


class Progress(Protocol):
    """Shows stages of work."""

    def track(self, title: str, *, total: int, done: int = 0) -> AbstractContextManager[Advance]:
        """Open a stage of `total` pieces, `done` of which an earlier run finished."""
        ...

    def say(self, message: str) -> None:
        """Tell a person one line."""
        ...


class Silent:
    """Shows nothing."""

    @contextmanager
    def track(self, title: str, *, total: int, done: int = 0) -> Iterator[Advance]:  # noqa: ARG002 - the protocol's
        """Count for nobody."""
        yield lambda: None

    def say(self, message: str) -> None:
        """Say it to nobody."""


@contextmanager
def steps_shown(progress: Progress) -> Iterator[Callable[[int, int, object], None]]:
    """What the training loop calls after each step, with the steps taken and those of the whole training."""
    with ExitStack() as stack:
        advances: list[Advance] = []

        def show(step: int, num_steps: int, _row: object) -> None:
            if not advances:  # the first call says where the training begins
                advances.append(stack.enter_context(progress.track("train", total=num_steps, done=step)))
            else:
                advances[0]()

        yield show
