"""Where a level shows the folders that languages name: at those names, or, without mounts, somewhere else."""

import re
from collections.abc import Mapping
from typing import Any

from codeglot.languages.spec import Language

Places = Mapping[str, str]
"""Other place by the name of a folder, as `/box`; the same for all boxes of a level."""

_KEPT = {"probes", "probe_tests", "syntax", "errors"}
"""Fields of a language that name no file of ours: programs are never changed."""


def in_place(text: str, places: Places) -> str:
    """A command or a file of a language with the folders where they are."""
    if not places:
        return text
    names = "|".join(map(re.escape, places))
    # Options have a folder right behind their letter, as `-I/prepared`; lists have a colon between two.
    return re.sub(rf"(?<![\w./])(-[A-Z])?({names})(?![\w.-])", lambda found: (found[1] or "") + places[found[2]], text)


def relocate(language: Language, places: Places) -> Language:
    """A language whose commands and files name folders where they are."""
    if not places:
        return language

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return in_place(value, places)
        if isinstance(value, dict):
            return {name: change(part) for name, part in value.items()}
        return type(value)(map(change, value)) if isinstance(value, tuple | list) else value

    tree = language.model_dump()
    return Language.model_validate({name: value if name in _KEPT else change(value) for name, value in tree.items()})
