"""Which arguments a problem's solutions are compared on: boundaries, edges and many seeded ones.

Everything here is decided by the parameters and the constants alone, so the same problem always meets the same
arguments. Values are small, since programs and their results stay readable and fit 32 bits then.
"""

import string
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from random import Random
from typing import NamedTuple

from codeglot.micro.grammar import Constant
from codeglot.micro.tree import Name, Type, Value

Arguments = tuple[Value, ...]

NUM_SEEDED = 1300
"""Arguments drawn at random for every signature, as they fall: small numbers come more than once."""
NUM_NEAR = 200
"""Further ones, drawn around the constants of one problem."""
NATURAL = frozenset({"n"})
"""Names of integer parameters that are never negative."""
_LETTERS = string.ascii_lowercase
_NUM_LETTERS = 12
"""Letters of the longest text."""
_NEUTRAL: dict[Type, Value] = {Type.INT: 0, Type.TEXT: "", Type.INTS: [], Type.TEXTS: []}
"""What the other parameters hold while one of them is at a boundary."""


class Pool(NamedTuple):
    """All arguments that one problem is judged on; some may be undefined for it."""

    boundaries: tuple[Arguments, ...]
    """One parameter at a constant, one below or one above it."""
    edges: tuple[Arguments, ...]
    """Empty, single, equal, zero, negative, long."""
    near: tuple[Arguments, ...]
    """Drawn around the constants."""
    seeded: tuple[Arguments, ...]
    """Drawn without regard to the constants; what is usual."""

    @property
    def all(self) -> tuple[Arguments, ...]:
        """Every one once, in this order."""
        return _new((*self.boundaries, *self.edges, *self.near, *self.seeded), set())


def build_pool(parameters: Sequence[Name], constants: Sequence[Constant]) -> Pool:
    """The arguments for a signature and the constants of a problem; the same for the same."""
    signature = tuple((parameter.id, parameter.type) for parameter in parameters)
    near = [value for constant in constants for value in neighbours(constant)]
    rng = Random(f"near {signature} {constants}")
    drawn = [_draw(signature, rng, near) for _ in range(NUM_NEAR)] if near else []
    seen: set[str] = set()
    return Pool(
        boundaries=_new(_boundaries(signature, near), seen),
        edges=_new(_edges(signature), seen),
        near=_new(drawn, seen),
        seeded=_seeded(signature),
    )


def neighbours(constant: Constant) -> tuple[Constant, ...]:
    """A constant with what comes just before and after it; letters stay letters."""
    if isinstance(constant, int):
        return (constant - 1, constant, constant + 1)
    if constant not in _LETTERS:
        return (constant,)
    place = _LETTERS.index(constant)
    return tuple(_LETTERS[max(place - 1, 0) : place + 2])


Signature = tuple[tuple[str, Type], ...]


def _boundaries(signature: Signature, near: Iterable[Constant]) -> Iterable[Arguments]:
    """Arguments with one parameter made of one value, the others neutral."""
    for value in near:
        for place, (name, kind) in enumerate(signature):
            for at in _made_of(name, kind, value):
                yield tuple(at if other == place else _NEUTRAL[signature[other][1]] for other in range(len(signature)))


def _made_of(name: str, kind: Type, value: Constant) -> list[Value]:
    """What a parameter may be in order to meet a constant: the number, a list of it, a text as long as it."""
    if isinstance(value, int):
        plain: dict[Type, list[Value]] = {
            Type.INT: [value] if value >= 0 or name not in NATURAL else [],
            Type.INTS: [[value]],
            Type.TEXT: [_LETTERS[:value]] if 0 <= value <= _NUM_LETTERS else [],
            Type.TEXTS: [[_LETTERS[:value]]] if 1 <= value <= _NUM_LETTERS else [],
        }
        return plain[kind]
    lettered: dict[Type, list[Value]] = {
        Type.TEXT: [value],
        Type.TEXTS: [[value], [value + "o"], ["o" + value]],
    }
    return lettered.get(kind, [])


@cache
def _edges(signature: Signature) -> tuple[Arguments, ...]:
    """Arguments that careless programs forget."""
    rng = Random(f"edges {signature}")
    values: dict[Type, tuple[Value, ...]] = {
        Type.INT: (0, 1, 2, 10, -1, -7),
        Type.INTS: ([], [0], [7], [-4], [3, 3, 3], [-2, -2], [5, -5], [rng.randint(-9, 30) for _ in range(15)]),
        Type.TEXT: ("", "a", "z", "eee", "ab", "".join(rng.choices(_LETTERS, k=18))),
        Type.TEXTS: ([], ["a"], ["at", "at"], ["bee"], ["".join(rng.choices(_LETTERS, k=3)) for _ in range(9)]),
    }
    natural = tuple(value for value in values[Type.INT] if isinstance(value, int) and value >= 0)
    choices = [natural if name in NATURAL else values[kind] for name, kind in signature]
    if len(choices) == 1:
        return tuple((value,) for value in choices[0])
    return tuple(product(*(values[:4] for values in choices)))


@cache
def _seeded(signature: Signature) -> tuple[Arguments, ...]:
    rng = Random(f"seeded {signature}")
    return tuple(_draw(signature, rng, ()) for _ in range(NUM_SEEDED))


def _draw(signature: Signature, rng: Random, near: Sequence[Constant]) -> Arguments:
    return tuple(_value(name, kind, rng, near) for name, kind in signature)


def _value(name: str, kind: Type, rng: Random, near: Sequence[Constant]) -> Value:
    numbers = [value for value in near if isinstance(value, int)]
    letters = [value for value in near if isinstance(value, str)]
    match kind:
        case Type.INT:
            return _natural(rng, numbers) if name in NATURAL else _integer(rng, numbers)
        case Type.INTS:
            return _numbers(rng, numbers)
        case Type.TEXT:
            return _text(rng, letters, rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10)))
        case _:
            return _texts(rng, letters, [value for value in numbers if 1 <= value <= _NUM_LETTERS])


def _natural(rng: Random, near: Sequence[int]) -> int:
    """Mostly small, some with three or four digits."""
    if near and rng.random() < 0.5:
        return max(0, rng.choice(near))
    return rng.randint(*rng.choices(((0, 20), (0, 120), (100, 999), (1000, 9999)), (50, 30, 14, 6))[0])


def _integer(rng: Random, near: Sequence[int]) -> int:
    if near and rng.random() < 0.5:
        return rng.choice(near)
    return rng.randint(*rng.choices(((-12, 20), (-60, 60), (-300, 300)), (60, 30, 10))[0])


def _numbers(rng: Random, near: Sequence[int]) -> Value:
    """A list whose numbers are of one sort, since lists of one sort are what tells similar programs apart."""
    low, high = rng.choices(((-12, 20), (-3, 5), (0, 40), (-60, 60), (-30, -1)), (35, 20, 25, 15, 5))[0]
    items = [rng.randint(low, high) for _ in range(rng.choice((1, 2, 3, 4, 5, 6, 7, 8)))]
    items = [rng.choice(near) if near and rng.random() < 0.4 else item for item in items]
    return sorted(items) if rng.random() < 0.1 else items


def _text(rng: Random, near: Sequence[str], length: int) -> str:
    letters = rng.choice((_LETTERS, _LETTERS, "abcde", "aeiourst", "xyzab"))
    return "".join(rng.choice(near) if near and rng.random() < 0.3 else rng.choice(letters) for _ in range(length))


def _texts(rng: Random, near: Sequence[str], lengths: Sequence[int]) -> Value:
    words: list[str] = []
    for _ in range(rng.choice((1, 2, 3, 4, 5, 6))):
        again = words and rng.random() < 0.15
        length = rng.choice(lengths) if lengths and rng.random() < 0.5 else rng.choice((1, 2, 3, 4, 5, 6, 7, 8))
        words.append(rng.choice(words) if again else _text(rng, near, length))
    return words


def _new(rows: Iterable[Arguments], seen: set[str]) -> tuple[Arguments, ...]:
    """The rows that were not seen before; from now on they are."""
    found = []
    for row in rows:
        text = repr(row)
        if text not in seen:
            seen.add(text)
            found.append(row)
    return tuple(found)
