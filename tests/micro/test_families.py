import string
from functools import cache
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.micro.families.registry import BY_NAME, FAMILIES
from codeglot.micro.families.sources import MOST_ROUNDS
from codeglot.micro.families.tails import MOST_CALLS
from codeglot.micro.grammar import Composition, Family, Part, Undefined
from codeglot.micro.interpret import interpret
from codeglot.micro.primitives import NOTHING, PRIMITIVES, choices
from codeglot.micro.renderers.renderer import renderer
from codeglot.micro.tree import Add, Assign, Count, Function, Let, Name, Push, Type, Write, statements
from tests.micro.typing_of_trees import check

NAMES = tuple(BY_NAME)
MIN_SHAPES = 20_000
MOST_LINES = 20
NUMBERS = st.one_of(st.integers(-12, 20), st.integers(-300, 300))
LISTS = st.one_of(st.lists(st.integers(-12, 20), max_size=9), st.lists(st.integers(-2, 5), max_size=9))
LETTERS = st.sampled_from("aeioubgnrst" + string.ascii_lowercase)
ARGUMENTS: dict[Type, st.SearchStrategy[Any]] = {
    Type.INT: NUMBERS,
    Type.INTS: LISTS,
    Type.TEXT: st.text(LETTERS, max_size=12),
    Type.TEXTS: st.lists(
        st.one_of(st.text(LETTERS, min_size=1, max_size=8), st.text("abno", min_size=1, max_size=3)), max_size=6
    ),
}
NATURALS = st.one_of(st.integers(0, 20), st.integers(0, 250), st.integers(0, 9999))


@cache
def shapes(name: str) -> list[tuple[str, ...]]:
    family = BY_NAME[name]
    return [shape for shape in product(*family.places) if family.is_sensible(shape)]


def draw(name: str, shape: tuple[str, ...], rng: Random) -> Composition:
    parts = (Part(place, tuple(rng.choice(values) for values in choices(place))) for place in shape)
    return Composition(name, tuple(parts))


def some(name: str, count: int) -> list[Composition]:
    rng = Random(name)
    found = shapes(name)
    return [draw(name, shape, rng) for shape in rng.sample(found, min(count, len(found)))]


@st.composite
def compositions(draw_one: st.DrawFn, name: str) -> Composition:
    shape = draw_one(st.sampled_from(shapes(name)))
    parts = (Part(place, tuple(draw_one(st.sampled_from(values)) for values in choices(place))) for place in shape)
    return Composition(name, tuple(parts))


def strategy(parameter: Name) -> st.SearchStrategy[Any]:
    return NATURALS if parameter.id == "n" else ARGUMENTS[parameter.type]


def composed(family: str, *parts: str | Part) -> Composition:
    return Composition(family, tuple(Part(part) if isinstance(part, str) else part for part in parts))


def reference(composition: Composition, *arguments: Any) -> Any:
    return BY_NAME[composition.family].reference(composition)(*arguments)


# All families.


def test_there_are_many_families_and_shapes() -> None:
    assert len(FAMILIES) == len(BY_NAME) >= 12
    assert sum(len(shapes(name)) for name in NAMES) >= MIN_SHAPES


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_the_tree_of_a_composition_does_what_its_reference_does(name: str, data: st.DataObject) -> None:
    composition = data.draw(compositions(name))
    function = BY_NAME[name].function(composition)
    arguments = [data.draw(strategy(parameter)) for parameter in function.parameters]
    try:
        expected = reference(composition, *arguments)
    except Undefined:
        return
    result = interpret(function, *arguments)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("name", NAMES)
def test_most_inputs_of_a_composition_have_an_answer(name: str) -> None:
    num_undefined = num_all = 0
    rng = Random(name)
    for composition in some(name, 25):
        for _ in range(20):
            arguments = [small(parameter, rng) for parameter in BY_NAME[name].function(composition).parameters]
            num_all += 1
            try:
                reference(composition, *arguments)
            except Undefined:
                num_undefined += 1
    assert num_undefined < num_all / 5


def small(parameter: Name, rng: Random) -> Any:
    match parameter.type:
        case Type.INT:
            return rng.randint(0 if parameter.id == "n" else -20, 60)
        case Type.INTS:
            return [rng.randint(-12, 20) for _ in range(rng.randint(0, 8))]
        case Type.TEXT:
            return "".join(rng.choices(string.ascii_lowercase, k=8))
        case _:
            return ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 8))) for _ in range(4)]


@pytest.mark.parametrize("name", NAMES)
def test_trees_are_typed_as_compilers_want_them(name: str) -> None:
    for composition in some(name, 400):
        check(BY_NAME[name].function(composition))


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_is_constant_exactly_where_nothing_changes_it(name: str) -> None:
    for composition in some(name, 100):
        found = statements(BY_NAME[name].function(composition).body)
        changed = {node.name.id for node in found if isinstance(node, Assign | Add | Push | Write | Count)}
        lets = [node for node in found if isinstance(node, Let)]
        assert all(node.is_constant == (node.name.id not in changed) for node in lets), composition


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_short(name: str) -> None:
    python = renderer("python")
    for composition in some(name, 60):
        assert python.completion(BY_NAME[name].function(composition)).count("\n") <= MOST_LINES, composition


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_primitive_of_a_place_makes_sense_with_some_others(family: Family) -> None:
    found = shapes(family.name)
    for names in family.places:
        assert len(set(names)) == len(names)
        alike = [place for place, others in enumerate(family.places) if others == names]
        assert {shape[place] for shape in found for place in alike} == set(names)


def test_every_primitive_is_used_by_some_family() -> None:
    used = {name for family in FAMILIES for names in family.places for name in names}
    assert used - {NOTHING} == set(PRIMITIVES)


@pytest.mark.parametrize("name", NAMES)
def test_different_shapes_of_a_family_have_different_trees(name: str) -> None:
    seen: dict[Function, Composition] = {}
    for composition in some(name, 300):
        other = seen.setdefault(BY_NAME[name].function(composition), composition)
        assert other == composition, f"{other} and {composition} have the same tree"


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("list_pipe", (NOTHING, NOTHING, "list")),
        ("list_pipe", ("even", "square", "count")),
        ("list_pipe", ("positive", "absolute", "sum")),
        ("list_pipe", ("equal", "square", "sum")),
        ("digit_pipe", ("even", "plus", "product")),
        ("change_then_keep", ("square", "negative", "sum")),
        ("change_then_keep", ("absolute", "even", "sum")),
        ("choose", ("even", "square", "square")),
        ("choose_each", ("negative", "absolute", "itself", "sum")),
        ("two_tests", ("both", "even", "odd")),
        ("two_tests", ("both", "odd", "even")),
        ("two_tests", ("both", "greater", "less")),
        ("two_passes", ("largest", "greater_y", NOTHING, "sum")),
        ("summary_test", ("even", "sum", "odd")),
        ("counted_numbers", ("different_items", "once", NOTHING, "sum")),
        ("counted_numbers", ("different_items", "evenly", NOTHING, "list")),
        ("tally_numbers", ("ends_in", "last_digit", "different")),
        ("letter_pipe", ("same_letter", NOTHING, "joined")),
        ("word_pipe", ("has_length", NOTHING, "longest")),
        ("quantifier", ("square", "any", "negative")),
        ("shrinking", ("itself", "even", "minus", "minus", "steps")),
    ],
)
def test_contradictions_and_steps_without_effect_are_left_out(family: str, shape: tuple[str, ...]) -> None:
    assert all(name in place for name, place in zip(shape, BY_NAME[family].places, strict=True))
    assert not BY_NAME[family].is_sensible(shape)


# Single families, by hand.

EVEN = "even"
PLUS_3 = Part("plus", (3,))
LESS_5 = Part("less", (5,))


@pytest.mark.parametrize(
    ("composition", "arguments", "expected"),
    [
        (composed("list_pipe", EVEN, "square", "sum"), ([1, 2, -4],), 20),
        (composed("list_pipe", EVEN, PLUS_3, "first"), ([1, 4, 6],), 7),
        (composed("list_pipe", EVEN, PLUS_3, "first"), ([1],), 0),
        (composed("list_pipe", "negative", NOTHING, "largest"), ([-3, -2, 5],), -2),
        (composed("range_pipe", "odd", "square", "joined"), (5,), "1925"),
        (composed("digit_pipe", NOTHING, PLUS_3, "list"), (907,), [10, 3, 12]),
        (composed("change_then_keep", PLUS_3, "even", "list"), ([1, 2, 3],), [4, 6]),
        (composed("choose_each", LESS_5, "negate", "itself", "list"), ([4, 5],), [-4, 5]),
        (composed("quantifier", NOTHING, "any", EVEN), ([],), False),
        (composed("quantifier", NOTHING, "all", EVEN), ([],), True),
        (composed("quantifier", PLUS_3, "none", EVEN), ([2, 3],), False),
        (composed("longest_run", NOTHING, EVEN), ([2, 4, 1, 6, 8, 10, 3],), 3),
        (composed("walk", "before_first", EVEN, NOTHING, "list"), ([1, 3, 4, 5],), [1, 3]),
        (composed("walk", "after_first", EVEN, NOTHING, "list"), ([1, 4, 6, 5],), [6, 5]),
        (composed("walk", "before_first", EVEN, NOTHING, "list"), ([1, 3],), [1, 3]),
        (composed("walk", "after_first", EVEN, NOTHING, "list"), ([1, 3],), []),
        (composed("neighbours", "difference_of", NOTHING, "list"), ([5, 2, 9],), [3, -7]),
        (composed("running", "running_sum", NOTHING, "list"), ([3, 1, 2],), [3, 4, 6]),
        (composed("running", "running_smallest", NOTHING, "list"), ([3, 4, 2],), [3, 3, 2]),
        (composed("records", NOTHING, "record_high", NOTHING, "list"), ([-5, -5, 2, 1, 3],), [-5, 2, 3]),
        (composed("fold", NOTHING, NOTHING, Part("shifted_sum", (2,))), ([1, 0, 1],), 5),
        (composed("fold", NOTHING, NOTHING, "difference_of"), ([5, 3, 1],), 3),
        (composed("fold", NOTHING, NOTHING, "floored_sum"), ([-5, 3, -1],), 2),
        (composed("two_passes", "largest", "less_y", PLUS_3, "list"), ([4, 9, 9, 1],), [7, 4]),
        (composed("shifted", "smallest", "minus_y", "list"), ([4, 9],), [0, 5]),
        (composed("tally_numbers", NOTHING, "absolute", "commonest"), ([1, -1, 2],), 2),
        (composed("counted_numbers", "every_item", "repeated_items", NOTHING, "list"), ([1, 2, 1],), [1, 1]),
        (composed("counted_numbers", "different_items", "repeated_items", NOTHING, "sum"), ([1, 2, 1],), 1),
        (composed("letter_pipe", "vowel", "dash", "backwards"), ("tea",), "a-e-"),
        (composed("letter_pipe", NOTHING, NOTHING, "each_once"), ("banana",), "ban"),
        (composed("choose_letters", "vowel", "capital", "star", "joined"), ("tea",), "*EA"),
        (composed("tally_letters", NOTHING, "repeated"), ("banana",), 2),
        (composed("word_pipe", NOTHING, NOTHING, "longest"), (["at", "bee", "cow"],), "bee"),
        (composed("word_pipe", NOTHING, "reversed", "shortest"), (["bee", "at", "of"],), "ta"),
        (composed("word_lengths", NOTHING, "word_length", "square", "list"), (["at", "bee"],), [4, 9]),
        (composed("choose", LESS_5, "square", "itself"), (4,), 16),
        (composed("two_tests", "either", Part("divisible", (3,)), EVEN), (9,), True),
        (composed("let_two", "sum_of", "square", PLUS_3), (1, 2), 12),
        (composed("let_choose", "product_of", "negative", "negate", "itself"), (-2, 3), 6),
        (composed("summary_test", EVEN, "count", Part("at_least", (2,))), ([2, 4],), True),
        (composed("recursion", "tenth", EVEN, "itself"), (123,), 12),
        (composed("recursion", "one_less", NOTHING, "square"), (3,), 14),
        (
            composed("shrinking", "itself", EVEN, Part("quotient", (2,)), Part("minus", (1,)), "visited_list"),
            (6,),
            [6, 3, 2, 1],
        ),
    ],
)  # fmt: skip
def test_families_by_hand(composition: Composition, arguments: tuple[Any, ...], expected: object) -> None:
    assert reference(composition, *arguments) == expected
    assert interpret(BY_NAME[composition.family].function(composition), *arguments) == expected


@pytest.mark.parametrize(
    ("composition", "argument"),
    [
        (composed("digit_pipe", EVEN, NOTHING, "sum"), 0),
        (composed("range_pipe", EVEN, NOTHING, "sum"), MOST_ROUNDS + 1),
        (composed("recursion", "one_less", EVEN, "itself"), MOST_CALLS + 1),
        (composed("list_pipe", EVEN, "cube", "sum"), [2000]),
        (
            composed(
                "shrinking", "itself", Part("at_least", (2,)), Part("minus", (1,)), Part("quotient", (2,)), "steps"
            ),
            9999,
        ),
    ],
)
def test_what_the_words_leave_open_or_leaves_32_bits_or_takes_long_is_undefined(
    composition: Composition, argument: Any
) -> None:
    with pytest.raises(Undefined):
        reference(composition, argument)


def test_the_largest_arguments_that_are_defined_are_answered() -> None:
    assert reference(composed("range_pipe", NOTHING, "square", "sum"), MOST_ROUNDS) == 2_686_700
    deep = composed("recursion", "one_less", NOTHING, "itself")
    assert reference(deep, MOST_CALLS) == interpret(BY_NAME["recursion"].function(deep), MOST_CALLS) == 5050
