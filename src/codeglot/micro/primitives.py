"""All primitives by name."""

from collections.abc import Mapping
from types import MappingProxyType

from codeglot.errors import UnknownNameError
from codeglot.micro import primitives_choices as choice
from codeglot.micro import primitives_numbers as numbers
from codeglot.micro import primitives_texts as texts
from codeglot.micro.grammar import Constant
from codeglot.micro.primitives_core import Kind, Primitive
from codeglot.micro.primitives_reduces import REDUCES

NOTHING = "nothing"
"""Stands in an optional place that stays empty; no primitive."""
_TABLES = (
    numbers.TESTS,
    numbers.MAPS,
    numbers.PAIRS,
    numbers.RELATIONS,
    numbers.FOLDS,
    numbers.COUNT_TESTS,
    texts.LETTER_TESTS,
    texts.LETTER_MAPS,
    texts.WORD_TESTS,
    texts.WORD_MAPS,
    REDUCES,
    choice.QUANTIFIERS,
    choice.JOINTS,
    choice.WALKS,
    choice.RUNNINGS,
    choice.RECORDS,
    choice.SCOPES,
    choice.NEXTS,
    choice.VISITS,
)
PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {primitive.name: primitive for table in _TABLES for primitive in table}
)
"""Every primitive; its names are unique over all kinds."""


def get(name: str) -> Primitive:
    """A primitive.

    Raises:
        UnknownNameError: If there is none of this name.
    """
    if name not in PRIMITIVES:
        raise UnknownNameError("primitive of the micro world", name, PRIMITIVES)
    return PRIMITIVES[name]


def choices(name: str) -> tuple[tuple[Constant, ...], ...]:
    """For each constant of a primitive, the values that it is drawn from; none for `nothing`."""
    return () if name == NOTHING else get(name).constants


def names(kind: Kind, *without: str) -> tuple[str, ...]:
    """Names of all primitives of a kind, but some.

    Raises:
        UnknownNameError: If one of `without` is none of them.
    """
    found = tuple(primitive.name for primitive in PRIMITIVES.values() if primitive.kind is kind)
    for name in without:
        if name not in found:
            raise UnknownNameError(f"{kind} of the micro world", name, found)
    return tuple(name for name in found if name not in without)
