"""The held-out problems, as the bundled file has them, and how one becomes a prompt, a solution and tests."""

import gzip
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from codeglot.micro.bundled import bundled
from codeglot.micro.cases import cases
from codeglot.micro.grammar import Composition, Part
from codeglot.micro.inputs import Arguments
from codeglot.micro.phrasing import say
from codeglot.micro.renderers.renderer import renderer
from codeglot.micro.splits import Split
from codeglot.micro.tree import Function
from codeglot.micro.world import World
from codeglot.records import Limits, Problem

PROBLEMS_FILE = "problems.jsonl.gz"
"""In `assets/`: one chosen composition a line, with the arguments of its tests; the results are the reference's."""
LICENSE = "Apache-2.0"
"""Of what this package itself makes."""
LIMITS = Limits(cpu_s=5)
"""Short programs on small values; what takes longer does not end."""


class Task(NamedTuple):
    """One held-out problem, in no language yet."""

    split: Split
    number: int
    """Its place in the split; the same composition in every language."""
    composition: Composition
    inputs: tuple[Arguments, ...]


def pack(tasks: Iterable[Task]) -> bytes:
    """The file of held-out problems."""
    lines = [
        json.dumps([task.split, task.composition.family, task.composition.parts, task.inputs], separators=(",", ":"))
        for task in tasks
    ]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def unpack(data: bytes) -> list[Task]:
    """What `pack` wrote."""
    numbers = dict.fromkeys(Split, 0)
    tasks = []
    for line in gzip.decompress(data).decode().splitlines():
        name, family, parts, inputs = json.loads(line)
        split = Split(name)
        composition = Composition(family, tuple(Part(primitive, tuple(constants)) for primitive, constants in parts))
        tasks.append(Task(split, numbers[split], composition, tuple(tuple(row) for row in inputs)))
        numbers[split] += 1
    return tasks


@cache
def all_tasks() -> tuple[Task, ...]:
    """Every held-out problem, in the order of the bundled file."""
    return tuple(unpack((resources.files("codeglot.micro") / "assets" / PROBLEMS_FILE).read_bytes()))


def tasks(split: Split) -> list[Task]:
    """The problems of a split; any first few of them have all families in the proportions of the whole."""
    return [task for task in all_tasks() if task.split is split]


def build_problem(task: Task, *, benchmark: str, task_id: str, language_id: str, natural_language: str) -> Problem:
    """A problem of the bundled world in one programming and one natural language.

    Raises:
        UnknownNameError: If the world lacks one of the languages.
    """
    written = renderer(language_id)
    function = solution(bundled(), task.composition)
    return Problem(
        task_id=task_id,
        benchmark=benchmark,
        language_id=language_id,
        natural_language=natural_language,
        prompt=written.prompt(function, describe(bundled(), task.composition, natural_language, task.number)),
        entry_point=written.function_name(function.name),
        tests=_tests(task, language_id),
        canonical_solution=written.completion(function),
        limits=LIMITS,
        origin=f"micro/{task.split}/{task.number}",
    )


def solution(world: World, composition: Composition) -> Function:
    """The canonical solution."""
    return world.families[composition.family].function(composition)


def describe(world: World, composition: Composition, natural_language: str, variant: int) -> Sequence[str]:
    """The lines that say what is asked, in one of several wordings."""
    return say(world.families[composition.family].phrase(composition), natural_language, variant)


_tests_by_key: dict[tuple[Split, int, str], str] = {}


def _tests(task: Task, language_id: str) -> str:
    """The tests in a programming language, kept since they serve every natural language."""
    key = (task.split, task.number, language_id)
    if key not in _tests_by_key:
        rows = cases(bundled(), task.composition, task.inputs)
        _tests_by_key[key] = renderer(language_id).tests(solution(bundled(), task.composition), rows)
    return _tests_by_key[key]
