"""A heat map as inline SVG: rows against columns, darker where a value is larger; a table beside it has the figures."""

from collections.abc import Sequence

from codeglot.report.html import Markup, element

_SIDE, _LABEL, _HEAD = 34, 110, 90
"""Pixels of a field, of the names of rows, and of the names of columns."""
_PALEST = 0.04


def heat_map(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]], *, caption: str, digits: int = 2
) -> Markup:
    """Fields from the smallest value (palest) to the largest.

    Args:
        rows: Names.
        columns: Names.
        values: By row, then by column.
        caption: What the figures are.
        digits: Behind the point.
    """
    flat = [value for row in values for value in row]
    low, width = min(flat), (max(flat) - min(flat)) or 1.0
    fields = [
        _field(value, (value - low) / width, x=_LABEL + _SIDE * place, y=_HEAD + _SIDE * line, digits=digits)
        for line, row in enumerate(values)
        for place, value in enumerate(row)
    ]
    names = [
        element("text", name, x=_LABEL - 6, y=_HEAD + _SIDE * (line + 0.6), text_anchor="end")
        for line, name in enumerate(rows)
    ]
    names += [
        element("text", name, transform=f"translate({_LABEL + _SIDE * (place + 0.6)} {_HEAD - 6}) rotate(-60)")
        for place, name in enumerate(columns)
    ]
    picture = element(
        "svg",
        fields,
        names,
        width=_LABEL + _SIDE * len(columns) + 10,
        height=_HEAD + _SIDE * len(rows) + 10,
        role="img",
        aria_label=f"{caption}; the table says the same in figures",
    )
    return element("figure", element("figcaption", caption), element("div", picture, class_="wide"), class_="chart")


def _field(value: float, share: float, *, x: float, y: float, digits: int) -> Markup:
    depth = f"{_PALEST + (1 - _PALEST) * share * 0.7:.3f}"
    return element(
        "g",
        element("rect", x=x, y=y, width=_SIDE - 1, height=_SIDE - 1, fill="currentColor", fill_opacity=depth),
        element("text", f"{value:.{digits}f}", x=x + _SIDE / 2, y=y + _SIDE * 0.62, text_anchor="middle", font_size=10),
    )
