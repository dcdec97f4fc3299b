"""Each expert forced on each language: after a training on two artificial languages, each predicts its own best."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError
from codeglot.jobs import train as job
from codeglot.jobs.expert_matrix import Matrix, expert_matrix
from codeglot.jobs.runfile import TrainingRun
from tests.jobs.test_evaluate import codeglot
from tests.jobs.test_train import tree, write_rows
from tests.tiny_model import save_tiny_model

ENDS = {"python": "aaaa", "lua": "zzzz"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on texts that go on in one way in one language and in another way in the other."""
    root = tmp_path_factory.mktemp("matrix")
    rows = [
        {"prompt": f"def f{number}(x):", "completion": ENDS[language] * 2, "pl": language}
        for number in range(12)
        for language in ENDS
    ]
    problems = [
        {
            "task_id": f"{language}/{number}",
            "benchmark": "mine",
            "language_id": language,
            "prompt": f"def g{number}(x):",
            "canonical_solution": ENDS[language] * 2,
            "tests": "x",
        }
        for number in range(5)
        for language in ENDS
    ]
    data = root / "problems.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in problems))
    settings = tree(
        save_tiny_model(root / "model"),
        write_rows(root / "rows.jsonl", rows),
        methods=[{"method": "mole", "r": 4, "shared_r": 4}],
        optim={"lr": 0.03},
        train={"steps": 40, "batch_size": 8, "micro_batch_size": 8, "log_every": 40, "save_every": 40},
        generate={"engine": "huggingface"},
        evaluate={"benchmarks": ["problems"], "data": str(data)},
    )
    job.train(build(TrainingRun, settings, source="run"), root / "run")
    job.train(
        build(TrainingRun, {**settings, "methods": [{"method": "lora", "r": 2}], "train": {**SHORT}}, source="lora"),
        root / "lora",
    )
    return root


SHORT: dict[str, Any] = {"steps": 2, "batch_size": 4, "micro_batch_size": 4}


def test_each_languages_own_expert_predicts_it_best(folder: Path, tmp_path: Path) -> None:
    matrix = expert_matrix(folder / "run", tmp_path / "out")

    assert matrix.languages == ("lua", "python")
    assert matrix.experts == ("lua", "python", "other")
    assert matrix.num_examples == (5, 5)
    (lua_by_lua, lua_by_python, lua_by_other), (python_by_lua, python_by_python, python_by_other) = matrix.nats
    assert lua_by_lua < min(lua_by_python, lua_by_other) - 0.1
    assert python_by_python < min(python_by_lua, python_by_other) - 0.1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "expert_matrix.json",
        "expert_matrix.md",
        "expert_matrix.html",
    }
    assert Matrix.model_validate_json((tmp_path / "out" / "expert_matrix.json").read_text()) == matrix
    page = (tmp_path / "out" / "expert_matrix.md").read_text()
    assert "For 2 of 2 languages with an expert, their own predicts them best" in page
    assert f"{lua_by_python:.3f}" in page


def test_the_command_names_the_best_expert_of_each_language(folder: Path, tmp_path: Path) -> None:
    done = codeglot("diagnose", "experts", folder / "run", "--out", tmp_path / "pages")

    assert "lua     best: lua" in done.stdout
    assert "python  best: python" in done.stdout


def test_a_run_that_is_not_routed_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is routed by language, so no expert"):
        expert_matrix(folder / "lora")
    with pytest.raises(RunError, match="nothing was trained there"):
        expert_matrix(tmp_path)


def test_without_problems_there_is_nothing_to_try(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    copied.mkdir()
    tree = json.loads((folder / "run" / runs.CONFIG).read_text())
    tree["evaluate"] = tree["generate"] = None
    (copied / runs.CONFIG).write_text(json.dumps(tree))
    (copied / runs.TRAINING).write_text((folder / "run" / runs.TRAINING).read_text())

    with pytest.raises(ConfigError, match=r"has no \[evaluate\]"):
        expert_matrix(copied)
