"""The families and the constants of their primitives, as one: all shapes, and compositions drawn from them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from random import Random
from typing import NamedTuple

from codeglot.micro.grammar import Composition, Constant, Family, Part

Shape = tuple[str, ...]
"""A family's name and a primitive for each of its places."""


class World(NamedTuple):
    """What problems are made of."""

    families: Mapping[str, Family]
    """By name."""
    choices: Callable[[str], tuple[Sequence[Constant], ...]]
    """Name of a primitive -> for each of its constants, the values it is drawn from."""

    def shapes(self) -> list[Shape]:
        """All sensible ones, in the order of the families and their places."""
        return [
            (family.name, *primitives)
            for family in self.families.values()
            for primitives in product(*family.places)
            if family.is_sensible(primitives)
        ]

    def draw(self, shape: Shape, rng: Random) -> Composition:
        """A composition of this shape, its constants chosen at random."""
        return Composition(shape[0], tuple(self.draw_part(name, rng) for name in shape[1:]))

    def draw_part(self, primitive: str, rng: Random) -> Part:
        """A primitive with constants chosen at random."""
        return Part(primitive, tuple(rng.choice(values) for values in self.choices(primitive)))


def constants(composition: Composition) -> tuple[Constant, ...]:
    """All constants of a composition, in the order of its places."""
    return tuple(constant for part in composition.parts for constant in part.constants)
