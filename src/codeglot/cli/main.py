"""The command `codeglot`: its list of subcommands, loaded one at a time, and the edge where errors become text."""

import errno
import shutil
import signal
import sys
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import click

from codeglot import __version__
from codeglot.errors import CodeglotError

COMMANDS = (
    "compare",
    "demo",
    "diagnose",
    "evaluate",
    "export",
    "init",
    "languages",
    "pretrain-micro",
    "report",
    "train",
)
"""Commands; each is defined in the module of this folder that has its name, with `_` for `-`."""


class LazyGroup(click.Group):
    """Imports a subcommand when it is named, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - from click
        """Name all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - from click
        """Import one command, or None where the name is unknown."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"codeglot.cli.{name}"), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="codeglot")
def app() -> None:
    """Adapt one code LLM to many languages, and prove it by running the code it writes."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; user errors are printed without a traceback and exit with status 2.

    Being told to end (Ctrl-C, SIGTERM, a closed terminal) ends what runs in the sandbox too, and removes what it left.
    """
    told = [signal.SIGINT]

    def end(number: int, _frame: object) -> None:
        told.append(signal.Signals(number))
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` stays as it is
            signal.signal(number, end)
    try:
        return app.main(args=arguments, prog_name="codeglot", standalone_mode=False)
    except CodeglotError as error:
        click.echo(f"error: {error}", err=True)
    except click.exceptions.Abort:
        click.echo("Interrupted. What was finished is kept; the same command continues.", err=True)
        sys.exit(128 + told[-1])
    except click.ClickException as error:
        error.show()
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; there is nobody to tell
        sys.exit(141)
    except OSError as error:  # a missing right, a full disk: where no job knows better, the system's words are the best
        place = f" ({error.filename})" if error.filename else ""
        help_ = _room() if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        click.echo(
            f"error: The system refused: {error.strerror or error}{place}. {help_}What was finished is kept.", err=True
        )
    sys.exit(2)


def _room() -> str:
    """How much is left where everything but results is written, and what helps."""
    from codeglot.runs import cache_folder

    folders = {"TMPDIR": Path(gettempdir()), "CODEGLOT_CACHE": cache_folder()}
    left = [
        f"{folder} ({name}) has {shutil.disk_usage(_existing(folder)).free // 2**20} MiB left"
        for name, folder in folders.items()
    ]
    return f"{', '.join(left)}: make room, or name other folders in {' and '.join(folders)}. "


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
