"""The two folders of a pretraining: neither is taken from anything else, and both are tried before the work begins."""

from pathlib import Path
from tempfile import TemporaryDirectory

from codeglot import runs
from codeglot.config import load
from codeglot.errors import ConfigError, RunError
from codeglot.micro.recipe import Recipe

RECIPE = "recipe.json"
"""The recipe beside the weights."""


def refuse_assets(assets: Path, out: Path, *, is_replacing: bool) -> None:
    """Stop where a base cannot be written to `assets`, or something else would be replaced.

    Args:
        assets: Folder for the base.
        out: Folder of the training.
        is_replacing: Whether a base of another training may go.

    Raises:
        RunError: With what is in the way.
    """
    if out.resolve() == assets.resolve() or assets.resolve() in out.resolve().parents:
        raise RunError(f"--assets {assets} is replaced as a whole, and --out {out} with it. Name two folders.")
    if assets.exists() and not (assets / RECIPE).is_file() and (not assets.is_dir() or any(assets.iterdir())):
        raise RunError(
            f"{assets} holds something, but no {RECIPE}, so it is no base of `codeglot pretrain-micro` and is not "
            "replaced. Name an empty or a new folder with --assets."
        )
    if (assets / RECIPE).is_file() and not is_replacing and not _is_of(out, assets):
        raise RunError(
            f"{assets} holds the base of another training. Replace it with --replace, or name another folder with "
            "--assets."
        )
    try:
        assets.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{assets.name}.", dir=assets.parent):
            pass
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"Cannot write the base to {assets}: {reason}. Name another folder with --assets.") from error


def refuse_out(out: Path, recipe: Recipe) -> None:
    """Stop where the folder of the training is that of another run.

    Raises:
        RunError: If it holds something else, or steps of another recipe.
    """
    if not (out / runs.CONFIG).exists():
        return
    try:
        before = load(Recipe, out / runs.CONFIG)
    except ConfigError as error:
        raise RunError(
            f"{out} holds something else: its {runs.CONFIG} is no recipe of `codeglot pretrain-micro`. "
            "Name another folder with --out."
        ) from error
    if (out / runs.METRICS).exists() and before != recipe:
        changed = [name for name in Recipe.model_fields if getattr(before, name) != getattr(recipe, name)]
        raise RunError(
            f"{out} holds a pretraining by another recipe ({', '.join(changed)}). Name another folder with --out."
        )


def _is_of(out: Path, assets: Path) -> bool:
    """Whether the base in `assets` is what the training in `out` gave."""
    mine, theirs = out / runs.TRAINING, assets / runs.TRAINING
    return mine.is_file() and theirs.is_file() and mine.read_bytes() == theirs.read_bytes()
