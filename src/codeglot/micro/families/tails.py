"""What is returned of the number of a chain."""

from codeglot.micro.families.chain import Tail
from codeglot.micro.families.pipeline import Slot, say, told
from codeglot.micro.families.sources import MOST_ROUNDS
from codeglot.micro.grammar import Constant, Part, Phrase, Undefined
from codeglot.micro.primitives import NOTHING, get
from codeglot.micro.primitives_core import ONE, ZERO, Body, equal, greater, plus
from codeglot.micro.tree import (
    Add,
    Again,
    Assign,
    Empty,
    Expression,
    If,
    Let,
    Name,
    Push,
    Return,
    Statement,
    Type,
    Value,
    While,
)


def value(*maps: tuple[str, ...]) -> Slot[Tail]:
    """One map of it, or two, one of the other."""

    def make(y: Name, *parts: Part) -> Tail:
        functions = [get(part.primitive).bound(part) for part in parts]

        def compute(number: int) -> Value:
            for function in functions:
                number = function(number)
            return number

        *firsts, last = parts
        body: Body = ()
        phrases = []
        for part in firsts:
            z = Name("z", Type.INT)
            body = (*body, Let(z, get(part.primitive).built(part, y)))
            phrases.append(told("let.value", y=z.id, value=say("value", part, x=y.id)))
            y = z
        body = (*body, Return(get(last.primitive).built(last, y)))
        phrases.append(told("return.value", value=say("value", last, x=y.id)))
        return Tail(body, Type.INT, compute, tuple(phrases))

    return Slot(maps, make)


def whether(tests: tuple[str, ...]) -> Slot[Tail]:
    """Whether it passes a test."""

    def make(y: Name, test: Part) -> Tail:
        primitive = get(test.primitive)
        phrase = told("return.whether", condition=say("if", test, x=y.id))
        return Tail((Return(primitive.built(test, y)),), Type.BOOL, primitive.bound(test), (phrase,))

    return Slot((tests,), make)


def joint(joints: tuple[str, ...], tests: tuple[str, ...]) -> Slot[Tail]:
    """Whether it passes two tests, or one of them."""

    def make(y: Name, how: Part, one: Part, other: Part) -> Tail:
        first, second = (get(part.primitive).bound(part) for part in (one, other))
        both = get(how.primitive).compute
        condition: Expression = get(how.primitive).build(
            get(one.primitive).built(one, y), get(other.primitive).built(other, y)
        )
        words = say("if", how, one=say("if", one, x=y.id), other=say("if", other, x=y.id))
        phrase = told("return.whether", condition=words)
        return Tail((Return(condition),), Type.BOOL, lambda number: both(first(number), second(number)), (phrase,))

    return Slot((joints, tests, tests), make)


def choose(tests: tuple[str, ...], maps: tuple[str, ...]) -> Slot[Tail]:
    """One map of it or another, as a test says."""

    def make(y: Name, test: Part, yes: Part, no: Part) -> Tail:
        passes, one, other = (get(part.primitive).bound(part) for part in (test, yes, no))
        condition, first, second = (get(part.primitive).built(part, y) for part in (test, yes, no))
        phrase = told(
            "choose.result",
            condition=say("if", test, x=y.id),
            yes=say("value", yes, x=y.id),
            no=say("value", no, x=y.id),
        )
        body = (If(condition, (Return(first),), (Return(second),)),)
        return Tail(body, Type.INT, lambda number: one(number) if passes(number) else other(number), (phrase,))

    return Slot((tests, maps, maps), make)


MOST_CALLS = 100
"""Calls of a recursion within each other; above it a problem is undefined, since some languages allow few."""
_NEXT_WORDS = {"one_less": ("minus", 1), "half": ("quotient", 2), "third": ("quotient", 3), "tenth": ("quotient", 10)}


def recurse(nexts: tuple[str, ...], tests: tuple[str, ...], maps: tuple[str, ...]) -> Slot[Tail]:
    """A sum over n, the number after it, and so on down to 0, of maps of those that pass a test."""

    def make(y: Name, step: Part, test: Part, change: Part) -> Tail:
        after, of = get(step.primitive).compute, get(change.primitive).bound(change)
        again = Again((get(step.primitive).build(y),), Type.INT)
        made: Expression = get(change.primitive).built(change, y)
        key, number = _NEXT_WORDS[step.primitive]
        words: dict[str, Phrase | Constant] = {
            "items": y.id,
            "value": say("value", change, x=y.id),
            "next": say("value", Part(key, (number,)), x=y.id),
        }
        stop = If(equal(y, ZERO), (Return(ZERO),))
        deeper = Return(plus(made, again))
        if test.primitive == NOTHING:
            body: Body = (stop, deeper)
            phrase = told("recursion.always", **words)
        else:
            body = (stop, If(get(test.primitive).built(test, y), (deeper,)), Return(again))
            phrase = told("recursion.gated", **words, condition=say("if", test, x=y.id))
        passes = bool if test.primitive == NOTHING else get(test.primitive).bound(test)  # what is counted is above 0

        def compute(n: int) -> Value:
            values: list[int] = []
            for _ in range(MOST_CALLS + 1):
                if n == 0:
                    total: Value = get("sum").compute(values)
                    return total
                values += [of(n)] if passes(n) else []
                n = after(n)
            raise Undefined

        return Tail(body, Type.INT, compute, (phrase,))

    return Slot((nexts, tests, maps), make)


def _visited(kind: str, target: Name, y: Name) -> Statement:
    if kind == "list":
        return Push(target, y)
    return Add(target, y if kind == "sum" else ONE)


def shrink(tests: tuple[str, ...], maps: tuple[str, ...], visits: tuple[str, ...]) -> Slot[Tail]:
    """What happens while it becomes less and less, in one of two ways each time, until it is no longer positive."""

    def make(y: Name, test: Part, yes: Part, no: Part, visit: Part) -> Tail:
        passes, one, other = (get(part.primitive).bound(part) for part in (test, yes, no))
        summary = get(visit.primitive).compute
        kind = get(visit.primitive).build()
        target = Name("result", Type.INTS) if kind == "list" else Name("total", Type.INT)
        condition, first, second = (get(part.primitive).built(part, y) for part in (test, yes, no))
        change = If(condition, (Assign(y, first),), (Assign(y, second),))
        loop = While(greater(y, ZERO), (_visited(kind, target, y), change))
        start = Let(target, Empty(Type.INTS) if kind == "list" else ZERO)

        def compute(number: int) -> Value:
            values: list[int] = []
            while number > 0:
                if len(values) == MOST_ROUNDS:
                    raise Undefined
                values.append(number)
                number = one(number) if passes(number) else other(number)
            total: Value = summary(values)
            return total

        phrase = told(
            "shrink.loop",
            y=y.id,
            condition=say("if", test, x=y.id),
            yes=say("value", yes, x=y.id),
            no=say("value", no, x=y.id),
        )
        last = told(f"return.{visit.primitive}", **({} if kind == "count" else {"y": y.id}))
        return Tail((start, loop, Return(target)), target.type, compute, (phrase, last))

    return Slot((tests, maps, maps, visits), make)
