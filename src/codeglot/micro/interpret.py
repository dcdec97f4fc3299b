"""Runs a tree, as strictly as the strictest of the languages that it is rendered to.

What every language would have to agree on is checked on the way: values within 32 bits, no quotient or remainder of a
negative number, no variable that is unknown, declared twice or changed though constant.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from codeglot.micro.grammar import Undefined
from codeglot.micro.primitives_core import fit
from codeglot.micro.tree import (
    Add,
    Again,
    Assign,
    Builtin,
    Call,
    Count,
    Empty,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Infix,
    Let,
    Letters,
    Minus,
    Name,
    Not,
    Number,
    Operation,
    Push,
    Return,
    Statement,
    Truth,
    Type,
    Value,
    While,
    Write,
)

MOST_STEPS = 100_000
"""Statements before a call counts as endless."""
MOST_CALLS = 110
"""Calls of itself within each other before a function counts as endless; each takes a few of Python's own frames."""
_ARITHMETIC: dict[Infix, Callable[[Any, Any], Any]] = {
    Infix.PLUS: lambda a, b: fit(a + b),
    Infix.MINUS: lambda a, b: fit(a - b),
    Infix.TIMES: lambda a, b: fit(a * b),
    Infix.DIVIDE: lambda a, b: a // b,
    Infix.REMAINDER: lambda a, b: a % b,
    Infix.EQUAL: lambda a, b: a == b,
    Infix.DIFFERS: lambda a, b: a != b,
    Infix.LESS: lambda a, b: a < b,
    Infix.AT_MOST: lambda a, b: a <= b,
    Infix.GREATER: lambda a, b: a > b,
    Infix.AT_LEAST: lambda a, b: a >= b,
}
_BUILTINS: dict[Builtin, Callable[..., Any]] = {
    Builtin.ABSOLUTE: abs,
    Builtin.SMALLER: min,
    Builtin.LARGER: max,
    Builtin.LENGTH: len,
    Builtin.FIRST: lambda items: items[0],
    Builtin.LAST: lambda items: items[-1],
    Builtin.UPPER: lambda text: text.upper(),
    Builtin.SHOW: str,
    Builtin.HAS: lambda text, letter: letter in text,
    Builtin.COUNT_OF: lambda counts, key: counts.get(key, 0),
}
_ZERO_TESTS = frozenset({Infix.EQUAL, Infix.DIFFERS})
_EMPTY: dict[Type, Callable[[], Any]] = {Type.TEXT: str, Type.INTS: list, Type.TEXTS: list}


class _Returned(NamedTuple):
    value: Any


class _Variable:
    __slots__ = ("is_constant", "value")

    def __init__(self, value: Any, *, is_constant: bool) -> None:
        self.value = value
        self.is_constant = is_constant


_Scope = dict[str, _Variable]


def interpret(function: Function, *arguments: Value) -> Value:
    """The result of a function.

    Raises:
        Undefined: If a value leaves 32 bits, a negative number is divided, or the call does not end in time.
        ValueError: If the tree is malformed: an unknown name, a second declaration in one scope, a constant that is
            changed, an operand that is missing, a path without a result.
    """
    result: Value = _Run(function).call(arguments)
    return result


class _Run:
    """One call and those that it makes of itself."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.num_steps = 0
        self.depth = 0

    def call(self, arguments: tuple[Any, ...]) -> Any:
        parameters = self.function.parameters
        if len(arguments) != len(parameters):
            raise ValueError(f"{len(arguments)} arguments for {len(parameters)} parameters")
        scope = {name.id: _Variable(value, is_constant=True) for name, value in zip(parameters, arguments, strict=True)}
        returned = self.block(self.function.body, scope)
        if returned is None:
            raise ValueError(f"'{self.function.name}' ends without a result")
        return returned.value

    def block(self, body: tuple[Statement, ...], outer: _Scope) -> _Returned | None:
        scope = dict(outer)
        for statement in body:
            self.num_steps += 1
            if self.num_steps > MOST_STEPS:
                raise Undefined
            returned = self.statement(statement, scope)
            if returned is not None:
                return returned
        return None

    def statement(self, node: Statement, scope: _Scope) -> _Returned | None:
        match node:
            case Let():
                _declare(scope, node.name, self.value(node.value, scope), is_constant=node.is_constant)
            case Return():
                return _Returned(self.value(node.value, scope))
            case If():
                return self.block(node.body if self.value(node.condition, scope) else node.otherwise, scope)
            case ForEach() | ForRange() | ForCounts() | While():
                return self.loop(node, scope)
            case _:
                self.change(node, scope)
        return None

    def change(self, node: Assign | Add | Push | Write | Count, scope: _Scope) -> None:
        variable = _find(scope, node.name)
        if variable.is_constant:
            raise ValueError(f"'{node.name.id}' is constant and changed")
        value = self.value(node.key if isinstance(node, Count) else node.value, scope)
        old = variable.value
        match node:
            case Assign():
                variable.value = value
            case Add():
                variable.value = fit(old + value)
            case Push():
                variable.value = [*old, value]
            case Write():
                variable.value = value + old if node.at_front else old + value
            case Count():
                variable.value = {**old, value: old.get(value, 0) + 1}

    def loop(self, node: ForEach | ForRange | ForCounts | While, scope: _Scope) -> _Returned | None:
        if isinstance(node, While):
            while self.value(node.condition, scope):
                returned = self.block(node.body, scope)
                if returned is not None:
                    return returned
            return None
        for names in self.rounds(node, scope):
            inner = dict(scope)
            for name, value in names:
                if name is not None:
                    _declare(inner, name, value, is_constant=True)
            returned = self.block(node.body, inner)
            if returned is not None:
                return returned
        return None

    def rounds(self, node: ForEach | ForRange | ForCounts, scope: _Scope) -> list[list[tuple[Name | None, Any]]]:
        """The names of each round of a loop, and what they hold."""
        match node:
            case ForEach():
                return [[(node.item, value)] for value in self.value(node.items, scope)]
            case ForRange():
                low, high = self.value(node.low, scope), self.value(node.high, scope)
                if high - low > MOST_STEPS:
                    raise Undefined
                return [[(node.item, value)] for value in range(low, high + 1)]
            case ForCounts():
                # Backwards, so that whatever leans on an order gives itself away.
                pairs = reversed(_find(scope, node.counts).value.items())
                return [[(node.key, key), (node.count, count)] for key, count in pairs]

    def value(self, node: Expression, scope: _Scope) -> Any:
        match node:
            case Number():
                return fit(node.value)
            case Truth() | Letters():
                return node.value
            case Empty():
                return _EMPTY.get(node.type, dict)()
            case Name():
                return _find(scope, node).value
            case Operation():
                return self.operation(node, scope)
            case Not():
                return not self.value(node.operand, scope)
            case Minus():
                return -self.value(node.operand, scope)
            case Call():
                return _BUILTINS[node.function](*(self.value(argument, scope) for argument in node.arguments))
            case Again():
                return self.again(tuple(self.value(argument, scope) for argument in node.arguments))

    def again(self, arguments: tuple[Any, ...]) -> Any:
        self.depth += 1
        if self.depth > MOST_CALLS:
            raise Undefined
        value = self.call(arguments)
        self.depth -= 1
        return value

    def operation(self, node: Operation, scope: _Scope) -> Any:
        if node.operator is Infix.AND:
            return self.value(node.left, scope) and self.value(node.right, scope)
        if node.operator is Infix.OR:
            return self.value(node.left, scope) or self.value(node.right, scope)
        inner = node.left
        if (
            node.operator in _ZERO_TESTS
            and node.right == Number(0)
            and isinstance(inner, Operation)
            and inner.operator is Infix.REMAINDER
        ):
            left, right = self.remainder(inner, scope), 0
        else:
            left, right = self.value(inner, scope), self.value(node.right, scope)
        if node.operator in {Infix.DIVIDE, Infix.REMAINDER} and (left < 0 or right <= 0):
            raise Undefined
        return _ARITHMETIC[node.operator](left, right)

    def remainder(self, node: Operation, scope: _Scope) -> int:
        """A remainder that is only compared with 0, for which its sign does not matter."""
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if right <= 0:
            raise Undefined
        return int(left % right)


def _find(scope: _Scope, name: Name) -> _Variable:
    if name.id not in scope:
        raise ValueError(f"'{name.id}' is not declared; known: {', '.join(scope)}")
    return scope[name.id]


def _declare(scope: _Scope, name: Name, value: Any, *, is_constant: bool) -> None:
    if name.id in scope:
        raise ValueError(f"'{name.id}' is declared twice")
    scope[name.id] = _Variable(value, is_constant=is_constant)
