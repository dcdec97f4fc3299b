"""Paths on the command line."""

from pathlib import Path
from typing import Any

import click


class PathName(click.Path):
    """Type of an argument or option that names a file or folder; an empty one would mean the current folder."""

    def __init__(self, *, file_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name."""
        if value == "":
            self.fail("it is empty; give a path, or '.' for the current folder", param, ctx)
        return super().convert(value, param, ctx)
