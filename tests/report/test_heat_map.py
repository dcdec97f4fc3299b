"""Heat maps: a field for each figure, darker where it is larger."""

import re

from codeglot.report.heat_map import heat_map


def test_every_figure_is_a_field_and_larger_ones_are_darker() -> None:
    html = heat_map(["a<b", "second"], ["x", "y"], [[1.0, 2.0], [3.0, 1.5]], caption="Figures")

    depths = [float(depth) for depth in re.findall(r'fill-opacity="([\d.]+)"', html)]
    assert len(depths) == 4
    assert sorted(range(4), key=depths.__getitem__) == [0, 3, 1, 2]
    assert "a&lt;b" in html
    assert "<style" not in html
    assert "style=" not in html  # the pages' policy forbids it
    assert all(figure in html for figure in ("1.00", "2.00", "3.00", "1.50"))


def test_equal_figures_are_equally_pale() -> None:
    html = heat_map(["a"], ["x", "y"], [[2.0, 2.0]], caption="Figures")

    assert len(set(re.findall(r'fill-opacity="([\d.]+)"', html))) == 1
