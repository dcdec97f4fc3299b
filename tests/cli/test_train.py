"""What a training says in the end."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from codeglot import runs
from codeglot.cli.train import train
from codeglot.config import build
from codeglot.jobs.folder import claim
from codeglot.jobs.runfile import TrainingRun
from codeglot.train.summary import TrainingSummary
from tests.jobs.test_train import tree

SUMMARY = TrainingSummary(
    num_trainable=1000, num_steps=6, num_tokens=50, num_target_tokens=20, cpu_s=1.0, wall_s=1.0, gpu_s=0.0,
    best_step=None, best_metric=None, languages=("python",), num_examples=12,
)  # fmt: skip


@pytest.mark.parametrize(("rank", "lines"), [("0", 2), ("1", 0)])
def test_of_several_processes_one_tells_what_was_trained(
    rank: str, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = build(TrainingRun, tree(tmp_path / "model", tmp_path / "rows.jsonl"), source="run.toml")
    with claim(tmp_path / "out", settings):
        runs.write_json(tmp_path / "out" / runs.TRAINING, SUMMARY)
        (tmp_path / "out" / runs.ADAPTER).mkdir()
    runs.write_json(tmp_path / "run.json", settings)
    monkeypatch.setenv("RANK", rank)

    result = CliRunner().invoke(train, [str(tmp_path / "run.json"), "--out", str(tmp_path / "out")])

    assert result.exception is None
    assert len(result.stdout.splitlines()) == lines
