"""What a warm strategy does, and those that need no process of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from codeglot.execute.step import Box, Outcome, Step


class WarmthError(Exception):
    """What was kept ready failed, whosever fault it was; the program is built and run cold then."""


class Strategy(Protocol):
    """How the programs of one language are built and run."""

    @property
    def name(self) -> str:
        """Written into every result; empty where nothing is kept ready."""
        ...

    @property
    def forks(self) -> bool:
        """Whether an interpreter that has started may fork itself for a program."""
        ...

    def compile(self, box: Box, files: Mapping[str, str], step: Step) -> Outcome:
        """Build a program whose files have not been put into the box yet, and leave there what its run needs.

        Raises:
            SandboxError: If the sandbox failed; never for a fault of the program.
            WarmthError: If what was kept ready failed.
        """
        ...

    def close(self) -> None:
        """End what is kept ready."""
        ...


@dataclass(frozen=True, slots=True)
class StartedCompiler:
    """A compiler is started for every program, as is everything else that is not forked."""

    name: str = ""
    forks: bool = False

    def compile(self, box: Box, files: Mapping[str, str], step: Step) -> Outcome:
        """Start it in the program's box."""
        box.put(files)
        return box.run(step)

    def close(self) -> None:
        """There is nothing to end."""


COLD = StartedCompiler()
"""Everything from nothing."""
