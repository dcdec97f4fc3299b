"""What can go wrong, in one tree.

    CodeglotError
    ├── ConfigError              a run file, an option or an argument is wrong
    │   └── UnknownNameError     a name that no registry holds
    ├── DataError                a file of records is missing, empty or malformed
    ├── ToolchainError           a compiler, interpreter or library of a language is not usable here
    ├── EngineError              the model, or the server that holds it, cannot answer
    ├── SandboxError             the sandbox failed; never a fault of the program inside it
    └── RunError                 a run folder does not fit what was asked of it
        └── DivergedError        a training cannot go on: its loss is no finite number

The command line prints these without a traceback and exits with status 2.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class CodeglotError(Exception):
    """Base of every error that a user can cause or mend."""


class ConfigError(CodeglotError):
    """A run file, an option or an argument is wrong."""


class UnknownNameError(ConfigError):
    """A name was asked for that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(set(known))
        close = get_close_matches(name.lower(), names, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        super().__init__(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(names)}.")


class DataError(CodeglotError):
    """A file of records is missing, empty or malformed."""


class ToolchainError(CodeglotError):
    """A compiler, interpreter or library of a language is not usable on this machine."""


class EngineError(CodeglotError):
    """The model, or the server that holds it, cannot answer."""


class SandboxError(CodeglotError):
    """The sandbox failed; never a fault of the program inside it."""


class RunError(CodeglotError):
    """A run folder does not fit what was asked of it."""


class DivergedError(RunError):
    """A training cannot go on: its loss is no finite number. Among trials of settings that is a result."""
