"""Which isolation level a machine gets: the strongest that really starts a box here, never one that isolates nothing.

A new level is one line in `LEVELS`.
"""

from collections.abc import Callable
from typing import Literal, get_args

from codeglot.errors import SandboxError, UnknownNameError
from codeglot.execute.levels import bubblewrap, mountless
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.levels.landlock import Landlock
from codeglot.execute.levels.process import Process
from codeglot.execute.levels.userns import Userns
from codeglot.execute.levels.users import check_users
from codeglot.execute.step import Level

SandboxName = Literal["auto", "bubblewrap", "userns", "landlock", "process"]
"""What a run may ask for."""
AUTO: SandboxName = "auto"
UNSAFE: SandboxName = "process"
"""Isolates nothing; only where it is asked for by name."""
LEVELS: dict[str, Callable[[], Level]] = {
    "bubblewrap": Bubblewrap,
    "userns": Userns,
    "landlock": Landlock,
    "process": Process,
}
"""Strongest first."""


def open_level(name: str | None = None) -> Level:
    """The level of this name; with None or `auto` the strongest one that starts a box here, which `process` never is.

    Raises:
        UnknownNameError: If no level is called so.
        SandboxError: If it cannot be used here, or none can; with the reason and the remedy of each.
    """
    if name not in {None, *get_args(SandboxName)}:
        raise UnknownNameError("sandbox", str(name), get_args(SandboxName))
    check_users((*bubblewrap.USER_IDS, *mountless.USER_IDS))
    if name is not None and name != AUTO:
        return LEVELS[name]()
    refusals = []
    for candidate in (level for level in LEVELS if level != UNSAFE):
        try:
            return LEVELS[candidate]()
        except SandboxError as error:
            refusals.append(f"\n  {candidate}: {error}")
    raise SandboxError(
        f"No sandbox can be used on this machine; one of these is needed:{''.join(refusals)}\n"
        f"Programs that are trusted can be run without isolation, where that is asked for: evaluate.sandbox={UNSAFE!r}."
    )
