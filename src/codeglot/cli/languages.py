"""`codeglot languages`."""

import click


@click.command()
@click.argument("action", required=False, type=click.Choice(["check"]))
@click.option("--only", help="Languages, separated by commas. Default: all.")
@click.option("--install", is_flag=True, help="First install what is missing, through apt (as root) and npm.")
@click.option("--sandbox", default="auto", help="Isolation level, as in evaluate.sandbox. `process` is unsafe.")
def languages(action: str | None, only: str | None, install: bool, sandbox: str) -> None:
    """Show which languages can be judged here.

    `check` tries each one in the sandbox that judges real programs; its exit status is 1 where one cannot be judged.

    \b
    Examples:
      codeglot languages
      codeglot languages check --only java,cpp
      codeglot languages --install
      codeglot languages check --sandbox landlock
    """  # noqa: D301 - click looks for the character, not for its name
    from codeglot.cli.progress import TerminalProgress
    from codeglot.errors import ConfigError
    from codeglot.jobs import languages as job
    from codeglot.jobs.language_table import table

    ids = [part.strip() for part in only.split(",") if part.strip()] if only is not None else None
    if ids == []:
        raise ConfigError("--only names no language; give some, as --only java,cpp, or leave it out for all.")
    rows = job.languages(ids, installs=install, probes=action == "check", progress=TerminalProgress(), level=sandbox)
    for line in table(rows):
        click.echo(line)
    if action == "check" and not all(row.is_usable for row in rows):
        raise SystemExit(1)
