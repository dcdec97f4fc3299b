"""Is an answer right on every input? It is called beside the reference, and the reference's side compares.

This file is put into the box, beside the reference and the inputs; it needs nothing but Python. Both get copies of an
input of their own. What an answer returns is first made anew of Python's own types, by methods that no class can
override, so that no `__eq__` of the answer has a say: an object that claims to equal everything is as wrong as any
other value of an unknown type. What it prints is thrown away.

Not promised: answer and reference share one interpreter, so that an answer that looks for its judge can get round it.

The rules are those of EvalPlus (evalplus/eval of github.com/evalplus/evalplus): values must be equal as Python says, so
that 2 is 2.0; where the reference returns floats, or the task has a tolerance, a value of the same type may be off by
`atol` plus 1e-7 of the reference's; some tasks have a rule of their own.
"""

import json
import math
import operator
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TASK_FILE = "evalplus_task.json"
"""Rules and inputs."""
REFERENCE = "evalplus_reference"
"""Module with the function whose results are right."""

_RTOL = 1e-7
_FLOAT_ATOL = 1e-6
"""Where a task names no tolerance and the reference returns floats."""


def check(answer: Callable[..., Any]) -> None:
    """Raise AssertionError at the first input on which the answer is wrong."""
    text = Path(__file__).with_name(TASK_FILE).read_text(encoding="utf-8")
    task, own = json.loads(text), json.loads(text)  # twice: what an answer does to its input changes no other
    reference = getattr(__import__(REFERENCE), task["entry_point"])
    streams = sys.stdout, sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            compare(answer, reference, task, own["inputs"])
        finally:
            sys.stdout, sys.stderr = streams


def compare(answer: Callable[..., Any], reference: Callable[..., Any], task: dict[str, Any], own: list[Any]) -> None:
    """Call both on each input and compare; `own` are the answer's copies of the inputs."""
    is_right, shapes, atol = RULES[task["rule"]], task["shapes"], task["atol"]
    for number, (kept, given) in enumerate(zip(task["inputs"], own, strict=True)):
        inputs = shape_all(kept, shapes)
        expected = reference(*inputs)
        found = answer(*shape_all(given, shapes))
        if not is_right(found, expected, atol, shape_all(kept, shapes)):
            raise AssertionError(f"input {number}: {_show(found)} where the reference has {_show(expected)}")


def shape_all(values: list[Any], shapes: list[str]) -> list[Any]:
    """The arguments that JSON could not hold, each by its shape; the last shape is that of all further ones."""
    return [shape(value, shapes[min(i, len(shapes) - 1)]) for i, value in enumerate(values)] if shapes else values


def shape(value: Any, form: str) -> Any:
    """A value with the types that a form names, from the outside in.

    `t` tuple of, `l` list of, `d` dict of, `s` set (`{}` where empty), `f` float, `c` complex, `o` tuple of
    a list and anything else as it is, `*` the same all the way.
    """
    first, rest = form[:1], form[1:]
    if first == "t":
        return tuple(shape(item, rest) for item in value)
    if first == "l":
        return [shape(item, rest) for item in value]
    if first == "d":
        return {key: shape(item, rest) for key, item in value.items()}
    if first == "s":
        return set(value) or {}
    if first == "o":
        return tuple(value) if isinstance(value, list) else value
    if first == "*":
        return tuple(shape(item, form) for item in value) if isinstance(value, list) else value
    return {"f": float, "c": complex}[first](value) if first else value


class Unknown:
    """Stands for a value of a type that no right answer has; equals nothing else."""


def plain(value: Any) -> Any:
    """The same value made of Python's own types alone; a number of another type becomes an int or a float."""
    kind = type(value)
    if id(kind) in _SCALAR_IDS:
        return value
    if (kind is list or kind is tuple) and _SCALAR_IDS.issuperset(map(id, map(type, value))):
        return value  # results of a million values are not copied
    for own, rebuild in _REBUILD:
        if issubclass(kind, own):
            return rebuild(value)
    for convert in (operator.index, float):
        try:
            return convert(value)
        except TypeError:
            continue
    return Unknown()


_SCALARS = (bool, int, float, complex, str, bytes, type(None))
_SCALAR_IDS = frozenset(map(id, _SCALARS))
"""Numbers, since a class can claim to equal another one."""
_REBUILD: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (list, lambda value: [plain(item) for item in list.__iter__(value)]),
    (tuple, lambda value: tuple(plain(item) for item in tuple.__iter__(value))),
    (dict, lambda value: {plain(key): plain(item) for key, item in dict.items(value)}),
    (set, lambda value: {plain(item) for item in set.__iter__(value)}),
    (frozenset, lambda value: {plain(item) for item in frozenset.__iter__(value)}),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__pos__),
)


def is_equal(found: Any, expected: Any, atol: float, _inputs: list[Any]) -> bool:
    """Whether two results are the same, or as close as floats need be."""
    found = plain(found)
    if found == expected:
        return True
    if atol == 0 and _is_float(expected):
        atol = _FLOAT_ATOL
    return atol != 0 and type(found) is type(expected) and _is_close(found, expected, atol)


def _is_float(value: Any) -> bool:
    values = value if isinstance(value, (list, tuple)) else [value]
    return bool(values) and all(isinstance(item, float) for item in values)


def _is_close(found: Any, expected: Any, atol: float) -> bool:
    if isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        return len(found) == len(expected) and all(_is_close(a, b, atol) for a, b in zip(found, expected, strict=True))
    if isinstance(expected, (int, float, complex)) and isinstance(found, (int, float, complex)):
        return found == expected or abs(found - expected) <= atol + _RTOL * abs(expected)
    return bool(found == expected)


def is_same_set(found: Any, expected: Any, _atol: float, _inputs: list[Any]) -> bool:
    """Whether the same values are in it, in any order and any number."""
    return {plain(item) for item in found} == set(expected)


def is_match(found: Any, expected: Any, atol: float, inputs: list[Any]) -> bool:
    """The reference returns a match or None: an answer may, or say whether there is one."""
    return is_equal(found if isinstance(found, bool) else found is not None, expected is not None, atol, inputs)


def is_root(found: Any, _expected: Any, atol: float, inputs: list[Any]) -> bool:
    """Whether the polynomial with the coefficients of the input is zero there; it may have several roots."""
    x, [coefficients] = plain(found), inputs
    return isinstance(x, (int, float)) and abs(sum(a * math.pow(x, i) for i, a in enumerate(coefficients))) <= atol


def is_pyramid(found: Any, expected: Any, atol: float, inputs: list[Any]) -> bool:
    """The height of the pyramid may also be meant as that of its top over its base, the area being rounded then."""
    edge, height = inputs
    area = round(edge**2 + 2 * edge * math.sqrt((edge / 2) ** 2 + height**2))
    return is_equal(found, expected, atol, inputs) or is_equal(found, area, atol, inputs)


def is_digit_distance(found: Any, expected: Any, atol: float, inputs: list[Any]) -> bool:
    """Digits may also be paired from the last one on, the shorter number being filled up with zeros."""
    width = max(len(str(number)) for number in inputs)
    first, second = (str(number).zfill(width) for number in inputs)
    padded = sum(abs(int(a) - int(b)) for a, b in zip(first, second, strict=True))
    return is_equal(found, expected, atol, inputs) or is_equal(found, padded, atol, inputs)


RULES: dict[str, Callable[[Any, Any, float, list[Any]], bool]] = {
    rule.__name__: rule for rule in (is_equal, is_same_set, is_match, is_root, is_pyramid, is_digit_distance)
}


def _show(value: Any) -> str:
    try:
        return f"{plain(value)!a:.200}"
    except ValueError:  # more digits than Python writes
        return "a long number"
