"""One thing that a program may try, and which levels promise to stop it.

A program prints TRIED when it came so far that the
attack could have worked, and BROKE when it did; places of the host stand in it as `@NAME@`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from codeglot.execute.levels.choose import LEVELS, UNSAFE
from codeglot.records import Execution, Verdict

ALL = tuple(LEVELS)
ISOLATED = tuple(name for name in ALL if name != UNSAFE)
NAMESPACES = tuple(name for name in ISOLATED if name != "landlock")


def is_kept_in(execution: Execution) -> bool:
    """Whether the attack was tried and did not work."""
    return "TRIED" in execution.stdout and "BROKE" not in execution.stdout


def ended_as(*verdicts: Verdict) -> Callable[[Execution], bool]:
    """A check that a program was ended for one of these reasons."""
    return lambda execution: execution.verdict in verdicts and "BROKE" not in execution.stdout


@dataclass(frozen=True, slots=True)
class Row:
    """One attack."""

    name: str
    """As the table says it."""
    levels: tuple[str, ...]
    """Those that stop it."""
    source: str
    """In Python."""
    is_stopped: Callable[[Execution], bool] = is_kept_in
    limits: dict[str, float] = field(default_factory=dict)
