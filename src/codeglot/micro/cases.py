"""The tests of a problem: arguments on which every one-step mutant that is not equivalent gives itself away.

A mutant counts as different only where both it and the right solution have an answer, so no test rests on an overflow
or on an argument that the words leave open.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from codeglot.micro.grammar import Composition, Family, Part, Reference, Undefined
from codeglot.micro.inputs import Arguments, build_pool
from codeglot.micro.mutants import mutants
from codeglot.micro.primitives import NOTHING
from codeglot.micro.tree import Case, Function, Value
from codeglot.micro.world import World, constants

MIN_CASES = 30
MAX_CASES = 45
MIN_DEFINED = 0.6
"""Share of the seeded arguments that must have an answer."""
MAX_SAME = 0.85
"""Share of the seeded arguments that may give the same result."""
MIN_SIDE = 0.1
"""Share of the seeded arguments that true, and that false, must have at least."""
MAX_ECHO = 0.85
"""Share of the seeded arguments that the result may only repeat."""
_NUM_PLAIN = 22
"""Boundaries and edges, so that room is left for ordinary arguments; more only where there are more boundaries."""
_LONGEST = 70
"""Characters of arguments that are not needed to kill a mutant."""


class Flaw(StrEnum):
    """Why a composition makes no problem."""

    UNDEFINED = "too few arguments have an answer"
    SAME = "the result hardly varies"
    ECHO = "the result repeats an argument"
    IDLE = "an optional step changes nothing"
    HARD = "too many tests are needed to kill every mutant"


class Suite(NamedTuple):
    """The tests of one problem."""

    inputs: tuple[Arguments, ...]
    """30 to 45, boundaries first."""
    num_killed: int
    """One-step mutants that these tell from the right solution."""
    equivalent: tuple[Composition, ...]
    """One-step mutants that no argument of the pool tells from it."""


def cases(world: World, composition: Composition, inputs: Sequence[Arguments]) -> list[Case]:
    """Arguments with the results that the reference gives."""
    reference = world.families[composition.family].reference(composition)
    return [Case(arguments, reference(*arguments)) for arguments in inputs]


def choose(world: World, composition: Composition) -> Suite | Flaw:
    """Tests for a composition, or why it makes no problem; the same for the same composition."""
    family = world.families[composition.family]
    pool = build_pool(family.function(composition).parameters, constants(composition))
    rows = pool.all
    results = answers(family.reference(composition), rows)
    result_by_row = {repr(row): result for row, result in zip(rows, results, strict=True)}
    flaw = _flaw([(row, result_by_row[repr(row)]) for row in pool.seeded], family.function(composition))
    if flaw is not None:
        return flaw
    defined = [(arguments, result) for arguments, result in zip(rows, results, strict=True) if result is not None]
    num_boundaries = sum(result is not None for result in results[: len(pool.boundaries)])
    num_always = num_boundaries + sum(
        result is not None for result in results[len(pool.boundaries) : len(pool.boundaries) + len(pool.edges)]
    )
    if num_boundaries > MAX_CASES:
        return Flaw.HARD
    return _cover(world, composition, defined, num_boundaries, num_always)


def answers(reference: Reference, rows: Sequence[Arguments]) -> list[Value | None]:
    """Results of a reference; None where it has none."""
    results: list[Value | None] = []
    for arguments in rows:
        try:
            results.append(reference(*arguments))
        except Undefined:
            results.append(None)
    return results


def differ(one: Value | None, other: Value | None) -> bool:
    """Whether two answers exist and are not the same; True is not 1."""
    return one is not None and other is not None and (one != other or type(one) is not type(other))


def _flaw(seeded: Sequence[tuple[Arguments, Value | None]], function: Function) -> Flaw | None:
    defined = [(arguments, result) for arguments, result in seeded if result is not None]
    if len(defined) < MIN_DEFINED * len(seeded):
        return Flaw.UNDEFINED
    counts = Counter(repr(result) for _, result in defined)
    most = counts.most_common(1)[0][1] / len(defined)
    if most > (1 - MIN_SIDE if isinstance(defined[0][1], bool) else MAX_SAME):
        return Flaw.SAME
    for place, _ in enumerate(function.parameters):
        if sum(arguments[place] == result for arguments, result in defined) > MAX_ECHO * len(defined):
            return Flaw.ECHO
    return None


def _cover(
    world: World,
    composition: Composition,
    defined: Sequence[tuple[Arguments, Value]],
    num_boundaries: int,
    num_always: int,
) -> Suite | Flaw:
    """Boundaries, edges and varied arguments; then, greedily, what kills the mutants that survive those."""
    family = world.families[composition.family]
    if any(_is_idle(family, composition, place, defined) for place in range(len(composition.parts))):
        return Flaw.IDLE
    chosen = list(range(num_boundaries)) + list(range(num_boundaries, min(num_always, _NUM_PLAIN)))
    chosen += _varied(defined, chosen, MIN_CASES - len(chosen))
    killers: list[set[int]] = []
    num_killed = 0
    equivalent = []
    for mutant in mutants(world, composition):
        reference = family.reference(mutant)
        if any(_tells(reference, *defined[index]) for index in chosen):
            num_killed += 1
            continue
        found = {index for index, row in enumerate(defined) if _tells(reference, *row)}
        if found:
            killers.append(found)
        else:
            equivalent.append(mutant)
    num_killed += len(killers)
    while killers:
        counts = Counter(index for found in killers for index in found)
        best = max(counts, key=lambda index: (counts[index], -len(repr(defined[index][0])), -index))
        chosen.append(best)
        killers = [found for found in killers if best not in found]
    if len(chosen) > MAX_CASES:
        return Flaw.HARD
    return Suite(tuple(defined[index][0] for index in chosen), num_killed, tuple(equivalent))


def _tells(reference: Reference, arguments: Arguments, result: Value) -> bool:
    try:
        return differ(reference(*arguments), result)
    except Undefined:
        return False


def _is_idle(family: Family, composition: Composition, place: int, defined: Sequence[tuple[Arguments, Value]]) -> bool:
    """Whether a step may be left out and no argument tells, even if what is left is no problem worth asking."""
    parts = composition.parts
    if NOTHING not in family.places[place] or parts[place].primitive == NOTHING:
        return False
    reference = family.reference(composition._replace(parts=(*parts[:place], Part(NOTHING), *parts[place + 1 :])))
    return not any(_tells(reference, *row) for row in defined)


def _varied(defined: Sequence[tuple[Arguments, Value]], taken: Sequence[int], count: int) -> list[int]:
    """Places of short arguments whose results are seen as seldom as possible so far."""
    seen = Counter(repr(defined[index][1]) for index in taken)
    known = set(taken)
    short = [index for index in range(len(defined)) if index not in known and len(repr(defined[index][0])) <= _LONGEST]
    found: list[int] = []
    waiting = short[:: max(1, len(short) // (4 * MIN_CASES))]
    while waiting and len(found) < count:
        index = min(waiting, key=lambda index: (seen[repr(defined[index][1])], index))
        waiting.remove(index)
        found.append(index)
        seen[repr(defined[index][1])] += 1
    return found
