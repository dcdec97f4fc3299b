"""`codeglot compare`, as a user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeglot.cli.main import main
from codeglot.jobs.compare import compare
from codeglot.records import Verdict
from tests.jobs.fake_cells import BASE_RUN, FakeCells, experiment
from tests.jobs.test_evaluate import codeglot, verdicts, write_problems
from tests.tiny_model import save_tiny_model


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(experiment(**changes).model_dump(mode="json")))
    return path


def test_check_lists_the_cells_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "experiment.json")
    main(["compare", str(path), "--out", str(tmp_path / "out"), "--check", "--arms", "base,lora", "--seeds", "0,2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["base/once", "lora/seed-0", "lora/seed-2", "3 cells, stated to take 0.5 CPU hours."]
    assert not (tmp_path / "out").exists()


def test_check_lists_the_trials_that_the_arms_need_with_their_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune = {"grid": {"lora": {"optim.lr": [1e-4, 1e-3]}, "java": {"optim.lr": [2e-3, 3e-3]}}, "seeds": [90]}
    path = write(tmp_path / "experiment.json", tune=tune)
    main(["compare", str(path), "--out", str(tmp_path / "out"), "--check", "--arms", "base,lora", "--seeds", "0"])
    assert capsys.readouterr().out.splitlines() == [
        "tune/lora/trial-0/seed-90  optim.lr = 0.0001",
        "tune/lora/trial-1/seed-90  optim.lr = 0.001",
        "base/once",
        "lora/seed-0",
        "2 trials and 2 cells, stated to take 0.5 CPU hours.",
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["base_run.optim.lrr=1"], "lrr"),
        (["--arms", "nobody"], "nobody"),
        (["--seeds", "7"], "Unknown seed"),
        (["--seeds", "x"], "whole numbers"),
        (["baseline=nobody"], "nobody"),
    ],
)
def test_mistakes_are_one_clear_error(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "experiment.json")
    with pytest.raises(SystemExit) as caught:
        main(["compare", str(path), *arguments, "--out", str(tmp_path / "out"), "--check"])
    assert caught.value.code == 2
    assert named in capsys.readouterr().err


def test_the_table_names_scores_changes_and_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write(tmp_path / "experiment.json", seeds=[0, 1]), tmp_path / "out"
    compare(experiment(seeds=[0, 1]), out, run_cell=FakeCells(20))
    main(["compare", str(path), "--out", str(out)])  # all cells are finished, so nothing is run
    lines = capsys.readouterr().out.splitlines()
    assert sum(" lora " in line and "points" in line for line in lines) == 4
    assert sum(" base " in line and "points" not in line for line in lines) == 4
    assert lines[0] == "pass@1 with 95 % intervals; points are the change from base."
    assert lines[-2:] == [str(out / "report.md"), str(out / "report.html")]


@pytest.mark.slow
@pytest.mark.toolchain
def test_a_real_experiment_trains_judges_and_is_only_read_again(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "model")
    rows = [{"prompt": f"def twice(x):  # {i}\n", "completion": "    return x + x\n"} for i in range(8)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = write_problems(tmp_path / "mine.jsonl", 3)
    source = {"dataset": "file", "path": str(tmp_path / "train.jsonl"), "language_id": "python"}
    base_run = {
        **BASE_RUN,
        "base": {"model": str(tmp_path / "model")},
        "data": {"sources": [source]},
        "train": {"steps": 3, "batch_size": 4},
        "generate": {"engine": "huggingface", "max_new_tokens": 6},
        "evaluate": {"benchmarks": ["problems"], "data": str(data), "reuse": False},
    }
    arms = [{"name": "base", "train": False}, {"name": "lora"}]
    path = write(tmp_path / "experiment.json", base_run=base_run, arms=arms, controls=[], seeds=[0, 1])
    codeglot("compare", path, "--out", tmp_path / "out")
    assert len(verdicts(tmp_path / "out" / "lora" / "seed-1")) == 3
    assert Verdict.INFRA_ERROR not in verdicts(tmp_path / "out" / "base" / "once").values()
    first = (tmp_path / "out" / "comparison.json").read_bytes()
    again = codeglot("compare", path, "--out", tmp_path / "out")
    assert "to run" not in again.stderr
    assert (tmp_path / "out" / "comparison.json").read_bytes() == first
