"""What a run's settings ask for is what judges."""

from collections.abc import Callable
from pathlib import Path

import pytest

from codeglot.errors import RunError, SandboxError
from codeglot.execute.probes import probe_request
from codeglot.jobs import boxes
from codeglot.jobs.boxes import open_judges
from codeglot.jobs.progress import Silent
from codeglot.jobs.sections import Judging
from codeglot.languages import spec
from codeglot.records import Execution, Verdict

pytestmark = pytest.mark.toolchain


def judge(settings: Judging) -> Execution:
    with open_judges(settings, ["python"], Silent()) as judges:
        ((_, execution),) = judges.pool.run_all([(0, probe_request(spec.get("python"), Verdict.PASS))])
    return execution


def test_verdicts_of_what_was_kept_ready_are_not_taken_where_nothing_may_be(
    need_toolchain: Callable[[str], None], cache: Path
) -> None:
    need_toolchain("python")
    first, again = judge(Judging()), judge(Judging())
    assert (first.strategy, first.attempts > 0, again.attempts) == ("fork_server", True, 0)
    cold = judge(Judging(warm=False))
    assert (cold.strategy, cold.attempts > 0) == ("", True)


def test_every_program_is_run_where_verdicts_are_not_reused(need_toolchain: Callable[[str], None], cache: Path) -> None:
    need_toolchain("python")
    assert judge(Judging(reuse=False)).attempts > 0
    assert judge(Judging(reuse=False)).attempts > 0


def test_a_cache_that_cannot_be_written_to_is_told_before_anything_is_started(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "file").touch()
    monkeypatch.setenv("CODEGLOT_CACHE", str(cache / "file"))
    monkeypatch.setattr(boxes, "open_sandbox", lambda *_, **__: pytest.fail("a sandbox was opened"))
    with pytest.raises(RunError, match=r"evaluate\.reuse=false"):
        judge(Judging())


def test_a_cluster_that_is_not_there_is_named(cache: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed; it comes with codeglot[cluster]")
    with pytest.raises(SandboxError, match=r"127\.0\.0\.1:1"):
        judge(Judging(cluster="127.0.0.1:1"))
