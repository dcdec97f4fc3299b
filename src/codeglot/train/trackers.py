"""Which experiment trackers can be used here. No torch: a run file is checked before anything is loaded."""

from collections.abc import Iterable
from importlib.util import find_spec

from codeglot.errors import ConfigError
from codeglot.train.settings import Tracker


def check(trackers: Iterable[Tracker]) -> None:
    """Make sure that every tracker's package, which has the tracker's name, is installed.

    Raises:
        ConfigError: Naming those that are not, and the command that brings them.
    """
    if missing := [name for name in trackers if find_spec(name) is None]:
        raise ConfigError(
            f"train.trackers names {', '.join(missing)}, not installed here. "
            f"Install with: pip install {' '.join(missing)}; or leave it out, metrics.jsonl is written in any case."
        )
