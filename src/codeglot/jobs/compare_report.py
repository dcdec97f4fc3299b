"""The result of an experiment -> report.md and report.html in its folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from codeglot import runs
from codeglot.data.settings import MICRO
from codeglot.evaluate.experiment import Comparison
from codeglot.jobs.cells import Cell
from codeglot.jobs.changes import SPEED_ONLY
from codeglot.jobs.report import ReportFiles
from codeglot.languages import spec
from codeglot.models.settings import BUNDLED
from codeglot.report.experiment import Material, build_experiment
from codeglot.report.experiment_tables import arm_name
from codeglot.report.markdown import render_markdown
from codeglot.report.page import render_plain_page
from codeglot.report.source import Run
from codeglot.train.metrics import MetricsRow


def write_report(comparison: Comparison, found: Sequence[tuple[Cell, Run]], out: Path, cpu_hours: float) -> ReportFiles:
    """Write both pages.

    Args:
        comparison: What they say.
        found: Finished cells and their run folders.
        out: Folder of the experiment.
        cpu_hours: Spent on all finished cells.
    """
    first = {cell.arm: run for cell, run in reversed(found)}
    metrics = {
        cell.folder: runs.read_rows(out / cell.folder / runs.METRICS, MetricsRow)
        for cell, _ in found
        if (out / cell.folder / runs.METRICS).exists()
    }
    material = Material(
        runs=tuple(replace(first[arm], name=arm_name(arm, comparison)) for arm in comparison.arms),
        metrics=metrics,
        cpu_hours=cpu_hours,
        is_micro=any(_is_micro(cell) for cell, _ in found),
        speed_only=SPEED_ONLY,
    )
    report = build_experiment(comparison, material, {language.id: language.name for language in spec.all_languages()})
    files = ReportFiles(out / runs.REPORT_MARKDOWN, out / runs.REPORT_HTML)
    runs.write_text(files.markdown, render_markdown(report))
    runs.write_text(files.html, render_plain_page(report, material.runs[0].environment.codeglot))
    return files


def _is_micro(cell: Cell) -> bool:
    """Whether the bundled world or one of its bases takes part."""
    return MICRO in cell.run.evaluate.benchmarks or (cell.run.base is not None and cell.run.base.model in BUNDLED)
