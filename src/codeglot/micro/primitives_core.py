"""What a primitive is, and short ways to write the trees that primitives are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from codeglot.micro.grammar import Constant, Part, Undefined
from codeglot.micro.tree import Builtin, Call, Expression, Infix, Letters, Name, Number, Operation, Statement, Type

LIMIT = 2**31
"""Values stay strictly between its negative and it."""

Body = tuple[Statement, ...]
Pieces = tuple[Expression, ...]
"""What is made of one item: one expression, or several that are written one after another into a text."""


class Kind(StrEnum):
    """What a primitive takes and gives; in comments, `compute` and `build`, both with the constants behind."""

    NUMBER_TEST = "number test"
    """int -> bool; Expression -> Expression."""
    LETTER_TEST = "letter test"
    """str -> bool; Expression -> Expression."""
    WORD_TEST = "word test"
    """str -> bool; Expression -> Expression."""
    COUNT_TEST = "count test"
    """How often something came, int -> bool; Expression -> Expression."""
    NUMBER_MAP = "number map"
    """int -> int; Expression -> Expression."""
    LETTER_MAP = "letter map"
    """str -> str; Expression -> Pieces."""
    WORD_MAP = "word map"
    """str -> str or int; Name, name of a new variable -> Built."""
    PAIR = "pair"
    """int, int -> int; Expression, Expression -> Expression."""
    RELATION_TEST = "relation test"
    """An item and a y made of all, int, int -> bool; Expression, Expression -> Expression."""
    RELATION_MAP = "relation map"
    """int, int -> int; Expression, Expression -> Expression."""
    FOLD = "fold"
    """item, value so far -> value; Expression, Expression -> Expression."""
    REDUCE = "reduce"
    """list -> Value; Type of the items, name of the variable or None -> Reducer."""
    CHOICE = "choice"
    """One of a few ways that a family has; the family knows what it means."""


class Built(NamedTuple):
    """An expression, and the statements that must stand before it."""

    before: Body
    value: Expression


class Reducer(NamedTuple):
    """A loop's start, middle and end, that make one value of many."""

    target: Name
    """Variable that holds the result so far."""
    start: Body
    step: Callable[[Pieces], Body]
    finish: Body
    """Ends with a `Return`."""
    result: Type
    needs_name: bool = False
    """Whether `step` writes its piece down more than once, so that it should be a name."""
    is_first: bool = False
    """Whether the first item is already the result, so that a loop may return it at once."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One of the things that compositions are made of."""

    name: str
    kind: Kind
    compute: Callable[..., Any]
    """Plain Python, for the reference; knows nothing of `build`."""
    build: Callable[..., Any]
    """For the canonical solution."""
    constants: tuple[tuple[Constant, ...], ...] = ()
    """For each constant, the values that it is drawn from."""
    slots: tuple[str, ...] = ()
    """What the phrases call the constants."""
    word: str = ""
    """Its key in the phrase tables, where that is not its name."""

    @property
    def key(self) -> str:
        """Its key in the phrase tables."""
        return self.word or self.name

    def bound(self, part: Part) -> Callable[..., Any]:
        """`compute` with the constants of a part in place."""
        compute = self.compute
        match part.constants:
            case ():
                return compute
            case (k,) if self.kind not in {Kind.PAIR, Kind.FOLD}:
                return lambda item: compute(item, k)
            case constants:
                return lambda *items: compute(*items, *constants)

    def built(self, part: Part, *arguments: Any) -> Any:
        """`build` with the constants of a part in place, as expressions."""
        return self.build(*arguments, *map(written, part.constants))


def fit(value: int) -> int:
    """The value itself.

    Raises:
        Undefined: If it leaves 32 bits.
    """
    if not -LIMIT < value < LIMIT:
        raise Undefined
    return value


def written(constant: Constant) -> Expression:
    """A constant as an expression."""
    return Number(constant) if isinstance(constant, int) else Letters(constant)


def operation(operator: Infix) -> Callable[[Expression, Expression], Expression]:
    """A function that puts an operator between two expressions."""
    return lambda left, right: Operation(operator, left, right)


def call(function: Builtin, kind: Type, *arguments: Expression) -> Expression:
    """A built-in function."""
    return Call(function, arguments, kind)


def absolute(value: Expression) -> Expression:
    """The absolute value."""
    return call(Builtin.ABSOLUTE, Type.INT, value)


plus = operation(Infix.PLUS)
minus = operation(Infix.MINUS)
times = operation(Infix.TIMES)
divided = operation(Infix.DIVIDE)
modulo = operation(Infix.REMAINDER)
equal = operation(Infix.EQUAL)
differs = operation(Infix.DIFFERS)
less = operation(Infix.LESS)
at_most = operation(Infix.AT_MOST)
greater = operation(Infix.GREATER)
at_least = operation(Infix.AT_LEAST)
both = operation(Infix.AND)
either = operation(Infix.OR)
ZERO = Number(0)
ONE = Number(1)
