"""Charts of an experiment as inline SVG: bars with seeds, the plane of transfer, cost, learning curves.

As in `plots.py`, positions are per cent and sizes are pixels, and each drawing also says itself in words. Arms have the
letters, shapes and colors of runs.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from codeglot.evaluate.experiment import Figure
from codeglot.report.html import Markup, element
from codeglot.report.plots import NUM_RUN_STYLES, marker
from codeglot.report.words import letter, percent, percent_range, points

Names = Mapping[str, str]

_TICKS = (0, 25, 50, 75, 100)


class Axis(NamedTuple):
    """One direction of a plane."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    write: Callable[[float], str]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 to 100."""
        if self.is_log:
            return 100 * (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return 100 * (value - self.low) / (self.high - self.low)


class Mark(NamedTuple):
    """One arm in a plane; its lines are 95 % intervals."""

    arm: int
    x: float
    y: float | None
    """None: it has no place in this direction, and is drawn as a line through all of it."""
    x_interval: tuple[float, float] | None = None
    y_interval: tuple[float, float] | None = None


class Curve(NamedTuple):
    """One run over its steps."""

    arm: int
    steps: tuple[float, ...]
    values: tuple[float, ...]


def axis(title: str, values: Sequence[float], write: Callable[[float], str], *, is_log: bool = False) -> Axis:
    """An axis with round ticks that holds all values; a logarithmic one needs values above 0."""
    if is_log:
        first, last = floor(log10(min(values))), ceil(log10(max(values)))
        last = max(last, first + 1)
        ticks = tuple(10.0**power for power in range(first, last + 1))
        return Axis(title, ticks[0], ticks[-1], ticks, write, is_log=True)
    low, high = min(values), max(values)
    step = _round_step((high - low) / 5 or abs(high) / 5 or 0.2)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    last = max(last, first + 1)
    ticks = tuple(round(n * step, 10) for n in range(first, last + 1))
    return Axis(title, ticks[0], ticks[-1], ticks, write)


def _round_step(width: float) -> float:
    power = 10.0 ** floor(log10(width))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width * (1 - 1e-9))


def score_bars(
    figures: Sequence[Figure], arms: Sequence[str], labels: Mapping[str | None, str], caption: str
) -> Markup:
    """A bar per arm and language with its interval, and each seed as a ring, on a scale from 0 to 100 %.

    Args:
        figures: Of one benchmark and one language of prompts.
        arms: Their order, by which they get letter and color.
        labels: By language id; None: the mean over languages.
        caption: Over the drawing.
    """
    rows = []
    for language_id in dict.fromkeys(figure.language_id for figure in figures):
        label = labels[language_id]
        mine = sorted((f for f in figures if f.language_id == language_id), key=lambda f: arms.index(f.arm))
        lanes = [_lane(figure, arms.index(figure.arm), label) for figure in mine]
        kind = "row mean" if language_id is None else "row"
        parts = (element("div", label, class_="label"), element("div", lanes, class_="lanes"))
        rows.append(element("li", parts, class_=kind))
    ticks = [
        element("text", f"{tick}%", x=f"{tick}%", y="12", text_anchor={0: "start", 100: "end"}.get(tick, "middle"))
        for tick in _TICKS
    ]
    scale = element("div", element("svg", ticks, class_="axis", aria_hidden="true"), class_="scale")
    return element(
        "figure",
        element("figcaption", caption),
        arm_legend(arms),
        element("ul", rows, class_="rows"),
        scale,
        class_="chart scores several",
    )


def _lane(figure: Figure, arm: int, label: str) -> Markup:
    low, high = (f"{100 * bound:.3f}%" for bound in figure.interval)
    seeds = ", ".join(percent(value) for value in figure.by_seed)
    said = f"{percent(figure.pass_at_1)}, 95 % interval {percent_range(figure.interval)}"
    svg = element(
        "svg",
        [element("line", x1=f"{t}%", x2=f"{t}%", y1="0", y2="100%", class_="grid") for t in _TICKS],
        element("rect", x="0", y="30%", width=f"{100 * figure.pass_at_1:.3f}%", height="40%", class_="fill"),
        element("line", x1=low, x2=high, y1="50%", y2="50%", class_="interval"),
        [element("circle", cx=f"{100 * value:.3f}%", cy="50%", r="4", class_="seed") for value in figure.by_seed],
        class_="plot",
        role="img",
        aria_label=f"{label}, arm {letter(arm)}: {said}; by seed: {seeds}",
    )
    value = (
        element("span", letter(arm), class_="letter"),
        element("strong", percent(figure.pass_at_1)),
        element("span", percent_range(figure.interval)),
    )
    return element("div", svg, element("div", value, class_="value"), class_=f"lane run-{arm % NUM_RUN_STYLES}")


def arm_legend(arms: Sequence[str]) -> Markup:
    """Letters, shapes and names of the arms."""
    entries = [
        element(
            "li",
            element("svg", marker(index, x="8", y="8"), class_="key", aria_hidden="true"),
            element("b", letter(index)),
            " ",
            name,
            class_=f"run-{index % NUM_RUN_STYLES}",
        )
        for index, name in enumerate(arms)
    ]
    return element("ul", entries, class_="legend")


def plane(marks: Sequence[Mark], x: Axis, y: Axis, arms: Sequence[str], caption: str) -> Markup:
    """Arms as marks with intervals in both directions."""
    said = "; ".join(_said(mark, x, y, arms) for mark in marks)
    return element(
        "figure",
        element("figcaption", caption),
        arm_legend(arms),
        element("p", f"{y.title} (upwards) against {x.title} (to the right).", class_="hint"),
        element(
            "div",
            element("svg", _frame(x, y), [_mark(mark, x, y) for mark in marks], role="img", aria_label=said),
            class_="plane",
        ),
        class_="chart",
    )


def _said(mark: Mark, x: Axis, y: Axis, arms: Sequence[str]) -> str:
    high = "no value" if mark.y is None else y.write(mark.y)
    return f"{letter(mark.arm)}, {arms[mark.arm]}: {x.title} {x.write(mark.x)}, {y.title} {high}"


def _frame(x: Axis, y: Axis) -> list[Markup]:
    """Grid, ticks and, where they are in sight, the lines of zero."""
    parts = []
    for tick in x.ticks:
        at = f"{x.place(tick):.3f}%"
        kind = "grid zero" if tick == 0 and not x.is_log else "grid"
        parts.append(element("line", x1=at, x2=at, y1="0", y2="100%", class_=kind))
        parts.append(element("text", x.write(tick), x=at, y="100%", dy="16", text_anchor="middle"))
    for tick in y.ticks:
        at = f"{100 - y.place(tick):.3f}%"
        kind = "grid zero" if tick == 0 and not y.is_log else "grid"
        parts.append(element("line", x1="0", x2="100%", y1=at, y2=at, class_=kind))
        parts.append(element("text", y.write(tick), x="-8", y=at, dy="4", text_anchor="end"))
    return parts


def _mark(mark: Mark, x: Axis, y: Axis) -> Markup:
    left = f"{x.place(mark.x):.3f}%"
    parts: list[Markup] = []
    if mark.y is None:
        parts.append(element("line", x1=left, x2=left, y1="0", y2="100%", class_="interval open thin"))
        place = "0%"
    else:
        place = f"{100 - y.place(mark.y):.3f}%"
        if mark.x_interval is not None:
            ends = [f"{x.place(bound):.3f}%" for bound in mark.x_interval]
            parts.append(element("line", x1=ends[0], x2=ends[1], y1=place, y2=place, class_="interval thin"))
        if mark.y_interval is not None:
            ends = [f"{100 - y.place(bound):.3f}%" for bound in mark.y_interval]
            parts.append(element("line", x1=left, x2=left, y1=ends[0], y2=ends[1], class_="interval thin"))
        parts.append(marker(mark.arm, x=left, y=place))
    parts.append(element("text", letter(mark.arm), x=left, y=place, dx="9", dy="-7", class_="name"))
    return element("g", parts, class_=f"run-{mark.arm % NUM_RUN_STYLES}")


def curves(rows: Sequence[Curve], x: Axis, y: Axis, arms: Sequence[str], caption: str) -> Markup:
    """One line per run, in the color of its arm; its letter stands at its end."""
    lines = []
    for row in rows:
        places = [(x.place(step), 100 - y.place(value)) for step, value in zip(row.steps, row.values, strict=True)]
        text = " ".join(f"{left:.2f},{top:.2f}" for left, top in places)
        line = element("polyline", points=text, class_="curve", vector_effect="non-scaling-stroke")
        stretched = element("svg", line, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")
        left, top = places[-1]
        name = element("text", letter(row.arm), x=f"{left:.2f}%", y=f"{top:.2f}%", dx="4", dy="4", class_="name")
        lines.append(element("g", stretched, name, class_=f"run-{row.arm % NUM_RUN_STYLES}"))
    said = "; ".join(
        f"{letter(row.arm)}, {arms[row.arm]}: from {y.write(row.values[0])} to {y.write(row.values[-1])}"
        for row in rows
    )
    return element(
        "figure",
        element("figcaption", caption),
        arm_legend(arms),
        element("p", f"{y.title} over {x.title}; one line per seed.", class_="hint"),
        element("div", element("svg", _frame(x, y), lines, role="img", aria_label=said), class_="plane"),
        class_="chart",
    )


def write_points(value: float) -> str:
    """A tick in percentage points."""
    return points(value).removesuffix(".0")


def write_count(value: float) -> str:
    """A tick of a count, short."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
