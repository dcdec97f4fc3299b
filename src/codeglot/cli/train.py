"""`codeglot train`."""

from pathlib import Path

import click

from codeglot.cli.paths import PathName


@click.command()
@click.argument("run", type=PathName(), metavar="RUN.toml")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", required=True, type=PathName(), help="Run folder; the same command continues a killed run.")
@click.option(
    "--extend", type=PathName(file_okay=False), help="A finished run, which gets experts for further languages."
)
@click.option("--check", is_flag=True, help="Validate the run file and count its data, print it as JSON, stop.")
def train(run: Path, overrides: tuple[str, ...], out: Path, extend: Path | None, check: bool) -> None:
    """Train what the run file's methods put on its base.

    Written are the adapter, metrics.jsonl and checkpoints. `codeglot evaluate` on the same folder judges it.

    \b
    Examples:
      codeglot train run.toml --out runs/lora
      codeglot train run.toml optim.lr=2e-3 train.steps=400 --out runs/longer
      codeglot train rust.toml --extend runs/mole --out runs/mole_rust
      accelerate launch -m codeglot train run.toml --out runs/lora
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.config import apply, build, read_tree
    from codeglot.errors import ConfigError
    from codeglot.jobs import train as job
    from codeglot.jobs.paths import resolve_paths
    from codeglot.jobs.runfile import TrainingRun
    from codeglot.train.processes import is_first_process

    tree = apply(resolve_paths(read_tree(run), run.parent), overrides)
    if extend is not None:
        if (named := tree.get("extends")) is not None and Path(str(named)).resolve() != extend.resolve():
            raise ConfigError(f"extends: {run} names {named}, and --extend {extend}. Leave one of both out.")
        tree["extends"] = str(extend.resolve())
    settings = build(TrainingRun, tree, source=str(run))
    progress = TerminalProgress()
    if check:
        job.check(settings, out, progress)
        click.echo(settings.model_dump_json(indent=2))
        return
    summary = job.train(settings, out, progress)
    if is_first_process():  # of several, one tells
        click.echo(
            f"{summary.num_trainable:,} parameters trained for {summary.num_steps} steps, {summary.cpu_s:.0f} CPU s"
        )
        click.echo(out / "adapter")
