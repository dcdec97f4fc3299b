from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.micro.grammar import Undefined
from codeglot.micro.interpret import MOST_CALLS, interpret
from codeglot.micro.primitives_core import LIMIT
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
    While,
    Write,
)

N, XS, S = Name("n", Type.INT), Name("xs", Type.INTS), Name("s", Type.TEXT)
X, C, Y = Name("x", Type.INT), Name("c", Type.CHAR), Name("y", Type.INT)
RESULT, TEXT = Name("result", Type.INTS), Name("text", Type.TEXT)
COUNTS, COUNT = Name("counts", Type.INT_COUNTS), Name("count", Type.INT)


def run(parameter: Name, result: Type, argument: Any, *body: Statement) -> Any:
    return interpret(Function("solve", (parameter,), result, body), argument)


def value(expression: Expression, argument: int = 0) -> Any:
    return run(N, expression.type, argument, Return(expression))


def infix(operator: Infix, left: int, right: int) -> Operation:
    return Operation(operator, Number(left), Number(right))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (infix(Infix.PLUS, 7, -3), 4),
        (infix(Infix.MINUS, 3, 7), -4),
        (infix(Infix.TIMES, -3, 7), -21),
        (infix(Infix.DIVIDE, 17, 5), 3),
        (infix(Infix.REMAINDER, 17, 5), 2),
        (infix(Infix.EQUAL, 3, 3), True),
        (infix(Infix.DIFFERS, 3, 3), False),
        (infix(Infix.LESS, 3, 3), False),
        (infix(Infix.AT_MOST, 3, 3), True),
        (infix(Infix.GREATER, 3, 3), False),
        (infix(Infix.AT_LEAST, 3, 3), True),
        (Operation(Infix.LESS, Letters("a", Type.CHAR), Letters("b", Type.CHAR)), True),
        (Not(Truth(value=True)), False),
        (Minus(Number(4)), -4),
        (Call(Builtin.ABSOLUTE, (Number(-4),), Type.INT), 4),
        (Call(Builtin.SMALLER, (Number(-4), Number(2)), Type.INT), -4),
        (Call(Builtin.LARGER, (Number(-4), Number(2)), Type.INT), 2),
        (Call(Builtin.LENGTH, (Letters("abc"),), Type.INT), 3),
        (Call(Builtin.FIRST, (Letters("abc"),), Type.CHAR), "a"),
        (Call(Builtin.LAST, (Letters("abc"),), Type.CHAR), "c"),
        (Call(Builtin.UPPER, (Letters("abc"),), Type.TEXT), "ABC"),
        (Call(Builtin.SHOW, (Number(-12),), Type.TEXT), "-12"),
        (Call(Builtin.HAS, (Letters("abc"), Letters("b", Type.CHAR)), Type.BOOL), True),
    ],
)
def test_expressions_have_the_value_that_all_languages_give_them(expression: Expression, expected: object) -> None:
    assert value(expression) == expected


def test_the_second_operand_of_and_and_or_is_left_alone_where_the_first_decides() -> None:
    wrong = Operation(Infix.EQUAL, infix(Infix.DIVIDE, 1, 0), Number(0))
    assert value(Operation(Infix.AND, Truth(value=False), wrong)) is False
    assert value(Operation(Infix.OR, Truth(value=True), wrong)) is True
    with pytest.raises(Undefined):
        value(Operation(Infix.AND, Truth(value=True), wrong))


@settings(deadline=None)
@given(numbers=st.lists(st.integers(-99, 99)), limit=st.integers(-99, 99))
def test_loops_choices_lists_and_texts_do_what_plain_python_does(numbers: list[int], limit: int) -> None:
    found = run(
        XS,
        Type.INTS,
        numbers,
        Let(RESULT, Empty(Type.INTS)),
        ForEach(X, XS, (If(Operation(Infix.LESS, X, Number(limit)), (Push(RESULT, X),), (Push(RESULT, Minus(X)),)),)),
        Return(RESULT),
    )
    assert found == [x if x < limit else -x for x in numbers]


def test_a_range_includes_both_ends_and_may_be_empty() -> None:
    body = (Let(RESULT, Empty(Type.INTS)), ForRange(X, Number(1), N, (Push(RESULT, X),)), Return(RESULT))
    assert run(N, Type.INTS, 3, *body) == [1, 2, 3]
    assert run(N, Type.INTS, 0, *body) == []


def test_writing_at_the_front_turns_a_text_around() -> None:
    body = (Let(TEXT, Empty(Type.TEXT)), ForEach(C, S, (Write(TEXT, C, at_front=True),)), Return(TEXT))
    assert run(S, Type.TEXT, "abc", *body) == "cba"


def test_counts_are_kept_per_key_and_are_0_for_all_others() -> None:
    total = Name("total", Type.INT)
    missing = Call(Builtin.COUNT_OF, (COUNTS, Number(99)), Type.INT)
    weighted = ForCounts(X, COUNT, COUNTS, (Add(total, Operation(Infix.TIMES, X, COUNT)),))
    body = (Let(COUNTS, Empty(Type.INT_COUNTS)), ForEach(X, XS, (Count(COUNTS, X),)), Let(total, missing), weighted)
    assert run(XS, Type.INT, [5, 2, 5], *body, Return(total)) == 12


def test_a_while_loop_ends_with_its_condition_or_a_return() -> None:
    counts_down = While(Operation(Infix.GREATER, Y, Number(0)), (Assign(Y, Operation(Infix.MINUS, Y, Number(2))),))
    assert run(N, Type.INT, 5, Let(Y, N), counts_down, Return(Y)) == -1
    leaves = While(Truth(value=True), (Return(Number(4)),))
    assert run(N, Type.INT, 5, leaves, Return(N)) == 4


def triangle() -> Function:
    stop = If(Operation(Infix.EQUAL, N, Number(0)), (Return(Number(0)),))
    again = Again((Operation(Infix.MINUS, N, Number(1)),), Type.INT)
    return Function("solve", (N,), Type.INT, (stop, Return(Operation(Infix.PLUS, N, again))))


def test_a_function_may_call_itself_but_not_endlessly() -> None:
    assert interpret(triangle(), MOST_CALLS) == MOST_CALLS * (MOST_CALLS + 1) // 2
    with pytest.raises(Undefined):
        interpret(triangle(), MOST_CALLS + 1)


def test_calls_beside_each_other_are_not_calls_within_each_other() -> None:
    again = Again((Operation(Infix.MINUS, N, Number(1)),), Type.INT)
    stop = If(Operation(Infix.EQUAL, N, Number(0)), (Return(Number(1)),))
    doubles = Function("solve", (N,), Type.INT, (stop, Return(Operation(Infix.PLUS, again, again))))
    assert interpret(doubles, 8) == 256


@pytest.mark.parametrize(
    "expression",
    [
        infix(Infix.PLUS, LIMIT - 1, 1),
        infix(Infix.TIMES, LIMIT // 2, -2),
        Number(LIMIT),
        infix(Infix.DIVIDE, -7, 2),
        infix(Infix.DIVIDE, 7, 0),
        infix(Infix.REMAINDER, -7, 2),
        Operation(Infix.EQUAL, infix(Infix.REMAINDER, -7, 2), Number(1)),
        Operation(Infix.LESS, infix(Infix.REMAINDER, -7, 2), Number(0)),
    ],
)
def test_what_languages_do_differently_is_undefined(expression: Expression) -> None:
    with pytest.raises(Undefined):
        value(expression)


@pytest.mark.parametrize("number", [-8, -7, 7, 8])
def test_whether_a_remainder_is_0_is_known_for_negative_numbers_too(number: int) -> None:
    remainder = infix(Infix.REMAINDER, number, 2)
    assert value(Operation(Infix.EQUAL, remainder, Number(0))) is (number % 2 == 0)
    assert value(Operation(Infix.DIFFERS, remainder, Number(0))) is (number % 2 == 1)


def test_a_total_that_leaves_32_bits_is_undefined() -> None:
    with pytest.raises(Undefined):
        run(N, Type.INT, 1, Let(Y, Number(LIMIT - 1)), Add(Y, N), Return(Y))


def test_an_endless_loop_is_undefined() -> None:
    with pytest.raises(Undefined):
        run(N, Type.INT, 1, Let(Y, N), While(Truth(value=True), (Assign(Y, N),)), Return(Y))


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("'y' is not declared", (Return(Y),)),
        ("'y' is declared twice", (Let(Y, N), Let(Y, N), Return(Y))),
        ("'n' is declared twice", (ForRange(N, Number(1), Number(2), ()), Return(N))),
        ("'y' is constant and changed", (Let(Y, N, is_constant=True), Add(Y, N), Return(Y))),
        ("'n' is constant and changed", (Assign(N, Number(1)), Return(N))),
        ("'y' is not declared", (If(Truth(value=True), (Let(Y, N),)), Return(Y))),
        ("ends without a result", (Let(Y, N),)),
    ],
)
def test_malformed_trees_are_refused(message: str, body: tuple[Statement, ...]) -> None:
    with pytest.raises(ValueError, match=message):
        run(N, Type.INT, 1, *body)


def test_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(ValueError, match="2 arguments for 1 parameters"):
        interpret(triangle(), 1, 2)


def test_arguments_are_not_changed() -> None:
    numbers = [3, 1]
    run(XS, Type.INTS, numbers, Let(RESULT, XS), Push(RESULT, Number(9)), Return(RESULT))
    assert numbers == [3, 1]
