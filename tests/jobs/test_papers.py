"""The papers' own set-ups, proved on a tiny random model of the same architecture."""

import os
from pathlib import Path
from typing import Any

import pytest

from codeglot.jobs.compare import check
from codeglot.jobs.experiment import read_experiment
from codeglot.jobs.progress import Silent
from codeglot.jobs.selection import select
from codeglot.jobs.train import train
from tests.tiny_model import save_tiny_model, sentencepiece_tokenizer

PAPERS = sorted((Path(__file__).parents[2] / "experiments" / "papers").glob("*.toml"))
needs_data = pytest.mark.skipif("CODEGLOT_DATA" not in os.environ, reason="needs CODEGLOT_DATA, the benchmarks' files")


def of_tiny(path: Path, folder: Path) -> Any:
    model = save_tiny_model(folder / "model", sentencepiece_tokenizer(), num_positions=4096)
    return read_experiment(path, (f"base_run.base.model={model}", "base_run.base.device=cpu"))


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_the_file_is_valid(path: Path) -> None:
    assert read_experiment(path).controls


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
