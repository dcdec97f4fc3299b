"""Which experts each token of an answer met, told from a run folder."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError, RunError
from codeglot.jobs import train as job
from codeglot.jobs.expert_trace import expert_trace
from codeglot.jobs.runfile import TrainingRun
from codeglot.records import Completion, FinishReason, Problem
from tests.generate.test_routing import ANSWER
from tests.jobs.test_evaluate import codeglot
from tests.jobs.test_train import ROWS, tree, write_rows
from tests.tiny_model import save_tiny_model

PROBLEM = Problem(
    task_id="mine/1", benchmark="mine", language_id="python", prompt="Twice.", prompt_is_code=False, tests="x"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat that was answered in two languages, and its trained mixture."""
    root = tmp_path_factory.mktemp("trace")
    runs.write_rows(root / "problems.jsonl", [PROBLEM])
    settings = tree(
        save_tiny_model(root / "model"),
        write_rows(root / "rows.jsonl", [{**row, "pl": ("python", "rust")[n % 2]} for n, row in enumerate(ROWS)]),
        methods=[{"method": "mole", "r": 2, "shared_r": 4}],
        train={"steps": 2, "batch_size": 4, "micro_batch_size": 4},
        generate={"engine": "huggingface", "style": "chat", "max_new_tokens": 9},
        evaluate={"benchmarks": ["problems"], "data": str(root / "problems.jsonl")},
    )
    job.train(build(TrainingRun, settings, source="run"), root / "run")
    runs.write_rows(root / "run" / runs.PROBLEMS, [PROBLEM])
    write_answer(root / "run", ANSWER)
    return root / "run"


def write_answer(run: Path, text: str) -> None:
    answer = Completion(
        task_id="mine/1", sample=0, prompt_hash="h", text=text, finish_reason=FinishReason.STOP, num_tokens=9, seed=None
    )
    runs.write_rows(run / runs.COMPLETIONS, [answer])


def test_an_answer_in_two_languages_switches_experts_twice(folder: Path) -> None:
    pieces = expert_trace(folder, "mine/1")

    answer = [piece for piece in pieces if not piece.is_prompt]
    assert "".join("".join(piece.tokens) for piece in answer) == ANSWER
    assert [piece.language for piece in answer] == ["other", "python", "other", "rust", "other"]
    assert [set(piece.experts) for piece in answer[:2]] == [{"other"}, {"python", "shared"}]
    assert "".join(answer[1].tokens) == "\nx = 1\n```"
    assert [piece.language for piece in pieces if piece.is_prompt] == ["other"]


def test_the_command_prints_a_line_for_each_piece_or_token(folder: Path) -> None:
    whole = codeglot("diagnose", "trace", folder, "mine/1").stdout.splitlines()
    single = codeglot("diagnose", "trace", folder, "mine/1", "--tokens").stdout.splitlines()

    assert len(whole) == 6
    assert whole[2].startswith("answer  python: shared + python  '\\nx = 1\\n```'")
    assert len(single) > len(whole)


def test_what_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no answer 1 to 'mine/1'\. It holds some to mine/1"):
        expert_trace(folder, "mine/1", sample=1)
    with pytest.raises(RunError, match="holds no answer 0 to 'other'"):
        expert_trace(folder, "other")
    with pytest.raises(RunError, match=r"holds no problems.jsonl. Name a folder that `codeglot evaluate` filled"):
        expert_trace(tmp_path, "mine/1")


def test_a_run_that_is_not_routed_is_refused(folder: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = json.loads((folder / runs.CONFIG).read_text())
    settings = {key: value for key, value in settings.items() if value is not None}
    settings["methods"] = [{"method": "lora", "r": 2}]
    job.train(build(TrainingRun, settings, source="lora"), tmp_path / "lora")
    for name in (runs.PROBLEMS, runs.COMPLETIONS):
        shutil.copy(folder / name, tmp_path / "lora" / name)

    with pytest.raises(ConfigError, match="is routed by language, so there is nothing to trace"):
        expert_trace(tmp_path / "lora", "mine/1")
