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


@diagnose.command()
@click.argument("run", type=PathName(file_okay=False), metavar="RUN")
@click.option("--out", type=PathName(file_okay=False), help="Folder for causality.json. Default: RUN.")
@click.option("--length", default=200, show_default=True, type=click.IntRange(min=2), help="Tokens of each text.")
@click.option("--trials", default=50, show_default=True, type=click.IntRange(min=1), help="Of each detector and mode.")
@click.option(
    "--iid-steps",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Also train a copy, all its weights, so many steps on random tokens; 1000 or more find faint leaks.",
)
@click.option("--seed", default=0, show_default=True, help="Of all texts.")
def causality(run: Path, out: Path | None, length: int, trials: int, iid_steps: int, seed: int) -> None:
    """Find out whether a trained model sees later tokens, or the other rows of its batch.

    Random texts are changed where it must not matter, and outputs are held against each other, in evaluation and in
    training mode, in float32. A model that leaks has a loss that means nothing, and cannot decode as it was trained.
    The exit status is 1 where a leak was found.

    \b
    Examples:
      codeglot diagnose causality runs/mole
      codeglot diagnose causality runs/mole --iid-steps 1000
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.jobs.causality import causality as job

    found = job(run, out, length=length, num_trials=trials, iid_steps=iid_steps, seed=seed)
    for finding in found.findings:
        change = "no number" if finding.largest is None else f"{finding.largest:.1e} of the largest output"
        click.echo(
            f"{finding.detector}, {finding.mode} mode: {finding.num_leaks} of {finding.num_trials} trials leak; the "
            f"largest change is {change}"
        )
    if found.iid_nats is not None:
        click.echo(f"random tokens: {found.iid_nats:.4f} nats; guessing costs {found.guessing_nats:.4f}")
    if found.leaks:
        raise click.ClickException("The model sees what it must not. " + "; ".join(found.leaks) + ".")
