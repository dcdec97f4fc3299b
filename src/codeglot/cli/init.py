"""`codeglot init`."""

import click


@click.command()
@click.argument("method")
def init(method: str) -> None:
    """Print a commented run file for a method.

    Example: codeglot init lora > run.toml
    """
    from codeglot.jobs.init import init as job

    click.echo(job(method), nl=False)
