"""Progress bars with time left on a terminal; a line now and then where the output is a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from codeglot.jobs.progress import Advance

_LINE_EVERY_S = 30.0


class TerminalProgress:
    """Writes to stderr, so that stdout holds results alone."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    def say(self, message: str) -> None:
        """Print one line above the bars."""
        self._console.print(message, markup=False, soft_wrap=not self._console.is_terminal)  # a file has no width

    @contextmanager
    def track(self, title: str, *, total: int, done: int = 0) -> Iterator[Advance]:
        """Show one stage."""
        if not self._console.is_terminal:
            yield from self._lines(title, total, done)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task(title, total=total, completed=done)
            yield lambda: bar.advance(task)

    def _lines(self, title: str, total: int, done: int) -> Iterator[Advance]:
        """The same for logs: the state at most every half minute, and once at the end."""
        started = last = time.monotonic()
        count = done

        def line() -> None:
            elapsed = time.monotonic() - started
            left = elapsed / max(1, count - done) * (total - count)
            tail = f", about {left:.0f} s left" if 0 < count < total and count > done else ""
            self.say(f"{title}: {count} of {total} after {elapsed:.0f} s{tail}")

        def advance() -> None:
            nonlocal count, last
            count += 1
            if count < total and time.monotonic() - last >= _LINE_EVERY_S:
                last = time.monotonic()
                line()

        yield advance
        line()
