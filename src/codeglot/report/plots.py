"""Charts as inline SVG.

Positions are per cent of the width, everything else is in pixels, so one chart fits a phone and a page of paper
without shrinking its type. Words stand outside the drawings, as text; each drawing also says itself in words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codeglot.evaluate.taxonomy import ENDINGS, add_counts
from codeglot.records import Score, Verdict
from codeglot.report.groups import Group, first_scores, group_of, group_order, num_not_run, num_programs
from codeglot.report.html import Markup, element
from codeglot.report.source import Run
from codeglot.report.tables import mean_label, programs_of
from codeglot.report.words import counted, language_label, letter, percent, percent_range

Names = Mapping[str, str]

NUM_RUN_STYLES = 6
"""Colors of runs; with more runs they come again, and the letter tells them apart."""

_SHAPES = ("circle", "square", "diamond", "triangle")
_PATHS = {
    "circle": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
    "square": "M-4.5 -4.5H4.5V4.5H-4.5Z",
    "diamond": "M0 -6L6 0L0 6L-6 0Z",
    "triangle": "M0 -5.5L5.5 4.5H-5.5Z",
}
_TICKS = (0, 25, 50, 75, 100)


class Point(NamedTuple):
    """One run's value of a row."""

    run: int
    value: float | None
    """None: no score, only the range."""
    low: float
    high: float


class Row(NamedTuple):
    """One line of the chart of scores."""

    label: str
    points: tuple[Point, ...]
    is_mean: bool


def score_rows(runs: Sequence[Run], benchmark: str, k: int, names: Names) -> list[Row]:
    """Means over languages first, then languages from the best to the worst of the first run."""
    naturals = {row.natural_language for run in runs for row in run.scores.scores if row.benchmark == benchmark}
    means: dict[str, list[Point]] = {}
    groups: dict[Group, list[Point]] = {group: [] for group in group_order(runs, benchmark)}
    for index, run in enumerate(runs):
        for mean in run.scores.macro:
            if (mean.benchmark, mean.k) == (benchmark, k):
                low, high = mean.interval or mean.bounds
                label = mean_label(mean, with_natural=len(naturals) > 1)
                means.setdefault(label, []).append(Point(index, mean.pass_at_k, low, high))
        for row in run.scores.scores:
            if (row.benchmark, row.k) == (benchmark, k):
                low, high = row.interval or row.bounds
                groups[group_of(row)].append(Point(index, row.pass_at_k, low, high))
    rows = [Row(label, tuple(points), is_mean=True) for label, points in means.items()]
    for group, points in groups.items():
        if points:
            label = language_label(group, names, with_natural=len(naturals) > 1)
            rows.append(Row(label, tuple(points), is_mean=False))
    return rows


def score_chart(rows: Sequence[Row], runs: Sequence[Run], caption: str) -> Markup:
    """Dots with 95 % intervals on a scale from 0 to 100 %."""
    several = len(runs) > 1
    has_gaps = any(point.value is None for row in rows for point in row.points)
    lines = [
        element(
            "li",
            element("div", row.label, class_="label"),
            element("div", [_lane(point, row.label, several=several) for point in row.points], class_="lanes"),
            class_="row mean" if row.is_mean else "row",
        )
        for row in rows
    ]
    ticks = [
        element("text", f"{tick}%", x=f"{tick}%", y="12", text_anchor={0: "start", 100: "end"}.get(tick, "middle"))
        for tick in _TICKS
    ]
    axis = element("div", element("svg", ticks, class_="axis", aria_hidden="true"), class_="scale")
    return element(
        "figure",
        element("figcaption", caption),
        element("p", "Dashed: what the programs without a verdict still allow.", class_="hint") if has_gaps else None,
        run_legend(runs) if several else None,
        element("ul", lines, class_="rows"),
        axis,
        class_="chart scores" + (" several" if several else ""),
    )


def _lane(point: Point, label: str, *, several: bool) -> Markup:
    low, high = f"{100 * point.low:.3f}%", f"{100 * point.high:.3f}%"
    grid = [element("line", x1=f"{tick}%", x2=f"{tick}%", y1="0", y2="100%", class_="grid") for tick in _TICKS]
    if point.value is None:
        said = f"no score, within {percent_range((point.low, point.high))}"
        text = [element("strong", "no score"), element("span", percent_range((point.low, point.high)))]
        kind, dot = "interval open", None
    else:
        said = f"{percent(point.value)}, 95 % interval {percent_range((point.low, point.high))}"
        text = [element("strong", percent(point.value)), element("span", percent_range((point.low, point.high)))]
        kind, dot = "interval", marker(point.run, x=f"{100 * point.value:.3f}%", y="50%")
    who = f"{label}, run {letter(point.run)}" if several else label
    svg = element(
        "svg",
        grid,
        element("line", x1=low, x2=high, y1="50%", y2="50%", class_=kind),
        dot,
        class_="plot",
        role="img",
        aria_label=f"{who}: {said}",
    )
    mark = element("span", letter(point.run), class_="letter") if several else None
    return element(
        "div", svg, element("div", mark, text, class_="value"), class_=f"lane run-{point.run % NUM_RUN_STYLES}"
    )


def marker(run: int, *, x: str, y: str) -> Markup:
    """The sign of a run, with its center at a place."""
    path = element("path", d=_PATHS[_SHAPES[run % len(_SHAPES)]], class_="dot")
    return element("svg", path, x=x, y=y, class_="marker")


def run_legend(runs: Sequence[Run]) -> Markup:
    """Letters, shapes and names of the runs."""
    entries = [
        element(
            "li",
            element("svg", marker(index, x="8", y="8"), class_="key", aria_hidden="true"),
            element("b", letter(index)),
            " ",
            run.name,
            class_=f"run-{index % NUM_RUN_STYLES}",
        )
        for index, run in enumerate(runs)
    ]
    return element("ul", entries, class_="legend")


def taxonomy_chart(runs: Sequence[Run], benchmark: str, names: Names, caption: str) -> Markup:
    """One bar per language and run, cut into shares of how its programs ended; a piece links to its programs."""
    rows = [(index, row) for index, run in enumerate(runs) for row in first_scores(run, benchmark)]
    several_naturals = len({row.natural_language for _, row in rows}) > 1
    by_label: dict[str, list[tuple[int, Score]]] = {}
    for group in group_order(runs, benchmark):
        label = language_label(group, names, with_natural=several_naturals)
        by_label[label] = [(index, row) for index, row in rows if group_of(row) == group]
    lines = [
        element(
            "li",
            element("div", label, class_="label"),
            element("div", [_bar(index, row, label, several=len(runs) > 1) for index, row in members], class_="lanes"),
            class_="row",
        )
        for label, members in by_label.items()
    ]
    return element(
        "figure",
        element("figcaption", caption),
        _verdict_legend(rows),
        element("ul", lines, class_="rows"),
        class_="chart endings" + (" several" if len(runs) > 1 else ""),
    )


def _verdict_legend(rows: Sequence[tuple[int, Score]]) -> Markup:
    kinds = [
        (str(verdict), ENDINGS[verdict].label, ENDINGS[verdict].explanation)
        for verdict in add_counts(row.taxonomy for _, row in rows)
    ]
    if any(num_not_run(row) for _, row in rows):
        kinds.append(("none", "not run", "It has not been run yet."))
    entries = [
        element(
            "li",
            element(
                "svg", element("rect", width="14", height="14", class_=f"v-{kind}"), class_="key", aria_hidden="true"
            ),
            element("b", label),
            " ",
            explanation,
        )
        for kind, label, explanation in kinds
    ]
    return element("ul", entries, class_="legend explained")


def _bar(index: int, row: Score, label: str, *, several: bool) -> Markup:
    total = num_programs(row)
    pieces: list[Markup] = []
    start = 0
    for verdict, count in row.taxonomy.items():
        pieces.append(_piece(verdict, count, (start, total), href=programs_of(index, row, verdict)))
        start += count
    if num_not_run(row):
        pieces.append(_piece(None, num_not_run(row), (start, total), href=None))
    ends = [f"{count:,} {ENDINGS[verdict].label}" for verdict, count in row.taxonomy.items()]
    ends += [f"{num_not_run(row):,} not run"] if num_not_run(row) else []
    who = f"{label}, run {letter(index)}" if several else label
    svg = element(
        "svg", pieces, class_="bar", role="img", aria_label=f"{who}, {counted(total, 'program')}: {', '.join(ends)}"
    )
    mark = element("div", letter(index), class_="letter") if several else None
    return element("div", mark, svg, class_="lane")


def _piece(verdict: Verdict | None, count: int, place: tuple[int, int], *, href: str | None) -> Markup:
    start, total = place
    left, width = 100 * start / total, 100 * count / total
    kind, label = ("none", "not run") if verdict is None else (str(verdict), ENDINGS[verdict].label)
    rect = element(
        "rect",
        element("title", f"{label}: {count:,} of {total:,} ({percent(count / total)})"),
        x=f"{left:.3f}%",
        y="0",
        width=f"{width:.3f}%",
        height="100%",
        class_=f"v-{kind}",
    )
    fits = width >= 2 + 2.6 * len(f"{count:,}")
    text = element("text", f"{count:,}", x=f"{left + width / 2:.3f}%", y="50%", class_=f"on-{kind}") if fits else None
    return element("a", rect, text, href=href, tabindex="-1") if href else element("g", rect, text)
