"""`codeglot report`."""

from pathlib import Path

import click

from codeglot.cli.paths import PathName


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=PathName())
@click.option("--out", type=PathName(file_okay=False), help="Folder for the pages. Default: the first RUN.")
def report(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write the report of one or several runs.

    Several runs are put side by side, with paired tests where they share problems. Written are report.md and
    report.html.

    Example: codeglot report runs/base runs/lora --out runs/comparison
    """
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs.report import report as job

    for path in job(list(runs), out, TerminalProgress()):
        click.echo(path)
