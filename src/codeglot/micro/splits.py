"""Train, validation and test by meaning: shapes that can be the same program never lie in two of them.

Two shapes belong together when their canonical trees agree but for the numbers and letters in them, or when they give
the same answers with the same constants. Whole groups go to one split; every primitive stays seen in training in each
of its places, so the held-out problems are new combinations of known parts.
"""

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from math import sqrt
from random import Random
from typing import Any

from codeglot.micro.cases import answers
from codeglot.micro.grammar import Composition, Constant, Part, Reference
from codeglot.micro.inputs import Arguments, build_pool
from codeglot.micro.tree import Function, Letters, Name, Number
from codeglot.micro.world import Shape, World

HELD_OUT_FILE = "held_out.json.gz"
"""In `assets/`: shapes of validation and of test. All others are for training."""
SHARES = {"test": 0.12, "validation": 0.06}
"""Part of the shapes of each family that a split gets."""
LEAST = {"test": 60, "validation": 30}
"""Shapes of a small family that a split gets,"""
MOST = {"test": 0.25, "validation": 0.15}
"""as long as they are no larger part of it."""
MIN_SEEN = 0.55
"""Share of the shapes with a primitive in a place that stay in training."""
_NUM_INPUTS = 48
"""Seeded arguments of a fingerprint, besides the edges."""
_NUM_PROBES = (4, 12)
"""Arguments of the quick looks that come before a fingerprint."""
_MIN_RESULTS = 5
"""Different answers below which a fingerprint says nothing."""
_MAX_SAME = 0.8
"""Share of equal answers above which a fingerprint says nothing."""
_TARGETS: tuple[tuple[int, ...], ...] = ((5, 9), (3, 7), (4, 6))
"""Constants that shapes are compared at, as near as their ranges have them."""


class Split(StrEnum):
    """What a shape is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


HELD_OUT = (Split.TEST, Split.VALIDATION)
Fingerprint = str
"""Short hash of many answers."""


def skeleton(function: Function) -> object:
    """The tree without its numbers and letters: what two functions have in common that differ in constants alone."""
    return (function.parameters, function.result, _bare(function.body))


def _bare(node: Any) -> object:
    if isinstance(node, Number | Letters):
        return type(node).__name__
    if isinstance(node, Name):
        return node
    if isinstance(node, tuple):
        return tuple(_bare(item) for item in node)
    if is_dataclass(node):
        return (type(node).__name__, *(_bare(getattr(node, field.name)) for field in fields(node)))
    return node


@cache
def _fixed_inputs(parameters: tuple[Name, ...]) -> tuple[Arguments, ...]:
    pool = build_pool(parameters, ())
    return (*pool.edges, *pool.seeded[:_NUM_INPUTS])


def fingerprint(world: World, composition: Composition) -> Fingerprint | None:
    """The answers to fixed arguments, with the signature; None where they are too much alike to tell problems apart."""
    family = world.families[composition.family]
    return _fingerprint(family.function(composition).parameters, family.reference(composition))


def _fingerprint(parameters: tuple[Name, ...], reference: Reference) -> Fingerprint | None:
    results = answers(reference, _fixed_inputs(parameters))
    found = [repr(result) for result in results]
    counts = Counter(found)
    is_bool = any(isinstance(result, bool) for result in results)
    if len(counts) < (2 if is_bool else _MIN_RESULTS) or max(counts.values()) > _MAX_SAME * len(found):
        return None
    return hashlib.blake2b("\n".join((repr(parameters), *found)).encode(), digest_size=12).hexdigest()


class Meanings:
    """What some compositions mean, so that others that mean the same are found at once.

    Groups of shapes do not catch it where two programs agree for a few constants alone, as "after 'o'" and not "before
    'p'".
    """

    def __init__(self, world: World, compositions: Iterable[Composition]) -> None:
        self._world = world
        self._probes: set[tuple[tuple[Name, ...], str]] = set()
        self._fingerprints: set[Fingerprint] = set()
        for composition in compositions:
            family = world.families[composition.family]
            parameters, reference = family.function(composition).parameters, family.reference(composition)
            found = _fingerprint(parameters, reference)
            if found is not None:
                self._probes.update(_probe(parameters, reference, count) for count in _NUM_PROBES)
                self._fingerprints.add(found)

    def has(self, composition: Composition, function: Function) -> bool:
        """Whether a composition, whose solution is `function`, answers like one of those given."""
        reference = self._world.families[composition.family].reference(composition)
        if any(_probe(function.parameters, reference, count) not in self._probes for count in _NUM_PROBES):
            return False
        return _fingerprint(function.parameters, reference) in self._fingerprints


def _probe(parameters: tuple[Name, ...], reference: Reference, count: int) -> tuple[tuple[Name, ...], str]:
    """Some of the answers of the fingerprint, which nearly always tell already."""
    return (parameters, repr(answers(reference, _fixed_inputs(parameters)[-count:])))


def groups(world: World, shapes: Iterable[Shape]) -> list[list[Shape]]:
    """Shapes that mean the same, together; in the order of their first."""
    parent: dict[object, object] = {}

    def root(key: object) -> object:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    listed = list(shapes)
    for shape in listed:
        for composition in _samples(world, shape):
            keys = (("tree", skeleton(world.families[shape[0]].function(composition))), fingerprint(world, composition))
            for key in keys:
                if key is not None:
                    parent[root(key)] = root(shape)
    members: defaultdict[object, list[Shape]] = defaultdict(list)
    for shape in listed:
        members[root(shape)].append(shape)
    return list(members.values())


def _samples(world: World, shape: Shape) -> list[Composition]:
    """The shape with constants that other shapes get too: the same in all places, and others in each place."""
    same = Composition(shape[0], tuple(_part(world, name, _TARGETS[0]) for name in shape[1:]))
    unlike = Composition(
        shape[0], tuple(_part(world, name, _TARGETS[place % len(_TARGETS)]) for place, name in enumerate(shape[1:]))
    )
    return [same, unlike] if same != unlike else [same]


def _part(world: World, primitive: str, targets: Sequence[int]) -> Part:
    choices = world.choices(primitive)
    return Part(primitive, tuple(_nearest(values, targets[index % 2]) for index, values in enumerate(choices)))


def _nearest(values: Sequence[Constant], target: int) -> Constant:
    return min(values, key=lambda value: abs((value if isinstance(value, int) else ord(value) - ord("a")) - target))


def assign(world: World, *, seed: int = 0) -> dict[Shape, Split]:
    """The split of every shape of a world; the same for the same world and seed."""
    listed = groups(world, world.shapes())
    Random(seed).shuffle(listed)
    sizes = Counter(shape[0] for group in listed for shape in group)
    room = {(name, split): _quota(split, size) for name, size in sizes.items() for split in HELD_OUT}
    all_seen = Counter(key for group in listed for shape in group for key in _seen(shape))
    seen = Counter(all_seen)
    split_by_shape = {shape: Split.TRAIN for group in listed for shape in group}
    for group in listed:
        gone = Counter(key for shape in group for key in _seen(shape))
        if any(seen[key] - count < MIN_SEEN * all_seen[key] for key, count in gone.items()):
            continue
        taken = Counter(shape[0] for shape in group)
        fitting = [split for split in HELD_OUT if all(room[name, split] >= count for name, count in taken.items())]
        if fitting:
            name = group[0][0]
            split = max(fitting, key=lambda split: room[name, split] / max(1, _quota(split, sizes[name])))
            seen -= gone
            for name, count in taken.items():
                room[name, split] -= count
            split_by_shape |= dict.fromkeys(group, split)
    return split_by_shape


def _quota(split: Split, size: int) -> int:
    return min(max(LEAST[split], round(SHARES[split] * size)), round(MOST[split] * size))


def _seen(shape: Shape) -> list[tuple[str, int, str]]:
    """A family's places with what stands there."""
    return [(shape[0], place, name) for place, name in enumerate(shape[1:])]


def family_weights(sizes: Mapping[str, int]) -> dict[str, float]:
    """How often each family is drawn, by its number of shapes: large ones more often, but less than they are larger."""
    return {name: sqrt(size) for name, size in sizes.items()}


def pack_held_out(split_by_shape: Mapping[Shape, Split]) -> bytes:
    """The file of held-out shapes."""
    tree = {split: sorted(shape for shape, found in split_by_shape.items() if found is split) for split in HELD_OUT}
    return gzip.compress(json.dumps(tree).encode(), mtime=0)


@cache
def held_out() -> Mapping[Shape, Split]:
    """The shapes that are not for training, as the bundled file has them."""
    text = gzip.decompress((resources.files("codeglot.micro") / "assets" / HELD_OUT_FILE).read_bytes())
    return {tuple(shape): Split(split) for split, shapes in json.loads(text).items() for shape in shapes}
