"""Says what a problem asks, in any natural language that has a table of phrases.

A table is one TOML file in `phrases/`: for every key one text or several that mean the same, with `{slots}`. English is
the model that all others follow, key by key and slot by slot.
"""

import re
import tomllib
import zlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from codeglot.errors import DataError, UnknownNameError
from codeglot.micro.grammar import Phrase

_TABLES = resources.files("codeglot.micro") / "phrases"
_SLOT = re.compile(r"\{(\w+)\}")

Table = Mapping[str, tuple[str, ...]]
"""Key -> variants."""


@cache
def natural_languages() -> tuple[str, ...]:
    """Codes (BCP 47) of the languages that have a table, English first."""
    found = {file.name.removesuffix(".toml") for file in _TABLES.iterdir() if file.name.endswith(".toml")}
    return tuple(sorted(found, key=lambda code: (code != "en", code)))


@cache
def table(natural_language: str) -> Table:
    """All phrases of a language.

    Raises:
        UnknownNameError: If it has no table.
        DataError: If its table is no TOML, or a phrase is neither a text nor a list of texts.
    """
    if natural_language not in natural_languages():
        raise UnknownNameError("natural language of the micro world", natural_language, natural_languages())
    file = _TABLES / f"{natural_language}.toml"
    try:
        return read_table(file.read_text(encoding="utf-8"))
    except (ValueError, DataError) as error:
        raise DataError(
            f"The phrases in {file} cannot be read: {error}. Compare them with those of en.toml."
        ) from error


def read_table(text: str) -> Table:
    """A table from its TOML.

    Raises:
        ValueError: If it is no TOML.
        DataError: If a phrase is neither a text nor a list of texts.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in tomllib.loads(text).items():
        phrases = (
            {f"{name}.{key}": phrase for key, phrase in entry.items()} if isinstance(entry, dict) else {name: entry}
        )
        for key, phrase in phrases.items():
            variants = [phrase] if isinstance(phrase, str) else phrase
            if not isinstance(variants, list) or not variants or not all(isinstance(one, str) for one in variants):
                raise DataError(f"'{key}' is {phrase!r}, not a text or a list of texts")
            found[key] = tuple(variants)
    return MappingProxyType(found)


@cache
def slots(text: str) -> frozenset[str]:
    """Names of the slots of a phrase."""
    return frozenset(_SLOT.findall(text))


def say(phrase: Phrase, natural_language: str, variant: int = 0) -> list[str]:
    """The lines of a description.

    Args:
        phrase: What is to be said.
        natural_language: A code of `natural_languages`.
        variant: 0 takes the first variant of every key; any other number picks one for each key, the same for the
            same number.

    Raises:
        UnknownNameError: If the language has no table.
        DataError: If its table has no such key, or a phrase with other slots.
    """
    return [fill(phrase, table(natural_language), variant, natural_language)]


def fill(phrase: Phrase, phrases: Table, variant: int, natural_language: str) -> str:
    """The text of a phrase by the given table; the language is only for messages.

    Raises:
        DataError: If the table has no such key, or a phrase with other slots.
    """
    variants = phrases.get(phrase.key)
    if variants is None:
        raise DataError(
            f"The phrases of '{natural_language}' have no '{phrase.key}'. "
            f"Add it to {natural_language}.toml, as en.toml has it."
        )
    text = variants[0] if variant == 0 or len(variants) == 1 else variants[_pick(phrase.key, variant, len(variants))]
    values = {
        name: fill(value, phrases, variant, natural_language) if isinstance(value, Phrase) else str(value)
        for name, value in phrase.slots
    }
    if slots(text) != values.keys():
        raise DataError(
            f"The phrase '{phrase.key}' of '{natural_language}' has the slots {_listed(slots(text))}, but is given "
            f"{_listed(values)}: {text!r}. Write it with exactly the slots that en.toml has."
        )
    return "".join([values[piece] if is_slot else piece for piece, is_slot in _pieces(text)])


@cache
def _pieces(text: str) -> tuple[tuple[str, bool], ...]:
    """What stands around the slots, and the names of those, in turn."""
    return tuple((piece, place % 2 == 1) for place, piece in enumerate(_SLOT.split(text)))


def _pick(key: str, variant: int, num_variants: int) -> int:
    """Which variant; a hash, so that neighbouring numbers differ in many keys and not in all alike."""
    return zlib.crc32(f"{key} {variant}".encode()) % num_variants


def _listed(names: Mapping[str, str] | frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"
