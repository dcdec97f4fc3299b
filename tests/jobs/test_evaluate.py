"""The whole line, problems -> completions -> executions -> scores -> report, as users call it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.records import Completion, Execution, Verdict
from tests.openai_server import Fault, LocalServer
from tests.tiny_model import save_tiny_model

EXAMPLES = Path(__file__).parents[2] / "examples" / "problems.jsonl"
PROBLEM = {
    "benchmark": "mine",
    "language_id": "python",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "tests": "assert double(2) == 4\n",
    "canonical_solution": "    return 2 * x\n",
}


def codeglot(
    *arguments: object, check: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    anew = ["evaluate.reuse=false"] if arguments[0] == "evaluate" else []  # no verdict of an earlier test
    result = subprocess.run(
        [sys.executable, "-m", "codeglot", *map(str, arguments), *anew],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env={**os.environ, **(env or {})},
    )
    if check and result.returncode:
        raise AssertionError(f"status {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def write_problems(path: Path, count: int, **fields: Any) -> Path:
    rows = [{"task_id": f"mine/{number}", **PROBLEM, **fields} for number in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def evaluate_own(
    data: Path, out: Path, *more: object, engine: str = "reference", check: bool = True
) -> subprocess.CompletedProcess[str]:
    return codeglot(
        "evaluate", "--engine", engine, "--benchmark", "problems", "--data", data, "--out", out, *more, check=check
    )


def verdicts(out: Path) -> dict[tuple[str, int], Verdict]:
    return {row.key: row.verdict for row in runs.read_rows(out / runs.EXECUTIONS, Execution)}


def test_the_reference_passes_its_own_problems_and_the_pages_are_written(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 3)
    evaluate_own(data, tmp_path / "run")
    assert set(verdicts(tmp_path / "run").values()) == {Verdict.PASS}
    scores = json.loads((tmp_path / "run" / runs.SCORES).read_text())["scores"]
    assert [(score["language_id"], score["pass_at_k"], score["incomplete"]) for score in scores] == [("python", 1.0, 0)]
    for page in (runs.REPORT_MARKDOWN, runs.REPORT_HTML):
        assert "python" in (tmp_path / "run" / page).read_text().lower()


def test_equal_programs_are_run_once_and_their_verdicts_serve_later_runs(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 3)
    for name, attempts in (("first", [0, 0, 1]), ("second", [0, 0, 0])):
        arguments = ("--engine", "reference", "--benchmark", "problems", "--data", data, "--out", tmp_path / name)
        subprocess.run(
            [sys.executable, "-m", "codeglot", "evaluate", *map(str, arguments)],
            env={**os.environ, "CODEGLOT_CACHE": str(tmp_path / "cache")},
            check=True,
        )
        rows = runs.read_rows(tmp_path / name / runs.EXECUTIONS, Execution)
        assert sorted(row.attempts for row in rows) == attempts
        assert {row.verdict for row in rows} == {Verdict.PASS}


def test_the_mutated_reference_passes_nothing(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 3)
    evaluate_own(data, tmp_path / "run", engine="mutated")
    assert Verdict.PASS not in verdicts(tmp_path / "run").values()


@pytest.mark.toolchain
def test_the_bundled_problems_pass_in_every_language(tmp_path: Path) -> None:
    evaluate_own(EXAMPLES, tmp_path / "run")
    assert {key: verdict for key, verdict in verdicts(tmp_path / "run").items() if verdict is not Verdict.PASS} == {}


def test_a_finished_run_is_only_read_again(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 2)
    evaluate_own(data, tmp_path / "run")
    before = {name: (tmp_path / "run" / name).read_bytes() for name in (runs.COMPLETIONS, runs.EXECUTIONS, runs.SCORES)}
    evaluate_own(data, tmp_path / "run")
    assert before == {name: (tmp_path / "run" / name).read_bytes() for name in before}


@pytest.mark.parametrize("num_kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_continues_to_the_same_scores(num_kills: int, tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 40)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    evaluate_own(data, whole)
    chance = random.Random(num_kills)
    command = [
        sys.executable,
        "-m",
        "codeglot",
        "evaluate",
        "--engine",
        "reference",
        "--benchmark",
        "problems",
        "--data",
        data,
        "--out",
        killed,
        "evaluate.reuse=false",
    ]
    num_killed = 0
    for _ in range(num_kills):
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 1.2))
        process.send_signal(signal.SIGKILL)
        num_killed += process.wait() == -signal.SIGKILL
    assert num_killed
    evaluate_own(data, killed)
    assert (killed / runs.SCORES).read_text() == (whole / runs.SCORES).read_text()
    rows = runs.read_rows(killed / runs.EXECUTIONS, Execution)
    assert len(rows) == len({row.key for row in rows}) == 40, "none but those in flight ran again"


def test_a_torn_last_line_is_dropped_and_done_again(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 3)
    evaluate_own(data, tmp_path / "run")
    for name in (runs.COMPLETIONS, runs.EXECUTIONS):
        path = tmp_path / "run" / name
        path.write_bytes(path.read_bytes()[:-20])
    evaluate_own(data, tmp_path / "run")
    assert len(runs.read_rows(tmp_path / "run" / runs.COMPLETIONS, Completion)) == 3
    assert set(verdicts(tmp_path / "run").values()) == {Verdict.PASS}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--engine", "reference", "--benchmark", "humanevil", "--data", "{data}"], ["humanevil", "humaneval"]),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{missing}"], ["nowhere.jsonl"]),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{empty}"], ["empty.jsonl"]),
        (
            ["--engine", "reference", "--benchmark", "problems", "--data", "{untested}"],
            ["untested.jsonl", "mine/0", "tests"],
        ),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{unknown}"], ["pyhton", "python"]),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{data}", "--languages", "cobol"], ["cobol"]),
        (
            ["--engine", "reference", "--benchmark", "problems", "--data", "{data}", "evaluate.slotz=2"],
            ["evaluate.slotz", "slots"],
        ),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{data}", "-k", "10"], ["10", "num_samples"]),
        (["--model", "{missing}", "--benchmark", "problems", "--data", "{data}"], ["nowhere.jsonl"]),
        (["--completions", "{missing}", "--benchmark", "problems", "--data", "{data}"], ["nowhere.jsonl"]),
        (
            ["--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--benchmark", "problems", "--data", "{data}"],
            ["127.0.0.1:9"],
        ),
        (["nowhere.toml"], ["nowhere.toml"]),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{covered}"], ["mine/0", "main.py"]),
        (["--engine", "reference", "--benchmark", "problems", "--data", "{data}", "--languages", ""], ["languages"]),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else None,
)
def test_bad_input_gets_one_clear_error(tmp_path: Path, arguments: list[str], named: list[str]) -> None:
    places = {
        "data": write_problems(tmp_path / "mine.jsonl", 1),
        "untested": write_problems(tmp_path / "untested.jsonl", 1, tests=""),
        "unknown": write_problems(tmp_path / "unknown.jsonl", 1, language_id="pyhton"),
        "empty": tmp_path / "empty.jsonl",
        "missing": tmp_path / "nowhere.jsonl",
        "covered": write_problems(tmp_path / "covered.jsonl", 1, files={"main.py": ""}),
    }
    places["empty"].touch()
    result = codeglot(
        "evaluate", *[part.format(**places) for part in arguments], "--out", tmp_path / "run", check=False
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error:") == 1
    assert all(part in result.stderr for part in named), result.stderr
    assert not (tmp_path / "run" / runs.SCORES).exists()


def test_a_folder_with_other_settings_is_refused_and_left_alone(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 1)
    evaluate_own(data, tmp_path / "run")
    before = (tmp_path / "run" / runs.CONFIG).read_bytes()
    result = evaluate_own(data, tmp_path / "run", "seed=1", check=False)
    assert result.returncode == 2
    assert "seed" in result.stderr
    assert (tmp_path / "run" / runs.CONFIG).read_bytes() == before


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 1)
    result = evaluate_own(data, tmp_path, check=False)
    assert result.returncode == 2
    assert "no run folder" in result.stderr


def test_settings_are_shown_without_running_anything(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 1)
    result = evaluate_own(data, tmp_path / "run", "--check")
    assert json.loads(result.stdout)["generate"]["engine"] == "reference"
    assert not (tmp_path / "run").exists()


def test_the_resolved_settings_are_a_valid_run_file(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 1)
    evaluate_own(data, tmp_path / "run")
    codeglot("evaluate", tmp_path / "run" / runs.CONFIG, "--out", tmp_path / "again")
    assert (tmp_path / "again" / runs.SCORES).read_text() == (tmp_path / "run" / runs.SCORES).read_text()


def served_problems(path: Path, count: int) -> Path:
    rows = [
        {
            **PROBLEM,
            "task_id": f"mine/{number}",
            "prompt": f"def double(x):  # {number}\n",
            "canonical_solution": "    return 2 * x\n",
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("style", ["completion", "chat"])
def test_a_server_of_the_openai_protocol_is_evaluated_end_to_end(tmp_path: Path, style: str) -> None:
    data = served_problems(tmp_path / "mine.jsonl", 6)
    answers = {json.loads(line)["prompt"]: "    return 2 * x\n" for line in data.read_text().splitlines()}
    answers[next(iter(answers))] = "    return x\n"  # one wrong answer
    if style == "chat":
        answers = {prompt: f"Sure:\n```python\n{prompt}{answer}```\nDone." for prompt, answer in answers.items()}
    with LocalServer(answers, model="served") as server:
        served = ("--base-url", server.base_url, "--model", "served", "--style", style)
        codeglot("evaluate", *served, "--benchmark", "problems", "--data", data, "--out", tmp_path / "run")
    ends = sorted(verdicts(tmp_path / "run").values())
    assert ends == [Verdict.FAIL_ASSERT] + [Verdict.PASS] * 5


def test_a_server_that_dies_loses_nothing_and_the_run_continues(tmp_path: Path) -> None:
    data = served_problems(tmp_path / "mine.jsonl", 8)
    answers = {json.loads(line)["prompt"]: "    return 2 * x\n" for line in data.read_text().splitlines()}
    with LocalServer(answers, model="served", faults={5: Fault.DIE}) as server:
        port = int(server.base_url.rsplit(":", 1)[1].split("/")[0])
        arguments = [
            "evaluate", "--base-url", server.base_url, "--model", "served", "--benchmark", "problems", "--data", data,
            "--out", tmp_path / "run", "generate.openai.max_retries=1", "generate.openai.concurrency=1",
        ]  # fmt: skip
        result = codeglot(*arguments, check=False)
    assert result.returncode == 2
    assert str(port) in result.stderr
    assert "Traceback" not in result.stderr
    kept = runs.read_rows(tmp_path / "run" / runs.COMPLETIONS, Completion)
    assert len(kept) == 5
    with LocalServer(answers, model="served", port=port) as server:
        codeglot(*arguments)
        assert len(server.requests) == 3
    assert set(verdicts(tmp_path / "run").values()) == {Verdict.PASS}
    assert runs.read_rows(tmp_path / "run" / runs.COMPLETIONS, Completion)[:5] == kept


def test_a_local_model_is_evaluated_end_to_end(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 3)
    save_tiny_model(tmp_path / "model")
    codeglot(
        "evaluate", "--model", tmp_path / "model", "--benchmark", "problems", "--data", data, "--samples", 2,
        "--temperature", 1, "-k", 1, "-k", 2, "--out", tmp_path / "run", "generate.max_new_tokens=8",
    )  # fmt: skip
    assert len(verdicts(tmp_path / "run")) == 6
    scores = (tmp_path / "run" / runs.SCORES).read_text()
    assert [score["k"] for score in json.loads(scores)["scores"]] == [1, 2]
    shutil.rmtree(tmp_path / "model")  # a finished run needs it no more
    codeglot("evaluate", tmp_path / "run" / runs.CONFIG, "--out", tmp_path / "run")
    assert (tmp_path / "run" / runs.SCORES).read_text() == scores


def test_a_changed_file_of_completions_is_refused(tmp_path: Path) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 1)
    theirs = tmp_path / "theirs.jsonl"
    arguments = (
        "evaluate",
        "--completions",
        theirs,
        "--benchmark",
        "problems",
        "--data",
        data,
        "--out",
        tmp_path / "r",
    )
    theirs.write_text('{"task_id": "mine/0", "completion": "    return 2 * x\\n"}\n')
    codeglot(*arguments)
    theirs.write_text('{"task_id": "mine/0", "completion": "    return x\\n"}\n')
    result = codeglot(*arguments, check=False)
    assert result.returncode == 2
    assert "mine/0" in result.stderr
    assert str(theirs) in result.stderr


@pytest.fixture
def boxes() -> Iterator[Path]:
    """A temporary folder that the sandbox's users can reach, as they cannot those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_told_to_end_leaves_no_box_behind(tmp_path: Path, boxes: Path, number: signal.Signals) -> None:
    data = write_problems(tmp_path / "mine.jsonl", 2, tests="import time\ntime.sleep(30)\n")
    arguments = ("--engine", "reference", "--benchmark", "problems", "--data", data, "--out", tmp_path / "run")
    anew = "evaluate.reuse=false"  # an earlier run of this test may have judged these programs
    process = subprocess.Popen(
        # What starts the tests may ignore signals (nohup does), and programs inherit that.
        ["env", "--default-signal", sys.executable, "-m", "codeglot", "evaluate", *map(str, arguments), anew],
        env={**os.environ, "TMPDIR": str(boxes)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / runs.EXECUTIONS).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)  # into the middle of the first programs
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + number, told
    assert "Interrupted" in told
    assert "Traceback" not in told
    assert list(boxes.iterdir()) == []
