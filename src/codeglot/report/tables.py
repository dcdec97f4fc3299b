"""The tables of a report, once for Markdown and HTML."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from codeglot.evaluate.score import MacroScore
from codeglot.evaluate.taxonomy import ENDINGS, add_counts
from codeglot.languages.natural import name_of
from codeglot.records import Score, Verdict
from codeglot.report.comparison import Difference
from codeglot.report.groups import Group, first_scores, group_of, group_order, num_not_run, num_programs
from codeglot.report.html import Markup, element
from codeglot.report.source import Run
from codeglot.report.words import NBSP, flat_settings, language_label, letter, p_value, percent, percent_range, points

Names = Mapping[str, str]


class Link(NamedTuple):
    """Text that leads to a place in the page."""

    text: str
    href: str


Cell = str | Link


class Table(NamedTuple):
    """Rows under a header; the first cell of a row names it."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    num_text_columns: int = 1
    """Columns from the left that hold words; the others hold numbers."""


def table_html(table: Table) -> Markup:
    """A table that scrolls by itself where it is wider than the page."""
    head = element(
        "tr", [element("th", text, scope="col", class_=_kind(i, table)) for i, text in enumerate(table.header)]
    )
    body = [
        element(
            "tr",
            [
                element("th" if i == 0 else "td", _cell(cell), scope="row" if i == 0 else None, class_=_kind(i, table))
                for i, cell in enumerate(row)
            ],
        )
        for row in table.rows
    ]
    content = element("table", element("caption", table.caption), element("thead", head), element("tbody", body))
    return element("div", content, class_="wide", role="region", aria_label=table.caption, tabindex="0")


def _kind(index: int, table: Table) -> str | None:
    return None if index < table.num_text_columns else "number"


def _cell(cell: Cell) -> Cell | Markup:
    return element("a", cell.text, href=cell.href) if isinstance(cell, Link) else cell


def viewer_link(**filters: str | int) -> str:
    """Address of the programs of this page that fit all `filters`."""
    return "#" + urlencode(filters)


def score_table(runs: Sequence[Run], benchmark: str, names: Names) -> Table:
    """pass@k per language and run."""
    rows = [(index, row) for index, run in enumerate(runs) for row in run.scores.scores if row.benchmark == benchmark]
    means = [(index, row) for index, run in enumerate(runs) for row in run.scores.macro if row.benchmark == benchmark]
    naturals = list(dict.fromkeys(row.natural_language for _, row in rows))
    order = group_order(runs, benchmark)
    has_gaps = any(row.incomplete for _, row in rows)

    def start(index: int, row: Score | MacroScore, label: str) -> tuple[str, ...]:
        mark = (letter(index),) if len(runs) > 1 else ()
        return (label, *mark, str(row.k), _point(row), _interval(row))

    cells: list[tuple[str, ...]] = []
    for index, mean in sorted(means, key=lambda pair: (naturals.index(pair[1].natural_language), pair[1].k, pair[0])):
        blank = ("",) * (4 if has_gaps else 3)
        cells.append((*start(index, mean, mean_label(mean, with_natural=len(naturals) > 1)), *blank))
    for index, row in sorted(rows, key=lambda pair: (order[group_of(pair[1])], pair[1].k, pair[0])):
        label = language_label(group_of(row), names, with_natural=len(naturals) > 1)
        passed = f"{row.taxonomy.get(Verdict.PASS, 0):,} of {num_programs(row):,}"
        gaps = (f"{row.incomplete:,}",) if has_gaps else ()
        cells.append((*start(index, row, label), f"{row.num_problems:,}", str(row.n), passed, *gaps))
    header = ["Language", *(["Run"] if len(runs) > 1 else []), "k", "pass@k", f"95{NBSP}% interval"]
    header += ["Problems", "Samples each", "Programs passed", *(["No verdict"] if has_gaps else [])]
    return Table(f"Scores on {benchmark}", tuple(header), tuple(cells), 2 if len(runs) > 1 else 1)


def mean_label(row: MacroScore, *, with_natural: bool) -> str:
    """Name of a mean over languages."""
    return f"Mean of {row.num_languages} languages" + (
        f" ({name_of(row.natural_language)} prompts)" if with_natural else ""
    )


def _point(row: Score | MacroScore) -> str:
    return "no score" if row.pass_at_k is None else percent(row.pass_at_k)


def _interval(row: Score | MacroScore) -> str:
    return f"within {percent_range(row.bounds)}" if row.interval is None else percent_range(row.interval)


def taxonomy_table(runs: Sequence[Run], benchmark: str, names: Names) -> Table:
    """Number of programs per ending, each a link to these programs."""
    rows = [(index, row) for index, run in enumerate(runs) for row in first_scores(run, benchmark)]
    present = list(add_counts(row.taxonomy for _, row in rows))
    not_run = any(num_not_run(row) for _, row in rows)
    several_naturals = len({row.natural_language for _, row in rows}) > 1
    order = group_order(runs, benchmark)
    header = ["Language", *(["Run"] if len(runs) > 1 else []), *(ENDINGS[verdict].label for verdict in present)]
    cells = []
    for index, row in sorted(rows, key=lambda pair: (order[group_of(pair[1])], pair[0])):
        counts: list[Cell] = [_count(index, row, verdict) for verdict in present]
        label = language_label(group_of(row), names, with_natural=several_naturals)
        mark = [letter(index)] if len(runs) > 1 else []
        cells.append((label, *mark, *counts, *([f"{num_not_run(row):,}"] if not_run else [])))
    caption = f"How the programs for {benchmark} ended"
    return Table(caption, tuple(header + ["not run"] * not_run), tuple(cells), 2 if len(runs) > 1 else 1)


def _count(index: int, row: Score, verdict: Verdict) -> Cell:
    count = row.taxonomy.get(verdict, 0)
    return Link(f"{count:,}", programs_of(index, row, verdict)) if count else "0"


def programs_of(index: int, row: Score, verdict: Verdict) -> str:
    """Address of the programs of a group that ended in one way."""
    return viewer_link(
        run=index,
        benchmark=row.benchmark,
        language=row.language_id,
        natural=row.natural_language,
        verdict=verdict.value,
    )


def difference_table(differences: Sequence[Difference], benchmark: str, names: Names) -> Table:
    """Paired differences from the first run."""
    header = (
        "Run", "Language", "k", "Points", "95\u00a0% interval", "Problems better", "worse", "p", "p (Holm)", "Test",
    )  # fmt: skip
    several_naturals = len({row.natural_language for row in differences if row.benchmark == benchmark}) > 1
    rows = []
    for row in differences:
        if row.benchmark == benchmark:
            low, high = row.interval
            cells = (
                f"{letter(row.run)} \u2212 A",
                _difference_label(row, names, with_natural=several_naturals),
                str(row.k),
                points(row.mean),
                f"{points(low)} to {points(high)}",
                f"{row.only_this:,}",
                f"{row.only_first:,}",
                p_value(row.p),
                "" if row.adjusted_p is None else p_value(row.adjusted_p),
                row.test,
            )
            rows.append(cells)
    return Table(f"Differences on {benchmark}, in percentage points of pass@k", header, tuple(rows), 2)


def _difference_label(row: Difference, names: Names, *, with_natural: bool) -> str:
    if row.language_id is None:
        return "Mean over languages" + (f" ({row.natural_language} prompts)" if with_natural else "")
    return language_label(Group(row.benchmark, row.language_id, row.natural_language), names, with_natural=with_natural)


def settings_tables(runs: Sequence[Run]) -> list[Table]:
    """Settings and environment of the runs; what differs comes first."""
    settings = _side_by_side([flat_settings(run.settings) for run in runs])
    environments = _side_by_side([environment_rows(run) for run in runs])
    columns = tuple(letter(index) for index in range(len(runs))) if len(runs) > 1 else ("Value",)
    tables = []
    for title, rows in (("Settings", settings), ("Environment", environments)):
        different = tuple(row for row in rows if len(set(row[1:])) > 1)
        alike = tuple(row[:2] for row in rows if len(set(row[1:])) == 1)
        if different:
            tables.append(
                Table(
                    f"{title} that differs" if title == "Environment" else f"{title} that differ",
                    ("Key", *columns),
                    different,
                    len(columns) + 1,
                )
            )
        if alike:
            caption = title if len(runs) == 1 else f"{title} of all runs"
            tables.append(Table(caption, ("Key", "Value"), alike, 2))
    return tables


def _side_by_side(columns: Sequence[Mapping[str, str]]) -> list[tuple[str, ...]]:
    keys = dict.fromkeys(key for column in columns for key in column)
    return [(key, *(column.get(key, "\u2013") for column in columns)) for key in keys]


def environment_rows(run: Run) -> dict[str, str]:
    """Where a run was made, by key, as text."""
    found = run.environment
    dirty = {True: " with uncommitted changes", False: "", None: ""}[found.is_dirty]
    rows = {
        "codeglot": found.codeglot,
        "commit": f"{found.commit}{dirty}" if found.commit else "installed package",
        "device": found.device,
        "sandbox level": found.sandbox_level,
        "python": found.python,
        "platform": found.platform,
        "cores": str(found.num_cores),
    }
    rows |= {f"toolchain: {name}": version for name, version in found.toolchains.items()}
    return rows | {f"package: {name}": version for name, version in found.packages.items()}


def cost_table(runs: Sequence[Run]) -> Table:
    """What the completions and their execution took."""
    rows: list[tuple[Cell, ...]] = []
    for index, run in enumerate(runs):
        tokens = [row.num_tokens for row in run.completions.values() if row.num_tokens is not None]
        cpu = [row.cpu_s for row in run.executions.values()]
        mark = f"{letter(index)}: {run.name}" if len(runs) > 1 else run.name
        per_completion = f"{sum(tokens) / len(tokens):,.0f}" if tokens else "not stated"
        rows.append((mark, f"{len(run.completions):,}", per_completion, f"{len(cpu):,}", f"{sum(cpu):,.1f}{NBSP}s"))
    header = ("Run", "Completions", "Tokens per completion", "Programs executed", "CPU time of the programs")
    return Table("Size of the runs", header, tuple(rows))
