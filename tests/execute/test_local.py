import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeglot.errors import DataError, SandboxError
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.local import LOOK_AHEAD, LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.records import Execution, Limits, Verdict


class ScriptedSandbox:
    """Fails as often as each program says (`2` fails twice), then passes; `bad` is a faulty request."""

    level = "scripted"

    def __init__(self) -> None:
        self.attempts: dict[str, int] = {}
        self.running = self.most_running = 0
        self.is_closed = False
        self._lock = threading.Lock()

    def run(self, request: ExecutionRequest) -> Execution:
        with self._lock:
            attempt = self.attempts[request.source] = self.attempts.get(request.source, 0) + 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        time.sleep(0.01)
        with self._lock:
            self.running -= 1
        if request.source.startswith("bad"):
            raise DataError("a faulty request")
        if attempt <= int(request.source.split()[0]):
            raise SandboxError("no room")
        return Execution(verdict=Verdict.PASS, stdout=request.source)

    def close(self) -> None:
        self.is_closed = True


def requests(*sources: str) -> Iterator[tuple[str, ExecutionRequest]]:
    return ((source, ExecutionRequest(source=source, language_id="toy")) for source in sources)


def test_every_result_comes_under_its_key() -> None:
    sources = [f"0 {number}" for number in range(40)]
    results = dict(LocalPool(ScriptedSandbox(), slots=4).run_all(requests(*sources)))
    assert {key: execution.stdout for key, execution in results.items()} == {source: source for source in sources}


def test_no_more_programs_run_than_there_are_slots() -> None:
    sandbox = ScriptedSandbox()
    list(LocalPool(sandbox, slots=3).run_all(requests(*(f"0 {number}" for number in range(20)))))
    assert sandbox.most_running == 3


def test_requests_are_taken_only_a_little_ahead() -> None:
    taken = itertools.count()
    endless = ((next(taken), ExecutionRequest(source="0", language_id="toy")) for _ in itertools.count())
    results = LocalPool(ScriptedSandbox(), slots=2).run_all(endless)
    for _ in range(3):
        next(results)
    results.close()
    assert next(taken) <= LOOK_AHEAD * 2 + 3


def test_a_failing_sandbox_gets_two_more_attempts() -> None:
    sandbox = ScriptedSandbox()
    results = dict(LocalPool(sandbox, slots=2).run_all(requests("2 twice", "9 always")))
    assert results["2 twice"].verdict == Verdict.PASS
    lost = results["9 always"]
    assert (lost.verdict, lost.attempts, lost.detail) == (Verdict.INFRA_ERROR, 3, "no room")
    assert not lost.verdict.is_scored
    assert not sandbox.is_closed


def test_a_faulty_request_stops_everything() -> None:
    sandbox = ScriptedSandbox()
    with pytest.raises(DataError, match="a faulty request"):
        list(LocalPool(sandbox, slots=2).run_all(requests("0 a", "bad", "0 b")))
    assert sandbox.is_closed


def test_leaving_early_kills_what_runs_and_leaves_nothing(
    need_toolchain: Callable[[str], None], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_toolchain("python")
    monkeypatch.setattr("tempfile.tempdir", str(cache))
    sleepy = (
        (number, ExecutionRequest(source=source, language_id="python", limits=Limits(wall_s=60)))
        for number, source in enumerate(["print(1)", *["import time\ntime.sleep(60)"] * 20])
    )
    began, before = time.monotonic(), _children()
    # A sandbox of its own, since leaving early closes it.
    results = LocalPool(ColdSandbox(Bubblewrap()), slots=4).run_all(sleepy)
    number, execution = next(results)
    assert number == 0, execution
    results.close()
    assert time.monotonic() - began < 20
    assert not list(cache.iterdir())
    left = _children() - before  # other tests keep some of theirs ready
    assert not [pid for pid in left if b"bwrap" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _children() -> set[str]:
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_programs_of_a_language_that_keeps_several_cores_busy_leave_the_others_slots() -> None:
    sandbox = ScriptedSandbox()
    heavy = ((number, ExecutionRequest(source=f"0 {number}", language_id="scala")) for number in range(30))
    list(LocalPool(sandbox, slots=4).run_all(heavy))
    assert sandbox.most_running == 3, "1.5 cores each"


def test_a_pool_that_is_idle_may_wait_for_programs_and_one_that_is_not_goes_on() -> None:
    coming = [list(requests("1 a", "2 b", "0 c")), list(requests("0 d"))]
    waited = []

    def take(most: int, is_idle: bool) -> list[tuple[str, ExecutionRequest]]:
        if not is_idle:
            return []
        waited.append(most)
        return coming.pop(0) if coming else []

    results = dict(LocalPool(ScriptedSandbox(), slots=2).run_arriving(take))
    assert {execution.verdict for execution in results.values()} == {Verdict.PASS}
    assert sorted(results) == ["0 c", "0 d", "1 a", "2 b"]
    assert waited == [LOOK_AHEAD * 2] * 3, "at the start, when three were judged, and at the end"
