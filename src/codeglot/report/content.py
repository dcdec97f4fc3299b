"""What a report says, in order; `page.py` and `markdown.py` only dress it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codeglot.report.comparison import Comparison, compare_runs
from codeglot.report.groups import benchmarks_of, ks_of
from codeglot.report.html import Markup
from codeglot.report.method import method
from codeglot.report.plots import score_chart, score_rows, taxonomy_chart
from codeglot.report.source import Run
from codeglot.report.summary import summary, warnings
from codeglot.report.tables import Table, cost_table, difference_table, score_table, settings_tables, taxonomy_table
from codeglot.report.words import letter, subject

Names = Mapping[str, str]


class Heading(NamedTuple):
    """Title of what follows, one level below its section."""

    text: str


class Chart(NamedTuple):
    """A drawing; the table behind it says the same in figures."""

    html: Markup


Block = str | Heading | Table | Chart
"""A string is a paragraph."""


class Section(NamedTuple):
    """One part of the page."""

    id: str
    title: str
    blocks: tuple[Block, ...]


class Report(NamedTuple):
    """Everything but the viewer of single programs."""

    title: str
    summary: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]


def build_report(runs: Sequence[Run], *, names: Names, licenses: Mapping[str, str]) -> Report:
    """Say what the runs show.

    Args:
        runs: At least one; others are compared with the first.
        names: Names of programming languages by id; an id without one stands for itself.
        licenses: Licences by benchmark, as far as they are known.
    """
    comparison = compare_runs(runs, names)
    who = subject(runs[0]) if len(runs) == 1 else ", ".join(run.name for run in runs)
    return Report(
        title=f"{who} on {', '.join(benchmarks_of(runs))}",
        summary=tuple(summary(runs, comparison, names)),
        warnings=tuple(warnings(runs, comparison, names)),
        sections=tuple(
            section
            for section in (
                _scores(runs, names),
                _differences(runs, comparison, names),
                _endings(runs, names),
                Section("method", "How the figures were made", tuple(method(runs, comparison, names))),
                _origin(runs, licenses),
            )
            if section.blocks
        ),
    )


def _scores(runs: Sequence[Run], names: Names) -> Section:
    blocks: list[Block] = []
    if len(runs) > 1:
        blocks.append("; ".join(f"{letter(index)} = {run.name}" for index, run in enumerate(runs)) + ".")
    for benchmark in benchmarks_of(runs):
        blocks.append(Heading(benchmark))
        for k in ks_of(runs):
            if rows := score_rows(runs, benchmark, k, names):
                caption = f"pass@{k} on {benchmark}, with 95\u00a0% intervals"
                blocks.append(Chart(score_chart(rows, runs, caption)))
        blocks.append(score_table(runs, benchmark, names))
    return Section("scores", "Scores", tuple(blocks))


def _differences(runs: Sequence[Run], comparison: Comparison, names: Names) -> Section:
    tables = [difference_table(comparison.differences, benchmark, names) for benchmark in benchmarks_of(runs)]
    return Section("differences", "Differences between runs", tuple(table for table in tables if table.rows))


def _endings(runs: Sequence[Run], names: Names) -> Section:
    blocks: list[Block] = []
    for benchmark in benchmarks_of(runs):
        caption = f"Share of programs for {benchmark} by how they ended"
        blocks += [Heading(benchmark), Chart(taxonomy_chart(runs, benchmark, names, caption))]
        blocks.append(taxonomy_table(runs, benchmark, names))
    return Section("endings", "How the programs ended", tuple(blocks))


def _origin(runs: Sequence[Run], licenses: Mapping[str, str]) -> Section:
    rows = tuple((name, licenses.get(name, "not stated")) for name in benchmarks_of(runs))
    table = Table("Licenses of the benchmarks, whose problems this page quotes", ("Benchmark", "License"), rows, 2)
    return Section("origin", "Settings and environment", (cost_table(runs), *settings_tables(runs), table))
