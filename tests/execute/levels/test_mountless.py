"""What both levels without namespaces promise beside the hostile suite."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.levels.mountless import Mountless
from codeglot.execute.step import Step, Stop
from codeglot.records import Limits
from tests.execute.programs import PARENT_OF_HOG

STEP = Step(command=("true",), limits=Limits())


@pytest.fixture(params=["landlock", "process"])
def level(request: pytest.FixtureRequest) -> Iterator[Mountless]:
    try:
        level = LEVELS[request.param]()
    except SandboxError as error:
        pytest.skip(str(error))
    assert isinstance(level, Mountless)
    yield level
    level.close()


def test_status_signal_and_streams_are_reported(level: Mountless) -> None:
    with level.open_box() as box:
        ended = box.run(Step(command=("sh", "-c", "cat; echo err >&2; exit 7"), limits=Limits(), stdin="in"))
        killed = box.run(Step(command=("sh", "-c", "kill -SEGV $$"), limits=Limits()))
        missing = box.run(Step(command=("no-such-command",), limits=Limits()))
    assert (ended.status, ended.stdout, ended.stderr) == (7, b"in", b"err\n")
    assert killed.status == 128 + signal.SIGSEGV
    assert missing.status == 127
    assert b"No such file" in missing.stderr


def test_folders_are_where_commands_name_them_and_empty_for_each_step(level: Mountless) -> None:
    step = Step(
        command=("sh", "-c", "cat /box/a/b c; ls /tmp /work; touch /tmp/x x; cat /prepared/there"),
        limits=Limits(),
        work_files={"c": "C\n"},
    )
    with level.open_box() as prepared, level.open_box() as box:
        prepared.folder.chmod(0o755)
        prepared.put({"there": "P\n"})
        box.put({"a/b": "B\n"})
        for _ in range(2):
            outcome = box.run(replace(step, prepared=prepared.folder))
            assert outcome.stdout == b"B\nC\n/proc/self/fd/202/.:\nc\n\n/proc/self/fd/203/.:\n" + b"P\n", outcome.stderr


def test_cpu_time_and_memory_of_children_are_counted(level: Mountless) -> None:
    with level.open_box() as box:
        outcome = box.run(Step(command=("python3", "-c", PARENT_OF_HOG), limits=Limits()))
    assert outcome.cpu_s > 0.05
    assert 100 < outcome.memory_mib < 150


def test_no_descriptor_and_no_zombie_is_left(level: Mountless) -> None:
    before, children = sorted(Path("/proc/self/fd").iterdir()), _children()
    for command in (("true",), ("sh", "-c", "sleep 9 & sleep 9"), ("sh", "-c", "setsid sleep 9 & exit 3")):
        with level.open_box() as box:
            box.run(Step(command=command, limits=Limits(cpu_s=0.4, wall_s=0.4)))
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert _children() <= children, "but for what other tests keep ready"


def _children() -> set[str]:
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_a_step_that_is_stopped_leaves_nothing_alive(level: Mountless) -> None:
    marker = f"codeglot-left-{os.getpid()}"
    with level.open_box() as box:
        command = ("sh", "-c", f"setsid sh -c 'sleep 60; : {marker}' & sleep 60")
        assert box.run(Step(command=command, limits=Limits(cpu_s=0.5, wall_s=0.5))).stop is Stop.WALL
        assert not _is_running(marker)


def test_a_killed_supervisor_leaves_nothing_alive(level: Mountless, cache: Path) -> None:
    marker = f"codeglot-orphan-{os.getpid()}"
    source = f"""
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.step import Step
from codeglot.records import Limits
with LEVELS[{level.name!r}]().open_box() as box:
    box.run(Step(command=("sh", "-c", "setsid sh -c 'sleep 60; : {marker}' & sleep 60"), limits=Limits(wall_s=60)))
"""
    with subprocess.Popen([sys.executable, "-c", source], env={**os.environ, "TMPDIR": str(cache)}) as supervisor:
        _wait_until(lambda: _is_running(marker))
        supervisor.kill()
    _wait_until(lambda: not _is_running(marker))


def test_a_failing_box_is_never_the_fault_of_the_program(level: Mountless) -> None:
    step = Step(command=("true",), limits=Limits(), prepared=Path("/no/such/folder"))
    with level.open_box() as box, pytest.raises(SandboxError, match=r"could not be set up.*/no/such/folder"):
        box.run(step)


@pytest.mark.parametrize("user", [0, 2**32 - 1])
def test_nothing_runs_as_a_user_that_is_not_the_boxes_own(level: Mountless, user: int) -> None:
    with level.open_box() as box:
        if box.user is None:
            pytest.skip("only root can change the user")
        box.user = user
        with pytest.raises(SandboxError, match=f"cannot become the user {user}"):
            box.run(STEP)


def test_a_closed_level_runs_nothing(level: Mountless) -> None:
    level.close()
    with level.open_box() as box, pytest.raises(SandboxError, match="closed"):
        box.run(STEP)
    with pytest.raises(SandboxError, match="closed"):
        level.start(STEP)


def _is_running(marker: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes() and path.read_bytes().startswith(b"sh\0"):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def _wait_until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
