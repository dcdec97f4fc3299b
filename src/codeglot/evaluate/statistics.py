"""How far can a mean over problems be trusted, and do two runs differ?

All intervals are 95 % and describe the choice of problems: what another set of problems of the same kind could
have shown. They say nothing about another seed, prompt or model. A fixed seed makes every figure repeatable.

Languages that ask forms of one problem are no independent evidence: what is hard in one is hard in all. Where problems
name their origin, everything over languages draws, or turns the sign of, all forms of one origin together (the cluster
bootstrap; Davison and Hinkley 1997, section 3.8). Without origins every problem stands for itself.
"""

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from math import comb, fsum, sqrt

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
Floats = NDArray[np.float64]
Origins = Sequence[Sequence[Hashable]]
"""Per language one key per problem; problems with equal keys are forms of one problem."""

NUM_RESAMPLES = 10_000
_TAILS = (0.025, 0.975)
_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_LARGEST_ENUMERATION = 12  # 2**12 sign patterns, below the number of resamples
_SEED = 0


def varies(values: Sequence[float]) -> bool:
    """Whether resampling can show any spread; where all problems scored alike it cannot."""
    return any(value != values[0] for value in values)


def mean_interval(values: Sequence[float]) -> Interval:
    """95 % interval of the mean of per-problem scores.

    Percentile bootstrap over problems. Where every problem scored alike (all pass, all fail) the bootstrap would
    claim certainty, so Wilson's interval is given instead.

    Args:
        values: One score per problem, 0 to 1, at least one.
    """
    if not varies(values):
        return wilson_interval(sum(values), len(values))
    return _percentiles(_resampled_means(values, np.random.default_rng(_SEED)))


def macro_interval(strata: Sequence[Sequence[float]], origins: Origins | None = None) -> Interval:
    """95 % interval of the mean over languages of their means over problems.

    Bootstrap over problems within each language; an origin is drawn once for all languages that have it. Where one of
    the languages has no spread, its own (Wilson's) interval is added: in full to those of the languages that share
    problems with it, as nothing shows how they hang together, and by square-and-add to others (Zou and Donner 2008,
    Statistics in Medicine 27:1693).

    Args:
        strata: Per language one score per problem, 0 to 1.
        origins: Which of them are forms of one problem; None: none are.
    """
    low, high = _over_languages(strata, origins, mean_interval)
    return max(low, 0.0), min(high, 1.0)


def difference_interval(strata: Sequence[Sequence[float]], origins: Origins | None = None) -> Interval:
    """95 % interval of the mean over languages of mean paired differences; one stratum is the plain case.

    Bootstrap as in `macro_interval`. In a language where all differences are alike, say all 0, Wilson's interval for
    the share of problems that differ takes its place.

    Args:
        strata: Per language one difference per problem, -1 to 1.
        origins: Which of them are forms of one problem; None: none are.
    """
    low, high = _over_languages(strata, origins, _one_difference_interval)
    return max(low, -1.0), min(high, 1.0)


def contributions(strata: Sequence[Sequence[float]], origins: Origins | None = None) -> list[float]:
    """What each origin adds to the sum over languages of their means: the units of `permutation_test`.

    Args:
        strata: Per language one value per problem.
        origins: Which of them are forms of one problem; None: none are.
    """
    parts: dict[Hashable, list[float]] = {}
    for values, keys in zip(strata, _keys(strata, origins), strict=True):
        for value, key in zip(values, keys, strict=True):
            parts.setdefault(key, []).append(value / len(values))
    return [fsum(part) for part in parts.values()]  # exact: what cancels is 0, and equal origins have equal values


def _keys(strata: Sequence[Sequence[float]], origins: Origins | None) -> Origins:
    if origins is not None:
        return origins
    return [[(language, place) for place in range(len(values))] for language, values in enumerate(strata)]


def _linked(keys: Origins) -> list[list[int]]:
    """Languages in sets that have no origin in common."""
    found: list[tuple[set[Hashable], list[int]]] = []
    for language, mine in enumerate(keys):
        joined: tuple[set[Hashable], list[int]] = (set(mine), [language])
        for known in [known for known in found if not known[0].isdisjoint(mine)]:
            found.remove(known)
            joined = (joined[0] | known[0], known[1] + joined[1])
        found.append(joined)
    return [sorted(languages) for _, languages in found]


def _over_languages(
    strata: Sequence[Sequence[float]], origins: Origins | None, alone: Callable[[Sequence[float]], Interval]
) -> Interval:
    """Interval of the mean over languages; `alone` gives that of one language."""
    keys = _keys(strata, origins)
    means = [sum(values) / len(values) for values in strata]
    mean = sum(means) / len(means)
    sets = _linked(keys)
    shifts = [_shifts(strata, keys, languages) for languages in sets]
    if all(map(varies, strata)) and all(map(_moves, shifts)):
        rng = np.random.default_rng(_SEED)
        return _percentiles(mean + np.sum([_resampled_sums(values, rng) for values in shifts], axis=0))
    reaches = []
    for languages in sets:
        varying = [language for language in languages if varies(strata[language])]
        shift = _shifts(strata, keys, varying)
        below, above = 0.0, 0.0
        if _moves(shift):
            low, high = _percentiles(_resampled_sums(shift, np.random.default_rng(_SEED)))
            below, above = -low, high
        else:
            varying = []  # they cancel each other in every problem, which must not pass for certainty
        for language in set(languages) - set(varying):
            low, high = alone(strata[language])
            below += (means[language] - low) / len(strata)
            above += (high - means[language]) / len(strata)
        reaches.append((below, above))
    below, above = (sqrt(sum(reach[side] ** 2 for reach in reaches)) for side in (0, 1))
    return mean - below, mean + above


def _moves(shifts: Sequence[float]) -> bool:
    """Whether drawing origins moves the mean, by more than rounding does."""
    return bool(shifts) and max(shifts) - min(shifts) > 1e-12


def _shifts(strata: Sequence[Sequence[float]], keys: Origins, languages: Sequence[int]) -> list[float]:
    """By how much drawing an origin of these languages moves the mean over all languages.

    Values count from the mean of their language. So it makes no difference how many problems of a language a sample
    has, where languages lack some of the origins (the linearised form of a ratio of sums), and none can be empty.
    """
    mine, shared = [strata[language] for language in languages], [keys[language] for language in languages]
    centers = [[sum(values) / len(values)] * len(values) for values in mine]
    pairs = zip(contributions(mine, shared), contributions(centers, shared), strict=True)
    return [(value - center) / len(strata) for value, center in pairs]


def _one_difference_interval(differences: Sequence[float]) -> Interval:
    if varies(differences):
        return _percentiles(_resampled_means(differences, np.random.default_rng(_SEED)))
    low, high = wilson_interval(abs(sum(differences)), len(differences))
    if differences[0] == 0:
        return -high, high
    return (low, high) if differences[0] > 0 else (-high, -low)


def wilson_interval(successes: float, n: int) -> Interval:
    """Wilson's 95 % score interval of a share.

    Source: Wilson 1927, JASA 22:209. Of a mean of values between 0 and 1 that are not all 0 or 1 it is conservative.

    Args:
        successes: Sum of the values, 0 <= successes <= n.
        n: Number of values, >= 1.
    """
    share, z2 = successes / n, _Z * _Z
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (0.0 if share == 0 else center - half), (1.0 if share == 1 else center + half)


def _resampled_means(values: Sequence[float], rng: np.random.Generator) -> Floats:
    """Means of bootstrap samples, shape (NUM_RESAMPLES,)."""
    return _resampled_sums(values, rng) / len(values)


def _resampled_sums(values: Sequence[float], rng: np.random.Generator) -> Floats:
    """Sums of bootstrap samples, shape (NUM_RESAMPLES,).

    Drawing n problems with replacement only decides how often each distinct value comes, and that is multinomial:
    the same distribution as drawing indices, at a fraction of the memory.
    """
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    draws = rng.multinomial(len(values), counts / len(values), size=NUM_RESAMPLES)
    sums: Floats = draws @ distinct
    return sums


def _percentiles(means: Floats) -> Interval:
    low, high = np.quantile(means, _TAILS)
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value that two runs with one sample per problem are equally good.

    Source: McNemar 1947, Psychometrika 12:153, with the exact binomial in the place of chi-squared.

    Args:
        only_first: Problems that only the first run passed.
        only_second: Problems that only the second run passed.
    """
    n = only_first + only_second
    tail = sum(comb(n, i) for i in range(min(only_first, only_second) + 1))
    return min(1.0, float(Fraction(2 * tail, 1 << n)))  # integers: 2**n leaves the range of floats from 1024 on


def permutation_test(differences: Sequence[float]) -> float:
    """Two-sided p-value that the signs of paired differences are chance.

    All sign patterns where these are few, else 10,000 random ones, counting the observed one among them.

    Args:
        differences: One per problem, or per origin of several (`contributions`); weighted by whatever weight it has in
            the statistic.
    """
    nonzero = np.asarray([d for d in differences if d], dtype=np.float64)
    if not len(nonzero):
        return 1.0
    observed = abs(nonzero.sum()) - 1e-9 * np.abs(nonzero).sum()  # equal sums may differ in their last digits
    if len(nonzero) <= _LARGEST_ENUMERATION:
        patterns = np.arange(2 ** len(nonzero))[:, None] >> np.arange(len(nonzero)) & 1
        return float(np.mean(np.abs((2 * patterns - 1) @ nonzero) >= observed))
    rng = np.random.default_rng(_SEED)
    hits = 0
    for _ in range(100):  # in parts: all patterns at once would take NUM_RESAMPLES x problems of memory
        signs = rng.integers(0, 2, size=(NUM_RESAMPLES // 100, len(nonzero))) * 2 - 1
        hits += int(np.count_nonzero(np.abs(signs @ nonzero) >= observed))
    return (1 + hits) / (1 + NUM_RESAMPLES)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for having run all these tests, in the order given.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted
