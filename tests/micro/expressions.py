"""Random expressions over the integers `a` and `b`, and the obvious way to evaluate them."""

import operator
import random
from collections.abc import Callable, Mapping

from codeglot.micro.renderers.scope import walk
from codeglot.micro.tree import COMPARISONS, Builtin, Call, Expression, Infix, Minus, Name, Not, Number, Operation, Type

_NUMBERS: dict[Infix, Callable[[int, int], int]] = {
    Infix.PLUS: operator.add,
    Infix.MINUS: operator.sub,
    Infix.TIMES: operator.mul,
    Infix.DIVIDE: operator.floordiv,
    Infix.REMAINDER: operator.mod,
    Infix.EQUAL: operator.eq,
    Infix.DIFFERS: operator.ne,
    Infix.LESS: operator.lt,
    Infix.AT_MOST: operator.le,
    Infix.GREATER: operator.gt,
    Infix.AT_LEAST: operator.ge,
    Infix.AND: lambda left, right: left and right,
    Infix.OR: lambda left, right: left or right,
}
_CALLS: dict[Builtin, Callable[..., int]] = {Builtin.ABSOLUTE: abs, Builtin.SMALLER: min, Builtin.LARGER: max}


def evaluate(node: Expression, values: Mapping[str, int]) -> int:
    """The value of an expression."""
    match node:
        case Number(value):
            return value
        case Name():
            return values[node.id]
        case Minus(operand):
            return -evaluate(operand, values)
        case Not(operand):
            return not evaluate(operand, values)
        case Operation(infix, left, right):
            return _NUMBERS[infix](evaluate(left, values), evaluate(right, values))
        case Call(function, arguments):
            return _CALLS[function](*(evaluate(argument, values) for argument in arguments))
        case _:
            raise ValueError(f"these tests make no {node}")


def random_expression(draw: random.Random, kind: Type, depth: int) -> Expression:
    """An expression of a type; both operands of a division are >= 0, a remainder is compared with 0."""
    return _truth(draw, depth) if kind == Type.BOOL else _number(draw, depth)


def _number(draw: random.Random, depth: int) -> Expression:
    if depth == 0:
        leaves: list[Expression] = [Name("a", Type.INT), Name("b", Type.INT), Number(draw.randint(-4, 9))]
        return draw.choice(leaves)
    left, right = _number(draw, depth - 1), _number(draw, draw.randrange(depth))
    if draw.random() < 0.5:
        left, right = right, left
    made: list[Expression] = [
        *[Operation(infix, left, right) for infix in (Infix.PLUS, Infix.MINUS, Infix.MINUS)],
        Operation(Infix.TIMES, left, Number(draw.randint(-3, 3))),
        Operation(Infix.TIMES, Number(draw.randint(-3, 3)), left),
        *[Operation(infix, _positive(left), Number(draw.randint(1, 5))) for infix in (Infix.DIVIDE, Infix.REMAINDER)],
        Operation(Infix.DIVIDE, _positive(right), Operation(Infix.PLUS, _positive(left), Number(1))),
        Minus(left),
        Call(Builtin.SMALLER, (left, right), Type.INT),
        Call(Builtin.LARGER, (left, right), Type.INT),
        _positive(left),
    ]
    return draw.choice(made)


def _positive(node: Expression) -> Expression:
    """The absolute value; of something with a variable in it, as in Rust a number alone has no type yet."""
    has_variable = any(isinstance(part, Name) for part in walk([node]))
    return Call(
        Builtin.ABSOLUTE, (node if has_variable else Operation(Infix.MINUS, node, Name("a", Type.INT)),), Type.INT
    )


def _truth(draw: random.Random, depth: int) -> Expression:
    if depth <= 1:
        return Operation(draw.choice(sorted(COMPARISONS)), _number(draw, 1), _number(draw, 1))
    left, right = _truth(draw, depth - 1), _truth(draw, draw.randrange(depth))
    made: list[Expression] = [
        Operation(Infix.AND, left, right),
        Operation(Infix.OR, right, left),
        Not(left),
        Operation(Infix.EQUAL, Operation(Infix.REMAINDER, _number(draw, depth - 2), Number(3)), Number(0)),
    ]
    return draw.choice(made)
