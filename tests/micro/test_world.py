"""Shapes and compositions drawn from a world."""

from itertools import product
from random import Random

from codeglot.micro.grammar import Composition, Part
from codeglot.micro.world import constants
from tests.micro.toy_world import TOY, choices


def test_shapes_are_all_sensible_ones_and_no_others() -> None:
    wanted = {
        (name, *names)
        for name, family in TOY.families.items()
        for names in product(*family.places)
        if family.is_sensible(names)
    }
    assert set(TOY.shapes()) == wanted
    assert len(TOY.shapes()) == len(wanted)


def test_a_drawn_composition_has_its_shape_and_constants_of_their_ranges() -> None:
    for number, shape in enumerate(TOY.shapes()):
        composition = TOY.draw(shape, Random(number))
        assert composition.shape == shape
        for part in composition.parts:
            assert len(part.constants) == len(choices(part.primitive))
            assert all(value in of for value, of in zip(part.constants, choices(part.primitive), strict=True))


def test_constants_are_drawn_anew_for_every_seed() -> None:
    shape = ("choice", "greater", "plus", "times")
    assert len({TOY.draw(shape, Random(seed)) for seed in range(40)}) > 25


def test_constants_come_in_the_order_of_the_places() -> None:
    composition = Composition("choice", (Part("greater", (4,)), Part("square"), Part("plus", (3,))))
    assert constants(composition) == (4, 3)
