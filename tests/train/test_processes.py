import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from codeglot.runs import METRICS, read_rows
from codeglot.train.metrics import MetricsRow

ROOT = Path(__file__).parents[2]


def start(out: Path, result: Any, *settings: Any, rank: Any = None, count: int = 1, port: Any = 0) -> Any:
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.train.child", str(out), str(result), *settings],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | (place if rank is not None else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: Any) -> Any:
    found = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), found
    return [json.loads(output.splitlines()[-1]) for output, _ in found]


def free_port() -> Any:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [{"micro_batch_size": 1}, {"packing": "true", "max_length": 100}], ids=str)
def test_two_processes_take_the_steps_of_one(tmp_path: Path, rows: Any) -> None:
    """With everything packed into one row, one of the two has nothing to do, and still takes part.

    The model is on the CPU, and stays there on a machine with accelerators too.
    """
    settings = ["steps=3", "batch_size=4", "eps=1e-3", *(f"{key}={value}" for key, value in rows.items())]
    (alone,) = finish(start(tmp_path / "one", tmp_path / "one.pt", *settings))
    port = free_port()
    both = [start(tmp_path / "two", tmp_path / "two.pt", *settings, rank=r, count=2, port=port) for r in (0, 1)]
    first, second = finish(*both)

    expected, found = torch.load(tmp_path / "one.pt"), torch.load(tmp_path / "two.pt")
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=2e-4, atol=2e-5, msg=name)
    timed = {"cpu_s", "wall_s"}
    for result in (first, second):
        assert {k: v for k, v in result.items() if k not in timed} == {k: v for k, v in alone.items() if k not in timed}
    one, two = (read_rows(tmp_path / folder / METRICS, MetricsRow) for folder in ("one", "two"))
    for left, right in zip(one, two, strict=True):
        assert left.losses == pytest.approx(right.losses, rel=1e-4)
        assert left.nll_by_language == pytest.approx(right.nll_by_language, rel=1e-4)


@pytest.mark.slow
def test_two_processes_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    def both(out: Path, *settings: Any) -> Any:
        port = free_port()
        return [
            start(out, tmp_path / f"{out.name}.pt", *settings, "dropout", rank=r, count=2, port=port) for r in (0, 1)
        ]

    settings = ["steps=40", "save_every=2", "keep_checkpoints=2"]
    finish(*both(tmp_path / "a", *settings))
    processes = both(tmp_path / "b", *settings)
    wait_for(tmp_path / "b" / "checkpoints" / "step-00000004", processes[0])
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(*both(tmp_path / "b", *settings))

    expected, found = torch.load(tmp_path / "a.pt"), torch.load(tmp_path / "b.pt")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_processes_with_different_examples_refuse_to_begin(tmp_path: Path) -> None:
    port = free_port()
    both = [start(tmp_path / "a", tmp_path / "a.pt", "own_data", rank=r, count=2, port=port) for r in (0, 1)]
    errors = [process.communicate(timeout=200)[1] for process in both]

    assert all(process.returncode for process in both)
    assert any("disagree about the examples, their order or the seed" in error for error in errors), errors
    assert not (tmp_path / "a" / METRICS).exists()


def newest(folder: Any) -> Any:
    return max((path.name for path in folder.glob("checkpoints/step-*")), default="")


def wait_for(path: Any, process: Any) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


@pytest.mark.slow
def test_a_training_killed_at_any_moment_goes_on_to_the_same_end_bit_for_bit(tmp_path: Path) -> None:
    settings = ["dropout", "steps=60", "save_every=1", "log_every=7", 'schedule="cosine"']
    finish(start(tmp_path / "a", tmp_path / "a.pt", *settings))

    seed = random.randrange(2**32)
    moment = random.Random(seed)
    num_killed = 0
    for _ in range(4):
        before = newest(tmp_path / "b")
        process = start(tmp_path / "b", tmp_path / "b.pt", *settings)
        while newest(tmp_path / "b") == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moment.random() * 0.2)
        num_killed += process.poll() is None
        process.kill()
        process.communicate()
    finish(start(tmp_path / "b", tmp_path / "b.pt", *settings))

    assert num_killed, "every training ended before it was killed"
    expected, found = torch.load(tmp_path / "a.pt"), torch.load(tmp_path / "b.pt")
    assert all(torch.equal(found[name], expected[name]) for name in expected), f"moments by seed {seed}"
    one, two = (read_rows(tmp_path / folder / METRICS, MetricsRow) for folder in ("a", "b"))
    timeless = {"tokens_per_s", "cpu_s", "wall_s"}
    assert [row.model_dump(exclude=timeless) for row in two] == [row.model_dump(exclude=timeless) for row in one]
