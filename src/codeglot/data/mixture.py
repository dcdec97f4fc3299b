"""How often is each language drawn, and in which order do examples come?

Every language has its own stream: its examples in a shuffled order, all of them once before any comes again. The
streams are merged so that any beginning of the whole order holds each language in its share, give or take a few
examples. The order depends on the seed, and on languages and counts; nothing else a run does changes it, so the
arms of a comparison see the same one, and a killed run goes on by its position alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeglot.errors import ConfigError


def shares(
    num_examples: Mapping[str, int], *, temperature: float = 1.0, weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Part of all draws that each language gets; they add up to 1.

    Args:
        num_examples: Examples of each language; at least one each.
        temperature: n examples count as n^(1/temperature): 1 as the data are, large ones evenly.
        weights: Instead of it: how much each language counts, in any unit; for exactly these languages.

    Raises:
        ConfigError: If weights and languages do not go together.
    """
    if weights is not None and weights.keys() != num_examples.keys():
        missing, idle = sorted(num_examples.keys() - weights.keys()), sorted(weights.keys() - num_examples.keys())
        faults = [f"no weight for {', '.join(missing)}"] if missing else []
        faults += [f"no example of {', '.join(idle)}"] if idle else []
        raise ConfigError(f"data.weights: {'; '.join(faults)}. Name exactly the languages of the training data.")
    largest = max(num_examples.values())  # divided off, so that no power is too large
    counts = {name: (count / largest) ** (1 / temperature) for name, count in num_examples.items()}
    counts = dict(weights) if weights is not None else counts
    total = sum(counts.values())
    return {name: count / total for name, count in sorted(counts.items())}


def order(languages: Sequence[str], share: Mapping[str, float], num_draws: int, seed: int) -> list[int]:
    """Which example comes when.

    The j-th draw of a language falls at a random point of the j-th of equal intervals, as long as its share says.
    With the shares of the data, every run of `len(languages)` draws from the start on holds each example once. The
    first draws of a longer order are those of a shorter one.

    Args:
        languages: Language id of each example.
        share: Of each of them, as from `shares`.
        num_draws: Examples to draw.
        seed: The order follows from it.

    Returns:
        `num_draws` places in `languages`.
    """
    places_by_language: dict[str, list[int]] = {}
    for place, language_id in enumerate(languages):
        places_by_language.setdefault(language_id, []).append(place)
    times, drawn = [], []
    for language_id, places in sorted(places_by_language.items()):
        # Before the time t, all languages together have at least t - (number of languages) draws.
        count = int((num_draws + len(places_by_language)) * share[language_id]) + 2
        times.append((np.arange(count) + _stream(seed, language_id, "times").random(count)) / share[language_id])
        drawn.append(_epochs(np.asarray(places), count, _stream(seed, language_id, "examples")))
    first = np.argsort(np.concatenate(times), kind="stable")[:num_draws]
    return [int(place) for place in np.concatenate(drawn)[first]]


def _epochs(places: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """`count` of the places, each shuffled round of all of them behind the other."""
    rounds = -(-count // len(places))
    return np.concatenate([random.permutation(places) for _ in range(rounds)])[:count]


def _stream(seed: int, language_id: str, purpose: str) -> np.random.Generator:
    digest = sha256(f"{seed}/{language_id}/{purpose}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


class MixtureRow(NamedTuple):
    """What is trained on in one language, for people."""

    language_id: str
    num_examples: int
    num_tokens: int
    """Of its examples, each counted once, prompts included."""
    share: float
    """Part of all draws, 0 to 1."""
    num_draws: int
    epochs: float
    """How often each of its examples is seen, on average."""


def table(languages: Sequence[str], num_tokens: Sequence[int], drawn: Sequence[int]) -> list[MixtureRow]:
    """What an order comes to, a row per language.

    Args:
        languages: Language id of each example.
        num_tokens: Tokens of each example.
        drawn: Places of the examples, as from `order`; at least one.
    """
    num_examples = Counter(languages)
    draws = Counter(languages[place] for place in drawn)
    tokens: Counter[str] = Counter()
    for language_id, count in zip(languages, num_tokens, strict=True):
        tokens[language_id] += count
    return [
        MixtureRow(name, count, tokens[name], draws[name] / len(drawn), draws[name], draws[name] / count)
        for name, count in sorted(num_examples.items())
    ]
