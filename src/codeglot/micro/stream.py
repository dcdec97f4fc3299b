"""Training examples out of the shapes that are for training: an endless stream, or a finite list for fine-tuning."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, count
from random import Random
from typing import NamedTuple

from codeglot.errors import ConfigError, UnknownNameError
from codeglot.micro.bundled import bundled
from codeglot.micro.grammar import Composition
from codeglot.micro.phrasing import natural_languages as spoken
from codeglot.micro.problems import LICENSE, all_tasks, describe, solution
from codeglot.micro.renderers.renderer import languages as written
from codeglot.micro.renderers.renderer import renderer
from codeglot.micro.splits import Meanings, family_weights, held_out
from codeglot.micro.tree import Function
from codeglot.micro.world import Shape
from codeglot.records import Example

_NUM_VARIANTS = 1 << 20
"""Wordings are picked by a number below this."""


class _Weighted(NamedTuple):
    """Things to draw, and their weights added up."""

    items: tuple[str, ...]
    totals: tuple[float, ...]

    def draw(self, rng: Random) -> str:
        return rng.choices(self.items, cum_weights=self.totals)[0]


def stream(*, seed: int, languages: Mapping[str, float], natural_languages: Mapping[str, float]) -> Iterator[Example]:
    """Endless training examples, the same for the same seed and shares.

    Args:
        seed: Decides every draw.
        languages: Share of each programming language, by id; they need not add up to 1.
        natural_languages: Share of each language of the prompts, by code.

    Raises:
        ConfigError: If a share is negative or none is positive; before the first example.
        UnknownNameError: If the world lacks one of the languages; before the first example.
    """
    programming = _weighted("language of the micro world", languages, written())
    natural = _weighted("natural language of the micro world", natural_languages, spoken())
    rng = Random(f"stream {seed}")
    return (
        _example(rng, programming.draw(rng), natural.draw(rng), f"micro/stream-{seed}/{number}") for number in count()
    )


def examples(
    *, seed: int, languages: Sequence[str], natural_languages: Sequence[str], num_per_language: int
) -> list[Example]:
    """A finite list for fine-tuning, other draws than those of any `stream`.

    Every programming language gets the same number, its problems dealt out evenly over the natural languages. What one
    language gets does not depend on which others are asked for.

    Raises:
        ConfigError: If no language, natural language or example is asked for.
        UnknownNameError: If the world lacks one of the languages.
    """
    if num_per_language < 1:
        raise ConfigError(f"{num_per_language} examples per language make no training data; ask for at least 1.")
    _weighted("language of the micro world", dict.fromkeys(languages, 1.0), written())
    _weighted("natural language of the micro world", dict.fromkeys(natural_languages, 1.0), spoken())
    found = []
    for language_id in dict.fromkeys(languages):
        rng = Random(f"examples {seed} {language_id}")
        for number in range(num_per_language):
            natural_language = natural_languages[number % len(natural_languages)]
            found.append(_example(rng, language_id, natural_language, f"micro/{language_id}-{seed}/{number}"))
    return found


def _weighted(kind: str, shares: Mapping[str, float], known: Sequence[str]) -> _Weighted:
    for name, share in shares.items():
        if name not in known:
            raise UnknownNameError(kind, name, known)
        if not share >= 0:
            raise ConfigError(f"The share of '{name}' is {share}; it must not be negative.")
    if not sum(shares.values()) > 0:
        raise ConfigError(f"No {kind} has a positive share; known: {', '.join(known)}.")
    return _Weighted(tuple(shares), tuple(accumulate(shares.values())))


class _Training(NamedTuple):
    """What is drawn from."""

    families: _Weighted
    shapes: Mapping[str, Sequence[Shape]]
    held_out: Meanings


@cache
def _training() -> _Training:
    shapes: dict[str, list[Shape]] = {name: [] for name in bundled().families}
    kept_out = held_out()
    for shape in bundled().shapes():
        if shape not in kept_out:
            shapes[shape[0]].append(shape)
    weights = family_weights({name: len(found) for name, found in shapes.items()})
    meanings = Meanings(bundled(), (task.composition for task in all_tasks()))
    return _Training(_weighted("family of the micro world", weights, tuple(weights)), shapes, meanings)


def training_compositions(rng: Random) -> Iterator[Composition]:
    """Endless compositions that are for training, as the examples are made of."""
    while True:
        yield _draw(rng)[0]


def _draw(rng: Random) -> tuple[Composition, Function]:
    """A composition for training with its solution; one that means what a held-out problem means is never drawn."""
    training = _training()
    while True:
        composition = bundled().draw(rng.choice(training.shapes[training.families.draw(rng)]), rng)
        function = solution(bundled(), composition)
        if not training.held_out.has(composition, function):
            return composition, function


def _example(rng: Random, language_id: str, natural_language: str, source: str) -> Example:
    composition, function = _draw(rng)
    description = describe(bundled(), composition, natural_language, rng.randrange(_NUM_VARIANTS))
    return Example(
        prompt=renderer(language_id).prompt(function, description),
        completion=renderer(language_id).completion(function),
        language_id=language_id,
        natural_language=natural_language,
        source=source,
        license=LICENSE,
    )
