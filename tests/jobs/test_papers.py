"""The papers' own set-ups, proved on a tiny random model of the same architecture."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from codeglot.config import build
from codeglot.jobs.compare import check
from codeglot.jobs.experiment import read_experiment
from codeglot.jobs.progress import Silent
from codeglot.jobs.selection import select
from codeglot.jobs.train import train
from codeglot.optim.schedule import factor
from codeglot.optim.settings import Optim
from tests.tiny_model import save_tiny_model, sentencepiece_tokenizer

PAPERS = sorted((Path(__file__).parents[2] / "experiments" / "papers").glob("*.toml"))
needs_data = pytest.mark.skipif("CODEGLOT_DATA" not in os.environ, reason="needs CODEGLOT_DATA, the benchmarks' files")


def of_tiny(path: Path, folder: Path) -> Any:
    """An experiment on a tiny base; rows of the hub are in a file of the same columns, in each of its languages."""
    model = save_tiny_model(
        folder / "model", sentencepiece_tokenizer(), num_positions=4096, width=256
    )  # ranks up to 240
    changes = [f"base_run.base.model={model}", "base_run.base.device=cpu"]
    (source,) = read_experiment(path).base_run["data"]["sources"]
    if source["dataset"] == "hub":
        columns = source["columns"]
        rows = [
            {
                columns["prompt"]: f"Write it in {name}.",
                columns["completion"]: f"So:\n```{name}\nx = 1\n```\nIt is one.",
            }
            for name in source["languages"]
        ]
        file = folder / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows * 4))
        kept = {key: value for key, value in source.items() if key not in {"hub", "files", "revision"}}
        local = {**kept, "dataset": "file", "path": str(file)}
        changes.append(f"base_run.data.sources=[{_inline(local)}]")
    return read_experiment(path, tuple(changes))


def _inline(value: Any) -> str:
    """A value in the syntax of TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(own)}" for key, own in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_the_file_is_valid(path: Path) -> None:
    assert read_experiment(path).controls


def test_rate_of_mole_ends_where_the_published_schedule_does() -> None:
    experiment = read_experiment(next(path for path in PAPERS if path.stem == "mole"))
    settings = build(Optim, experiment.base_run["optim"], source="mole.toml")
    num_steps, num_warmup = 2000, 100

    found = [factor(settings, step, num_steps) for step in range(num_steps)]

    planned = 1.1 * num_steps  # a linear decay to nothing, which the training leaves before its end
    expected = [min(step / num_warmup, (planned - step) / (planned - num_warmup)) for step in range(1, num_steps + 1)]
    assert found == pytest.approx(expected, abs=1e-3)
    assert found[-1] == pytest.approx(0.0952, abs=5e-5)


@needs_data
@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_every_cell_could_be_trained_and_judged(path: Path, tmp_path: Path) -> None:
    experiment = of_tiny(path, tmp_path)

    cells = check(experiment, tmp_path / "out", select(experiment, None, (0,)))

    assert len(cells) == len(experiment.arms)


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_every_arm_trains(path: Path, tmp_path: Path) -> None:
    experiment = of_tiny(path, tmp_path)
    few = {"epochs": None, "steps": 2, "log_every": 1, "batch_size": 2, "micro_batch_size": 1, "save_every": 0}

    for cell in check(experiment, tmp_path / "out", select(experiment, None, (0,))):
        if cell.training is not None:
            run = cell.training.model_copy(update={"train": cell.training.train.model_copy(update=few)})
            summary = train(run, tmp_path / cell.folder, Silent())
            assert summary.num_steps == 2
