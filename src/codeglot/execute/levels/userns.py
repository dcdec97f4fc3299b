"""Isolation by user namespaces, for machines without bubblewrap: the same boxes, made by this package itself."""

import sys
from pathlib import Path

import codeglot
from codeglot.execute.levels.bubblewrap import Bubblewrap

_ENTER = """
import sys
package = type(sys)("codeglot")
package.__path__ = [sys.argv.pop(1)]
sys.modules["codeglot"] = package
from codeglot.execute.levels.enter import main
main(sys.argv[1:])
"""
"""Importing the package itself would take longer than all that is done then."""


class Userns(Bubblewrap):
    """The level `userns`.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    name = "userns"

    def _find_tools(self) -> str:
        """This very interpreter does all."""
        self._enter = (sys.executable, "-I", "-S", "-c", _ENTER, str(Path(codeglot.__file__).parent))
        return Path(sys.executable).name

    def _entering(self, user: int | None) -> list[str]:
        return [*self._enter, *(() if user is None else ("--user", str(user)))]
