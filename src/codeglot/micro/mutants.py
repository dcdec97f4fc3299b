"""What a composition becomes by one small mistake: the programs that its tests must tell from the right one."""

from collections.abc import Iterator
from random import Random

from codeglot.micro.grammar import Composition, Constant, Part
from codeglot.micro.world import World


def mutants(world: World, composition: Composition) -> list[Composition]:
    """Every composition one step away that has the same parameters and kind of result.

    A step replaces one primitive by another that may stand in its place (empties or fills the place, where it is
    optional), changes one constant, or swaps two parts that may stand in each other's place. Constants stay where they
    are near what the new primitive takes, else they are drawn, always the same for the same composition.
    """
    family = world.families[composition.family]
    function = family.function(composition)
    signature = (function.parameters, function.result)
    found: dict[Composition, None] = {}
    for mutant in (*_replaced(world, composition), *_changed(world, composition), *_swapped(world, composition)):
        if mutant == composition or mutant in found or not family.is_sensible(mutant.shape[1:]):
            continue
        other = family.function(mutant)
        if (other.parameters, other.result) == signature:
            found[mutant] = None
    return list(found)


def _with(composition: Composition, place: int, part: Part) -> Composition:
    parts = composition.parts
    return composition._replace(parts=(*parts[:place], part, *parts[place + 1 :]))


def _replaced(world: World, composition: Composition) -> Iterator[Composition]:
    rng = Random(f"mutants {composition}")
    places = world.families[composition.family].places
    for place, (names, part) in enumerate(zip(places, composition.parts, strict=True)):
        for name in names:
            if name != part.primitive:
                fits = _fits(world, Part(name, part.constants))
                yield _with(composition, place, Part(name, part.constants) if fits else world.draw_part(name, rng))


def _fits(world: World, part: Part) -> bool:
    return len(world.choices(part.primitive)) == len(part.constants) and all(
        _may_be(world, part.primitive, index, constant) for index, constant in enumerate(part.constants)
    )


def _changed(world: World, composition: Composition) -> Iterator[Composition]:
    rng = Random(f"constants {composition}")
    for place, part in enumerate(composition.parts):
        for index, values in enumerate(world.choices(part.primitive)):
            constant = part.constants[index]
            others = [value for value in values if value != constant]
            drawn = [rng.choice(others)] if others else []
            for value in (*_beside(constant), *drawn):
                constants = (*part.constants[:index], value, *part.constants[index + 1 :])
                if _may_be(world, part.primitive, index, value):
                    yield _with(composition, place, Part(part.primitive, constants))


def _beside(constant: Constant) -> tuple[Constant, ...]:
    if isinstance(constant, int):
        return (constant - 1, constant + 1)
    return (chr(ord(constant) - 1), chr(ord(constant) + 1))


def _may_be(world: World, primitive: str, index: int, value: Constant) -> bool:
    """Whether a constant is at most one beyond the values that it is drawn from, and of their sign."""
    values = world.choices(primitive)[index]
    numbers = [number for number in values if isinstance(number, int)]
    if isinstance(value, str):
        return not numbers and value.isascii() and value.islower()
    if not numbers:
        return False
    low, high = min(numbers) - 1, max(numbers) + 1
    return low <= value <= high and (value > 0 or min(numbers) <= 0)


def _swapped(world: World, composition: Composition) -> Iterator[Composition]:
    places = world.families[composition.family].places
    parts = composition.parts
    for first, one in enumerate(places):
        for second in range(first + 1, len(places)):
            if parts[first].primitive in places[second] and parts[second].primitive in one:
                yield _with(_with(composition, first, parts[second]), second, parts[first])
