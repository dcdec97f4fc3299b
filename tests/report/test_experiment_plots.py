"""Where things are drawn."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.report.experiment_plots import Axis, Curve, Mark, axis, curves, plane, write_count, write_points
from tests.report.test_html import Reader

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


def write(value: float) -> str:
    return f"{value:g}"


@given(values=st.lists(numbers, min_size=1, max_size=8))
def test_an_axis_holds_all_values_between_round_ticks(values: list[float]) -> None:
    found = axis("x", values, write)
    slack = 1e-8 * (found.high - found.low)  # far below what is drawn
    assert found.low <= min(values) + slack
    assert found.high >= max(values) - slack
    assert 2 <= len(found.ticks) <= 8
    assert (found.ticks[0], found.ticks[-1]) == (found.low, found.high)
    steps = [b - a for a, b in zip(found.ticks, found.ticks[1:], strict=False)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)


@given(values=st.lists(st.floats(1e-3, 1e12), min_size=1, max_size=8))
def test_a_logarithmic_axis_holds_all_values_between_powers_of_ten(values: list[float]) -> None:
    found = axis("x", values, write, is_log=True)
    assert found.low <= min(values) * (1 + 1e-9)
    assert found.high >= max(values) * (1 - 1e-9)
    places = [found.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)


@given(value=st.floats(0, 10))
def test_places_are_in_proportion(value: float) -> None:
    assert Axis("x", 0.0, 10.0, (), write).place(value) == pytest.approx(10 * value)
    assert Axis("x", 1.0, 100.0, (), write, is_log=True).place(10**value) == pytest.approx(50 * value)


X = Axis("right", -10.0, 10.0, (-10.0, 0.0, 10.0), write)
Y = Axis("up", 0.0, 4.0, (0.0, 2.0, 4.0), write)


def test_marks_lie_where_their_values_say_with_up_being_more() -> None:
    page = plane([Mark(0, 5.0, 1.0, (0.0, 10.0), (0.0, 4.0)), Mark(1, -10.0, None)], X, Y, ["one", "two"], "caption")
    signs = [attributes for _, attributes in Reader(page).tags if attributes.get("class") == "marker"]
    legend = ("8", "8")
    assert [(sign["x"], sign["y"]) for sign in signs] == [legend, legend, ("75.000%", "75.000%")]
    lines = [a for _, a in Reader(page).tags if (a.get("class") or "").startswith("interval")]
    assert [(line["x1"], line["x2"], line["y1"], line["y2"]) for line in lines] == [
        ("50.000%", "100.000%", "75.000%", "75.000%"),
        ("75.000%", "75.000%", "100.000%", "0.000%"),
        ("0.000%", "0.000%", "0", "100%"),
    ]
    assert "B, two: right -10, up no value" in page


def test_a_curve_goes_through_its_values() -> None:
    page = curves([Curve(0, (-10.0, 0.0, 10.0), (4.0, 2.0, 0.0))], X, Y, ["one"], "caption")
    (points,) = re.findall(r'points="([^"]*)"', page)
    assert points == "0.00,0.00 50.00,50.00 100.00,100.00"
    assert "A, one: from 4 to 0" in page


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (1, "1"), (1500, "1.5k"), (2e6, "2M"), (3e9, "3G"), (999, "999")]
)
def test_counts_are_written_short(value: float, text: str) -> None:
    assert write_count(value) == text


def test_points_are_written_with_their_sign() -> None:
    assert [write_points(value) for value in (0.1, -0.025, 0.0)] == ["+10", "\u22122.5", "0"]
