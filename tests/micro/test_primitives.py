import string
from itertools import product
from random import Random
from typing import Any

import pytest

from codeglot.errors import UnknownNameError
from codeglot.micro.grammar import Part, Undefined
from codeglot.micro.interpret import interpret
from codeglot.micro.primitives import NOTHING, PRIMITIVES, choices, get, names
from codeglot.micro.primitives_core import LIMIT, Kind, Primitive, fit
from codeglot.micro.tree import Function, Name, Return, Type

NUMBERS = tuple(range(-45, 66))
NATURALS = tuple(range(66))
LETTERS = tuple(string.ascii_lowercase)
RNG = Random(0)
WORDS = tuple("".join(RNG.choices("abcdeilnorst", k=RNG.randint(1, 9))) for _ in range(400))
PAIRS = tuple((a, b) for a in range(-12, 13) for b in range(-12, 13))
ARGUMENTS: dict[Kind, tuple[tuple[Any, ...], ...]] = {
    Kind.NUMBER_TEST: tuple((x,) for x in NUMBERS),
    Kind.NUMBER_MAP: tuple((x,) for x in NUMBERS),
    Kind.LETTER_TEST: tuple((c,) for c in LETTERS),
    Kind.LETTER_MAP: tuple((c,) for c in LETTERS),
    Kind.WORD_TEST: tuple((w,) for w in WORDS),
    Kind.WORD_MAP: tuple((w,) for w in WORDS),
    Kind.COUNT_TEST: tuple((n,) for n in range(1, 9)),
    Kind.PAIR: PAIRS,
    Kind.FOLD: tuple((x, y) for x in range(-9, 40, 3) for y in range(-9, 40, 4)),
    Kind.RELATION_TEST: PAIRS,
    Kind.RELATION_MAP: PAIRS,
}
TYPES = {
    Kind.NUMBER_TEST: (Type.INT, Type.BOOL),
    Kind.NUMBER_MAP: (Type.INT, Type.INT),
    Kind.WORD_TEST: (Type.TEXT, Type.BOOL),
    Kind.COUNT_TEST: (Type.INT, Type.BOOL),
    Kind.PAIR: (Type.INT, Type.INT),
    Kind.FOLD: (Type.INT, Type.INT),
    Kind.RELATION_TEST: (Type.INT, Type.BOOL),
    Kind.RELATION_MAP: (Type.INT, Type.INT),
}
NATURAL_ONLY = {"quotient", "remainder"}


def parts(primitive: Primitive) -> list[Part]:
    return [Part(primitive.name, constants) for constants in product(*primitive.constants)]


def of_kind(kind: Kind) -> list[Primitive]:
    return [primitive for primitive in PRIMITIVES.values() if primitive.kind is kind]


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_no_two_primitives_of_a_kind_mean_the_same_whatever_their_constants(kind: Kind) -> None:
    seen: dict[tuple[Any, ...], Part] = {}
    for primitive in of_kind(kind):
        for part in parts(primitive):
            meaning = tuple(primitive.bound(part)(*arguments) for arguments in ARGUMENTS[kind])
            assert meaning not in seen, f"{part} means the same as {seen[meaning]}"
            seen[meaning] = part


def test_no_two_maps_mean_the_same_even_where_numbers_are_never_negative() -> None:
    seen: dict[tuple[int, ...], Part] = {}
    for primitive in of_kind(Kind.NUMBER_MAP):
        if primitive.name == "absolute":
            continue  # families of such numbers leave it out
        for part in parts(primitive):
            meaning = tuple(primitive.bound(part)(x) for x in NATURALS)
            assert meaning not in seen, f"{part} means the same as {seen[meaning]}"
            seen[meaning] = part


@pytest.mark.parametrize("name", [primitive.name for kind in TYPES for primitive in of_kind(kind)])
def test_the_tree_of_a_primitive_agrees_with_its_plain_function(name: str) -> None:
    primitive = get(name)
    kind, result = TYPES[primitive.kind]
    names_of = tuple(Name(letter, kind) for letter in "xy"[: len(ARGUMENTS[primitive.kind][0])])
    for part in parts(primitive)[:12]:
        function = Function("solve", names_of, result, (Return(primitive.built(part, *names_of)),))
        for arguments in ARGUMENTS[primitive.kind]:
            if name not in NATURAL_ONLY or arguments[0] >= 0:
                assert interpret(function, *arguments) == primitive.bound(part)(*arguments), (part, arguments)


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=lambda primitive: primitive.name)
def test_every_constant_has_a_slot_and_several_distinct_values(primitive: Primitive) -> None:
    assert len(primitive.slots) == len(primitive.constants)
    for values in primitive.constants:
        assert values
        assert len(set(values)) == len(values)


def test_the_low_end_of_a_span_is_below_its_high_end_however_they_are_drawn() -> None:
    for name in ("between", "outside"):
        low, high = choices(name)
        assert max(int(value) for value in low) < min(int(value) for value in high)


def test_primitives_are_found_under_their_own_names() -> None:
    assert all(get(name).name == name for name in PRIMITIVES)
    assert NOTHING not in PRIMITIVES
    assert choices(NOTHING) == ()


def test_an_unknown_primitive_is_named_with_the_one_meant() -> None:
    with pytest.raises(UnknownNameError, match=r"'evn'.*Did you mean 'even'"):
        get("evn")


def test_leaving_out_a_primitive_of_another_kind_is_an_error() -> None:
    assert "even" not in names(Kind.NUMBER_TEST, "even")
    with pytest.raises(UnknownNameError, match="'vowel'"):
        names(Kind.NUMBER_TEST, "vowel")


@pytest.mark.parametrize("value", [LIMIT - 1, 1 - LIMIT, 0])
def test_values_of_32_bits_fit(value: int) -> None:
    assert fit(value) == value


@pytest.mark.parametrize("value", [LIMIT, -LIMIT])
def test_values_beyond_32_bits_are_undefined(value: int) -> None:
    with pytest.raises(Undefined):
        fit(value)


@pytest.mark.parametrize("name", ["plus", "times", "square", "cube", "times_plus"])
def test_maps_that_grow_are_undefined_beyond_32_bits(name: str) -> None:
    with pytest.raises(Undefined):
        get(name).bound(parts(get(name))[-1])(LIMIT - 1)


def test_a_sum_is_undefined_where_a_total_on_the_way_may_leave_32_bits() -> None:
    with pytest.raises(Undefined):
        get("sum").compute([LIMIT - 1, 5, -9])
