"""`codeglot demo`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codeglot.cli.paths import PathName

if TYPE_CHECKING:
    from codeglot.evaluate.score import MacroScore
    from codeglot.records import Score


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", type=PathName(), default=Path("runs/demo"), show_default=True, help="Folder.")
def demo(overrides: tuple[str, ...], out: Path) -> None:
    """Tell the whole story on the bundled model: judge it, adapt it, judge it again, in minutes on a CPU.

    Example: codeglot demo
    """
    from codeglot.cli.evaluate import labeled
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs.demo import demonstrate

    found = demonstrate(out, overrides, TerminalProgress())
    click.echo(f"{'pass@1, 95 % interval':<26}{'base':<26}LoRA")
    for (one, who), (other, _) in zip(labeled(found.base), labeled(found.adapted), strict=True):
        click.echo(f"{who:<26}{_cell(one):<26}{_cell(other)}")
    for page in found.pages:
        click.echo(page)


def _cell(score: "Score | MacroScore") -> str:
    if score.pass_at_k is None or score.interval is None:
        return "undecided"
    return f"{score.pass_at_k:6.1%} ({score.interval[0]:.1%} to {score.interval[1]:.1%})"
