"""How the figures of a report were made, in words."""

from collections.abc import Mapping, Sequence

from codeglot.evaluate.statistics import NUM_RESAMPLES, varies
from codeglot.report.comparison import Comparison
from codeglot.report.groups import Group, group_of
from codeglot.report.source import Run
from codeglot.report.words import language_label, letter

Names = Mapping[str, str]

_NAMED = 6
"""Groups named before a sentence only counts them."""

_ESTIMATOR = (
    "pass@k is the chance that at least one of k programs, drawn from those sampled for a problem, passes all tests of "
    "the problem (the unbiased estimator of Chen et al. 2021, arXiv:2107.03374), averaged over problems. Each program "
    "was compiled and run in a sandbox; CPU time decides on time limits."
)
_INTERVAL = (
    f"Intervals are 95\u00a0% percentile bootstrap intervals over problems ({NUM_RESAMPLES:,} resamples, fixed seed): "
    "they say what another set of problems of the same kind could have shown, not what another seed, prompt or model "
    "would."
)
_WILSON = "Where all problems of a group scored alike, resampling shows no spread; there the interval is Wilson's"
_MEAN = (
    "A mean over languages gives each language the same weight. Its interval draws a problem once for all languages "
    "that ask it (the same \u201corigin\u201d in problems.jsonl; a cluster bootstrap); where a language has no spread, "
    "its own interval is added. Problems without an origin count as independent."
)
_PAIRED = (
    "Differences are paired: both runs answered the same problems, with the same tests. p is exact McNemar with one "
    "sample per problem, else a paired permutation test over problems, which over languages changes the sign of all "
    "forms of one problem together; \u201cp (Holm)\u201d is that p after Holm's correction for all languages and runs "
    "that are compared here at the same k."
)
_GAPS = (
    "A program without a verdict (not run, or the machine failed) counts neither as passed nor as failed: its group "
    "gets no score, only the range from all missing programs failing to all passing."
)


def method(runs: Sequence[Run], comparison: Comparison, names: Names) -> list[str]:
    """How the figures were made, in words."""
    paragraphs = [_ESTIMATOR, _INTERVAL]
    if alike := _alike(runs, names):
        more = f"; and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
        paragraphs.append(f"{_WILSON} ({'; '.join(alike[:_NAMED])}{more}).")
    if any(run.scores.macro for run in runs):
        paragraphs.append(_MEAN)
    if comparison.differences:
        paragraphs.append(_PAIRED)
    if any(run.scores.incomplete for run in runs):
        paragraphs.append(_GAPS)
    return paragraphs


def _alike(runs: Sequence[Run], names: Names) -> list[str]:
    """Groups whose interval is Wilson's."""
    found = []
    for index, run in enumerate(runs):
        tallies = run.tallies()
        members: dict[Group, list[str]] = {}
        for problem in run.problems:
            members.setdefault(Group(problem.benchmark, problem.language_id, problem.natural_language), []).append(
                problem.task_id
            )
        for row in run.scores.scores:
            group = group_of(row)
            if not row.incomplete and not varies([tallies[task_id].bounds(row.k)[0] for task_id in members[group]]):
                who = f"{letter(index)}, " if len(runs) > 1 else ""
                found.append(f"{who}{row.benchmark}, {language_label(group, names, with_natural=False)}, k = {row.k}")
    return found
