"""Sums of what processes and languages put into the loss."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from codeglot.train.processes import Processes
from codeglot.train.step import Made


def sum_terms(processes: Processes, terms: Mapping[str, Tensor]) -> dict[str, float]:
    """Each term's sum over the processes; the terms and their order are the same on every process."""
    parts = processes.gather({name: float(value) for name, value in terms.items()})
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def nll_by_language(processes: Processes, made: Made, languages: Sequence[str]) -> dict[str, float]:
    """Loss per target of each language of a step, over all processes.

    Args:
        processes: Those that share the work.
        made: This process's part.
        languages: Names of `language_ids` 0, 1, ...
    """
    parts = processes.gather({language: (float(nll), n) for language, (nll, n) in made.nll_by_language.items()})
    sums: dict[int, tuple[float, int]] = {}
    for part in parts:
        for language, (nll, count) in part.items():
            before, num_before = sums.get(language, (0.0, 0))
            sums[language] = (before + nll, num_before + count)
    return {languages[language]: nll / count for language, (nll, count) in sorted(sums.items())}
