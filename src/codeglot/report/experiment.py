"""What the page of an experiment says, in order; `page.py` and `markdown.py` only dress it."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from codeglot.evaluate.experiment import Comparison, Figure
from codeglot.report.content import Block, Chart, Heading, Report, Section
from codeglot.report.experiment_plots import (
    Curve,
    Mark,
    axis,
    curves,
    plane,
    score_bars,
    write_count,
    write_points,
)
from codeglot.report.experiment_tables import (
    METRIC,
    NLL,
    arm_name,
    arm_table,
    change_table,
    cost_table,
    curve_table,
    figure_table,
    label,
    transfer_table,
    trial_table,
)
from codeglot.report.experiment_words import (
    CHANGES,
    FIGURES,
    INTERVALS,
    ON_MICRO,
    TUNING,
    at_the_edge,
    decoding,
    family_of,
    judged_apart,
    summary,
    warnings,
)
from codeglot.report.source import Run
from codeglot.report.tables import settings_tables
from codeglot.report.words import NBSP, flat_settings, letter, percent
from codeglot.train.metrics import MetricsRow

Names = Mapping[str, str]


class Material(NamedTuple):
    """What the page rests on besides the comparison."""

    runs: tuple[Run, ...]
    """The first finished cell of each arm, in the order of the arms: settings and environment."""
    metrics: Mapping[str, Sequence[MetricsRow]]
    """metrics.jsonl by folder of a cell; cells without training are left out."""
    cpu_hours: float
    """Of all finished cells, those of tuning among them."""
    is_micro: bool
    """Whether it was made on the bundled world or base."""
    speed_only: Set[str]
    """Settings by dotted key that change how long an arm takes, and no figure."""


def build_experiment(comparison: Comparison, material: Material, names: Names) -> Report:
    """Say what an experiment shows.

    Args:
        comparison: Its result.
        material: Settings, environments and learning curves.
        names: Names of programming languages by id.
    """
    benchmarks = ", ".join(dict.fromkeys(figure.benchmark for figure in comparison.figures))
    settings = [
        {key: value for key, value in flat_settings(run.settings).items() if key not in material.speed_only}
        for run in material.runs
    ]
    sections = (
        Section("arms", "What was compared", (arm_table(comparison), decoding(settings))),
        _scores(comparison, names),
        Section("changes", "Changes from the baseline", tuple(_changes(comparison, names))),
        Section("transfer", "Transfer and forgetting", tuple(_transfer(comparison))),
        Section("curves", "Learning curves", tuple(_curves(comparison, material))),
        Section("cost", "Cost", tuple(_cost(comparison, material))),
        Section("tuning", "Tuning", (*at_the_edge(comparison), trial_table(comparison)) if comparison.trials else ()),
        Section("method", "How the figures were made", _method(comparison)),
        Section("origin", "Settings and environment", _origin(comparison, material.runs)),
    )
    return Report(
        title=f"{len(comparison.arms)} arms on {benchmarks}",
        summary=(*summary(comparison, names), *((ON_MICRO,) if material.is_micro else ())),
        warnings=(*warnings(comparison), *judged_apart(settings), *_environments(material.runs)),
        sections=tuple(section for section in sections if section.blocks),
    )


def _method(comparison: Comparison) -> tuple[str, ...]:
    return (FIGURES, INTERVALS, CHANGES, *((TUNING,) if comparison.trials else ()))


def _origin(comparison: Comparison, runs: Sequence[Run]) -> tuple[Block, ...]:
    letters = "; ".join(f"{letter(index)} = {name}" for index, name in enumerate(_arms(comparison)))
    return (f"{letters}.", *settings_tables(runs))


def _families(comparison: Comparison) -> list[list[Figure]]:
    rows: dict[tuple[str, str], list[Figure]] = {}
    for figure in comparison.figures:
        rows.setdefault((figure.benchmark, figure.natural_language), []).append(figure)
    return list(rows.values())


def _arms(comparison: Comparison) -> list[str]:
    return [arm_name(arm, comparison) for arm in comparison.arms]


def _scores(comparison: Comparison, names: Names) -> Section:
    blocks: list[Block] = []
    for figures in _families(comparison):
        where = family_of(figures[0], comparison)
        labels = {figure.language_id: label(figure.language_id, names) for figure in figures}
        caption = f"pass@1 on {where}: mean over seeds with 95{NBSP}% intervals, each seed as a ring"
        renamed = [figure.model_copy(update={"arm": arm_name(figure.arm, comparison)}) for figure in figures]
        blocks += [Heading(where), Chart(score_bars(renamed, _arms(comparison), labels, caption))]
        blocks.append(figure_table(figures, comparison, names))
    return Section("scores", "Scores", tuple(blocks))


def _changes(comparison: Comparison, names: Names) -> list[Block]:
    families = dict.fromkeys((row.benchmark, row.natural_language) for row in comparison.changes)
    return [
        change_table(
            [row for row in comparison.changes if (row.benchmark, row.natural_language) == family], comparison, names
        )
        for family in families
    ]


def _transfer(comparison: Comparison) -> list[Block]:
    blocks: list[Block] = []
    for family in dict.fromkeys((row.benchmark, row.natural_language) for row in comparison.transfer):
        rows = [row for row in comparison.transfer if (row.benchmark, row.natural_language) == family]
        marks = [
            Mark(
                comparison.arms.index(row.arm), row.on_trained, row.on_others,
                row.on_trained_interval, row.on_others_interval,
            )
            for row in rows
            if row.on_trained is not None
        ]  # fmt: skip
        if not marks:
            continue
        across = [bound for mark in marks for bound in (mark.x_interval or ())]
        up = [bound for mark in marks for bound in (mark.y_interval or ())]
        x = axis("change on languages trained on, points", [0.0, *across], write_points)
        y = axis("change on the other languages, points", [0.0, *up], write_points)
        caption = f"Transfer (above the line of zero) and forgetting (below it) on {family_of(rows[0], comparison)}"
        blocks.append(Chart(plane(marks, x, y, _arms(comparison), caption)))
        if any(mark.y is None for mark in marks):
            blocks.append("A dashed line is an arm that was trained on all languages, so it has none to forget.")
    return [*blocks, transfer_table(comparison)] if comparison.transfer else []


def _curves(comparison: Comparison, material: Material) -> list[Block]:
    losses, tried = [], []
    for cell in comparison.cells:
        rows = material.metrics.get(cell.folder, ())
        arm = comparison.arms.index(cell.arm)
        with_loss = [row for row in rows if NLL in row.losses]
        if with_loss:
            steps = tuple(float(row.step) for row in with_loss)
            losses.append(Curve(arm, steps, tuple(row.losses[NLL] for row in with_loss)))
        checked = [
            (float(row.step), row.validation[METRIC]) for row in rows if row.validation and METRIC in row.validation
        ]
        if checked:
            tried.append(Curve(arm, tuple(step for step, _ in checked), tuple(value for _, value in checked)))
    blocks: list[Block] = []
    for found, title, write, caption in (
        (losses, "loss, nats per target token", lambda value: f"{value:.3g}", "Training loss"),
        (tried, "pass@1 on validation problems", percent, "pass@1 on validation problems while training"),
    ):
        if found:
            x = axis("optimizer steps", [0.0, *(step for row in found for step in row.steps)], write_count)
            y = axis(title, [0.0, *(value for row in found for value in row.values)], write)
            blocks.append(Chart(curves(found, x, y, _arms(comparison), caption)))
    return [*blocks, curve_table(material.metrics)] if blocks else []


def _cost(comparison: Comparison, material: Material) -> list[Block]:
    """Accuracy against what it took, one mark per arm (means over seeds)."""
    blocks: list[Block] = [f"All finished cells together took {material.cpu_hours:.2f} CPU hours."]
    for key, title in (("num_trainable", "trainable parameters"), ("cpu_s", "CPU seconds of training")):
        marks = []
        for index, arm in enumerate(comparison.arms):
            cells = [cell for cell in comparison.cells if cell.arm == arm and cell.training.get(key)]
            if cells:
                amount = sum(float(cell.training[key]) for cell in cells) / len(cells)
                marks.append(Mark(index, amount, sum(cell.mean for cell in cells) / len(cells)))
        if marks:
            amounts = [mark.x for mark in marks]
            x = axis(title, amounts, write_count, is_log=True)
            y = axis("mean pass@1", [0.0, *(mark.y for mark in marks if mark.y is not None)], percent)
            blocks.append(Chart(plane(marks, x, y, _arms(comparison), f"Accuracy against {title}")))
    return [*blocks, cost_table(comparison.cells)]


def _environments(runs: Sequence[Run]) -> list[str]:
    found = []
    if len({run.environment.model_dump_json(exclude={"num_cores"}) for run in runs}) > 1:
        found.append("The arms were run in different environments; what differs is listed at the end.")
    if any(run.environment.is_dirty for run in runs):
        found.append("Some cells were run from a checkout with uncommitted changes.")
    return found
