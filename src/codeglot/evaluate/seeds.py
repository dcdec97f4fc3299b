"""How far can a mean over problems *and* seeds be trusted?

A training run is one draw of a seed, a test set one draw of problems; a claim about a method needs both. Seeds are few,
so resampling them would claim too much: of three values a bootstrap shows two thirds of the variance and none of the
doubt about it. Here problems are resampled, seeds get Student's t, and the two are joined by square-and-add (Zou and
Donner 2008, Statistics in Medicine 27:1693). What seeds and problems share of the noise counts twice, so the intervals
are on the wide side.

Shapes: S seeds, P problems of one language; a "stratum" is an array (S, P) of one language.
"""

from collections.abc import Sequence
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np

from codeglot.evaluate.statistics import (
    Floats,
    Interval,
    Origins,
    contributions,
    difference_interval,
    macro_interval,
    permutation_test,
)

_Z = 1.959963984540054
_T = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139)
"""97.5 % points of Student's t for 1 to 10 degrees of freedom, from the tables."""


class Noise(NamedTuple):
    """How far runs lie apart that differ in their seed alone."""

    sd: float
    """Sample standard deviation between seeds."""
    largest: float
    """Largest difference between two seeds."""


def student_t(degrees: int) -> float:
    """97.5 % point of Student's t.

    Source: Abramowitz and Stegun 1964, 26.7.5, from 11 degrees on; its error is below 1e-4 there.

    Args:
        degrees: Degrees of freedom, >= 1.
    """
    if degrees <= len(_T):
        return _T[degrees - 1]
    z, n = _Z, degrees
    terms = (
        z,
        (z**3 + z) / 4 / n,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96 / n**2,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / n**3,
    )
    return sum(terms)


def seed_means(strata: Sequence[Floats]) -> list[float]:
    """Of each seed, the mean over languages of the mean over problems."""
    return [float(value) for value in np.mean([stratum.mean(axis=1) for stratum in strata], axis=0)]


def noise(means: Sequence[float]) -> Noise | None:
    """Spread of the means of several seeds; None for a single one."""
    if len(means) < 2:
        return None
    return Noise(float(np.std(means, ddof=1)), max(means) - min(means))


def score_interval(strata: Sequence[Floats], origins: Origins | None = None) -> Interval:
    """95 % interval of a score over problems and seeds; over problems alone where there is one seed.

    Args:
        strata: Per language pass@1 of each seed and problem, 0 to 1, shape (S, P).
        origins: Of the problems, as in `statistics.macro_interval`.
    """
    low, high = _with_seeds(strata, macro_interval(_over_seeds(strata), origins))
    return max(low, 0.0), min(high, 1.0)


def change_interval(strata: Sequence[Floats], origins: Origins | None = None) -> Interval:
    """95 % interval of a mean paired difference over problems and seeds; over problems alone where there is one seed.

    Args:
        strata: Per language the difference of each seed and problem, -1 to 1, shape (S, P).
        origins: Of the problems, as in `statistics.macro_interval`.
    """
    low, high = _with_seeds(strata, difference_interval(_over_seeds(strata), origins))
    return max(low, -1.0), min(high, 1.0)


def change_p(strata: Sequence[Floats], origins: Origins | None = None) -> float:
    """Two-sided p of a paired permutation over problems, on the means of the seeds that were trained.

    It says whether other problems could have turned the difference round, not whether other seeds could. Problems of
    one origin change their sign together.
    """
    return permutation_test(contributions(_over_seeds(strata), origins))


def _over_seeds(strata: Sequence[Floats]) -> list[list[float]]:
    """Per language the mean over seeds of each problem."""
    return [stratum.mean(axis=0).tolist() for stratum in strata]


def _with_seeds(strata: Sequence[Floats], over_problems: Interval) -> Interval:
    means = seed_means(strata)
    spread = noise(means)
    if spread is None:
        return over_problems
    half = student_t(len(means) - 1) * spread.sd / sqrt(len(means))
    mean = sum(means) / len(means)
    low, high = over_problems
    return mean - hypot(mean - low, half), mean + hypot(high - mean, half)
