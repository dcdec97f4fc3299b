"""Primitives that make one value of many: totals, lists, texts, extremes, and questions about how often each came."""

from collections import Counter
from collections.abc import Callable, Sequence

from codeglot.micro.primitives_core import (
    ONE,
    ZERO,
    Body,
    Kind,
    Pieces,
    Primitive,
    Reducer,
    call,
    either,
    equal,
    fit,
    greater,
    less,
    times,
)
from codeglot.micro.tree import (
    Add,
    Assign,
    Builtin,
    Count,
    Empty,
    Expression,
    ForCounts,
    If,
    Let,
    Letters,
    Name,
    Not,
    Number,
    Push,
    Return,
    Truth,
    Type,
    Write,
)

_LIST = {Type.INT: Type.INTS, Type.TEXT: Type.TEXTS}
_COUNTS = {Type.INT: Type.INT_COUNTS, Type.TEXT: Type.TEXT_COUNTS, Type.CHAR: Type.CHAR_COUNTS}
_COUNT = Name("count", Type.INT)

Build = Callable[[Type, str | None], Reducer]
"""Type of the items and the name of the variable for the result, or None for the usual one -> what to write."""


def _simple(kind: Type, usual: str, start: Expression, step: Callable[[Name, Expression], Body]) -> Build:
    """A variable that starts with a value and changes by each single piece."""

    def build(item: Type, name: str | None) -> Reducer:
        del item
        target = Name(name or usual, kind)
        return Reducer(target, (Let(target, start),), lambda pieces: step(target, pieces[0]), (Return(target),), kind)

    return build


def _extreme(is_better: Callable[[Expression, Expression], Expression]) -> Build:
    def build(item: Type, name: str | None) -> Reducer:
        best, found = Name(name or "best", item), Name("found", Type.BOOL)

        def step(pieces: Pieces) -> Body:
            (value,) = pieces
            condition = either(Not(found), is_better(value, best))
            return (If(condition, (Assign(best, value), Assign(found, Truth(value=True)))),)

        start = (Let(best, ZERO), Let(found, Truth(value=False)))
        return Reducer(best, start, step, (Return(best),), Type.INT, needs_name=True)

    return build


def _first(usual: Expression) -> Build:
    def build(item: Type, name: str | None) -> Reducer:
        first, found = Name(name or "result", item), Name("found", Type.BOOL)

        def step(pieces: Pieces) -> Body:
            return (If(Not(found), (Assign(first, pieces[0]), Assign(found, Truth(value=True)))),)

        start = (Let(first, usual), Let(found, Truth(value=False)))
        return Reducer(first, start, step, (Return(usual),), item, is_first=True)

    return build


def _list(item: Type, name: str | None) -> Reducer:
    result = Name(name or "result", _LIST[item])
    start = (Let(result, Empty(result.type)),)
    return Reducer(result, start, lambda pieces: (Push(result, pieces[0]),), (Return(result),), result.type)


def _joined(*, at_front: bool) -> Build:
    def build(item: Type, name: str | None) -> Reducer:
        result = Name(name or "result", Type.TEXT)

        def step(pieces: Pieces) -> Body:
            if item is Type.INT:
                return (Write(result, call(Builtin.SHOW, Type.TEXT, pieces[0])),)
            return tuple(Write(result, piece, at_front) for piece in (reversed(pieces) if at_front else pieces))

        return Reducer(result, (Let(result, Empty(Type.TEXT)),), step, (Return(result),), Type.TEXT)

    return build


def _each_once(item: Type, name: str | None) -> Reducer:
    result = Name(name or "result", Type.TEXT)

    def step(pieces: Pieces) -> Body:
        (letter,) = pieces
        return (If(Not(call(Builtin.HAS, Type.BOOL, result, letter)), (Write(result, letter),)),)

    start = (Let(result, Empty(Type.TEXT)),)
    return Reducer(result, start, step, (Return(result),), Type.TEXT, needs_name=item is not Type.CHAR)


def _by_length(is_better: Callable[[Expression, Expression], Expression]) -> Build:
    """Words are never empty, so an empty text tells that there was none yet."""

    def build(item: Type, name: str | None) -> Reducer:
        best = Name(name or "best", item)

        def step(pieces: Pieces) -> Body:
            (word,) = pieces
            length = call(Builtin.LENGTH, Type.INT, best)
            return (If(is_better(call(Builtin.LENGTH, Type.INT, word), length), (Assign(best, word),)),)

        return Reducer(best, (Let(best, Letters("")),), step, (Return(best),), Type.TEXT, needs_name=True)

    return build


def _tally(finish: Callable[[Name], Body]) -> Build:
    """Counts everything first, then looks at the counts."""

    def build(item: Type, name: str | None) -> Reducer:
        counts = Name(name or "counts", _COUNTS[item])
        start = (Let(counts, Empty(counts.type)),)
        step: Callable[[Pieces], Body] = lambda pieces: (Count(counts, pieces[0]),)  # noqa: E731
        return Reducer(counts, start, step, finish(counts), Type.INT, needs_name=True)

    return build


def _different(counts: Name) -> Body:
    return (Return(call(Builtin.LENGTH, Type.INT, counts)),)


def _commonest(counts: Name) -> Body:
    best = Name("best", Type.INT)
    look = If(greater(_COUNT, best), (Assign(best, _COUNT),))
    return (Let(best, ZERO), ForCounts(None, _COUNT, counts, (look,)), Return(best))


def _how_many(condition: Callable[[Expression, Expression], Expression]) -> Callable[[Name], Body]:
    def finish(counts: Name) -> Body:
        total = Name("total", Type.INT)
        look = If(condition(_COUNT, ONE), (Add(total, ONE),))
        return (Let(total, ZERO), ForCounts(None, _COUNT, counts, (look,)), Return(total))

    return finish


def _sum(items: Sequence[int]) -> int:
    fit(sum(map(abs, items)))  # so every total on the way fits, too
    return sum(items)


def _product(items: Sequence[int]) -> int:
    result = 1
    for item in items:
        result = fit(result * item)
    return result


def _unique(items: Sequence[str]) -> str:
    return "".join(dict.fromkeys(items))


_KIND = Kind.REDUCE
_EMPTY = Letters("")
REDUCES = (
    Primitive("sum", _KIND, _sum, _simple(Type.INT, "total", ZERO, lambda name, value: (Add(name, value),))),
    Primitive("count", _KIND, len, _simple(Type.INT, "total", ZERO, lambda name, _: (Add(name, ONE),))),
    Primitive("list", _KIND, list, _list),
    Primitive("joined", _KIND, lambda items: "".join(map(str, items)), _joined(at_front=False)),
    Primitive(
        "product",
        _KIND,
        _product,
        _simple(Type.INT, "result", Number(1), lambda name, value: (Assign(name, times(name, value)),)),
    ),
    Primitive("largest", _KIND, lambda items: max(items, default=0), _extreme(greater)),
    Primitive("smallest", _KIND, lambda items: min(items, default=0), _extreme(less)),
    Primitive("first", _KIND, lambda items: items[0] if items else 0, _first(ZERO)),
    Primitive(
        "last",
        _KIND,
        lambda items: items[-1] if items else 0,
        _simple(Type.INT, "result", ZERO, lambda name, value: (Assign(name, value),)),
    ),
    Primitive("backwards", _KIND, lambda items: "".join(reversed(items)), _joined(at_front=True)),
    Primitive("each_once", _KIND, _unique, _each_once),
    Primitive("first_text", _KIND, lambda items: items[0] if items else "", _first(_EMPTY)),
    Primitive(
        "last_text",
        _KIND,
        lambda items: items[-1] if items else "",
        _simple(Type.TEXT, "result", _EMPTY, lambda name, value: (Assign(name, value),)),
    ),
    Primitive("longest", _KIND, lambda items: max(items, key=len, default=""), _by_length(greater)),
    Primitive(
        "shortest",
        _KIND,
        lambda items: min(items, key=len, default=""),
        _by_length(lambda new, old: either(equal(old, ZERO), less(new, old))),
    ),
    Primitive("different", _KIND, lambda items: len(set(items)), _tally(_different)),
    Primitive("commonest", _KIND, lambda items: max(Counter(items).values(), default=0), _tally(_commonest)),
    Primitive("repeated", _KIND, lambda items: sum(n > 1 for n in Counter(items).values()), _tally(_how_many(greater))),
    Primitive("single", _KIND, lambda items: sum(n == 1 for n in Counter(items).values()), _tally(_how_many(equal))),
)
