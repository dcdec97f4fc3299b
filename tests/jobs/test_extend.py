"""A trained mixture gets experts for further languages: `codeglot train --extend`."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, DataError, RunError
from codeglot.jobs import train as job
from codeglot.jobs.cells import Cell
from codeglot.jobs.compare import check, compare
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.selection import select
from codeglot.methods.adapter import CARD
from codeglot.methods.mole.files import FILE
from tests.jobs.fake_cells import BASE_RUN, FakeCells, experiment
from tests.jobs.test_evaluate import codeglot
from tests.jobs.test_train import ROWS, tree, write_rows
from tests.tiny_model import save_tiny_model

MOLE = {"method": "mole", "r": 2, "shared_r": 4}
NEW_ROWS = [{**row, "pl": "rust"} for row in ROWS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, data in two languages and in a third, and a run on the first."""
    root = tmp_path_factory.mktemp("extend")
    model = save_tiny_model(root / "model")
    write_rows(root / "rows.jsonl", ROWS)
    write_rows(root / "new.jsonl", NEW_ROWS)
    settings = tree(model, root / "rows.jsonl", methods=[MOLE])
    job.train(build(TrainingRun, settings, source="first"), root / "first")
    return root


def more(folder: Path, data: str = "new.jsonl", **changes: Any) -> dict[str, Any]:
    return tree(folder / "model", folder / data, **{"methods": [MOLE], "extends": str(folder / "first"), **changes})


def test_a_new_language_is_added_and_all_else_stays_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    settings = more(folder)
    del settings["extends"]
    path.write_text("".join(_toml(settings)))

    done = codeglot("train", str(path), "--extend", str(folder / "first"), "--out", str(tmp_path / "second"))

    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "second" / runs.ADAPTER / CARD).read_text())
    assert card["languages"] == ["lua", "python", "rust"]
    old, new = (load_file(root / runs.ADAPTER / FILE) for root in (folder / "first", tmp_path / "second"))
    assert all((new[name] == value).all() for name, value in old.items())
    assert {name.split(".")[-2] for name in new.keys() - old.keys()} == {"rust"}
    assert json.loads((tmp_path / "second" / runs.CONFIG).read_text())["extends"] == str(folder / "first")


def _toml(tree: dict[str, Any]) -> list[str]:
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in tree.items() if not isinstance(value, dict | list)]
    for key, value in tree.items():
        for table in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
            lines.append(f"[[{key}]]\n" if isinstance(value, list) else f"[{key}]\n")
            lines += [f"{name} = {_inline(item)}\n" for name, item in table.items()]
    return lines


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


def test_examples_in_a_language_that_is_there_are_refused(folder: Path, tmp_path: Path) -> None:
    run = build(TrainingRun, more(folder, "rows.jsonl"), source="run")

    with pytest.raises(DataError, match=r"There are examples in lua, python, and the run in .*first has that language"):
        job.check(run, tmp_path / "out", Silent())


def test_a_language_whose_code_is_never_tagged_is_refused(folder: Path, tmp_path: Path) -> None:
    untagged = [{"prompt": "Write f", "completion": "Here:\n```\nfn f() {}\n```\n", "pl": "rust"}] * 4
    write_rows(tmp_path / "chat.jsonl", untagged)
    source = {"dataset": "file", "path": str(tmp_path / "chat.jsonl"), "columns": {"language_id": "pl"}}
    (tmp_path / "chat.jinja").write_text("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    base = {"model": str(folder / "model"), "device": "cpu", "chat_template": str(tmp_path / "chat.jinja")}
    settings = {**more(folder), "base": base, "data": {"sources": [source], "style": "chat"}}

    with pytest.raises(DataError, match=r"No token of the examples in rust counts as such.*Tag the fences \(```rust\)"):
        job.check(build(TrainingRun, settings, source="run"), tmp_path / "out", Silent())


def test_two_runs_to_extend_are_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("".join(_toml(more(folder))))

    done = codeglot("train", path, "--extend", tmp_path, "--out", tmp_path / "second", check=False)

    assert done.returncode == 2
    assert "Leave one of both out" in done.stderr


def test_what_is_no_finished_run_of_a_mixture_is_refused(folder: Path, tmp_path: Path) -> None:
    empty = build(TrainingRun, more(folder, extends=str(tmp_path / "nothing")), source="run")
    with pytest.raises(RunError, match="nothing was trained there"):
        job.check(empty, tmp_path / "out", Silent())

    lora = {"method": "lora", "r": 2}
    plain = build(TrainingRun, tree(folder / "model", folder / "rows.jsonl", methods=[lora]), source="plain")
    job.train(plain, tmp_path / "plain")
    onto = build(TrainingRun, more(folder, methods=[lora], extends=str(tmp_path / "plain")), source="run")
    with pytest.raises(ConfigError, match="cannot be extended"):
        job.check(onto, tmp_path / "out", Silent())


def extending(
    first: dict[str, Any] = MOLE, second: dict[str, Any] = MOLE, language_id: str = "java", lr: float = 1e-3
) -> Experiment:
    """An arm on Python, and one that goes on from it in another language."""
    begins = {"methods": [first], "optim.lr": lr}
    goes_on = {"methods": [second], "data.sources.0.languages": [language_id]}
    source = {"dataset": "micro", "num_examples": 10, "languages": ["python"]}
    return experiment(
        base_run={**BASE_RUN, "data": {"sources": [source]}},
        arms=[
            {"name": "base", "train": False},
            {"name": "lora", "set": begins},
            {"name": "java", "extends": "lora", "set": goes_on},
        ],
        controls=[],
        seeds=[0, 1],
    )


def test_an_arm_goes_on_from_what_another_trained_with_the_same_seed(tmp_path: Path) -> None:
    extended = {}

    class Watching(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            extended[cell.folder] = cell.training and cell.training.extends
            super().__call__(cell, folder, progress)

    backwards = select(extending(), ("java", "lora", "base"), None)
    result = compare(extending(), tmp_path, selection=backwards, run_cell=Watching(5))

    first, second = (tmp_path / f"lora/seed-{seed}" for seed in (0, 1))
    assert extended == {
        "lora/seed-0": None,
        "lora/seed-1": None,
        "java/seed-0": first,
        "java/seed-1": second,
        "base/once": None,
    }
    assert result.set_by_arm["java"]["extends"] == "lora"


def test_an_arm_without_what_it_goes_on_from_is_refused_before_anything_runs(tmp_path: Path) -> None:
    cells = FakeCells(5)
    with pytest.raises(RunError, match="java/seed-1 goes on from lora/seed-1, which is not finished"):
        compare(extending(), tmp_path, selection=select(extending(), ("java",), (1,)), run_cell=cells)
    assert cells.ran == []


def test_an_arm_whose_beginning_broke_off_broke_off_too(tmp_path: Path) -> None:
    whole = extending(lr=5.0)
    cells = FakeCells(5)
    result = compare(whole, tmp_path, run_cell=cells)
    assert cells.ran == ["base/once", "lora/seed-0", "lora/seed-1"]
    assert "lora/seed-1 broke off, so there is nothing to go on from" in result.broken_off["java/seed-1"]


@pytest.mark.parametrize(
    ("whole", "named"),
    [
        (extending(language_id="python"), "java/seed-0: There are examples in python"),
        (extending(first={"method": "lora"}, second={"method": "lora"}), "java/seed-0: .*cannot be extended"),
        (extending(second={**MOLE, "r": 3}), "java/seed-0: .*r"),
    ],
)
def test_what_an_arm_cannot_go_on_from_is_told_before_anything_is_trained(
    tmp_path: Path, whole: Experiment, named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        check(whole, tmp_path)
