"""Experts against languages: the figures, and their page."""

from collections.abc import Sequence

from codeglot.config import StrictModel
from codeglot.languages import spec
from codeglot.report.content import Chart, Report, Section
from codeglot.report.heat_map import heat_map
from codeglot.report.tables import Table


class Matrix(StrictModel):
    """`expert_matrix.json`."""

    experts: tuple[str, ...]
    """What all tokens were taken for: a language of the run, or `other`, text in none of them."""
    languages: tuple[str, ...]
    """What the solutions are in."""
    num_examples: tuple[int, ...]
    """Solutions, by language."""
    num_targets: tuple[int, ...]
    """Tokens that were predicted, by language."""
    nats: tuple[tuple[float, ...], ...]
    """Mean negative log-likelihood per token, in nats: by language, then by expert."""
    pass_at_1: tuple[tuple[float, ...], ...] | None = None
    """Of answers that each expert wrote: by language, then by expert; None: nothing was written."""


def build_report(matrix: Matrix, model: str) -> Report:
    """The page of a matrix.

    Args:
        matrix: What was measured.
        model: Name of the base.
    """
    predicted = _own_is_best(matrix, [[-value for value in row] for row in matrix.nats])
    summary = [f"For {predicted}, their own predicts them best."]
    caption = "Nats per token of held-out solutions (rows) with the expert of a language (columns) forced on all tokens"
    sections = [_section("matrix", "What it predicts", caption, matrix, matrix.nats, digits=3)]
    if matrix.pass_at_1 is not None:
        summary.append(f"For {_own_is_best(matrix, matrix.pass_at_1)}, their own alone solves most problems.")
        caption = "pass@1 in a language (rows) of answers that the expert of a language (columns) wrote"
        sections.append(_section("answers", "What it writes", caption, matrix, matrix.pass_at_1, digits=2))
    title = f"Experts against languages, on {model}"
    return Report(title=title, summary=tuple(summary), warnings=(), sections=tuple(sections))


def _own_is_best(matrix: Matrix, values: Sequence[Sequence[float]]) -> str:
    """Of how many languages with an expert every other expert has a smaller value, in words."""
    own = [
        row.index(max(row)) == matrix.experts.index(name) and row.count(max(row)) == 1
        for name, row in zip(matrix.languages, values, strict=True)
        if name in matrix.experts
    ]
    return f"{sum(own)} of {len(own)} languages with an expert"


def _section(
    anchor: str, title: str, caption: str, matrix: Matrix, values: Sequence[Sequence[float]], *, digits: int
) -> Section:
    names = {language.id: language.name for language in spec.all_languages()}
    languages = [names.get(name, name) for name in matrix.languages]
    experts = [names.get(name, name) for name in matrix.experts]
    rows = tuple(
        (name, f"{size:,}", *(f"{value:.{digits}f}" for value in row))
        for name, size, row in zip(languages, matrix.num_targets, values, strict=True)
    )
    table = Table(caption, ("Language", "Tokens", *experts), rows)
    return Section(anchor, title, (Chart(heat_map(languages, experts, values, caption=caption)), table))
