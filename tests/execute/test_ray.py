"""The same verdicts from a cluster, and none lost with a node."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeglot.errors import DataError, SandboxError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.probes import canary
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.execute.scheduler import CANARY_EVERY
from codeglot.records import Execution, Verdict

pytest.importorskip("ray", reason="ray is not installed; it comes with codeglot[cluster]")

from ray.cluster_utils import Cluster

from codeglot.execute.ray import SHARD_SIZE, RayPool

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SLOTS = 2


def open_counting(folder: Path) -> Sandbox:
    """A sandbox that notes each program it starts."""

    class Counting:
        def __init__(self) -> None:
            self._sandbox = ColdSandbox(Bubblewrap())
            self.level = self._sandbox.level

        def run(self, request: ExecutionRequest) -> Execution:
            (folder / f"{time.monotonic_ns()}-{os.getpid()}").write_text(request.source)
            if request.source == "bad":
                raise DataError("a faulty request")
            return self._sandbox.run(request)

        def close(self) -> None:
            self._sandbox.close()

    return Counting()


def programs(count: int, sleep_s: float = 0.0) -> Iterator[tuple[int, ExecutionRequest]]:
    for number in range(count):
        source = f"import time\ntime.sleep({sleep_s})\nassert {number} % 5"
        yield number, ExecutionRequest(source=source, tests=f"# {number}", language_id="python")


def expected(count: int) -> dict[int, Verdict]:
    return {number: Verdict.PASS if number % 5 else Verdict.FAIL_ASSERT for number in range(count)}


def test_a_node_that_is_killed_loses_nothing_and_one_that_joins_gets_work(cluster: Cluster, tmp_path: Path) -> None:
    doomed = cluster.add_node(num_cpus=1)
    pool = RayPool(cluster.address, lambda: open_counting(tmp_path), slots=SLOTS)
    verdicts: dict[int, Verdict] = {}
    for number, execution in pool.run_all(programs(300, sleep_s=0.2)):
        assert number not in verdicts
        verdicts[number] = execution.verdict
        if len(verdicts) == 30:
            cluster.remove_node(doomed, allow_graceful=False)
        if len(verdicts) == 60:
            cluster.add_node(num_cpus=1)
    assert verdicts == expected(300)
    started = [path.read_text() for path in tmp_path.iterdir()]
    workers = {path.name.partition("-")[2] for path in tmp_path.iterdir()}
    assert len(workers) == 3, "two at the start, one that joined"
    probes = len(workers) * 2
    rechecks = 300 * 0.05 + 5
    assert len(started) <= 300 + probes + rechecks + SLOTS, "only what was in flight ran again"


def test_a_node_whose_worker_was_killed_gets_work_again(cluster: Cluster, tmp_path: Path) -> None:
    pool = RayPool(cluster.address, lambda: open_counting(tmp_path), slots=SLOTS)
    verdicts: dict[int, Verdict] = {}
    for number, execution in pool.run_all(programs(SHARD_SIZE)):
        verdicts[number] = execution.verdict
        if len(verdicts) == 20:
            (worker,) = {int(path.name.partition("-")[2]) for path in tmp_path.iterdir()}
            os.kill(worker, signal.SIGKILL)
    assert verdicts == expected(SHARD_SIZE)
    assert len({path.name.partition("-")[2] for path in tmp_path.iterdir()}) == 2


def test_canaries_follow_the_programs_of_a_node_through_all_its_shards(cluster: Cluster, tmp_path: Path) -> None:
    count = CANARY_EVERY + 10
    assert count > SHARD_SIZE
    pool = RayPool(cluster.address, lambda: open_counting(tmp_path), slots=SLOTS)
    assert {number: execution.verdict for number, execution in pool.run_all(programs(count))} == expected(count)
    good = canary("python")
    assert good
    started = [path.read_text() for path in tmp_path.iterdir()].count(good.source)
    assert started == 2, "the probe when the node came, and the canary"


def test_a_faulty_request_stops_the_run_with_its_own_error(cluster: Cluster, tmp_path: Path) -> None:
    pool = RayPool(cluster.address, lambda: open_counting(tmp_path), slots=SLOTS)
    with pytest.raises(DataError, match="a faulty request"):
        list(pool.run_all([(0, ExecutionRequest(source="bad", language_id="python"))]))


def test_an_address_of_another_form_is_refused_before_ray_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.init", lambda **_: pytest.fail("Ray was asked"))
    with pytest.raises(SandboxError, match=r"answers at ':': .* 'auto', HOST:PORT or ray://HOST:PORT"):
        RayPool(":", lambda: pytest.fail("a sandbox was opened"))


def test_without_a_cluster_the_address_and_the_way_out_are_named() -> None:
    with pytest.raises(SandboxError, match=r"127\.0\.0\.1:1.*ray start"):
        RayPool("127.0.0.1:1", lambda: ColdSandbox(Bubblewrap()))
