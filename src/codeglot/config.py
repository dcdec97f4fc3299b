"""How settings are read: TOML, dotted overrides, and one readable error for all mistakes."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from codeglot.errors import ConfigError

Schema = TypeVar("Schema", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of every config and every record: frozen, and unknown keys, infinity and NaN are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _suggest_known_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Turn "extra input" errors into "unknown key; did you mean ...?"; true and false are no numbers."""
        if not isinstance(data, Mapping):
            return handler(data)
        known, numbers = _keys(cls)
        unknown = [key for key in data if key not in known]
        flags = [key for key in data if key in numbers and isinstance(data[key], bool)]
        if not unknown and not flags:
            return handler(data)
        errors: list[InitErrorDetails] = []
        try:
            handler({key: value for key, value in data.items() if key not in unknown})
        except ValidationError as error:
            errors += [_repeat(detail) for detail in error.errors()]
        for key in flags:
            kind = PydanticCustomError("flag_for_number", "a number is needed, not true or false")
            errors.append(InitErrorDetails(type=kind, loc=(key,), input=data[key]))
        for key in unknown:
            close = get_close_matches(str(key), cls.model_fields, n=1)
            message = f"unknown key; did you mean '{close[0]}'?" if close else "unknown key"
            message += f" (known: {', '.join(cls.model_fields)})" if not close else ""
            kind = PydanticCustomError("unknown_key", "{message}", {"message": message})
            errors.append(InitErrorDetails(type=kind, loc=(str(key),), input=data[key]))
        raise ValidationError.from_exception_data(cls.__name__, errors)


@cache
def _keys(schema: type[BaseModel]) -> tuple[frozenset[str], frozenset[str]]:
    """All keys, and those of numbers, for which pydantic would take true for 1."""
    kinds = {name: {field.annotation, *get_args(field.annotation)} for name, field in schema.model_fields.items()}
    numbers = {name for name, own in kinds.items() if bool not in own and own & {int, float}}
    return frozenset(kinds), frozenset(numbers)


def _repeat(detail: Any) -> InitErrorDetails:
    """The same complaint, in the form that pydantic takes to raise it again."""
    kind = PydanticCustomError(detail["type"], "{message}", {"message": detail["msg"]})
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"])


def tables(schema: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Keys that hold a table, or a list of them, and what stands in it."""
    return {
        name: part
        for name, field in schema.model_fields.items()
        for part in (field.annotation, *get_args(field.annotation))
        if isinstance(part, type) and issubclass(part, BaseModel)
    }


def load(schema: type[Schema], path: Path, overrides: Iterable[str] = ()) -> Schema:
    """Read `path` (TOML, or JSON by its suffix), apply `key.sub=value` overrides, validate.

    Raises:
        ConfigError: With every mistake in one message, each by its dotted key.
    """
    return build(schema, apply(read_tree(path), overrides), source=str(path))


def read_tree(path: Path) -> dict[str, Any]:
    """Parse a TOML or JSON settings file into plain dictionaries.

    Raises:
        ConfigError: If the file is missing or is not valid TOML or JSON.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"Cannot read the settings file {path}: {reason}. Give an existing TOML file in UTF-8."
        ) from error
    try:
        tree = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both decoders raise subclasses of ValueError
        raise ConfigError(f"{path} is not valid {path.suffix.lstrip('.').upper() or 'TOML'}: {error}.") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds a {type(tree).__name__}; a table of settings is needed.")
    return tree


def apply(tree: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return `tree` with each `key.sub=value` (value in TOML syntax) put in; a number in a key is a place in a list.

    A value that is no valid TOML is taken as a string, so `base.model=my/model` needs no quotes.

    Raises:
        ConfigError: If an override has no `=`, or its key leads nowhere.
    """
    result = dict(tree)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key.strip():
            raise ConfigError(
                f"Override '{override}' is not of the form key.sub=value, as in generate.temperature=0.8. "
                "A run file comes before all overrides."
            )
        result = overlay(result, {key.strip(): _value(text)}, is_merging=False)
    return result


def overlay(tree: Mapping[str, Any], changes: Mapping[str, Any], *, is_merging: bool = True) -> dict[str, Any]:
    """`changes` (tables or dotted keys) on top of `tree`; a number in a dotted key is a place in a list.

    Args:
        tree: Left as it is.
        changes: New values by key.
        is_merging: Whether a table goes into the one that is there; else it takes its place.

    Raises:
        ConfigError: If a key runs through something that is neither table nor list, or beyond the end of a list.
    """
    result: dict[str, Any] = json.loads(json.dumps(tree, default=str))
    for key, value in changes.items():
        node: Any = result
        *parents, leaf = key.split(".")
        for parent in parents:
            node = _child(node, parent, key)
        is_table = isinstance(node, dict)
        old = node.get(leaf) if is_table else _child(node, leaf, key)
        is_merged = is_merging and isinstance(value, Mapping)
        node[leaf if is_table else int(leaf)] = _merged(old, value, leaf) if is_merged else value
    return result


def _merged(old: Any, value: Mapping[str, Any], name: str) -> Any:
    if isinstance(old, list) and value and all(place.isdigit() for place in value):  # TOML's bare methods.0.r = 4
        return overlay({name: old}, {f"{name}.{place}": own for place, own in value.items()})[name]
    return overlay(old if isinstance(old, dict) else {}, value)


def _child(node: Any, name: str, key: str) -> Any:
    if isinstance(node, list) and name.isdigit() and int(name) < len(node):
        return node[int(name)]
    if isinstance(node, dict):
        return node.setdefault(name, {})
    what = f"in a list of {len(node)}" if isinstance(node, list) else "below a value, which is no table"
    raise ConfigError(f"The override '{key}' looks for '{name}' {what}.")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def build(schema: type[Schema], tree: Mapping[str, Any], *, source: str) -> Schema:
    """Validate `tree`; `source` is where it came from, for the message.

    Raises:
        ConfigError: With every mistake in one message, each by its dotted key.
    """
    try:
        return schema.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(explain(error, source)) from None


def explain(error: ValidationError, source: str) -> str:
    """Every mistake of a pydantic error, one line each, behind its dotted key."""
    lines = mistakes(error)
    return f"{source} has {len(lines)} problem(s):\n" + "\n".join(f"  {line}" for line in lines)


def mistakes(error: ValidationError, place: str = "") -> list[str]:
    """Each mistake behind its dotted key, which begins with `place`; what concerns the whole table has no key."""
    lines = []
    for detail in error.errors():
        key, complaint = ".".join(filter(None, (place, *map(str, detail["loc"])))), _complaint(detail)
        if complaint.startswith((f"{key}.", f"{key}:")):  # several mistakes further inside
            lines += [line.strip() for line in complaint.splitlines()]
        else:
            lines.append(f"{key}: {complaint}" if key else complaint)
    return lines


_PLAIN_WORDS = {
    "dict_type": "Input should be a table",
    "model_type": "Input should be a table",
    "too_short": "Input should not be empty",
    "tuple_type": "Input should be a list",
}
"""What pydantic says in the words of Python, in the words of a settings file."""
_SAYS_ITS_VALUE = {"missing", "unknown_key", "value_error"}
"""Complaints that have no value, or name it themselves where it may be shown: it can be a key or a password."""


def _complaint(detail: Any) -> str:
    """What is wrong, and the value that is."""
    message = _PLAIN_WORDS.get(detail["type"], str(detail["msg"]).removeprefix("Value error, "))
    value = detail["input"]
    is_shown = detail["type"] not in _SAYS_ITS_VALUE and isinstance(value, str | int | float | None)
    return f"{message}; it is {shorten(value)}" if is_shown else message


def shorten(value: object) -> str:
    """A value as Python writes it, in at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
