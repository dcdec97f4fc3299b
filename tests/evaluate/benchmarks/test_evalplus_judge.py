"""What an answer may return in the place of what the reference returns, and how it may not talk its way out."""

import json
from collections import Counter, OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest

from codeglot.evaluate.benchmarks import evalplus_judge as judge


class Liar:
    """Claims to be equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class LyingList(list[Any]):
    """The same, as a list."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


class LyingInt(int):
    """The same, as a number."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class LyingStr(str):
    """The same, as a text, however it is converted."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __str__(self) -> str:
        return self


class LyingMeta(type):
    """A class that claims to be every other class."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(int)


class Impostor(metaclass=LyingMeta):
    """Neither its class nor itself can be told by asking them."""

    __class__ = int  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class Color(IntEnum):
    RED = 3


Point = namedtuple("Point", "x y")


def compare(
    found: Any, expected: Any, *, rule: str = "is_equal", atol: float = 0, inputs: tuple[Any, ...] = ()
) -> bool:
    task = {"rule": rule, "shapes": [], "atol": atol, "inputs": [list(inputs)]}
    try:
        judge.compare(lambda *_: found, lambda *_: expected, task, [list(inputs)])
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    "found",
    [Liar(), LyingList([1]), LyingInt(7), LyingStr("x"), Impostor(), [Liar()], {1: Liar()}, (LyingInt(7),)],
    ids=lambda found: type(found).__name__,
)
@pytest.mark.parametrize("expected", [3, 0.5, "a", None, True, [3], (3,), {1: 2}, {3}, [[3]], [1.5]])
@pytest.mark.parametrize("rule", ["is_equal", "is_pyramid", "is_digit_distance"])
@pytest.mark.parametrize("atol", [0, 1e-4])
def test_no_object_that_claims_to_be_equal_passes(found: Any, expected: Any, rule: str, atol: float) -> None:
    assert not compare(found, expected, rule=rule, atol=atol, inputs=(3, 4))


@pytest.mark.parametrize("found", [{Liar()}, [Liar(), Liar()], {LyingInt(7)}, [Impostor()]])
def test_no_liar_is_a_member_of_a_set_of_results(found: Any) -> None:
    assert not compare(found, (1, 2), rule="is_same_set")


def test_a_class_that_claims_to_be_another_does_not_hide_among_numbers() -> None:
    assert not compare([1, Impostor()], [1, 2])
    assert isinstance(judge.plain([1, Impostor()])[1], judge.Unknown)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (2.0, 2),
        (True, 1),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
        ({"a": 2, "b": 1}, Counter("aab")),
        (defaultdict(list, {1: [2]}), {1: [2]}),
        (Point(1, 2), (1, 2)),
        (frozenset({1}), {1}),
        (Color.RED, 3),
        (Fraction(1, 2), 0.5),
        (Decimal("0.5"), 0.5),
        ([[1], ("a", None)], [[1], ("a", None)]),
        (0.1 + 0.2, 0.3),
        ([0.1 + 0.2, float("inf")], [0.3, float("inf")]),
        (3.0e9 + 1.0, 3.0e9),
        (b"x", b"x"),
        (1j, 1j),
        ([10**5000], [10**5000]),
    ],
)
def test_values_that_python_holds_equal_pass_and_floats_may_be_off_a_little(found: Any, expected: Any) -> None:
    assert compare(found, expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([1], (1,)),
        (1, 0.9999999),
        (0.3001, 0.3),
        ([0.3], [0.3, 0.3]),
        ((0.1 + 0.2,), [0.3]),
        (float("nan"), 0.3),
        ("0.3", 0.3),
        (None, 0),
        (1, 2),
        ([], None),
        (range(3), [0, 1, 2]),
        (iter([1]), [1]),
        ([10**5000 + 1], [10**5000]),
    ],
)
def test_other_values_do_not(found: Any, expected: Any) -> None:
    assert not compare(found, expected)


@pytest.mark.parametrize(
    ("found", "expected", "is_right"), [(1.00005, 1.0, True), (1.0002, 1.0, False), ([[1.00005]], [[1.0]], True)]
)
def test_a_task_may_have_a_tolerance_of_its_own(found: Any, expected: Any, *, is_right: bool) -> None:
    assert compare(found, expected, atol=1e-4) == is_right


@pytest.mark.parametrize(
    ("rule", "inputs", "found", "expected", "is_right"),
    [
        ("is_same_set", (), [2, 1, 1], (1, 2), True),
        ("is_same_set", (), {1: 0, 2: 0}.keys(), (1, 2), True),
        ("is_same_set", (), [1], (1, 2), False),
        ("is_match", (), True, "a match", True),
        ("is_match", (), "another match", "a match", True),
        ("is_match", (), None, None, True),
        ("is_match", (), False, "a match", False),
        ("is_match", (), None, "a match", False),
        ("is_match", (), 0, None, False),
        ("is_root", ([-6, 11, -6, 1],), 1.0, 3.0, True),
        ("is_root", ([-6, 11, -6, 1],), 2.5, 3.0, False),
        ("is_root", ([-6, 11, -6, 1],), Liar(), 3.0, False),
        ("is_root", ([-6, 11, -6, 1],), float("nan"), 3.0, False),
        ("is_pyramid", (3, 4), 33, 33, True),
        ("is_pyramid", (3, 4), 35, 33, True),
        ("is_pyramid", (3, 4), 34, 33, False),
        ("is_digit_distance", (12, 3), 2, 2, True),
        ("is_digit_distance", (123, 4), 4, 3, True),
        ("is_digit_distance", (123, 4), 5, 3, False),
    ],
)
def test_some_tasks_have_a_rule_of_their_own(
    rule: str, inputs: tuple[Any, ...], found: Any, expected: Any, *, is_right: bool
) -> None:
    assert compare(found, expected, rule=rule, atol=1e-4 if rule == "is_root" else 0, inputs=inputs) == is_right


@pytest.mark.parametrize(
    ("shapes", "arguments"),
    [
        ([], [[1], 2]),
        (["t"], [(1,), (2, [3])]),
        (["t", ""], [(1,), [2, [3]]]),
        (["", "t"], [[1], (2, [3])]),
        (["", "*"], [[1], (2, (3,))]),
        (["", "to"], [[1], (2, (3,))]),
        (["l", "tf"], [[1], (2.0, 7.0)]),
    ],
)
def test_arguments_get_the_types_that_json_lacks(shapes: list[str], arguments: list[Any]) -> None:
    values: list[Any] = [[1], [2, 7 if "f" in "".join(shapes) else [3]]]
    shaped = judge.shape_all(values, shapes)
    if not shapes:
        assert shaped is values
    else:
        assert repr(shaped) == repr(arguments)


def test_sets_and_complex_numbers_are_shaped_too() -> None:
    assert judge.shape_all([[[1, 1], []]], ["ls"]) == [[{1}, {}]]
    assert judge.shape_all(["2", "1+2j"], ["f", "c"]) == [2.0, 1 + 2j]
    assert judge.shape_all([{"a": [1]}, [2]], ["dt", ""]) == [{"a": (1,)}, [2]]


def test_what_an_answer_does_to_its_input_changes_neither_the_reference_nor_later_inputs() -> None:
    inputs = [[[3, 1, 2]], [[2, 1]]]
    task = {"rule": "is_equal", "shapes": [], "atol": 0, "inputs": inputs}

    def spoils(values: list[int]) -> list[int]:
        values.sort()
        return values

    judge.compare(spoils, sorted, task, json.loads(json.dumps(inputs)))
    with pytest.raises(AssertionError, match=r"^input 0: \[3\] where the reference has \[1, 2, 3\]$"):
        judge.compare(lambda values: values[:1], sorted, task, json.loads(json.dumps(inputs)))


def test_a_number_with_more_digits_than_python_writes_can_be_wrong() -> None:
    task = {"rule": "is_equal", "shapes": [], "atol": 0, "inputs": [[]]}
    with pytest.raises(AssertionError, match=r"^input 0: a long number where the reference has 1$"):
        judge.compare(lambda: 10**5000, lambda: 1, task, [[]])
