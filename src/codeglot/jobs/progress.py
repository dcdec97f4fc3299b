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
    """What the training loop calls after each step, with the steps taken and those of the whole training.

    The first call is before any step; where it tells of some already, an earlier start took them, and that is said.
    """
    with ExitStack() as stack:
        advances: list[Advance] = []

        def show(step: int, num_steps: int, _row: object) -> None:
            if not advances:
                if step:
                    progress.say(f"The training goes on from step {step} of {num_steps}.")
                advances.append(stack.enter_context(progress.track("train", total=num_steps, done=step)))
            else:
                advances[0]()

        yield show
