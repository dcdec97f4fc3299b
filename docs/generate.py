"""Writes the pages of `docs/reference` from the code; `--check` fails where a page is stale.

python docs/generate.py [--check]
"""

import sys
import tomllib
from inspect import cleandoc
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from codeglot import records, runs
from codeglot.cli.main import app
from codeglot.config import StrictModel, tables
from codeglot.evaluate.benchmarks import benchmark
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.runfile import RunFile
from codeglot.languages.spec import all_languages
from codeglot.methods import registry
from codeglot.train.metrics import MetricsRow
from codeglot.train.summary import TrainingSummary

FOLDER = Path(__file__).parent / "reference"
UPSTREAM = Path(__file__).parents[1] / "benchmarks" / "upstream_faults.toml"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->\n\n"


def cli_page() -> str:
    """Help of every command."""
    parts = ["# Command line\n"]

    def add(command: click.Command, context: click.Context) -> None:
        parts.append(f"## `{context.command_path}`\n\n```\n{command.get_help(context)}\n```\n")
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                if child is not None:
                    add(
                        child,
                        click.Context(child, info_name=name, parent=context, max_content_width=100, terminal_width=100),
                    )

    add(app, click.Context(app, info_name="codeglot", max_content_width=100, terminal_width=100))
    return "\n".join(parts)


def type_name(annotation: Any) -> str:
    """A type as a reader of a run file sees it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value!r}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(type_name(part) for part in arguments if part is not type(None))
    if origin is not None and origin.__name__ == "Annotated":
        return type_name(arguments[0])
    if origin is dict:
        return f"table of {type_name(arguments[1])}"
    if origin in (tuple, list):
        return f"list of {type_name(arguments[0])}"
    plain = {StrictModel: "tables", str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}
    return plain.get(annotation, f"`{getattr(annotation, '__name__', annotation)}`")


def fields_table(model: type[BaseModel]) -> str:
    """One row per field, from its declaration and the text under it."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default is not PydanticUndefined:
            value = field.default
            default = "none" if value is None else "as below" if isinstance(value, BaseModel) else f"`{value!s}`"
        else:
            default = "empty"
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {type_name(field.annotation)} | {default.replace('|', chr(92) + '|')} | {meaning} |")
    return "\n".join(rows) + "\n"


def nested(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """Tables inside a run file, by dotted name."""
    found = []
    for name, part in tables(model).items():
        found.append((name, part))
        found += [(f"{name}.{child}", inner) for child, inner in nested(part)]
    return found


def experiment_file_page() -> str:
    """Every key of an experiment file."""
    parts = [
        "# Experiment file\n\nTOML, for `codeglot compare`. Unknown keys are errors, in every arm's run file too.\n"
    ]
    parts.append(fields_table(Experiment))
    lists = {"arms"}
    parts += [
        f"## `{'[[' + name + ']]' if name in lists else '[' + name + ']'}`\n\n{cleandoc(model.__doc__ or '')}\n\n"
        f"{fields_table(model)}"
        for name, model in nested(Experiment)
    ]
    return "\n".join(parts)


def run_file_page() -> str:
    """Every key of a run file."""
    parts = ["# Run file\n\nTOML. Unknown keys are errors. Any key can be overridden: `section.key=value`.\n"]
    parts.append(fields_table(RunFile))
    lists = {"data.sources"}
    parts += [
        f"## `{'[[' + name + ']]' if name in lists else '[' + name + ']'}`\n\n{cleandoc(model.__doc__ or '')}\n\n"
        f"{fields_table(model)}"
        for name, model in nested(RunFile)
    ]
    methods = {name: registry.get(name) for name in registry.METHODS}
    parts += [
        f'## `[[methods]]`, `method = "{name}"`\n\n{cleandoc(model.__doc__ or "")}\n\n{fields_table(model)}'
        for name, model in methods.items()
    ]
    return "\n".join(parts)


def records_page() -> str:
    """Every record of a run folder, and the verdicts."""
    parts = [
        "# Records\n\nEach file of a run folder holds one kind of record, one JSON object a line (JSONL, UTF-8).\n"
    ]
    for file, model in (
        ("problems.jsonl", records.Problem),
        (runs.COMPLETIONS, records.Completion),
        (runs.EXECUTIONS, records.Execution),
        ("scores.json, each of `scores`", records.Score),
        ("limits of a problem or a run", records.Limits),
        (runs.ENVIRONMENT, runs.Environment),
        (runs.METRICS, MetricsRow),
        (runs.TRAINING, TrainingSummary),
        ("what is trained on", records.Example),
    ):
        parts.append(f"## {model.__name__} ({file})\n\n{cleandoc(model.__doc__ or '')}\n\n{fields_table(model)}")
    parts.append("## Verdicts\n\n" + ", ".join(f"`{verdict}`" for verdict in records.Verdict) + ".\n")
    return "\n".join(parts)


def languages_page() -> str:
    """Every language of `specs/`."""
    rows = [
        "# Programming languages\n",
        "| id | name | also written | apt packages | npm packages | probes |",
        "|---|---|---|---|---|---|",
    ]
    for language in all_languages():
        cells = (
            f"`{language.id}`",
            language.name,
            ", ".join(f"`{alias}`" for alias in language.aliases),
            " ".join(language.packages.apt),
            " ".join(language.packages.npm),
            str(len(language.probes)),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def benchmarks_page() -> str:
    """Every benchmark, where its rows lie and what they may be used for."""
    rows = [
        "# Benchmarks\n",
        "| name | languages | files looked for | on the hub | licence | source |",
        "|---|---|---|---|---|---|",
    ]
    for name in benchmark.BENCHMARKS:
        one = benchmark.get(name)
        files = sorted({file for source in one.sources.values() for file in source.files})
        hubs = sorted({source.hub for source in one.sources.values() if source.hub})
        cells = (
            f"`{name}`",
            ", ".join(one.languages),
            ", ".join(f"`{file}`" for file in files) or "none, made on the spot",
            ", ".join(hubs),
            one.license,
            one.citation,
        )
        rows.append("| " + " | ".join(cells) + " |")
    rows.append("\nPublished, but left out:\n")
    for one in map(benchmark.get, benchmark.BENCHMARKS):
        rows += [f"- `{one.name}` in {language_id}: {reason}" for language_id, reason in one.left_out.items()]
        rows += [
            f"- `{one.name}` in {language_id}: no language file says how to run it"
            for language_id in one.unknown_languages
        ]
    return "\n".join([*rows, *controls()]) + "\n"


def controls() -> list[str]:
    """Which parts have no published answers, so that no control shows that right programs pass."""
    upstream = tomllib.loads(UPSTREAM.read_text(encoding="utf-8"))
    least, not_run = upstream["least"], upstream["not_run"]
    lines = ["\nPublished answers are run as a control (`benchmarks/reference_answers.md`); these parts have none:\n"]
    for one in map(benchmark.get, benchmark.BENCHMARKS):
        ids = [key for key in one.sources if key not in (*one.unknown_languages, benchmark.ANY_LANGUAGE)]
        if without := [key for key in ids if f"{one.name}/{key}" not in (*least, *not_run)]:
            lines.append(f"- `{one.name}` in {', '.join(without)}")
    lines.append("\nNot run, if they are published:\n")
    return lines + [f"- `{part.replace('/', '` in ')}: {reason}" for part, reason in not_run.items()]


PAGES = {
    "cli.md": cli_page,
    "run-file.md": run_file_page,
    "experiment-file.md": experiment_file_page,
    "records.md": records_page,
    "languages.md": languages_page,
    "benchmarks.md": benchmarks_page,
}


def main() -> None:
    """Write the pages, or say which are stale."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, page in PAGES.items():
        path, text = FOLDER / name, NOTE + page()
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not check:
            runs.write_text(path, text)
    if stale:
        sys.exit(f"Stale pages in {FOLDER}: {', '.join(stale)}. Run `make docs`.")


main()
