"""A world of two small families, for tests of what is made out of any families."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from codeglot.micro.grammar import Composition, Constant, Part, Phrase, Reference, Undefined
from codeglot.micro.primitives import NOTHING
from codeglot.micro.tree import (
    Add,
    Expression,
    ForEach,
    Function,
    If,
    Infix,
    Let,
    Name,
    Number,
    Operation,
    Return,
    Statement,
    Type,
    Value,
)
from codeglot.micro.world import World


class Toy(NamedTuple):
    """A primitive in both its forms."""

    apply: Callable[..., int | bool]
    tree: Callable[..., Expression]
    choices: tuple[Sequence[Constant], ...] = ()


def _with_zero(operator: Infix, divisor: int) -> Callable[..., Expression]:
    return lambda x: Operation(operator, Operation(Infix.REMAINDER, x, Number(divisor)), Number(0))


TESTS = {
    "even": Toy(lambda x: x % 2 == 0, _with_zero(Infix.EQUAL, 2)),
    "odd": Toy(lambda x: x % 2 != 0, _with_zero(Infix.DIFFERS, 2)),
    "not_odd": Toy(lambda x: x % 2 == 0, lambda x: Operation(Infix.EQUAL, _with_zero(Infix.DIFFERS, 2)(x), Number(0))),
    "divisible": Toy(
        lambda x, k: x % k == 0,
        lambda x, k: Operation(Infix.EQUAL, Operation(Infix.REMAINDER, x, Number(k)), Number(0)),
        (range(3, 8),),
    ),
    "greater": Toy(lambda x, k: x > k, lambda x, k: Operation(Infix.GREATER, x, Number(k)), (range(1, 12),)),
    "less": Toy(lambda x, k: x < k, lambda x, k: Operation(Infix.LESS, x, Number(k)), (range(1, 12),)),
}
MAPS = {
    "plus": Toy(lambda x, k: x + k, lambda x, k: Operation(Infix.PLUS, x, Number(k)), (range(1, 10),)),
    "times": Toy(lambda x, k: x * k, lambda x, k: Operation(Infix.TIMES, x, Number(k)), (range(2, 8),)),
    "square": Toy(lambda x: x * x, lambda x: Operation(Infix.TIMES, x, x)),
    "less_by": Toy(lambda x, k: x - k, lambda x, k: Operation(Infix.MINUS, x, Number(k)), (range(1, 10),)),
}
PRIMITIVES = {**TESTS, **MAPS}


def _said(part: Part) -> Phrase:
    return Phrase(part.primitive, tuple(("k", constant) for constant in part.constants))


def _tree(part: Part, operand: Expression) -> Expression:
    return operand if part.primitive == NOTHING else PRIMITIVES[part.primitive].tree(operand, *part.constants)


def _bound(part: Part) -> Callable[[int], int | bool]:
    if part.primitive == NOTHING:
        return lambda x: x
    toy = PRIMITIVES[part.primitive]
    return lambda x: toy.apply(x, *part.constants)


class Pipe:
    """Numbers of a list that pass a test, changed, added up or counted."""

    name = "pipe"
    places: tuple[tuple[str, ...], ...] = ((NOTHING, *TESTS), (NOTHING, *MAPS), ("sum", "count"))

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        return not (shape[2] == "count" and (shape[1] != NOTHING or shape[0] == NOTHING))

    def function(self, composition: Composition) -> Function:
        test, change, reduce = composition.parts
        x, total = Name("x", Type.INT), Name("total", Type.INT)
        added: Expression = Number(1) if reduce.primitive == "count" else _tree(change, x)
        body: Statement = Add(total, added)
        if test.primitive != NOTHING:
            body = If(_tree(test, x), (body,))
        loop = ForEach(x, Name("xs", Type.INTS), (body,))
        return Function("solve", (Name("xs", Type.INTS),), Type.INT, (Let(total, Number(0)), loop, Return(total)))

    def reference(self, composition: Composition) -> Reference:
        test, change, reduce = composition.parts
        keep, turn = _bound(test), _bound(change)

        def solve(xs: list[int]) -> Value:
            kept = [x for x in xs if test.primitive == NOTHING or keep(x)]
            return len(kept) if reduce.primitive == "count" else sum(turn(x) for x in kept)

        return solve

    def phrase(self, composition: Composition) -> Phrase:
        return Phrase("pipe", tuple(zip("abc", map(_said, composition.parts), strict=True)))


class Choice:
    """One of two expressions of a number."""

    name = "choice"
    places: tuple[tuple[str, ...], ...] = (tuple(TESTS), tuple(MAPS), tuple(MAPS))

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        return shape[1] != shape[2]

    def function(self, composition: Composition) -> Function:
        test, one, other = composition.parts
        n = Name("n", Type.INT)
        chosen = If(_tree(test, n), (Return(_tree(one, n)),), (Return(_tree(other, n)),))
        return Function("solve", (n,), Type.INT, (chosen,))

    def reference(self, composition: Composition) -> Reference:
        test, one, other = map(_bound, composition.parts)

        def solve(n: int) -> Value:
            if n < 0:
                raise Undefined
            return one(n) if test(n) else other(n)

        return solve

    def phrase(self, composition: Composition) -> Phrase:
        return Phrase("choice", tuple(zip("abc", map(_said, composition.parts), strict=True)))


def choices(primitive: str) -> tuple[Sequence[Constant], ...]:
    """What the constants of a primitive are drawn from."""
    return PRIMITIVES[primitive].choices if primitive in PRIMITIVES else ()


TOY = World({"pipe": Pipe(), "choice": Choice()}, choices)
