"""No isolation worth the name: limits on resources, and an end to all that a program leaves behind.

A program can read what the user can read, and use the network. For programs that are trusted, and for machines that are
thrown away; it is used only where it is asked for by name.
"""

from codeglot.execute.levels.mountless import Confinement, Mountless


class Process(Mountless):
    """The level `process`.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    def __init__(self) -> None:
        super().__init__("process", Confinement())
