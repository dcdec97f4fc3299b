"""`codeglot diagnose causality`: a trained run is searched for leaks."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError
from codeglot.jobs import train as job
from codeglot.jobs.causality import causality
from codeglot.jobs.runfile import TrainingRun
from codeglot.methods.mole.layer import RoutedLinear
from tests.jobs.test_evaluate import codeglot
from tests.jobs.test_train import ROWS, tree, write_rows
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained mixture of two languages."""
    root = tmp_path_factory.mktemp("causality")
    settings = tree(
        save_tiny_model(root / "model"),
        write_rows(root / "rows.jsonl", ROWS),
        methods=[{"method": "mole", "r": 2, "shared_r": 4}],
        train={"steps": 3, "batch_size": 4, "micro_batch_size": 4},
    )
    job.train(build(TrainingRun, settings, source="run"), root / "run")
    return root / "run"


def test_a_mixture_of_language_experts_has_no_leak(run: Path, tmp_path: Path) -> None:
    done = codeglot("diagnose", "causality", run, "--out", tmp_path, "--length", 60, "--trials", 4, "--iid-steps", 3)

    lines = done.stdout.splitlines()
    assert [line.split(" trials")[0] for line in lines[:4]] == [
        f"{detector}, {mode} mode: 0 of 4"
        for mode in ("evaluation", "training")
        for detector in ("later tokens", "other rows")
    ]
    assert lines[4].startswith("random tokens: ")
    written = json.loads((tmp_path / "causality.json").read_text())
    assert [finding["num_leaks"] for finding in written["findings"]] == [0, 0, 0, 0]


def test_a_model_that_pools_what_is_to_come_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = RoutedLinear.forward

    def pooling(self: RoutedLinear, x: Tensor) -> Tensor:
        return forward(self, x + x.amax(dim=1, keepdim=True))

    monkeypatch.setattr(RoutedLinear, "forward", pooling)

    found = causality(run, tmp_path, length=30, num_trials=5)

    assert [finding.num_leaks for finding in found.findings] == [5, 0, 5, 0]
    assert found.leaks == ["later tokens (evaluation): 5 of 5 trials", "later tokens (training): 5 of 5 trials"]


def test_the_model_is_left_as_it_was(run: Path, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()

    first, second = (causality(run, tmp_path, length=30, num_trials=2, iid_steps=2) for _ in range(2))

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"length": 10**6}, r"positions, so texts of 1000000 tokens do not fit")]
)
def test_what_cannot_be_tried_is_refused(run: Path, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        causality(run, tmp_path, **arguments)
    with pytest.raises(RunError, match="nothing was trained there"):
        causality(tmp_path / "nothing")
    assert not (run / "causality.json").exists()
    assert (run / runs.ADAPTER).is_dir()
