"""Problems that send many things one by one through a few steps and make one value of what comes out.

A pipe is a source, some steps, an end. Each stands for one or more places of the family; from their parts it is made
anew for every composition: its piece of the tree, its plain function, its sentence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Generic, NamedTuple, TypeVar

from codeglot.micro.grammar import Composition, Constant, Part, Phrase, Reference
from codeglot.micro.primitives import get
from codeglot.micro.primitives_core import Body, Pieces
from codeglot.micro.tree import (
    Add,
    Again,
    Assign,
    Call,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Let,
    Minus,
    Name,
    Not,
    Operation,
    Push,
    Statement,
    Type,
    Value,
    While,
    Write,
    statements,
)

Rest = Callable[[Pieces], Body]
"""What happens to one item from here on."""
Items = Sequence[Any]
Rule = Callable[[tuple[str, ...]], bool]
"""Names of primitives -> whether they make a problem worth asking."""
Made = TypeVar("Made")

NUM_KEPT = 16
"""Compositions whose parts are kept: tree, function and sentences of the same one are mostly asked for in a row."""
NUM_PARTS_KEPT = 512
"""Sources, steps and ends of a family that are kept."""
VALUE = "value"
"""Variable for what became of an item, where it needs a name,"""
_CHANGED = "changed"
"""and for what became of that."""
_CHANGES = (Assign, Add, Push, Write, Count)


class Slot(NamedTuple, Generic[Made]):
    """Some places of a family, and what their parts make."""

    places: tuple[tuple[str, ...], ...]
    make: Callable[..., Made]
    """For a source: parts; for a step or an end: source, type of the items, parts."""


class Source(NamedTuple):
    """Where the items come from."""

    parameter: Name
    item: Name
    """One of them; what conditions in the prompt speak of."""
    loop: Callable[[Rest, Body], Body]
    """What to do with each, and what to do where the loop ends early -> the loop."""
    items: Callable[[Any], Items]
    phrase: Phrase


class Step(NamedTuple):
    """Something that happens to each item."""

    item: Type
    """Of what comes out."""
    wrap: Callable[[Pieces, Rest], Body]
    apply: Callable[[Items], Items]
    phrase: Phrase
    before: Body = ()
    """In front of the loop."""


class End(NamedTuple):
    """What becomes of all items together."""

    start: Body
    step: Rest
    finish: Body
    result: Type
    compute: Callable[[Items], Value]
    phrase: Phrase


class Pipe:
    """A family of pipes."""

    def __init__(
        self,
        name: str,
        source: Slot[Source],
        steps: Sequence[Slot[Step | None]],
        end: Slot[End],
        rule: Rule,
    ) -> None:
        self.name = name
        self._rule = rule
        self._slots: tuple[Slot[Any], ...] = (source, *steps, end)
        self.places = tuple(place for slot in self._slots for place in slot.places)
        ends = accumulate(len(slot.places) for slot in self._slots)
        self._spans = [slice(first, end) for first, end in pairwise([0, *ends])]
        self._made = lru_cache(maxsize=NUM_KEPT)(self._make)
        self._part = lru_cache(maxsize=NUM_PARTS_KEPT)(self._make_part)

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        """Whether it is worth asking."""
        return self._rule(shape)

    def function(self, composition: Composition) -> Function:
        """The canonical solution."""
        source, steps, end = self._made(composition)

        def rest(index: int) -> Rest:
            if index == len(steps):
                return end.step
            return lambda pieces: steps[index].wrap(pieces, rest(index + 1))

        before = tuple(statement for step in steps for statement in step.before)
        body = (*before, *end.start, *source.loop(rest(0), end.finish), *end.finish)
        return solve((source.parameter,), end.result, body)

    def reference(self, composition: Composition) -> Reference:
        """The same in plain Python."""
        source, steps, end = self._made(composition)
        applies = [step.apply for step in steps]
        start, finish = source.items, end.compute

        def reference(argument: Any) -> Value:
            items = start(argument)
            for apply in applies:
                items = apply(items)
            return finish(items)

        return reference

    def phrase(self, composition: Composition) -> Phrase:
        """Its sentences."""
        source, steps, end = self._made(composition)
        return sentences(source.phrase, *(step.phrase for step in steps), end.phrase)

    def _make(self, composition: Composition) -> tuple[Source, tuple[Step, ...], End]:
        first, *middle, last = [composition.parts[span] for span in self._spans]
        source: Source = self._part(0, first)
        item, steps = source.item.type, []
        for number, parts in enumerate(middle, 1):
            step: Step | None = self._part(number, parts, item, first)
            if step is not None:
                steps.append(step)
                item = step.item
        return source, tuple(steps), self._part(len(middle) + 1, last, item, first)

    def _make_part(
        self, number: int, parts: tuple[Part, ...], item: Type | None = None, first: tuple[Part, ...] = ()
    ) -> Any:
        """What a slot makes of its parts; where it is not the source, also of the items of the one made of `first`."""
        before = () if item is None else (self._part(0, first), item)
        return self._slots[number].make(*before, *parts)


# Trees.


def named(pieces: Pieces, rest: Rest) -> Body:
    """Goes on with a name, so that an expression that is needed more than once is written once."""
    (value,) = pieces
    if isinstance(value, Name):
        return rest(pieces)
    name = Name(_CHANGED if _mentions(value, VALUE) else VALUE, value.type)
    return (Let(name, value), *rest((name,)))


def _mentions(expression: Expression, name: str) -> bool:
    match expression:
        case Name():
            return expression.id == name
        case Operation():
            return _mentions(expression.left, name) or _mentions(expression.right, name)
        case Minus() | Not():
            return _mentions(expression.operand, name)
        case Call() | Again():
            return any(_mentions(argument, name) for argument in expression.arguments)
        case _:
            return False


def solve(parameters: tuple[Name, ...], result: Type, body: Body) -> Function:
    """A function whose variables are constants where nothing changes them."""
    changed = {statement.name.id for statement in statements(body) if isinstance(statement, _CHANGES)}
    return Function("solve", parameters, result, _with_constants(body, changed))


def _with_constants(body: Body, changed: set[str]) -> Body:
    return tuple([_with_constant(statement, changed) for statement in body])


def _with_constant(statement: Statement, changed: set[str]) -> Statement:
    """The same object where nothing is to be said of it: making objects is what takes the time."""
    match statement:
        case Let(name, value, is_constant):
            return Let(name, value, not is_constant) if is_constant == (name.id in changed) else statement
        case If(condition, body, otherwise):
            yes, no = _with_constants(body, changed), _with_constants(otherwise, changed)
            return statement if yes == body and no == otherwise else If(condition, yes, no)
        case ForEach() | ForRange() | ForCounts() | While():
            inner = _with_constants(statement.body, changed)
            return statement if inner == statement.body else replace(statement, body=inner)
        case _:
            return statement


# Phrases.


def sentences(*phrases: Phrase) -> Phrase:
    """Some sentences in a row."""
    first, *others = phrases
    return Phrase("sentences", (("first", first), ("rest", sentences(*others)))) if others else first


def say(table: str, part: Part, **slots: Phrase | Constant) -> Phrase:
    """The words of a part in one of the phrase tables, with its constants in their slots."""
    primitive = get(part.primitive)
    constants = zip(primitive.slots, part.constants, strict=True)
    return Phrase(f"{table}.{primitive.key}", (*slots.items(), *constants))


def told(key: str, **slots: Phrase | Constant) -> Phrase:
    """Words that belong to no primitive."""
    return Phrase(key, tuple(slots.items()))
