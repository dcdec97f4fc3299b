"""`codeglot evaluate --cluster`, as users call it: the same as on one machine, whatever happens to nodes and jobs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codeglot import runs
from codeglot.records import Execution, Verdict

pytest.importorskip("ray", reason="ray is not installed; it comes with codeglot[cluster]")

from ray.cluster_utils import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.toolchain,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

NUM_SAMPLES = 60
ENDINGS = {
    "    return 2 * x\n": Verdict.PASS,
    "    return 3 * x\n": Verdict.FAIL_ASSERT,
    "    return 1 / 0\n": Verdict.RUNTIME_ERROR,
    "    raise SystemExit(0)\n": Verdict.EARLY_EXIT,
}
LOOK = """
    import json, os, socket, time
    time.sleep(0.1)
    answer = socket.socket().connect_ex(("HOST", PORT))
    networks = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
    print(json.dumps({"user": os.getuid(), "networks": networks, "cluster": answer}))
"""


def write_task(folder: Path, address: str) -> tuple[Path, Path]:
    """Problems, and completions which tell where they are run."""
    host, _, port = address.partition(":")
    look = LOOK.replace("HOST", host).replace("PORT", port).lstrip("\n")
    asked = {"benchmark": "mine", "language_id": "python", "prompt": "def double(x):\n", "entry_point": "double"}
    problems, completions = folder / "problems.jsonl", folder / "completions.jsonl"
    with problems.open("w") as rows, completions.open("w") as texts:
        for number, ending in enumerate(ENDINGS):
            row = {**asked, "task_id": f"mine/{number}", "tests": "assert double(2) == 4\n"}
            rows.write(json.dumps({**row, "canonical_solution": "    return 2 * x\n"}) + "\n")
            answers = [f"{look}    # {sample}\n{ending}" for sample in range(NUM_SAMPLES)]
            texts.write(json.dumps({"task_id": row["task_id"], "completions": answers}) + "\n")
    return problems, completions


@contextmanager
def running(task: tuple[Path, Path], out: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The job; it is killed at the end."""
    problems, completions = task
    command = ["evaluate", "--benchmark", "problems", "--data", problems, "--completions", completions, "--out", out]
    command += ["--samples", NUM_SAMPLES, "--slots", 2, *more, "evaluate.reuse=false"]
    with (out.parent / f"{out.name}.log").open("ab") as log:
        job = subprocess.Popen([sys.executable, "-m", "codeglot", *map(str, command)], stdout=log, stderr=log)
    with job:
        yield job
        job.kill()


def run(task: tuple[Path, Path], out: Path, *more: str) -> None:
    with running(task, out, *more) as job:
        assert job.wait(300) == 0, (out.parent / f"{out.name}.log").read_text()


def count_rows(out: Path) -> int:
    return (out / runs.EXECUTIONS).read_bytes().count(b"\n") if (out / runs.EXECUTIONS).exists() else 0


def wait_for(job: subprocess.Popen[bytes], out: Path, num_rows: int) -> None:
    until = time.monotonic() + 120
    while count_rows(out) < num_rows:
        assert job.poll() is None, (out.parent / f"{out.name}.log").read_text()
        assert time.monotonic() < until
        time.sleep(0.05)


def judged(out: Path) -> dict[tuple[str, int], Execution]:
    return {row.key: row for row in runs.read_rows(out / runs.EXECUTIONS, Execution)}


def test_a_job_on_a_cluster_ends_as_on_one_machine_though_a_node_and_the_job_are_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    task, out, alone = write_task(tmp_path, cluster.address), tmp_path / "cluster", tmp_path / "alone"
    doomed = cluster.add_node(num_cpus=1)
    with running(task, out, "--cluster", cluster.address) as job:
        wait_for(job, out, 30)
        cluster.remove_node(doomed, allow_graceful=False)
        wait_for(job, out, 40)
        cluster.add_node(num_cpus=1)
        wait_for(job, out, 120)
    assert count_rows(out) < len(ENDINGS) * NUM_SAMPLES, "it was killed in mid-run"
    run(task, out, "--cluster", cluster.address)
    run(task, alone)

    expected = dict(enumerate(ENDINGS.values()))
    there, here = judged(out), judged(alone)
    assert len(there) == count_rows(out) == len(ENDINGS) * NUM_SAMPLES, "each verdict was given once"
    assert {key: row.verdict for key, row in there.items()} == {key: row.verdict for key, row in here.items()}
    assert all(row.verdict is expected[int(task_id.partition("/")[2])] for (task_id, _), row in there.items())
    assert {row.level for row in there.values()} == {row.level for row in here.values()}
    assert (out / runs.SCORES).read_bytes() == (alone / runs.SCORES).read_bytes()
    for row in there.values():
        seen = json.loads(row.stdout.splitlines()[0])
        assert seen["networks"] == ["lo"]
        assert seen["cluster"], "no program can reach the cluster it runs on"
        assert os.geteuid() != 0 or seen["user"] != 0, "as root, a program is somebody else than the Ray worker"
