"""Method -> a run file to begin with: every setting with its meaning, the usual ones filled in, the others commented.

Written from the settings' own documentation, so a new method or setting needs no template.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module, resources
from pathlib import PurePath
from textwrap import wrap
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from codeglot.config import tables
from codeglot.jobs.runfile import RunFile

if TYPE_CHECKING:
    from codeglot.methods.base import Method

_WIDTH = 110


def init(method: str) -> str:
    """The text of a run file that trains `method` on the bundled base and judges it.

    Raises:
        UnknownNameError: If there is no such method.
    """
    registry = import_module("codeglot.methods.registry")  # needs torch
    schema: type[Method] = registry.get(method)
    start = tomllib.loads((resources.files(__package__) / "start.toml").read_text(encoding="utf-8"))
    start["optim"]["lr"] = schema.usual_lr
    start["methods"] = [{"method": method}]
    lines = [
        f"# codeglot train run.toml --out runs/{method}",
        f"# codeglot evaluate runs/{method}",
        "#",
        "# A key behind `#` has its default, as shown; one without a value is None, or has no default. Take the `#`",
        "# away to set it, and that of its table.",
        "",
        *_keys(RunFile, start, {**tables(RunFile), "methods": schema}),
    ]
    return "\n".join(lines) + "\n"


def _keys(
    schema: type[BaseModel], given: Mapping[str, Any] | None, inner: Mapping[str, type[BaseModel]], place: str = ""
) -> Iterator[str]:
    """Every key of a table with its meaning and value, then the tables within; behind `#` what is not given.

    Args:
        schema: Of the table.
        given: What it says; None: it is not there.
        inner: Schemas of the tables within.
        place: Dotted name of the table, with a dot behind it.
    """
    for name, field in schema.model_fields.items():
        if name not in inner:
            yield from _meaning(field)
            yield _key(name, field, given, place)
    for name, field in schema.model_fields.items():
        if name in inner:
            part = (given or {}).get(name)
            is_list = get_origin(field.annotation) is tuple
            yield ""
            yield from _meaning(field)
            yield ("# " if part is None else "") + (f"[[{place}{name}]]" if is_list else f"[{place}{name}]")
            only = part[0] if part and is_list else part
            yield from _keys(inner[name], only, tables(inner[name]), f"{place}{name}.")


def _meaning(field: FieldInfo) -> list[str]:
    return wrap(" ".join((field.description or "").split()), _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _key(name: str, field: FieldInfo, given: Mapping[str, Any] | None, place: str) -> str:
    if given and name in given:
        return f"{name} = {_toml(given[name])}"
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined and given is not None:
        raise ValueError(f"start.toml says nothing about '{place}{name}', which has no default")
    return f"# {name} =" if default in (None, PydanticUndefined) else f"# {name} = {_toml(default)}"


def _toml(value: Any) -> str:
    """A value in TOML; JSON's forms are also TOML's, and tables have their own headings."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, PurePath) else value, ensure_ascii=False)
