"""`codeglot diagnose`: looking into what was trained."""

from pathlib import Path

import click

from codeglot.cli.paths import PathName


@click.group()
def diagnose() -> None:
    """Look into what was trained."""


@diagnose.command()
@click.argument("run", type=PathName(file_okay=False), metavar="RUN")
@click.option("--out", type=PathName(file_okay=False), help="Folder for the pages. Default: RUN.")
@click.option("--pass-at-1", "with_answers", is_flag=True, help="Also let every expert answer every problem: slow.")
def experts(run: Path, out: Path | None, with_answers: bool) -> None:
    """Force every expert of a run on every language, and show which predicts which.

    The texts are the canonical solutions of the problems that the run's [evaluate] names; figures are nats per token.
    Written are expert_matrix.json, expert_matrix.md and expert_matrix.html. With --pass-at-1 every expert is also
    forced on prompts and answers of all problems, and the answers are judged; a killed start goes on.

    \b
    Examples:
      codeglot diagnose experts runs/mole
      codeglot diagnose experts runs/mole --pass-at-1
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.jobs.expert_matrix import expert_matrix

    matrix = expert_matrix(run, out, TerminalProgress(), with_answers=with_answers)
    width = max(map(len, matrix.languages))
    for language, row in zip(matrix.languages, matrix.nats, strict=True):
        best = matrix.experts[min(range(len(row)), key=row.__getitem__)]
        click.echo(f"{language:{width}}  best: {best}, {min(row):.3f} nats per token")


@diagnose.command()
@click.argument("run", type=PathName(file_okay=False), metavar="RUN")
@click.argument("task_id")
@click.option("--sample", default=0, show_default=True, help="Which of its completions.")
@click.option("--tokens", is_flag=True, help="A line for each token, not for each piece.")
def trace(run: Path, task_id: str, sample: int, tokens: bool) -> None:
    """Show which experts each token of an answer met.

    Example: codeglot diagnose trace runs/mole micro/rust/test/0
    """
    from codeglot.jobs.expert_trace import expert_trace

    for piece in expert_trace(run, task_id, sample):
        head = f"{'prompt' if piece.is_prompt else 'answer'}  {piece.language}: {' + '.join(piece.experts)}"
        for text in piece.tokens if tokens else ("".join(piece.tokens),):
            click.echo(f"{head}  {text!r}")
