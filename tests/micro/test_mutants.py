"""Mutants: all of them, one step away, and nothing else."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.micro.grammar import Composition, Part
from codeglot.micro.mutants import mutants
from tests.micro.toy_world import MAPS, TESTS, TOY

SHAPES = TOY.shapes()
compositions = st.builds(lambda shape, seed: TOY.draw(shape, Random(seed)), st.sampled_from(SHAPES), st.integers(0, 99))


def steps(one: Composition, other: Composition) -> list[tuple[Part, Part]]:
    return [(old, new) for old, new in zip(one.parts, other.parts, strict=True) if old != new]


@settings(deadline=None)
@given(compositions)
def test_a_mutant_differs_in_one_part_or_in_two_that_changed_places(composition: Composition) -> None:
    found = mutants(TOY, composition)
    assert len(found) == len(set(found))
    for mutant in found:
        changed = steps(composition, mutant)
        assert len(changed) == 1 or (len(changed) == 2 and sorted(changed[0]) == sorted(changed[1])), changed
        assert TOY.families[mutant.family].is_sensible(mutant.shape[1:])


def test_every_other_primitive_of_a_place_is_tried() -> None:
    composition = Composition("pipe", (Part("greater", (4,)), Part("plus", (3,)), Part("sum")))
    found = mutants(TOY, composition)
    assert {mutant.parts[0].primitive for mutant in found} == {"nothing", *TESTS}
    assert {mutant.parts[1].primitive for mutant in found} == {"nothing", *MAPS}


def test_a_place_that_is_empty_is_filled() -> None:
    composition = Composition("pipe", (Part("nothing"), Part("plus", (3,)), Part("sum")))
    assert {mutant.parts[0].primitive for mutant in mutants(TOY, composition)} == {"nothing", *TESTS}


def test_constants_stay_where_the_new_primitive_can_take_them() -> None:
    composition = Composition("pipe", (Part("greater", (4,)), Part("plus", (3,)), Part("sum")))
    assert any(mutant.parts[0] == Part("less", (4,)) for mutant in mutants(TOY, composition))
    far = Composition("pipe", (Part("greater", (11,)), Part("plus", (3,)), Part("sum")))
    (divisible,) = [mutant.parts[0] for mutant in mutants(TOY, far) if mutant.parts[0].primitive == "divisible"]
    assert divisible.constants[0] in range(3, 8)


def test_a_constant_moves_by_one_both_ways_and_once_farther() -> None:
    composition = Composition("pipe", (Part("greater", (4,)), Part("nothing"), Part("sum")))
    moved = {m.parts[0].constants for m in mutants(TOY, composition) if m.parts[0].primitive == "greater"}
    assert {(3,), (5,)} <= moved
    assert len(moved - {(4,)}) in {2, 3}


def test_a_divisor_never_becomes_zero() -> None:
    composition = Composition("pipe", (Part("divisible", (3,)), Part("nothing"), Part("sum")))
    divisors = {m.parts[0].constants for m in mutants(TOY, composition) if m.parts[0].primitive == "divisible"}
    assert (2,) in divisors
    assert not divisors & {(0,), (1,)}


def test_the_branches_of_a_choice_are_swapped() -> None:
    composition = Composition("choice", (Part("even"), Part("plus", (3,)), Part("times", (2,))))
    swapped = Composition("choice", (Part("even"), Part("times", (2,)), Part("plus", (3,))))
    assert swapped in mutants(TOY, composition)
