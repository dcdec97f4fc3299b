"""Every command that the documents show is one that the command line takes, and every table one that it reads."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from codeglot import runs
from codeglot.cli.main import app, main
from codeglot.config import apply, build, read_tree
from codeglot.data.settings import DataSet
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.paths import resolve_paths
from codeglot.jobs.runfile import EvaluationRun, RunFile, TrainingRun

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]
PAGES = [
    *DOCUMENTS,
    *sorted((ROOT / "docs" / "methods").glob("*.md")),
    *sorted((ROOT / "docs" / "design").glob("*.md")),
]
LAUNCHED = re.compile(r"^(?:codeglot|(?:\w+=\w+ )?(?:accelerate launch|torchrun) .*-m codeglot) ")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
by_name = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(path: Path) -> list[list[str]]:
    """Lines of each fenced block; the first is its tag."""
    return [part.split("\n") for part in path.read_text(encoding="utf-8").split("```")[1::2]]


def tables(path: Path) -> list[str]:
    return ["\n".join(block[1:]) for block in blocks(path) if block[0] == "toml"]


def commands() -> list[tuple[Path, list[str]]]:
    """Documents with the arguments of each command that they show, behind `codeglot`."""
    lines = [(path, line) for path in DOCUMENTS for block in blocks(path) for line in block[1:]]
    return [
        (path, shlex.split(line[found.end() :], comments=True))
        for path, line in lines
        if (found := LAUNCHED.match(line))
    ]


def table_with(section: str, path: Path) -> str:
    """The first table with a section: of this document, else of any."""
    return next(text for document in (path, *DOCUMENTS) for text in tables(document) if section in text)


def trained(folder: Path, run_file: str) -> None:
    """A run folder as far as `evaluate --check` looks at it."""
    folder.mkdir(parents=True)
    run = build(TrainingRun, tomllib.loads(run_file), source="the document")
    runs.write_json(folder / runs.CONFIG, run)
    (folder / runs.TRAINING).write_text("{}")


@pytest.mark.parametrize(
    ("document", "arguments"),
    commands(),
    ids=lambda value: value.name if isinstance(value, Path) else " ".join(value),
)
def test_each_shown_command_is_understood(
    document: Path,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *rest = arguments
    command = app.get_command(app.make_context("codeglot", [name]), name)
    assert command is not None
    rest = rest[: rest.index(">")] if ">" in rest else rest
    given = command.make_context(name, list(rest)).params
    (tmp_path / "run.toml").write_text(table_with("[evaluate]" if name == "evaluate" else "[train]", document))
    (tmp_path / "experiment.toml").write_text(table_with("[[arms]]", document))
    check(name, rest, given)
    printed = capsys.readouterr().out
    if name == "evaluate":
        assert '"benchmarks"' in printed
    elif name == "compare":
        assert "stated to take" in printed
    elif name == "init":
        build(TrainingRun, tomllib.loads(printed), source="init")
        build(EvaluationRun, tomllib.loads(printed), source="init")


def check(name: str, rest: list[str], given: dict[str, Any]) -> None:
    """As much of a command as needs no model, no data and no compiler."""
    if name == "evaluate":
        if rest[0].startswith("runs/"):
            trained(Path(rest[0]), Path("run.toml").read_text() if "[train]" in Path("run.toml").read_text() else TRAIN)
        main([name, *rest, "--check"])
    elif name == "compare":
        main([name, *rest, *([] if given["check"] else ["--check"])])
    elif name == "train":
        tree = apply(resolve_paths(read_tree(given["run"]), Path()), given["overrides"])
        build(TrainingRun, tree, source="run.toml")
    elif name == "init":
        main([name, *rest])
    elif name == "pretrain-micro":
        main([name, *rest, *([] if given["recipe"] else ["--recipe"])])


TRAIN = table_with("[train]", ROOT / "docs" / "guides" / "train.md")


@by_name
def test_each_shown_table_is_one_that_is_read(path: Path) -> None:
    """Whole files, single sections and settings of one data source."""
    for text in tables(path):
        tree = tomllib.loads(text)
        if "arms" in tree:
            tree["base_run"] = tomllib.loads(TRAIN)
            build(Experiment, tree, source=path.name)
        elif tree.keys() <= DataSet.model_fields.keys():
            build(DataSet, {"dataset": "file", "path": "rows.jsonl", **tree}, source=path.name)
        else:
            build(RunFile, tree, source=path.name)


def test_the_run_files_of_the_training_guide_can_be_trained_and_judged() -> None:
    whole = [tomllib.loads(text) for text in tables(ROOT / "docs" / "guides" / "train.md")]
    assert len(whole) == 2
    for tree in whole:
        build(TrainingRun, tree, source="train.md")
        build(EvaluationRun, tree, source="train.md")


@by_name
def test_every_link_leads_somewhere(path: Path) -> None:
    missing = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert not missing


def test_documents_show_every_command() -> None:
    shown = {arguments[0] for _, arguments in commands()}
    assert isinstance(app, click.Group)
    assert shown == set(app.list_commands(app.make_context("codeglot", ["--help"], resilient_parsing=True)))


def test_an_override_that_is_not_there_is_not_understood(tmp_path: Path) -> None:
    """The check above sees mistakes in what is shown."""
    trained(tmp_path / "run", TRAIN)
    assert json.loads((tmp_path / "run" / runs.CONFIG).read_text())["train"]["steps"] == 200
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path / "run"), "evaluate.num_problem=5", "--check"])
