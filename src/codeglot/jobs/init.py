"""Method -> a run file to begin with: every setting with its meaning, the usual ones filled in, the others commented.

Written from the settings' own documentation, so a new method or setting needs no template.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module, resources
from pathlib import PurePath
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from codeglot.data.settings import Data, DataSet
from codeglot.jobs.sections import Evaluate, Generate, Validation
from codeglot.models.settings import Base
from codeglot.optim.settings import Optim
from codeglot.train.settings import Train

if TYPE_CHECKING:
    from codeglot.methods.base import Method

_WIDTH = 110
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "base": Base,
    "data": Data,
    "data.sources": DataSet,
    "methods": BaseModel,
    "optim": Optim,
    "train": Train,
    "validation": Validation,
    "generate": Generate,
    "evaluate": Evaluate,
}
_LISTS = ("data.sources", "methods")
"""Sections of which there may be several."""


def init(method: str) -> str:
    """The text of a run file that trains `method` on the bundled base and judges it.

    Raises:
        UnknownNameError: If there is no such method.
    """
    registry = import_module("codeglot.methods.registry")  # needs torch
    schema: type[Method] = registry.get(method)
    start = tomllib.loads((resources.files(__package__) / "start.toml").read_text(encoding="utf-8"))
    start["optim"]["lr"] = schema.usual_lr
    lines = [
        f"# codeglot train run.toml --out runs/{method}",
        f"# codeglot evaluate runs/{method}",
        "#",
        "# A key behind `#` has its default, as shown; one without a value is None. Take the `#` away to set it.",
        "",
        "seed = 0",
    ]
    for name, section in _SECTIONS.items():
        given = {"method": method} if name == "methods" else _at(start, name)
        lines += ["", f"[[{name}]]" if name in _LISTS else f"[{name}]"]
        lines += _fields(schema if name == "methods" else section, given, method)
    return "\n".join(lines) + "\n"


def _at(tree: dict[str, Any], dotted: str) -> dict[str, Any]:
    """A table of the start file; the first one of a list."""
    node: Any = tree
    for key in dotted.split("."):
        node = node[key]
        node = node[0] if isinstance(node, list) else node
    return {key: value for key, value in node.items() if f"{dotted}.{key}" not in _SECTIONS}


def _fields(schema: type[BaseModel], given: Mapping[str, Any], method: str) -> Iterator[str]:
    """Every setting of a section: its meaning, then its value, commented where it is the default."""
    for name, field in schema.model_fields.items():
        if _is_section(schema, name):
            continue
        if meaning := field.description:
            yield from wrap(" ".join(meaning.split()), _WIDTH, initial_indent="# ", subsequent_indent="# ")
        if name in given:
            yield f"{name} = {_toml(given[name])}"
            continue
        default = field.get_default(call_default_factory=True)
        if default is PydanticUndefined:
            raise ValueError(f"start.toml says nothing about '{name}', which {schema.__name__} of {method} needs")
        yield f"# {name} =" if default is None else f"# {name} = {_toml(default)}"


def _is_section(schema: type[BaseModel], name: str) -> bool:
    return schema is Data and name == "sources"


def _toml(value: Any) -> str:
    """A value in TOML; JSON's forms are also TOML's, but for tables."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, PurePath) else value, ensure_ascii=False)
