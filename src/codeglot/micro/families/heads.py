"""How the number of a chain is had."""

from typing import Any

from codeglot.micro.families.chain import Head
from codeglot.micro.families.pipeline import Slot, say, told
from codeglot.micro.families.sources import LIST, XS, N
from codeglot.micro.families.steps import keep
from codeglot.micro.grammar import Part
from codeglot.micro.primitives import get
from codeglot.micro.tree import Let, Name, Type

A, B, Y = Name("a", Type.INT), Name("b", Type.INT), Name("y", Type.INT)

NATURAL: Slot[Head] = Slot((), lambda: Head((N,), (), N, int, ()))
"""It is n, which is never negative."""


def pair(pairs: tuple[str, ...]) -> Slot[Head]:
    """It is made of two parameters."""

    def make(part: Part) -> Head:
        primitive = get(part.primitive)
        words = told("let.value", y=Y.id, value=say("value", part, a=A.id, b=B.id))
        return Head((A, B), (Let(Y, primitive.built(part, A, B)),), Y, primitive.bound(part), (words,))

    return Slot((pairs,), make)


def mapped(maps: tuple[str, ...]) -> Slot[Head]:
    """It is made of n."""

    def make(part: Part) -> Head:
        primitive = get(part.primitive)
        value = N.id if part.primitive == "itself" else say("value", part, x=N.id)
        words = told("let.value", y=Y.id, value=value)
        return Head((N,), (Let(Y, primitive.built(part, N)),), Y, primitive.bound(part), (words,))

    return Slot((maps,), make)


def reduced(tests: tuple[str, ...], reduces: tuple[str, ...]) -> Slot[Head]:
    """It is made of a list, or of those of its numbers that pass a test."""
    kept = keep(*tests)

    def make(test: Part, reduce: Part) -> Head:
        source = LIST.make()
        step = kept.make(source, Type.INT, test)
        primitive = get(reduce.primitive)
        reducer = primitive.built(reduce, Type.INT, Y.id)
        summary = primitive.bound(reduce)
        last = told(f"let.{primitive.key}", y=Y.id)
        if step is None:
            loop = source.loop(reducer.step, ())
            return Head((XS,), (*reducer.start, *loop), Y, summary, (source.phrase, last))
        loop = source.loop(lambda pieces: step.wrap(pieces, reducer.step), ())

        def compute(xs: Any) -> int:
            return int(summary(step.apply(xs)))

        return Head((XS,), (*reducer.start, *loop), Y, compute, (source.phrase, step.phrase, last))

    return Slot((tests, reduces), make)
