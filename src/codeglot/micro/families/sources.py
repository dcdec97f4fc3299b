"""Where the items of pipes come from."""

from collections.abc import Callable
from typing import Any

from codeglot.micro.families.pipeline import Items, Rest, Slot, Source, say, told
from codeglot.micro.grammar import Part, Phrase, Undefined
from codeglot.micro.primitives import get
from codeglot.micro.primitives_core import ONE, ZERO, Body, divided, either, greater, modulo
from codeglot.micro.tree import (
    Add,
    Assign,
    Builtin,
    Call,
    Count,
    Empty,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    If,
    Let,
    Name,
    Not,
    Number,
    Truth,
    Type,
    While,
)

XS, N, S, WORDS = Name("xs", Type.INTS), Name("n", Type.INT), Name("s", Type.TEXT), Name("words", Type.TEXTS)
X, LETTER, WORD, DIGIT = Name("x", Type.INT), Name("c", Type.CHAR), Name("w", Type.TEXT), Name("d", Type.INT)
MOST_ROUNDS = 200
"""Numbers from 1 to n, and turns of a loop; above it a problem is undefined, so that tests stay quick."""
_STARTED = Name("started", Type.BOOL)
_TRUE, _FALSE = Truth(value=True), Truth(value=False)
_ITEM = {XS: X, S: LETTER, WORDS: WORD}
_COUNTS = {Type.INT: Type.INT_COUNTS, Type.CHAR: Type.CHAR_COUNTS, Type.TEXT: Type.TEXT_COUNTS}


def _each(parameter: Name, phrase: str) -> Slot[Source]:
    """All items of a parameter."""
    item = _ITEM[parameter]

    def make() -> Source:
        def loop(rest: Rest, finish: Body) -> Body:
            del finish
            return (ForEach(item, parameter, rest((item,))),)

        return Source(parameter, item, loop, list, told(phrase, items=parameter.id))

    return Slot((), make)


LIST = _each(XS, "take.list")
LETTERS = _each(S, "take.letters")
ALL_WORDS = _each(WORDS, "take.words")


def _up_to(n: int) -> range:
    if n > MOST_ROUNDS:
        raise Undefined
    return range(1, n + 1)


def _range() -> Source:
    def loop(rest: Rest, finish: Body) -> Body:
        del finish
        return (ForRange(X, ONE, N, rest((X,))),)

    return Source(N, X, loop, _up_to, told("take.range", items=N.id))


RANGE: Slot[Source] = Slot((), _range)


def _digits_of(n: int) -> list[int]:
    if n == 0:
        raise Undefined  # whether 0 has a digit is left open
    return [int(digit) for digit in reversed(str(n))]


def _digits() -> Source:
    left = Name("rest", Type.INT)

    def loop(rest: Rest, finish: Body) -> Body:
        del finish
        body = (Let(DIGIT, modulo(left, Number(10))), *rest((DIGIT,)), Assign(left, divided(left, Number(10))))
        return (Let(left, N), While(greater(left, ZERO), body))

    return Source(N, DIGIT, loop, _digits_of, told("take.digits", items=N.id))


DIGITS: Slot[Source] = Slot((), _digits)


def walk(places: tuple[str, ...], tests: tuple[str, ...]) -> Slot[Source]:
    """The numbers of a list before, or behind, the first that passes a test."""

    def make(place: Part, test: Part) -> Source:
        passes = get(test.primitive).bound(test)
        stop = get(test.primitive).built(test, X)
        choose = get(place.primitive).compute

        def loop(rest: Rest, finish: Body) -> Body:
            if place.primitive == "before_first":
                return (ForEach(X, XS, (If(stop, finish), *rest((X,)))),)
            body = (If(_STARTED, rest((X,))), If(stop, (Assign(_STARTED, _TRUE),)))
            return (Let(_STARTED, _FALSE), ForEach(X, XS, body))

        def items(xs: list[int]) -> Items:
            found: Items = choose(xs, [passes(x) for x in xs])
            return found

        condition = say("if", test, x=X.id)
        return Source(XS, X, loop, items, say("take", place, items=XS.id, x=X.id, condition=condition))

    return Slot((places, tests), make)


def neighbours(pairs: tuple[str, ...]) -> Slot[Source]:
    """What is made of every number of a list and the one before it."""

    def make(pair: Part) -> Source:
        a, b = Name("a", Type.INT), Name("b", Type.INT)
        value: Expression = get(pair.primitive).built(pair, a, b)
        compute = get(pair.primitive).bound(pair)

        def loop(rest: Rest, finish: Body) -> Body:
            del finish
            body = (If(_STARTED, rest((value,))), Assign(a, b), Assign(_STARTED, _TRUE))
            return (Let(a, ZERO), Let(_STARTED, _FALSE), ForEach(b, XS, body))

        def items(xs: list[int]) -> Items:
            return [compute(xs[place - 1], xs[place]) for place in range(1, len(xs))]

        slots = told("take.neighbours", items=XS.id, a=a.id, b=b.id, value=say("value", pair, a=a.id, b=b.id))
        return Source(XS, X, loop, items, slots)

    return Slot((pairs,), make)


def running(kinds: tuple[str, ...]) -> Slot[Source]:
    """Sums or extremes of all numbers so far."""

    def make(kind: Part) -> Source:
        so_far = Name("y", Type.INT)
        compute = get(kind.primitive).compute
        is_sum = kind.primitive == "running_sum"

        def loop(rest: Rest, finish: Body) -> Body:
            del finish
            if is_sum:
                return (Let(so_far, ZERO), ForEach(X, XS, (Add(so_far, X), *rest((so_far,)))))
            better = greater(X, so_far) if kind.primitive == "running_largest" else greater(so_far, X)
            take = If(either(Not(_STARTED), better), (Assign(so_far, X), Assign(_STARTED, _TRUE)))
            return (Let(so_far, ZERO), Let(_STARTED, _FALSE), ForEach(X, XS, (take, *rest((so_far,)))))

        def items(xs: list[int]) -> Items:
            found: list[int] = []
            for x in xs:
                found.append(compute(found[-1], x) if found else x)
            return found

        return Source(XS, X, loop, items, say("take", kind, items=XS.id))

    return Slot((kinds,), make)


def counted(parameter: Name, scopes: tuple[str, ...], tests: tuple[str, ...], noun: str) -> Slot[Source]:
    """Items that come a certain number of times, each as often as it comes or each once."""
    item = _ITEM[parameter]
    counts = Name("counts", _COUNTS[item.type])
    count = Name("count", Type.INT)

    def make(scope: Part, test: Part) -> Source:
        is_different = get(scope.primitive).build()
        choose: Callable[[Any], Items] = get(scope.primitive).compute
        passes = get(test.primitive).bound(test)
        tell = get(test.primitive)

        def loop(rest: Rest, finish: Body) -> Body:
            del finish
            start = (Let(counts, Empty(counts.type)), ForEach(item, parameter, (Count(counts, item),)))
            if is_different:
                return (*start, ForCounts(item, count, counts, (If(tell.built(test, count), rest((item,))),)))
            number = Call(Builtin.COUNT_OF, (counts, item), Type.INT)
            return (*start, ForEach(item, parameter, (If(tell.built(test, number), rest((item,))),)))

        def items(values: Any) -> Items:
            return [value for value in choose(values) if passes(values.count(value))]

        take = f"take.different_{noun}" if is_different else f"take.{'list' if noun == 'numbers' else noun}"
        phrase = _two(told(take, items=parameter.id), say("keep", test, items=parameter.id))
        return Source(parameter, item, loop, items, phrase)

    return Slot((scopes, tests), make)


def _two(first: Phrase, rest: Phrase) -> Phrase:
    return told("sentences", first=first, rest=rest)
