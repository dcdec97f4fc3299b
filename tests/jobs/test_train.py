"""Training as users call it: a run file in, an adapter out, and what is refused before anything is trained."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from codeglot import runs
from codeglot.config import build, load, read_tree
from codeglot.errors import (
    CodeglotError,
    ConfigError,
    DataError,
    EngineError,
    RunError,
    ToolchainError,
    UnknownNameError,
)
from codeglot.jobs import train as job
from codeglot.jobs.evaluate import with_adapter
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.runfile import EvaluationRun, TrainingRun, TrialRun
from codeglot.jobs.trained import trained_run
from codeglot.jobs.training_data import training_examples
from codeglot.records import Completion
from codeglot.train.metrics import MetricsRow
from codeglot.train.summary import TrainingSummary
from tests.conftest import needs_data
from tests.jobs.test_evaluate import PROBLEM, codeglot, write_problems
from tests.tiny_model import byte_level_tokenizer, save_tiny_model

ROWS = [
    {
        "prompt": f"def add_{number}(x):",
        "completion": f"\n    return x + {number}\n",
        "pl": ("python", "lua")[number % 2],
    }
    for number in range(12)
]


class Told(Silent):
    """Keeps what a job says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", ROWS)


def write_rows(path: Path, values: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in values))
    return path


def tree(model: Path, data: Path, /, **changes: Any) -> dict[str, Any]:
    source = {
        "dataset": "file",
        "path": str(data),
        "prompt_is_code": True,
        "columns": {"language_id": "pl"},
    }
    return {
        "seed": 3,
        "base": {"model": str(model), "device": "cpu"},
        "data": {"sources": [source]},
        "methods": [{"method": "lora", "r": 2, "target_modules": "all"}],
        "optim": {"lr": 0.01},
        "train": {"steps": 6, "batch_size": 4, "micro_batch_size": 2, "log_every": 2, "save_every": 2},
        **changes,
    }


def train(settings: dict[str, Any], out: Path, progress: Progress | None = None) -> TrainingSummary:
    return job.train(build(TrainingRun, settings, source="run.toml"), out, progress)


def test_a_training_leaves_adapter_metrics_environment_and_summary(tiny: Path, rows: Path, tmp_path: Path) -> None:
    told = Told()
    summary = train(tree(tiny, rows), tmp_path / "run", told)
    assert summary == load(TrainingSummary, tmp_path / "run" / runs.TRAINING)
    assert (summary.num_steps, summary.num_examples, summary.languages) == (6, 12, ("lua", "python"))
    assert summary.best_step is None
    assert {path.name for path in (tmp_path / "run" / runs.ADAPTER).iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "codeglot.json",
    }
    assert load(runs.Environment, tmp_path / "run" / runs.ENVIRONMENT).device == "cpu"
    steps = [row.step for row in runs.read_rows(tmp_path / "run" / runs.METRICS, MetricsRow)]
    assert steps == [1, 2, 4, 6]
    assert any("lua: 6 examples" in line and "2.0 epochs" in line for line in told.lines)


def test_the_same_command_on_a_finished_folder_only_reads_it(tiny: Path, rows: Path, tmp_path: Path) -> None:
    first = train(tree(tiny, rows), tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.safetensors")}
    told = Told()
    assert train(tree(tiny, rows), tmp_path / "run", told) == first
    assert told.lines == [f"{tmp_path / 'run'} holds this training, finished already; nothing is trained again."]
    checked = Told()
    job.check(build(TrainingRun, tree(tiny, rows), source="run.toml"), tmp_path / "run", checked)
    assert checked.lines == [f"{tmp_path / 'run'} holds this training, finished already; nothing would be trained."]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.safetensors")} == before


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another_one(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    def weights(name: str, seed: int) -> bytes:
        train(tree(tiny, rows, seed=seed), tmp_path / name)
        return (tmp_path / name / runs.ADAPTER / "adapter_model.safetensors").read_bytes()

    first = weights("a", 1)
    assert weights("b", 1) == first
    assert weights("c", 2) != first


def test_a_finished_folder_refuses_other_training_settings_and_names_them(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    train(tree(tiny, rows), tmp_path / "run")
    with pytest.raises(RunError, match=r"optim\.lr"):
        train(tree(tiny, rows, optim={"lr": 0.02}), tmp_path / "run")
    judged = tree(
        tiny, rows, evaluate={"benchmarks": ["problems"], "data": str(rows)}, generate={"engine": "huggingface"}
    )
    assert train(judged, tmp_path / "run")  # what is judged decides nothing of a training


def test_epochs_mean_passes_over_the_examples(tiny: Path, rows: Path, tmp_path: Path) -> None:
    settings = tree(tiny, rows, train={"epochs": 2, "batch_size": 5, "micro_batch_size": 5})
    assert train(settings, tmp_path / "run").num_steps == 5  # 24 examples, 5 a step


def test_what_was_trained_is_judged_by_the_same_run_file(tiny: Path, rows: Path, tmp_path: Path) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", 3)
    settings = tree(
        tiny,
        rows,
        generate={"engine": "huggingface", "max_new_tokens": 8},
        evaluate={"benchmarks": ["problems"], "data": str(problems)},
        optim={"lr": 0.5},
    )
    (tmp_path / "run.json").write_text(json.dumps(settings))
    bare = {key: settings[key] for key in ("seed", "base", "generate", "evaluate")}
    (tmp_path / "bare.json").write_text(json.dumps(bare))
    codeglot("train", tmp_path / "run.json", "--out", tmp_path / "run")
    codeglot("evaluate", tmp_path / "run")
    codeglot("evaluate", tmp_path / "bare.json", "--out", tmp_path / "base")
    codeglot("evaluate", tmp_path / "run", "--out", tmp_path / "elsewhere")

    def texts(name: str) -> list[str]:
        return [row.text for row in runs.read_rows(tmp_path / name / runs.COMPLETIONS, Completion)]

    assert texts("run") == texts("elsewhere") != texts("base")
    config = json.loads((tmp_path / "elsewhere" / runs.CONFIG).read_text())
    assert (config["methods"], config["base"]["adapter"]) == ([], str(tmp_path / "run" / runs.ADAPTER))


def test_a_run_file_with_methods_is_not_judged_before_it_was_trained(tiny: Path, rows: Path, tmp_path: Path) -> None:
    settings = tree(tiny, rows, generate={"engine": "huggingface"}, evaluate={"benchmarks": ["problems"]})
    run = build(EvaluationRun, settings, source="run.toml")
    with pytest.raises(RunError, match=r"not trained yet.*codeglot train"):
        with_adapter(run, tmp_path)
    with pytest.raises(RunError, match="nothing was trained there"):
        trained_run(tmp_path, None)


def test_a_training_that_was_killed_is_called_unfinished_and_may_go_on_by_the_command_named(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    settings = tree(tiny, rows, generate={"engine": "huggingface"}, evaluate={"benchmarks": ["humaneval"]})
    run, out = build(TrainingRun, settings, source="run.toml"), tmp_path / "run"
    runs.write_json(out / runs.CONFIG, run)
    (out / runs.METRICS).touch()
    with pytest.raises(RunError, match="is not finished") as caught:
        trained_run(out, None)
    command = str(caught.value).split("`")[1].split()
    assert command == ["codeglot", "train", str(out / runs.CONFIG), "--out", str(out)]
    assert build(TrainingRun, read_tree(Path(command[2])), source="config") == run
    with pytest.raises(RunError, match="is not finished"):
        with_adapter(build(EvaluationRun, settings, source="run.toml"), out)


def test_validation_keeps_the_best_state(tiny: Path, rows: Path, tmp_path: Path, need_toolchain: Any) -> None:
    need_toolchain("python")
    problems = write_problems(tmp_path / "problems.jsonl", 2)
    validation = {"benchmarks": ["problems"], "split": "all", "data": str(problems), "every": 2}
    settings = tree(tiny, rows, validation=validation, generate={"engine": "huggingface", "max_new_tokens": 4})
    told = Told()
    summary = train(settings, tmp_path / "run", told)
    assert (summary.best_step, summary.best_metric) == (2, 0.0)  # of equal ones the first
    best = load_file(tmp_path / "run" / runs.CHECKPOINTS / "best-00000002" / "trained.safetensors")
    adapter = load_file(tmp_path / "run" / runs.ADAPTER / "adapter_model.safetensors")
    values = sorted(float(tensor.abs().sum()) for tensor in adapter.values())
    assert values == sorted(float(tensor.abs().sum()) for tensor in best.values())
    assert sum(line.startswith("step ") for line in told.lines) == 3


def test_validating_on_problems_of_the_score_is_refused_whatever_their_splits_are_called(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    """`all`, and the part that is scored where none is named, are the same problems here."""
    judged = {"benchmarks": ["problems"], "data": str(write_problems(tmp_path / "problems.jsonl", 2))}
    settings = tree(
        tiny,
        rows,
        validation=judged | {"split": "all", "every": 2},
        evaluate=judged,
        generate={"engine": "huggingface"},
    )
    with pytest.raises(ConfigError, match=r"share 2 problem\(s\)"):
        train(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "kind", "named"),
    [
        ({"methods": []}, ConfigError, "methods: Input should not be empty"),
        ({"methods": [{"method": "lroa"}]}, ConfigError, "Did you mean 'lora'"),
        ({"methods": [{"method": "lora", "rank": 2}]}, ConfigError, "unknown key"),
        ({"train": {"batch_size": 2}}, ConfigError, "either steps or epochs"),
        ({"methods": [{"method": "lora", "target_modules": ["wq"]}]}, ConfigError, "wq"),
        ({"data": {"sources": [{"dataset": "humaneval"}]}}, ConfigError, "Unknown training data 'humaneval'"),
        ({"data": {"sources": [{"dataset": "mbpp2"}]}}, ConfigError, "Did you mean 'mbpp'"),
        (
            {"optim": {"lr": 0.01, "warmup_steps": 7}},
            ConfigError,
            "optim.warmup_steps = 7, but the training has 6 step",
        ),
        ({"data": {"sources": [{"dataset": "micro"}]}}, ConfigError, "num_examples"),
        ({"train": {"steps": 1, "trackers": ["wandb"]}}, ConfigError, "pip install wandb"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_written(
    tiny: Path, rows: Path, tmp_path: Path, changes: dict[str, Any], kind: type[CodeglotError], named: str
) -> None:
    with pytest.raises(kind) as caught:
        train(tree(tiny, rows, **changes), tmp_path / "run")
    assert named in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "kind", "named"),
    [
        ({"train": {"steps": 1, "max_length": 2}}, DataError, "longer than train.max_length = 2"),
        ({"evaluate": {"natural_languages": ["de"]}}, ConfigError, "natural_languages = de has no effect"),
        ({"evaluate": {"languages": ["cobol"]}}, UnknownNameError, "cobol"),
        ({"generate": {"style": "chat"}}, EngineError, "no chat template"),
        (
            {"base": {"dtype": "float16"}, "optim": {"name": "sophia_g"}},
            ConfigError,
            "squares gradients, and the base is in float16",
        ),
        ({"evaluate": None, "generate": None, "validation": {"style": "chat"}}, EngineError, "no chat template"),
    ],
)
def test_the_check_finds_what_would_stop_the_training_or_the_judging(
    rows: Path, tmp_path: Path, changes: dict[str, Any], kind: type[CodeglotError], named: str
) -> None:
    model = save_tiny_model(tmp_path / "model", byte_level_tokenizer())
    asked = {"benchmarks": ["problems"], "data": str(write_problems(tmp_path / "problems.jsonl", 2))}
    sections: dict[str, Any] = {"evaluate": asked, "generate": {"engine": "huggingface"}}
    if validation := changes.get("validation"):
        sections = {"generate": {"engine": "huggingface", **validation}, "evaluate": None}
        changes = {"validation": {**asked, "split": "all", "every": 1}}
    settings = tree(model, rows, **sections)
    settings |= {key: {**(settings.get(key) or {}), **value} for key, value in changes.items()}
    run = build(TrainingRun, settings, source="run.toml")
    with pytest.raises(kind, match=re.escape(named)):
        job.check(run, tmp_path / "run", Silent())
    with pytest.raises(kind, match=re.escape(named)):
        job.train(run, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_machine_that_cannot_judge_the_validation_leaves_no_folder(
    tiny: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preflight(*_: Any) -> None:
        raise ToolchainError("no python")

    monkeypatch.setattr("codeglot.jobs.boxes.preflight", preflight)
    data = write_problems(tmp_path / "problems.jsonl", 2)
    validation = {"benchmarks": ["problems"], "split": "all", "data": str(data), "every": 2}
    with pytest.raises(ToolchainError, match="no python"):
        train(tree(tiny, rows, validation=validation), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_check_looks_at_the_folder_and_writes_nothing(tiny: Path, rows: Path, tmp_path: Path) -> None:
    def check(out: Path, **changes: Any) -> None:
        job.check(build(TrainingRun, tree(tiny, rows, **changes), source="run.toml"), out, Silent())

    check(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(tree(tiny, rows), tmp_path / "run")
    check(tmp_path / "run")
    with pytest.raises(RunError, match=r"optim\.lr was 0\.01, is 0\.02"):
        check(tmp_path / "run", optim={"lr": 0.02})
    with pytest.raises(RunError, match="no run folder"):
        check(tmp_path)


def test_a_language_without_rows_and_a_row_without_a_completion_are_named(tiny: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", ROWS)
    settings = tree(tiny, rows)
    settings["data"]["sources"][0]["languages"] = ["python", "rust"]
    with pytest.raises(DataError, match=r"no example in rust"):
        train(settings, tmp_path / "run")
    broken = write_rows(tmp_path / "broken.jsonl", [*ROWS, {**ROWS[0], "completion": " "}])
    with pytest.raises(DataError, match=r"broken\.jsonl, line 13"):
        train(tree(tiny, broken), tmp_path / "run")


def test_a_row_with_more_tokens_than_the_base_has_positions_is_named(tiny: Path, tmp_path: Path) -> None:
    long = write_rows(tmp_path / "long.jsonl", [*ROWS, {**ROWS[0], "prompt": "x = 1\n" * 100}])
    with pytest.raises(
        DataError, match=r"long\.jsonl, line 13: it has \d+ tokens, above the 256 positions of the base"
    ):
        train(tree(tiny, long), tmp_path / "run")


def test_training_and_judging_the_same_problems_is_refused(tiny: Path, rows: Path) -> None:
    part = {"benchmarks": ["mbpp"], "split": "validation"}
    settings = tree(tiny, rows, validation={**part, "every": 2}, evaluate=part, generate={"engine": "huggingface"})
    with pytest.raises(ConfigError, match="says nothing"):
        build(TrainingRun, settings, source="run.toml")
    assert build(TrialRun, settings, source="run.toml").evaluate  # chooses between settings, and is no result


def test_problems_of_a_trial_may_be_those_of_validation_and_are_held_against_the_training_data(
    tiny: Path, tmp_path: Path
) -> None:
    judged = {"benchmarks": ["problems"], "split": "all", "data": str(write_problems(tmp_path / "problems.jsonl", 2))}
    settings = {"evaluate": judged, "generate": {"engine": "huggingface"}}

    def notes(rows: list[dict[str, Any]], **more: Any) -> tuple[str, ...]:
        data = write_rows(tmp_path / "rows.jsonl", rows)
        run = build(TrialRun, tree(tiny, data, **settings, **more), source="run.toml")
        return training_examples(run, Silent()).notes

    assert not any("are like" in note for note in notes(ROWS, validation={**judged, "every": 2}))
    copied = {**ROWS[0], "prompt": PROBLEM["prompt"]}
    [note] = [note for note in notes([*ROWS, copied], validation={**judged, "every": 2}) if "are like" in note]
    assert note.startswith(
        "1 training example(s) are like problems of the benchmark 'problems', split 'all': "
        "1 by 13 words in a row (first "
    )
    assert "rows.jsonl, line 13, like " in note


@needs_data
def test_answers_of_a_benchmark_are_tried_before_they_are_trained_on(
    tiny: Path, tmp_path: Path, need_toolchain: Any
) -> None:
    data = os.environ["CODEGLOT_DATA"]
    need_toolchain("python")
    settings = tree(tiny, tmp_path)
    settings["data"] = {"sources": [{"dataset": "mbpp", "path": data, "num_examples": 4}]}
    settings["base"]["model"] = str(save_tiny_model(tmp_path / "model", num_positions=4096))
    settings["train"] = {"steps": 1, "batch_size": 2}
    settings["generate"] = {"engine": "huggingface"}
    told = Told()
    assert train(settings, tmp_path / "run", told).num_examples == 4
    assert any(line.startswith("mbpp: 374 of 374 training problems") for line in told.lines)
    settings["evaluate"] = {"benchmarks": ["mbpp"], "split": "train", "data": data}
    with pytest.raises(DataError, match=r"made from problems of a split that this run is judged on"):
        train(settings, tmp_path / "again")


def test_training_on_a_problem_that_is_judged_in_another_language_and_benchmark_is_refused(
    tiny: Path, tmp_path: Path, need_toolchain: Any
) -> None:
    need_toolchain("python")
    trained = {"task_id": 601, "text": "One.", "code": "def f():\n    return 1", "test_list": ["assert f() == 1"]}
    judged = {"prompt": "def g\n", "test": "g", "entry_point": "g", "canonical_solution": None}
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(trained) + "\n")
    rows = [json.dumps(judged | {"task_id": f"MBRBP/{number}"}) + "\n" for number in (11, 601)]
    (tmp_path / "mbrbp_release_v1.2.jsonl").write_text("".join(rows))
    evaluate = {"benchmarks": ["mbxp"], "languages": ["ruby"], "data": str(tmp_path)}
    settings = tree(tiny, tmp_path, evaluate=evaluate, generate={"engine": "huggingface"})
    settings["data"] = {"sources": [{"dataset": "mbpp", "path": str(tmp_path)}]}
    with pytest.raises(DataError, match=r"1 training example\(s\) .* first mbpp, task Mbpp/601, judged as MBRBP/601"):
        training_examples(build(TrainingRun, settings, source="run.toml"), Silent())
    settings["evaluate"]["split"] = "test"
    assert len(training_examples(build(TrainingRun, settings, source="run.toml"), Silent()).examples) == 1


def test_validating_on_another_form_of_a_problem_of_the_score_is_refused(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    def asked(name: str, **fields: Any) -> dict[str, Any]:
        data = write_problems(tmp_path / name, 1, origin="mine/7", **fields)
        return {"benchmarks": ["problems"], "data": str(data), "split": "all"}

    validation = asked("a.jsonl", task_id="a") | {"every": 2}
    evaluate = asked("b.jsonl", task_id="b", language_id="lua", prompt="other") | {"split": None}
    settings = tree(tiny, rows, validation=validation, evaluate=evaluate, generate={"engine": "huggingface"})
    with pytest.raises(ConfigError, match=r"share 1 problem\(s\), first mine/7"):
        training_examples(build(TrainingRun, settings, source="run.toml"), Silent())


@pytest.mark.slow
def test_a_training_killed_at_any_moment_ends_as_if_it_had_not_been(tiny: Path, rows: Path, tmp_path: Path) -> None:
    settings = tree(tiny, rows, train={"steps": 200, "batch_size": 4, "save_every": 5, "log_every": 5})
    (tmp_path / "run.json").write_text(json.dumps(settings))

    def command(out: str) -> list[str]:
        return [sys.executable, "-m", "codeglot", "train", str(tmp_path / "run.json"), "--out", str(tmp_path / out)]

    subprocess.run(command("whole"), check=True, capture_output=True, timeout=200)
    for delay_s in (0.2, 0.5, 1.0):
        process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (tmp_path / "killed" / runs.METRICS).exists():
            time.sleep(0.02)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command("killed"), check=True, capture_output=True, timeout=200)
    for name in (f"{runs.ADAPTER}/adapter_model.safetensors", f"{runs.CHECKPOINTS}/step-00000200/trained.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    steps = [row.step for row in runs.read_rows(tmp_path / "killed" / runs.METRICS, MetricsRow)]
    assert steps == [1, *range(5, 201, 5)]
