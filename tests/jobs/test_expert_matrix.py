"""Each expert forced on each language: after a training on two artificial languages, each predicts its own best."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError
from codeglot.generate.hf_engine import HuggingFaceEngine
from codeglot.jobs import train as job
from codeglot.jobs.expert_matrix import expert_matrix
from codeglot.jobs.expert_matrix_report import Matrix
from codeglot.jobs.runfile import TrainingRun
from tests.jobs.test_evaluate import codeglot
from tests.jobs.test_train import tree, write_rows
from tests.tiny_model import save_tiny_model

ENDS = {"python": 'a"', "lua": 'z"'}
TESTS = {"python": 'assert g{}[0] == "a"', "lua": 'assert(g{}:sub(1, 1) == "z")'}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on texts that go on in one way in one language and in another way in the other."""
    root = tmp_path_factory.mktemp("matrix")
    rows = [
        {"prompt": f'f{number} = "', "completion": ENDS[language], "pl": language}
        for number in range(12)
        for language in ENDS
    ]
    problems = [
        {
            "task_id": f"{language}/{number}",
            "benchmark": "mine",
            "language_id": language,
            "prompt": f'g{number} = "',
            "canonical_solution": ENDS[language],
            "tests": TESTS[language].format(number),
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
        generate={"engine": "huggingface", "max_new_tokens": 20},
        evaluate={"benchmarks": ["problems"], "data": str(data)},
    )
    settings["data"]["sources"][0]["prompt_is_code"] = True
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


def test_each_expert_answers_on_demand_and_a_second_start_reads_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's answers pass where they begin with an a, Lua's with a z: whose expert wrote them shows."""
    matrix = expert_matrix(folder / "run", tmp_path, with_answers=True)

    assert matrix.pass_at_1 is not None
    (lua_by_lua, lua_by_python, _), (python_by_lua, python_by_python, _) = matrix.pass_at_1
    assert lua_by_python == python_by_lua == 0.0
    assert min(lua_by_lua, python_by_python) >= 0.4
    assert "For 2 of 2 languages with an expert, their own alone solves" in (tmp_path / "expert_matrix.md").read_text()
    assert {path.name for path in (tmp_path / "forced").iterdir()} == {"lua", "python", "other"}

    monkeypatch.setattr(HuggingFaceEngine, "generate", _no_answers)
    assert expert_matrix(folder / "run", tmp_path, with_answers=True) == matrix
    shutil.copytree(folder / "run", tmp_path / "copy")
    with pytest.raises(RunError, match="holds a run with other settings"):
        expert_matrix(tmp_path / "copy", tmp_path, with_answers=True)


def _no_answers(_self: object, requests: Any, _decoding: object) -> Iterator[Any]:
    assert requests == []
    yield from ()


def test_the_command_names_the_best_expert_of_each_language(folder: Path, tmp_path: Path) -> None:
    done = codeglot("diagnose", "experts", folder / "run", "--out", tmp_path / "pages")

    assert "lua     best: lua" in done.stdout
    assert "python  best: python" in done.stdout


def test_a_run_that_is_not_routed_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is routed by language, so no expert"):
        expert_matrix(folder / "lora")
    with pytest.raises(RunError, match="nothing was trained there"):
        expert_matrix(tmp_path)


def test_a_run_whose_languages_all_meet_one_expert_is_refused(folder: Path, tmp_path: Path) -> None:
    settings = json.loads((folder / "run" / runs.CONFIG).read_text())
    settings |= {"methods": [{"method": "mole", "r": 4, "shared_r": 4, "expert_type": "no_code"}]}
    settings["train"] |= {"steps": 1}
    job.train(build(TrainingRun, settings, source="run"), tmp_path / "run")

    with pytest.raises(ConfigError, match="meet the same experts, so there is nothing to compare"):
        expert_matrix(tmp_path / "run")


def test_without_problems_there_is_nothing_to_try(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    copied.mkdir()
    tree = json.loads((folder / "run" / runs.CONFIG).read_text())
    tree["evaluate"] = tree["generate"] = None
    (copied / runs.CONFIG).write_text(json.dumps(tree))
    (copied / runs.TRAINING).write_text((folder / "run" / runs.TRAINING).read_text())

    with pytest.raises(ConfigError, match=r"has no \[evaluate\]"):
        expert_matrix(copied)
