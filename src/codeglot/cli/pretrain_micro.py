"""`codeglot pretrain-micro`."""

from pathlib import Path

import click

from codeglot.cli.paths import PathName


@click.command("pretrain-micro")
@click.argument("base")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--out", type=PathName(), help="Folder of the training.  [default: runs/pretrain-BASE]")
@click.option("--assets", type=PathName(), help="Folder for the base.  [default: in the package]")
@click.option("--replace", is_flag=True, help="Replace a base of another training that is there.")
@click.option("--recipe", is_flag=True, help="Print the recipe as JSON, stop.")
def pretrain_micro(
    base: str, overrides: tuple[str, ...], out: Path | None, assets: Path | None, replace: bool, recipe: bool
) -> None:
    """Rebuild a bundled base from its recipe.

    Example: codeglot pretrain-micro micro --replace
    """
    from codeglot.cli.progress import TerminalProgress
    from codeglot.config import apply, build
    from codeglot.jobs.pretrain import pretrain
    from codeglot.micro import recipe as recipes

    tree = apply(recipes.read_recipe(base).model_dump(mode="json"), overrides)
    found = build(recipes.Recipe, tree, source=f"the recipe of {base}")
    if recipe:
        click.echo(found.model_dump_json(indent=2))
        return
    folder = assets or recipes.assets(base)
    training = out or Path("runs") / f"pretrain-{base}"
    summary = pretrain(found, training, folder, TerminalProgress(), is_replacing=replace)
    click.echo(f"{summary.num_trainable:,} parameters, {summary.num_tokens:,} tokens, {summary.cpu_s:.0f} CPU s")
    click.echo(folder)
