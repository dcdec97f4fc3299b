"""`codeglot demo`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from codeglot.evaluate.score import MacroScore
    from codeglot.records import Score


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Folder.")
def demo(overrides: tuple[str, ...], out: Path) -> None:
    """Tell the whole story on the bundled model: judge it, adapt it, judge it again, in minutes on a CPU.

    Example: codeglot demo
    """
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs.demo import demonstrate

    found = demonstrate(out, overrides, TerminalProgress())
    click.echo(f"{'pass@1, 95 % interval':<24}{'base':^26}{'LoRA':^26}")
    for one, other in zip(found.base.scores, found.adapted.scores, strict=True):
        click.echo(f"{one.language_id:<24}{_cell(one):^26}{_cell(other):^26}")
    for mean, another in zip(found.base.macro, found.adapted.macro, strict=True):
        click.echo(f"{'mean over languages':<24}{_cell(mean):^26}{_cell(another):^26}")
    for page in found.pages:
        click.echo(page)


def _cell(score: "Score | MacroScore") -> str:
    if score.pass_at_k is None or score.interval is None:
        return "undecided"
    return f"{score.pass_at_k:.1%} ({score.interval[0]:.1%} to {score.interval[1]:.1%})"
