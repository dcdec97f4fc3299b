"""Types of trees, checked as a compiler would: a second opinion on what families build."""

from typing import Any

from codeglot.micro.tree import (
    COMPARISONS,
    ITEM,
    KEY,
    Add,
    Again,
    Assign,
    Builtin,
    Call,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Infix,
    Let,
    Minus,
    Name,
    Not,
    Operation,
    Push,
    Return,
    Statement,
    Type,
    While,
    Write,
)

Scope = dict[str, Type]
ELEMENT = {Type.INTS: Type.INT, Type.TEXTS: Type.TEXT}
INT, BOOL, CHAR, TEXT = Type.INT, Type.BOOL, Type.CHAR, Type.TEXT


def check(function: Function) -> None:
    """Fails where any part has a type that a typed language would refuse, or a path ends without a result."""
    scope = {name.id: name.type for name in function.parameters}
    assert returns(function.body), "a path ends without a result"
    block(function.body, scope, function)


def returns(body: tuple[Statement, ...]) -> bool:
    last = body[-1] if body else None
    return isinstance(last, Return) or (isinstance(last, If) and returns(last.body) and returns(last.otherwise))


def block(body: tuple[Statement, ...], outer: Scope, function: Function) -> None:
    scope = dict(outer)
    for place, node in enumerate(body):
        assert not isinstance(node, Return) or place == len(body) - 1, "unreachable"
        statement(node, scope, function)


def statement(node: Any, scope: Scope, function: Function) -> None:
    def typed(expression: Expression) -> Type:
        return expression_type(expression, scope, function)

    match node:
        case Let():
            assert typed(node.value) is node.name.type
            assert node.name.id not in scope
            scope[node.name.id] = node.name.type
        case Assign():
            assert typed(node.value) is typed(node.name)
        case Add():
            assert typed(node.value) is typed(node.name) is INT
        case Push():
            assert typed(node.value) is ELEMENT[typed(node.name)]
        case Write():
            assert typed(node.name) is TEXT
            assert typed(node.value) in {CHAR, TEXT}
        case Count():
            assert typed(node.key) is KEY[typed(node.name)]
        case If():
            assert typed(node.condition) is BOOL
            assert node.body
            block(node.body, scope, function)
            block(node.otherwise, scope, function)
        case _:
            leave_or_repeat(node, scope, function)


def leave_or_repeat(node: Any, scope: Scope, function: Function) -> None:
    match node:
        case Return():
            assert expression_type(node.value, scope, function) is function.result
        case While():
            assert expression_type(node.condition, scope, function) is BOOL
            block(node.body, scope, function)
        case _:
            loop(node, scope, function)


def loop(node: ForEach | ForRange | ForCounts, scope: Scope, function: Function) -> None:
    inner = dict(scope)
    match node:
        case ForEach():
            assert ITEM[expression_type(node.items, scope, function)] is node.item.type
            names: list[Name | None] = [node.item]
        case ForRange():
            assert expression_type(node.low, scope, function) is expression_type(node.high, scope, function) is INT
            names = [node.item]
        case ForCounts():
            assert node.key is None or node.key.type is KEY[node.counts.type]
            assert node.count is None or node.count.type is INT
            names = [node.key, node.count]
    for name in names:
        if name is not None:
            assert name.id not in scope
            inner[name.id] = name.type
    block(node.body, inner, function)


def expression_type(node: Expression, scope: Scope, function: Function) -> Type:
    def typed(expression: Expression) -> Type:
        return expression_type(expression, scope, function)

    match node:
        case Name():
            assert scope[node.id] is node.type
        case Operation():
            left, right = typed(node.left), typed(node.right)
            assert left is right
            assert left in operands(node.operator)
        case Not():
            assert typed(node.operand) is BOOL
        case Minus():
            assert typed(node.operand) is INT
        case Call():
            assert [typed(argument) for argument in node.arguments] in signatures(node)
        case Again():
            assert [typed(argument) for argument in node.arguments] == [name.type for name in function.parameters]
            assert node.type is function.result
        case _:
            pass
    return node.type


def operands(operator: Infix) -> set[Type]:
    if operator in {Infix.AND, Infix.OR}:
        return {BOOL}
    if operator in {Infix.EQUAL, Infix.DIFFERS}:
        return {INT, CHAR, TEXT}
    return {INT, CHAR} if operator in COMPARISONS else {INT}


def signatures(node: Call) -> list[list[Type]]:
    match node.function:
        case Builtin.ABSOLUTE | Builtin.SHOW:
            return [[INT]]
        case Builtin.SMALLER | Builtin.LARGER:
            return [[INT, INT]]
        case Builtin.LENGTH:
            return [[kind] for kind in (*ITEM, *KEY)]
        case Builtin.FIRST | Builtin.LAST:
            return [[kind] for kind, item in ITEM.items() if item is node.type]
        case Builtin.UPPER:
            return [[node.type]] if node.type in {CHAR, TEXT} else []
        case Builtin.HAS:
            return [[TEXT, CHAR]]
        case Builtin.COUNT_OF:
            return [[table, key] for table, key in KEY.items()]
