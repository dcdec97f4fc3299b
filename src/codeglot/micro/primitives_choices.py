"""Primitives that only some families know: quantifiers, how two tests are joined, what comes next."""

from collections.abc import Sequence
from typing import NamedTuple

from codeglot.micro.primitives_core import (
    ONE,
    Kind,
    Primitive,
    both,
    call,
    divided,
    either,
    fit,
    greater,
    less,
    minus,
    plus,
)
from codeglot.micro.tree import Builtin, Expression, Number, Type


class Verdict(NamedTuple):
    """How a loop answers a question about all items: at the first that passes (or fails), else at its end."""

    at_pass: bool
    """Whether the item that decides passes the test."""
    decided: bool
    """The answer where one decides; the opposite otherwise."""


def _all_before(items: Sequence[int], passes: Sequence[bool]) -> list[int]:
    return list(items[: passes.index(True)]) if True in passes else list(items)


def _all_after(items: Sequence[int], passes: Sequence[bool]) -> list[int]:
    return list(items[passes.index(True) + 1 :]) if True in passes else []


def _larger(left: Expression, right: Expression) -> Expression:
    return call(Builtin.LARGER, Type.INT, left, right)


def _smaller(left: Expression, right: Expression) -> Expression:
    return call(Builtin.SMALLER, Type.INT, left, right)


def _divided_by(number: int) -> Primitive:
    name = {2: "half", 3: "third", 10: "tenth"}[number]
    return Primitive(name, _KIND, lambda n: n // number, lambda n: divided(n, Number(number)))


_KIND = Kind.CHOICE
QUANTIFIERS = (
    # compute: whether each item passes -> answer.
    Primitive("any", _KIND, any, lambda: Verdict(at_pass=True, decided=True)),
    Primitive("all", _KIND, all, lambda: Verdict(at_pass=False, decided=False)),
    Primitive("none", _KIND, lambda passes: not any(passes), lambda: Verdict(at_pass=True, decided=False)),
)
JOINTS = (
    Primitive("both", _KIND, lambda one, other: one and other, both),
    Primitive("either", _KIND, lambda one, other: one or other, either),
)
WALKS = (
    # compute: items, whether each passes -> those that are left.
    Primitive("before_first", _KIND, _all_before, lambda: None),
    Primitive("after_first", _KIND, _all_after, lambda: None),
)
RUNNINGS = (
    # What was so far and the next item -> what is now.
    Primitive("running_sum", _KIND, lambda so_far, x: fit(so_far + x), plus),
    Primitive("running_largest", _KIND, max, _larger),
    Primitive("running_smallest", _KIND, min, _smaller),
)
RECORDS = (
    # Item and the best before it -> whether it is better.
    Primitive("record_high", _KIND, lambda x, best: x > best, greater),
    Primitive("record_low", _KIND, lambda x, best: x < best, less),
)
SCOPES = (
    # Items -> those that are looked at.
    Primitive("every_item", _KIND, list, lambda: False),
    Primitive("different_items", _KIND, lambda items: list(dict.fromkeys(items)), lambda: True),
)
NEXTS = (
    # A number above 0 -> the next one in a recursion, below it.
    Primitive("one_less", _KIND, lambda n: n - 1, lambda n: minus(n, ONE)),
    _divided_by(2),
    _divided_by(3),
    _divided_by(10),
)
VISITS = (
    # Values on the way -> the result.
    Primitive("steps", _KIND, len, lambda: "count"),
    Primitive("visited_sum", _KIND, lambda values: fit(sum(values)), lambda: "sum"),
    Primitive("visited_list", _KIND, list, lambda: "list"),
)
