"""Makes the bundled files of the held-out problems anew: which shapes are held out, and the problems chosen from them.

    python -m codeglot.micro.build

Takes some minutes; the same families, phrases aside, give the same files. A problem is chosen only if it also means
something else than everything seen in training: none of many training compositions gives its answers, and no mutant
that cannot be told from it has a shape that is for training. The few that still do are left out of the stream.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

from codeglot.micro.bundled import bundled
from codeglot.micro.cases import Flaw, Suite, choose
from codeglot.micro.grammar import Composition
from codeglot.micro.problems import PROBLEMS_FILE, Task, pack
from codeglot.micro.splits import HELD_OUT_FILE, Fingerprint, Split, assign, family_weights, fingerprint, pack_held_out
from codeglot.micro.world import Shape, World

NUM_TASKS = {Split.VALIDATION: 240, Split.TEST: 1040}
"""Problems chosen for each split."""
_NUM_TRIES = 4
"""Choices of constants that are tried for one held-out shape; more than one problem of a shape only if it must be."""
_NUM_TRAINING_DRAWS = 6
"""Choices of constants of each shape for training that a problem is compared with."""
KNOWN = "training has the same meaning"
VAGUE = "the answers to fixed arguments are too much alike to compare it with training"
TWICE = "another problem has the same meaning"

_log = logging.getLogger(__name__)


class Bundle(NamedTuple):
    """What the files hold."""

    split_by_shape: dict[Shape, Split]
    tasks: list[Task]
    dropped: Counter[tuple[str, str]]
    """Compositions that became no problem, by family and reason."""


def build(world: World, *, num_tasks: Mapping[Split, int]) -> Bundle:
    """Split the shapes of a world and choose problems from those held out."""
    split_by_shape = assign(world)
    known = {
        found
        for shape, split in split_by_shape.items()
        if split is Split.TRAIN
        for found in _fingerprints(world, shape)
    }
    _log.info("%d shapes, %d ways to answer in training", len(split_by_shape), len(known))
    chooser = _Chooser(world, split_by_shape, known)
    tasks = [task for split, count in num_tasks.items() for task in chooser.tasks(split, count)]
    return Bundle(split_by_shape, tasks, chooser.dropped)


def _fingerprints(world: World, shape: Shape) -> set[Fingerprint]:
    rng = Random(f"known {shape}")
    drawn = {world.draw(shape, rng) for _ in range(_NUM_TRAINING_DRAWS)}
    return {found for composition in drawn if (found := fingerprint(world, composition)) is not None}


class _Chooser:
    """Goes through held-out shapes and keeps count of what was found."""

    def __init__(self, world: World, split_by_shape: Mapping[Shape, Split], known: set[Fingerprint]) -> None:
        self.dropped: Counter[tuple[str, str]] = Counter()
        self._world = world
        self._split_by_shape = split_by_shape
        self._known = set(known)
        self._chosen: set[Fingerprint] = set()

    def tasks(self, split: Split, count: int) -> list[Task]:
        """Up to `count` problems of a split, the families mixed evenly."""
        shapes: defaultdict[str, list[Shape]] = defaultdict(list)
        for shape, found in self._split_by_shape.items():
            if found is split:
                shapes[shape[0]].append(shape)
        weights = family_weights({name: len(found) for name, found in shapes.items()})
        sources = {name: self._candidates(split, found) for name, found in shapes.items()}
        chosen: dict[str, list[tuple[Composition, Suite]]] = {name: [] for name in sources}
        while sources and sum(map(len, chosen.values())) < count:
            name = min(sources, key=lambda name: (len(chosen[name]) / weights[name], name))
            candidate = next(sources[name], None)
            if candidate is None:
                _log.info("%s: %s has no more than %d problems", split, name, len(chosen[name]))
                del sources[name]
            else:
                chosen[name].append(candidate)
        return [
            Task(split, number, composition, suite.inputs) for number, (composition, suite) in enumerate(_mixed(chosen))
        ]

    def _candidates(self, split: Split, shapes: list[Shape]) -> Iterator[tuple[Composition, Suite]]:
        """Problems of one family: one of each shape first, then others of the same shapes."""
        order = list(shapes)
        Random(f"{split} {shapes[0][0]}").shuffle(order)
        done: set[Composition] = set()
        waiting = [(used, shape) for used in range(_NUM_TRIES) for shape in order]
        for used, shape in waiting:
            composition = self._world.draw(shape, Random(f"{split} {shape} {used}"))
            if composition in done:
                continue
            done.add(composition)
            suite = self._suite(composition)
            if isinstance(suite, Suite):
                yield composition, suite
            else:
                self.dropped[shape[0], suite] += 1

    def _suite(self, composition: Composition) -> Suite | str:
        found = fingerprint(self._world, composition)
        if found is None:
            return VAGUE
        if found in self._known:
            return KNOWN
        if found in self._chosen:
            return TWICE
        suite = choose(self._world, composition)
        if isinstance(suite, Flaw):
            return suite
        if any(self._split_by_shape.get(mutant.shape) is Split.TRAIN for mutant in suite.equivalent):
            return KNOWN
        self._chosen.add(found)
        return suite


def _mixed(chosen: Mapping[str, list[tuple[Composition, Suite]]]) -> list[tuple[Composition, Suite]]:
    """All of them, such that every beginning holds the families in the proportions of the whole."""
    placed = [
        ((index + 0.5) / len(found), name, candidate)
        for name, found in chosen.items()
        for index, candidate in enumerate(found)
    ]
    return [candidate for _, _, candidate in sorted(placed, key=lambda row: row[:2])]


def main() -> None:
    """Write both files."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    bundle = build(bundled(), num_tasks=NUM_TASKS)
    assets = Path(__file__).parent / "assets"
    assets.mkdir(exist_ok=True)
    for name, data in (
        (HELD_OUT_FILE, pack_held_out(bundle.split_by_shape)),
        (PROBLEMS_FILE, pack(bundle.tasks)),
    ):
        (assets / name).write_bytes(data)
        _log.info("%s: %d bytes", name, len(data))
    for (family, reason), count in sorted(bundle.dropped.items()):
        _log.info("%-12s %5d dropped: %s", family, count, reason)


if __name__ == "__main__":
    main()
