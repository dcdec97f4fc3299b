"""The methods there are. One file of this package and one line here make a new one; no torch until one is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from codeglot.config import mistakes
from codeglot.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from codeglot.methods.base import Method

METHODS = {
    "full": "full",
    "lora": "lora",
    "flex": "flex",
    "flex_paper": "flex",
    "flex_as_released": "flex",
    "flex_dw": "flex",
    "flex_decoupled": "flex",
    "mole": "mole.method",
}
"""By name, the module of `codeglot.methods` that holds it; the class of `multi_word` is `MultiWord`."""


def get(name: str) -> "type[Method]":
    """The class of a method.

    Raises:
        UnknownNameError: If there is no such method.
    """
    if name not in METHODS:
        raise UnknownNameError("method", name, METHODS)
    module = import_module(f"codeglot.methods.{METHODS[name]}")
    method: type[Method] = getattr(module, "".join(word.capitalize() for word in name.split("_")))
    return method


def parse(tables: Sequence[Mapping[str, Any]], *, source: str = "[[methods]]") -> "tuple[Method, ...]":
    """Turn the tables `[[methods]]` into methods, in their order.

    Args:
        tables: One per method, each with the key `method`.
        source: Where they come from, for messages.

    Raises:
        ConfigError: With every mistake of every table, each by its dotted key.
    """
    methods: list[Method] = []
    faults: list[str] = []
    for number, table in enumerate(tables):
        try:
            methods.append(get(_name_of(table)).model_validate(table))
        except ValidationError as error:
            faults += mistakes(error, f"methods.{number}")
        except ConfigError as error:
            faults.append(f"methods.{number}.method: {error}")
    faults += [] if faults else _conflicts(methods)
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise ConfigError(f"{source} has {len(faults)} problem(s):{lines}")
    return tuple(methods)


def _name_of(table: Mapping[str, Any]) -> str:
    name = table.get("method")
    if not isinstance(name, str):
        raise ConfigError(f"each table of [[methods]] names its method; known: {', '.join(METHODS)}")
    return name


def _conflicts(methods: "Sequence[Method]") -> Iterator[str]:
    whole = [method.method for method in methods if not method.adds_parameters]
    if whole and len(methods) > 1:
        yield (
            f"methods: '{whole[0]}' trains the base model itself, so it cannot be combined with others; "
            "leave it alone, or leave it out"
        )
    names = [(method.method, getattr(method, "name", "")) for method in methods]
    for method, name in dict.fromkeys(pair for pair in names if names.count(pair) > 1):
        if name:
            yield f"methods: '{method}' is there more than once as '{name}'; give each a name of its own"
        else:
            yield f"methods: '{method}' is there more than once, and one run has one; leave the others out"
