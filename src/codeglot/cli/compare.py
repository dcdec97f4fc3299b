"""`codeglot compare`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codeglot.cli.paths import PathName

if TYPE_CHECKING:
    from codeglot.evaluate.experiment import Comparison


@click.command()
@click.argument("experiment", type=PathName(), metavar="EXPERIMENT.toml")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", required=True, type=PathName(), help="Folder; the same command continues a killed start.")
@click.option("--check", is_flag=True, help="Validate the run file of every cell, list the trials and the cells, stop.")
@click.option("--arms", help="Run only these now, separated by commas; finished cells of others are compared too.")
@click.option("--seeds", help="Run only these now, separated by commas.")
def compare(
    experiment: Path, overrides: tuple[str, ...], out: Path, check: bool, arms: str | None, seeds: str | None
) -> None:
    """Train and judge arms x seeds, then say which differ by more than chance.

    Overrides reach into the base run too, as base_run.train.steps=10. Finished cells are kept.

    \b
    Examples:
      codeglot compare experiment.toml --out runs/experiment --check
      codeglot compare experiment.toml --out runs/experiment
      codeglot compare experiment.toml --out runs/experiment --arms lora,full --seeds 0,1
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs import compare as job
    from codeglot.jobs.cells import collect
    from codeglot.jobs.experiment import read_experiment
    from codeglot.jobs.selection import select
    from codeglot.jobs.tune import trial_makers
    from codeglot.report.words import counted, in_words

    settings = read_experiment(experiment, overrides)
    selection = select(settings, _names(arms), _numbers(seeds))
    if check:
        cells = job.check(settings, out, selection)
        trials = collect(trial_makers(settings, selection.arms))
        for cell in (*trials, *cells):
            click.echo(f"{cell.folder}  {in_words(cell.tried)}".rstrip())
        first = f"{counted(len(trials), 'trial')} and " if trials else ""
        click.echo(f"{first}{counted(len(cells), 'cell')}, stated to take {settings.budget.cpu_hours:g} CPU hours.")
        return
    result = job.compare(settings, out, TerminalProgress(), selection=selection)
    for line in _lines(result):
        click.echo(line)
    click.echo(out / "report.md")
    click.echo(out / "report.html")


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str | None) -> tuple[int, ...] | None:
    names = _names(text)
    try:
        return None if names is None else tuple(map(int, names))
    except ValueError as error:
        raise click.BadParameter("whole numbers separated by commas are needed", param_hint="--seeds") from error


def _lines(result: "Comparison") -> list[str]:
    """Scores and changes for a terminal; the report says the rest."""
    changes = {(row.arm, row.benchmark, row.natural_language, row.language_id): row for row in result.changes}
    labels = [
        (f"{row.benchmark} ({row.natural_language})", row.language_id or "mean over languages", row.arm)
        for row in result.figures
    ]
    widths = [max(map(len, column)) for column in zip(*labels, strict=True)]
    lines = [f"pass@1 with 95 % intervals; points are the change from {result.baseline}."]
    for row, label in zip(result.figures, labels, strict=True):
        low, high = row.interval
        line = "  ".join(text.ljust(width) for text, width in zip(label, widths, strict=True))
        line += f"  {row.pass_at_1:6.1%}  ({low:.1%} to {high:.1%})"
        change = changes.get((row.arm, row.benchmark, row.natural_language, row.language_id))
        if change is not None:
            low, high = (100 * bound for bound in change.interval)
            line += f"  {100 * change.mean:+5.1f} points ({low:+.1f} to {high:+.1f})"
        lines.append(line)
    if result.unfinished:
        lines.append(f"No result yet: {', '.join(result.unfinished)}.")
    if result.broken_off:
        lines.append(f"Broke off, and in no figure: {', '.join(result.broken_off)}.")
    return lines
