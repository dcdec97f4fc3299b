"""No isolation worth the name: limits on resources, and an end to all that a program leaves behind.

A program can read what the user can read, and use the network. For programs that are trusted, and for machines that are
thrown away; it is used only where it is asked for by name.
"""

from collections.abc import Callable

from codeglot.execute.cgroups import Cgroups, find_cgroups
from codeglot.execute.levels.mountless import Confinement, Mountless


class Process(Mountless):
    """The level `process`.

    Args:
        find_groups: Finds what groups of the kernel can do here.

    Raises:
        SandboxError: If boxes cannot be started here; the message names the cause and the remedy.
    """

    def __init__(self, find_groups: Callable[[], Cgroups] = find_cgroups) -> None:
        super().__init__("process", Confinement(), find_groups)
