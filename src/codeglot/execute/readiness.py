"""What a level has of each language: its tools, and the library code that its programs share; asked and built once."""

import threading
from collections import defaultdict
from pathlib import Path

from codeglot.errors import ToolchainError
from codeglot.execute.prepare import prepared_folder
from codeglot.execute.step import Level
from codeglot.execute.toolchains import Toolchain, Toolchains, missing_tools, warm_tools
from codeglot.languages.spec import Language


class Readiness:
    """Safe to ask from many threads.

    Args:
        level: In whose boxes the tools are looked for.
    """

    def __init__(self, level: Level) -> None:
        self._level = level
        self._toolchains = Toolchains(level)
        self._prepared: dict[str, Path | ToolchainError | None] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def toolchain(self, language: Language) -> Toolchain:
        """Version of a language's tools in the boxes, or why they cannot be used.

        Raises:
            SandboxError: If the sandbox failed.
        """
        return self._toolchains.get(language)

    def prepared(self, language: Language, version: str) -> Path | None:
        """The folder to show at `/prepared`; None where the language has none.

        Raises:
            ToolchainError: If building it fails, now or before: it would cost every program the same time.
            SandboxError: If the sandbox failed.
        """
        with self._locks[language.id]:
            if language.id not in self._prepared:
                try:
                    self._prepared[language.id] = prepared_folder(self._level, language, version)
                except ToolchainError as error:
                    self._prepared[language.id] = error
            prepared = self._prepared[language.id]
        if isinstance(prepared, ToolchainError):
            raise prepared
        return prepared

    def warm_problem(self, language: Language) -> str:
        """Why a language cannot be kept warm here; empty where it can.

        Raises:
            SandboxError: If the sandbox failed.
        """
        needed = warm_tools(language)
        missing = missing_tools(self._level, needed) if needed else []
        if not missing:
            return ""
        return (
            f"{', '.join(missing)} is not there; `codeglot languages check --only {language.id} --install` installs it."
        )
