"""What happens to each item of a pipe, and what becomes of all of them."""

from collections.abc import Callable
from typing import Any

from codeglot.micro.families.pipeline import (
    VALUE,
    End,
    Items,
    Rest,
    Slot,
    Source,
    Step,
    named,
    say,
    sentences,
    told,
)
from codeglot.micro.grammar import Part, Phrase
from codeglot.micro.primitives import NOTHING, get
from codeglot.micro.primitives_choices import Verdict
from codeglot.micro.primitives_core import ONE, ZERO, Body, Kind, Pieces, either, greater
from codeglot.micro.tree import (
    COMPARISONS,
    Add,
    Assign,
    Expression,
    If,
    Infix,
    Let,
    Name,
    Not,
    Operation,
    Return,
    Truth,
    Type,
    Value,
)

_TRUE, _FALSE = Truth(value=True), Truth(value=False)
_OPPOSITE = {
    Infix.EQUAL: Infix.DIFFERS,
    Infix.DIFFERS: Infix.EQUAL,
    Infix.LESS: Infix.AT_LEAST,
    Infix.AT_LEAST: Infix.LESS,
    Infix.GREATER: Infix.AT_MOST,
    Infix.AT_MOST: Infix.GREATER,
}


def keep(*places: str) -> Slot[Step | None]:
    """Only items that pass a test go on."""

    def make(source: Source, item: Type, part: Part) -> Step | None:
        del source
        if part.primitive == NOTHING:
            return None
        primitive = get(part.primitive)
        passes = primitive.bound(part)

        def wrap(pieces: Pieces, rest: Rest) -> Body:
            return named(pieces, lambda one: (If(primitive.built(part, *one), rest(one)),))

        return Step(item, wrap, lambda items: [x for x in items if passes(x)], say("keep", part))

    return Slot((places,), make)


def each(*places: str) -> Slot[Step | None]:
    """Every item is replaced."""

    def make(source: Source, item: Type, part: Part) -> Step | None:
        del source
        if part.primitive == NOTHING:
            return None
        change = get(part.primitive).bound(part)
        after = Type.INT if part.primitive == "word_length" else item
        return Step(after, _changes(part), lambda items: [change(x) for x in items], say("each", part))

    return Slot((places,), make)


def _changes(part: Part) -> Callable[[Pieces, Rest], Body]:
    primitive = get(part.primitive)

    def word(pieces: Pieces, rest: Rest) -> Body:
        built = primitive.built(part, pieces[0], VALUE)
        return (*built.before, *rest((built.value,)))

    def number(pieces: Pieces, rest: Rest) -> Body:
        return named(pieces, lambda one: rest((primitive.built(part, *one),)))

    def letter(pieces: Pieces, rest: Rest) -> Body:
        return rest(primitive.built(part, *pieces))

    return {Kind.WORD_MAP: word, Kind.LETTER_MAP: letter}.get(primitive.kind, number)


def choose(tests: tuple[str, ...], changes: tuple[str, ...]) -> Slot[Step | None]:
    """Every item is replaced in one of two ways."""

    def make(source: Source, item: Type, *parts: Part) -> Step | None:
        test, yes, no = parts
        passes, one, other = (get(part.primitive).bound(part) for part in parts)
        tell = get(test.primitive)

        def wrap(pieces: Pieces, rest: Rest) -> Body:
            condition = tell.built(test, *pieces)
            return (If(condition, _changes(yes)(pieces, rest), _changes(no)(pieces, rest)),)

        x = source.item.id
        phrase = told(
            "choose.each",
            x=x,
            condition=say("if", test, x=x),
            yes=_replacement(yes, x),
            no=_replacement(no, x),
        )
        return Step(item, wrap, lambda items: [one(x) if passes(x) else other(x) for x in items], phrase)

    return Slot((tests, changes, changes), make)


def _replacement(part: Part, item: str) -> Phrase:
    """What stands in the place of an item; a star says nothing of it."""
    return say("value", part) if part.primitive == "star" else say("value", part, x=item)


def record(*places: str) -> Slot[Step | None]:
    """Only items that are better than all before them go on."""

    def make(source: Source, item: Type, part: Part) -> Step | None:
        del source
        best, started = Name("best", item), Name("started", Type.BOOL)
        is_better = get(part.primitive).compute
        better = get(part.primitive).build

        def wrap(pieces: Pieces, rest: Rest) -> Body:
            def look(one: Pieces) -> Body:
                condition = either(Not(started), better(one[0], best))
                return (If(condition, (Assign(best, one[0]), Assign(started, _TRUE), *rest(one))),)

            return named(pieces, look)

        def apply(items: Items) -> Items:
            return [x for place, x in enumerate(items) if all(is_better(x, earlier) for earlier in items[:place])]

        return Step(item, wrap, apply, say("keep", part), (Let(best, ZERO), Let(started, _FALSE)))

    return Slot((places,), make)


def related(firsts: tuple[str, ...], relations: tuple[str, ...]) -> Slot[Step | None]:
    """First one value y is made of all items; then they are kept, or changed, by it."""

    def make(source: Source, item: Type, first: Part, relation: Part) -> Step | None:
        y = Name("y", Type.INT)
        reducer = get(first.primitive).built(first, item, y.id)
        summary = get(first.primitive).bound(first)
        primitive = get(relation.primitive)
        is_test = primitive.kind is Kind.RELATION_TEST

        def wrap(pieces: Pieces, rest: Rest) -> Body:
            made: Expression = primitive.build(pieces[0], y)
            return (If(made, rest(pieces)),) if is_test else rest((made,))

        def apply(items: Items) -> Items:
            value = summary(items)
            if is_test:
                return [x for x in items if primitive.compute(x, value)]
            return [primitive.compute(x, value) for x in items]

        words = told(f"{'keep' if is_test else 'each'}.{primitive.key}", k=y.id)
        before = (*reducer.start, *source.loop(reducer.step, ()))
        return Step(item, wrap, apply, sentences(say("let", first, y=y.id), words), before)

    return Slot((firsts, relations), make)


# Ends.


def reduce(*places: str) -> Slot[End]:
    """One value made of all items."""

    def make(source: Source, item: Type, part: Part) -> End:
        del source
        reducer = get(part.primitive).built(part, item, None)
        phrase = say("return", part)
        compute = get(part.primitive).bound(part)
        if reducer.is_first:
            return End((), lambda pieces: (Return(pieces[0]),), reducer.finish, reducer.result, compute, phrase)
        step = (lambda pieces: named(pieces, reducer.step)) if reducer.needs_name else reducer.step
        return End(reducer.start, step, reducer.finish, reducer.result, compute, phrase)

    return Slot((places,), make)


def opposite(condition: Expression) -> Expression:
    """The negation of a condition, without `Not` where a comparison can be turned around."""
    if isinstance(condition, Operation) and condition.operator in COMPARISONS:
        return Operation(_OPPOSITE[condition.operator], condition.left, condition.right)
    return condition.operand if isinstance(condition, Not) else Not(condition)


def quantify(quantifiers: tuple[str, ...], tests: tuple[str, ...]) -> Slot[End]:
    """Whether any, all or none of the items pass a test."""

    def make(source: Source, item: Type, quantifier: Part, test: Part) -> End:
        del item
        primitive = get(test.primitive)
        passes, answer = primitive.bound(test), get(quantifier.primitive).compute
        verdict: Verdict = get(quantifier.primitive).build()

        def look(pieces: Pieces) -> Body:
            condition: Expression = primitive.built(test, *pieces)
            stop = condition if verdict.at_pass else opposite(condition)
            return (If(stop, (Return(Truth(value=verdict.decided)),)),)

        def compute(items: Items) -> Value:
            return bool(answer([passes(x) for x in items]))

        x = source.item.id
        phrase = say("return", quantifier, x=x, condition=say("if", test, x=x))
        finish = (Return(Truth(value=not verdict.decided)),)
        return End((), lambda pieces: named(pieces, look), finish, Type.BOOL, compute, phrase)

    return Slot((quantifiers, tests), make)


def longest_run(tests: tuple[str, ...]) -> Slot[End]:
    """The most items in a row that pass a test."""

    def make(source: Source, item: Type, test: Part) -> End:
        del item
        run, best = Name("run", Type.INT), Name("best", Type.INT)
        primitive = get(test.primitive)
        passes = primitive.bound(test)

        def look(pieces: Pieces) -> Body:
            longer = If(greater(run, best), (Assign(best, run),))
            return (If(primitive.built(test, *pieces), (Add(run, ONE), longer), (Assign(run, ZERO),)),)

        def compute(items: Items) -> Value:
            marks = "".join("1" if passes(x) else " " for x in items)
            return max(map(len, marks.split()), default=0)

        x = source.item.id
        phrase = told("return.longest_run", x=x, condition=say("if", test, x=x))
        start = (Let(run, ZERO), Let(best, ZERO))
        return End(start, lambda pieces: named(pieces, look), (Return(best),), Type.INT, compute, phrase)

    return Slot((tests,), make)


def fold(*places: str) -> Slot[End]:
    """A value that starts at 0 and is replaced for each item."""

    def make(source: Source, item: Type, part: Part) -> End:
        y = Name("y", item)
        primitive = get(part.primitive)
        after = primitive.bound(part)

        def look(pieces: Pieces) -> Body:
            return (Assign(y, primitive.built(part, *pieces, y)),)

        def compute(items: Items) -> Value:
            value = 0
            for x in items:
                value = after(x, value)
            return value

        x = source.item.id
        words: dict[str, Any] = {"a": x, "b": y.id} if primitive.kind is Kind.PAIR else {"x": x, "y": y.id}
        phrase = told("fold.loop", x=x, y=y.id, value=say("value", part, **words))
        return End((Let(y, ZERO),), look, (Return(y),), Type.INT, compute, phrase)

    return Slot((places,), make)
