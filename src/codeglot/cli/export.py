"""`codeglot export`."""

from pathlib import Path

import click

from codeglot.cli.paths import PathName


@click.command()
@click.argument("run", type=PathName(file_okay=False), metavar="RUN")
@click.option("--to", "form", required=True, type=click.Choice(["peft", "merged"]), help="Adapters, or whole models.")
@click.option(
    "--out", required=True, type=PathName(file_okay=False), help="New folder; one below it for each language."
)
@click.option("--language", "languages", multiple=True, help="Of a run routed by language, only this one; repeatable.")
def export(run: Path, form: str, out: Path, languages: tuple[str, ...]) -> None:
    """Write what was trained in a form that other software loads unchanged.

    A run that is routed by language becomes one plain LoRA, or one model, for each language: a server of adapters picks
    one for each request, where codeglot switches within an answer. What is written is loaded again and compared.

    \b
    Examples:
      codeglot export runs/mole --to peft --out exported
      codeglot export runs/mole --to merged --language rust --out exported
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs.export import export as job

    for folder in job(run, out, "peft" if form == "peft" else "merged", languages, TerminalProgress()):
        click.echo(folder)
