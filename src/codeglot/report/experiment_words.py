"""What an experiment shows, in plain words: who is above the baseline, who forgets, and how large the noise is."""

from collections.abc import Iterable, Mapping, Sequence

from codeglot.evaluate.experiment import Change, Comparison, Figure, Transfer, Trial
from codeglot.languages.natural import name_of
from codeglot.report.words import counted, in_words, p_value, percent, percent_range, points

Names = Mapping[str, str]

NBSP = "\u00a0"
_MAX_P = 0.05
"""Largest p after Holm's correction of what is called a difference."""
_MIN_TRIED = 3
"""Values of a grid from which on it has an inside."""
ON_MICRO = (
    "What holds on the bundled micro world is evidence about the micro world; on another base or benchmark it has to "
    "be measured again."
)
FIGURES = (
    "All figures are pass@1: of each problem the share of its samples that pass, averaged over problems, and over "
    "languages with equal weight. All arms answered the same problems."
)
INTERVALS = (
    f"Intervals are 95{NBSP}% and cover the choice of problems and of seeds: problems by a percentile bootstrap, seeds "
    "by Student\u2019s t on the means of the seeds, joined by square-and-add. Over languages, all forms of one problem "
    "(the same \u201corigin\u201d in problems.jsonl) are drawn together; problems without an origin count as "
    "independent. Seeds are not resampled: of three to five values a bootstrap shows too little. With one seed an "
    "interval covers problems alone."
)
CHANGES = (
    "A change is arm minus baseline on the same problem, of the same seed where both have it; an arm without training "
    "is run once and stands beside every seed. p is a paired permutation over problems (over languages all forms of "
    "one together) on the means of the seeds: it says whether other problems could have turned a change round, not "
    "whether other seeds could. \u201cp (Holm)\u201d is that p after Holm\u2019s correction: means over languages are "
    "corrected for the number of arms, single languages for the number of languages and arms."
)
TUNING = (
    "Settings were chosen on validation problems alone, each tuned arm with the same number of trials, and trials have "
    "seeds of their own."
)


def decoding(settings: Sequence[Mapping[str, str]]) -> str:
    """How completions were asked for, as far as all arms have it alike; `settings` are of one arm each, flat."""
    shared = {
        key: value
        for key, value in settings[0].items()
        if key.startswith("generate.") and all(other.get(key) == value for other in settings)
    }
    return f"Decoding of all arms: {in_words(shared)}."


def judged_apart(settings: Sequence[Mapping[str, str]]) -> list[str]:
    """A warning where arms are asked or judged in other ways; `settings` are of one arm each, flat."""
    keys = dict.fromkeys(key for one in settings for key in one if key.startswith(("generate.", "evaluate.")))
    apart = [key for key in keys if len({one.get(key) for one in settings}) > 1]
    text = (
        f"The arms differ in {', '.join(apart)}, which is no training: a change from the baseline may come from there. "
        "What each arm sets stands under \u201cWhat was compared\u201d."
    )
    return [text] if apart else []


def family_of(row: Figure | Change | Transfer, comparison: Comparison) -> str:
    """The problems that a row is about; the language of prompts only where several are compared."""
    naturals = {figure.natural_language for figure in comparison.figures if figure.benchmark == row.benchmark}
    return f"{row.benchmark} ({name_of(row.natural_language)} prompts)" if len(naturals) > 1 else row.benchmark


def heads(rows: Sequence[Change]) -> list[Change]:
    """Per arm and family the mean over languages; the language itself where there is only one."""
    first: dict[tuple[str, str, str], Change] = {}
    for row in rows:
        first.setdefault((row.arm, row.benchmark, row.natural_language), row)
    return list(first.values())


def summary(comparison: Comparison, names: Names) -> list[str]:
    """The result in a few sentences."""
    sentences = []
    for family in dict.fromkeys((row.benchmark, row.natural_language) for row in comparison.figures):
        figures = [row for row in comparison.figures if (row.benchmark, row.natural_language) == family]
        changes = [row for row in heads(comparison.changes) if (row.benchmark, row.natural_language) == family]
        sentences.append(_baseline(figures, comparison))
        sentences += [_verdict(row, comparison, names) for row in changes if row.arm not in comparison.controls]
        rows = [row for row in changes if row.arm in comparison.controls]
        sentences += [_verdict(row, comparison, names, is_control=True) for row in rows]
    sentences += [text for row in comparison.transfer for text in _transfer(row, comparison)]
    sentences += _noise(comparison)
    return sentences


def _baseline(figures: Sequence[Figure], comparison: Comparison) -> str:
    row = next(row for row in figures if row.arm == comparison.baseline)
    where = "on average over languages" if row.language_id is None else "in its one language"
    return (
        f"On {family_of(row, comparison)} the baseline {row.arm} solves {percent(row.pass_at_1)} {where} "
        f"(95{NBSP}% interval {percent_range(row.interval)})."
    )


def _verdict(row: Change, comparison: Comparison, names: Names, *, is_control: bool = False) -> str:
    judged = {1: "above the baseline", -1: "below the baseline", 0: "not told apart from the baseline"}[row.direction]
    judged = f"{judged} on {family_of(row, comparison)}"
    if row.direction and row.adjusted_p >= _MAX_P:
        judged += " by its interval, which Holm\u2019s correction does not bear out"
    seeds = ", ".join(map(points, row.by_seed))
    text = (
        f"{'Control ' if is_control else ''}{row.arm} is {judged}: {points(row.mean)} "
        f"points ({_interval(row.interval)}; {counted(len(row.by_seed), 'seed')}: {seeds}; p (Holm) "
        f"{_with_sign(row.adjusted_p)})"
    )
    return text + _languages(row, comparison, names) + ("" if is_control else _controls(row, comparison)) + "."


def _with_sign(p: float) -> str:
    """`= 0.03` or `< 0.001`."""
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _interval(interval: tuple[float, float]) -> str:
    return f"95{NBSP}% interval {points(interval[0])} to {points(interval[1])}"


def _languages(head: Change, comparison: Comparison, names: Names) -> str:
    """Languages whose change by itself is no chance: interval without 0, and p after Holm below `_MAX_P`."""
    if head.language_id is not None:
        return ""
    mine = [
        row
        for row in comparison.changes
        if (row.arm, row.benchmark, row.natural_language) == (head.arm, head.benchmark, head.natural_language)
        and row.language_id is not None
    ]
    sure = [row for row in mine if row.direction and row.adjusted_p < _MAX_P]
    parts = []
    for direction, word in ((1, "better"), (-1, "worse")):
        if rows := [row for row in sure if row.direction == direction]:
            named = ", ".join(f"{names.get(str(row.language_id), row.language_id)} {points(row.mean)}" for row in rows)
            parts.append(f"{word} by themselves: {named}")
    return f"; of {len(mine)} languages, " + ("; ".join(parts) if parts else "none differs by itself")


def _controls(claim: Change, comparison: Comparison) -> str:
    """The controls beside a claim."""
    rows = [
        row
        for row in heads(comparison.changes)
        if row.arm in comparison.controls
        and (row.benchmark, row.natural_language) == (claim.benchmark, claim.natural_language)
    ]
    named = ", ".join(f"{row.arm} {points(row.mean)} ({_interval(row.interval)})" for row in rows)
    return f". Beside it, the controls: {named}" if named else ""


def _transfer(row: Transfer, comparison: Comparison) -> list[str]:
    """Who carries over to languages that were not trained on, and who forgets them."""
    if row.on_others is None or row.on_others_interval is None:
        return []
    low, high = row.on_others_interval
    word = "improves on" if low > 0 else "loses on" if high < 0 else "shows no sure change on"
    trained = counted(len(row.trained), "language")
    if row.on_trained is not None and row.on_trained_interval is not None:
        trained += f" ({points(row.on_trained)} points there)"
    text = (
        f"{row.arm}, trained on {trained} of {family_of(row, comparison)}, {word} the other {len(row.others)}: "
        f"{points(row.on_others)} points ({_interval(row.on_others_interval)})."
    )
    return [text]


def _noise(comparison: Comparison) -> list[str]:
    """How far runs lie apart that differ in nothing but the seed."""
    rows = [row for row in comparison.figures if row.sd is not None and _is_head(row, comparison)]
    spreads = [row.sd for row in rows if row.sd is not None]
    gaps = [row.largest_gap for row in rows if row.largest_gap is not None]
    if not spreads:
        return ["Every arm has one seed, so nothing is known about the noise between seeds."]
    text = (
        f"Noise floor: seeds of the same arm differ by {100 * min(spreads):.1f} to {100 * max(spreads):.1f} points "
        f"(standard deviation), and by {100 * max(gaps):.1f} points at most between two seeds."
    )
    return [text]


def _is_head(row: Figure, comparison: Comparison) -> bool:
    languages = {
        figure.language_id
        for figure in comparison.figures
        if (figure.benchmark, figure.natural_language) == (row.benchmark, row.natural_language)
    }
    return row.language_id is None or len(languages) == 1


def at_the_edge(comparison: Comparison) -> list[str]:
    """One sentence for each arm for which the smallest or the largest value tried is better than all others.

    Nothing is said of fewer than three values, of which most are at an edge, nor where one further inside did as well.
    """
    sentences = []
    for chosen in (trial for trial in comparison.trials if trial.is_chosen):
        mine = [trial for trial in comparison.trials if trial.arm == chosen.arm]
        parts = []
        for key, value in chosen.settings.items():
            tried = _numbers(trial.settings.get(key) for trial in mine)
            is_at_edge = len(tried) >= _MIN_TRIED and _numbers([value]) and value in {min(tried), max(tried)}
            if is_at_edge and all(_mean(trial) < _mean(chosen) for trial in mine if trial.settings.get(key) != value):
                parts.append(f"{key} = {value}, the {'smallest' if value == min(tried) else 'largest'} of {len(tried)}")
        if parts:
            sentences.append(
                f"Chosen at the edge of its grid: {chosen.arm} ({'; '.join(parts)}). A better value may lie beyond, so "
                "the arm may do better than shown. Widen the grid and run it again."
            )
    return sentences


def _mean(trial: Trial) -> float:
    return -1.0 if trial.mean is None else trial.mean


def _numbers(values: Iterable[object]) -> set[float]:
    """Values that have an order; words and switches have none."""
    return {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}


def _broken_off(comparison: Comparison) -> list[str]:
    """Which cells have no scores since their training broke off, and what that does to the figures."""
    if not comparison.broken_off:
        return []
    listed = " ".join(f"{folder}: {reason.rstrip('.')}." for folder, reason in comparison.broken_off.items())
    arms = dict.fromkeys(folder.split("/")[0] for folder in comparison.broken_off)
    text = f"Broke off, and in no figure: {listed}"
    if thinned := [name for name in arms if name in comparison.arms]:
        text += f" {', '.join(thinned)}: shown by the seeds that went well, which flatters the arm."
    if gone := [name for name in arms if name not in comparison.arms]:
        text += f" {', '.join(gone)}: every seed broke off, so the arm is missing."
    return [text + " To run a cell again, remove its folder."]


def warnings(comparison: Comparison) -> list[str]:
    """What keeps the figures from being what they seem."""
    found = []
    if comparison.unfinished:
        found.append(
            f"Unfinished: {', '.join(comparison.unfinished)} have no result yet and are in no figure. "
            "The same command goes on."
        )
    found += _broken_off(comparison)
    counts = {name: sum(cell.arm == name for cell in comparison.cells) for name in comparison.arms}
    trained = {cell.arm for cell in comparison.cells if cell.seed is not None}
    if single := [name for name, count in counts.items() if count == 1 and name in trained]:
        found.append(f"One seed only: {', '.join(single)}. Their intervals say nothing about another seed.")
    if missing := [name for name in comparison.controls if name not in comparison.arms]:
        found.append(f"Controls without a result: {', '.join(missing)}. Claims stand without them.")
    return [*found, *at_the_edge(comparison)]
