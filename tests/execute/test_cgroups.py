"""Groups of the kernel around boxes: they stop and count what the limits of single processes do not."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import SandboxError
from codeglot.execute import cgroups, supervise
from codeglot.execute.cgroup_trees import CPU, MEMORY, TASKS, Tree
from codeglot.execute.cgroups import OWN_TASKS, Cgroup, Cgroups, find_cgroups
from codeglot.execute.cold import ColdSandbox
from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.levels import bubblewrap, mountless
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.levels.landlock import Landlock
from codeglot.execute.levels.process import Process
from codeglot.execute.levels.userns import Userns
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level, Outcome, Step, Stop
from codeglot.records import Limits, Verdict

Find = Callable[[], Cgroups]

WAYS: dict[str, Callable[[Find], Level]] = {
    "bubblewrap": Bubblewrap,
    "bubblewrap, fork servers": lambda find: ForkServers(Bubblewrap(find)),
    "userns": Userns,
    "userns, fork servers": lambda find: ForkServers(Userns(find)),
    "landlock": Landlock,
    "process": Process,
}
every_way = pytest.mark.parametrize("way", WAYS)

SWARM = """
import os, time
for number in range(200):
    try:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
    except BlockingIOError:
        break
print(number + 1, flush=True)
os.kill(os.getpid(), 9)
"""
BURNER = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(60):
    if os.fork() == 0:
        while time.process_time() < 0.03:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
"""Spends 1.8 s in children that are gone, and not waited for, before they are looked at."""
HOGS = """
import os, sys, time
for _ in range(8):
    if os.fork() == 0:
        hog = bytearray(60 << 20)
        time.sleep(5)
        os._exit(0)
_, status = os.wait()
print("one was killed by", os.WTERMSIG(status), flush=True)
"""


def off() -> Cgroups:
    """Find nothing."""
    return Cgroups([])


@pytest.fixture(scope="module")
def trees() -> list[Tree]:
    """What this machine has; tests of it are skipped where that is less than all three."""
    found = find_cgroups()
    if not all(thing in str(found) for thing in (TASKS, MEMORY, CPU)):
        pytest.skip(f"no groups that count tasks, memory and CPU time can be made here: {str(found) or 'none at all'}")
    return list(found._trees)


@pytest.fixture
def open_level(request: pytest.FixtureRequest) -> Iterator[Callable[..., Level]]:
    """`open_level(way)`, with groups or, given `off`, without; closed at the end."""
    opened: list[Level] = []

    def get(way: str, find: Find = find_cgroups) -> Level:
        try:
            opened.append(WAYS[way](find))
        except SandboxError as error:
            pytest.skip(str(error))
        return opened[-1]

    yield get
    for level in opened:
        level.close()
        if isinstance(level, ForkServers):
            level.ground.close()


def run(level: Level, source: str, **limits: Any) -> Outcome:
    with level.open_box() as box:
        return box.run(Step(command=("python3", "-c", source), limits=Limits.model_validate({"cpu_s": 5.0, **limits})))


def groups(trees: list[Tree], pid: int) -> list[Path]:
    """Those of a process."""
    return [path for tree in trees for path in tree.folder.glob(f"codeglot-*-{pid}-*")]


@every_way
def test_more_tasks_than_a_box_may_have_are_refused_by_the_group_alone(
    way: str, trees: list[Tree], open_level: Callable[..., Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the limit on the user's tasks."""
    plain, plain_mountless = bubblewrap.resource_limits, mountless.Mountless._limits
    for module in ("codeglot.execute.levels.bubblewrap", "codeglot.execute.fork_server.client"):
        monkeypatch.setattr(f"{module}.resource_limits", lambda limits: {**plain(limits), "nproc": 1000})
    monkeypatch.setattr("codeglot.execute.fork_server.client._LEAST_TASKS", 1000)
    monkeypatch.setattr(
        mountless.Mountless,
        "_limits",
        lambda level, limits: {**plain_mountless(level, limits), "RLIMIT_NPROC": 1000},
    )
    outcome = run(open_level(way), SWARM, num_tasks=16)
    assert 16 <= int(outcome.stdout) <= 16 + OWN_TASKS
    assert int(run(open_level(way, off), SWARM, num_tasks=16).stdout) == 200


@every_way
def test_memory_of_many_processes_is_stopped_between_two_looks(
    way: str, trees: list[Tree], open_level: Callable[..., Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the looks; the kernel kills one of eight, whose parent goes on and ends well."""
    monkeypatch.setattr(supervise._Watch, "_look", lambda _: None)
    monkeypatch.setattr(cgroups, "OWN_MIB", 64)
    level = open_level(way)
    outcome = run(level, HOGS, memory_mib=96, disk_mib=8)
    assert b"killed by 9" in outcome.stdout
    assert outcome.stop is Stop.MEMORY
    assert run(level, "print('next')").stdout == b"next\n"


def test_what_the_kernel_killed_for_memory_is_judged_so(
    trees: list[Tree], open_level: Callable[..., Level], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise._Watch, "_look", lambda _: None)
    monkeypatch.setattr(cgroups, "OWN_MIB", 64)
    request = ExecutionRequest(source=HOGS, language_id="python", limits=Limits(memory_mib=96, disk_mib=8))
    assert ColdSandbox(open_level("bubblewrap")).run(request).verdict is Verdict.MEMORY


def test_a_process_that_something_else_killed_is_no_matter_of_memory(
    trees: list[Tree], open_level: Callable[..., Level]
) -> None:
    outcome = run(open_level("bubblewrap"), "import os\nos.kill(os.getpid(), 9)")
    assert (outcome.status, outcome.stop) == (128 + signal.SIGKILL, None)


@every_way
def test_cpu_time_of_children_that_nobody_waits_for_counts(
    way: str, trees: list[Tree], open_level: Callable[..., Level]
) -> None:
    outcome = run(open_level(way), BURNER, cpu_s=1)
    assert outcome.stop is Stop.CPU
    assert outcome.cpu_s > 1
    without = run(open_level(way, off), BURNER, cpu_s=1)
    assert without.stop is None
    assert without.cpu_s < 1


@every_way
def test_a_plain_program_ends_the_same_with_and_without_groups(
    way: str, trees: list[Tree], open_level: Callable[..., Level]
) -> None:
    source = "import sys\nprint(sum(range(10**6)))\nsys.exit(3)"
    with_groups, without = (run(open_level(way, find), source) for find in (find_cgroups, off))
    assert (with_groups.status, with_groups.stop, with_groups.stdout) == (3, None, b"499999500000\n")
    assert (without.status, without.stop, without.stdout) == (3, None, b"499999500000\n")
    assert with_groups.cpu_s < without.cpu_s + supervise.OWN_WORK_S


@every_way
def test_levels_say_what_their_groups_count(way: str, trees: list[Tree], open_level: Callable[..., Level]) -> None:
    assert re.fullmatch(r"tasks, memory, CPU time \(cgroups v\d( and v2)?\)", open_level(way).cgroups)
    assert open_level(way, off).cgroups == ""


@every_way
def test_groups_are_used_again_and_gone_when_the_level_is_closed(
    way: str, trees: list[Tree], open_level: Callable[..., Level]
) -> None:
    before = groups(trees, os.getpid())
    level = open_level(way)
    for _ in range(2):
        run(level, "pass")
        assert len(groups(trees, os.getpid())) == len(before) + len(trees)
    service = level.start(Step(command=("cat",), limits=Limits(), is_writable=True))
    service.channel.sendall(b"hello")
    assert service.channel.recv(9) == b"hello"
    level.close()
    if isinstance(level, ForkServers):
        level.ground.close()
    service.close()
    assert groups(trees, os.getpid()) == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_groups_of_a_process_that_ended_are_removed(trees: list[Tree], cache: Path, number: signal.Signals) -> None:
    """By itself at its end; by a later one where it was killed."""
    source = """
from codeglot.execute.step import Step
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.records import Limits
with Bubblewrap().open_box() as box:
    box.run(Step(command=("sleep", "60"), limits=Limits(wall_s=60)))
"""
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(cache)}, stderr=subprocess.DEVNULL) as supervisor:
        wait_until(lambda: "sleep\n" in commands(groups(trees, supervisor.pid)))
        supervisor.send_signal(number)
    left = groups(trees, supervisor.pid)
    if number is signal.SIGKILL:
        assert left
        wait_until(lambda: not commands(left))
        Bubblewrap().close()
    assert groups(trees, supervisor.pid) == []


def test_what_waits_in_a_group_for_a_process_that_has_gone_is_killed(trees: list[Tree]) -> None:
    """As `bwrap` does for ever when its supervisor is killed while it starts."""
    source = """
import os, subprocess, sys
from codeglot.execute.cgroups import *
joining = Cgroup(find_cgroups()._trees).join(Step(command=(), limits=Limits()))
print(subprocess.Popen([*joining, "/bin/sleep", "60"], stdout=subprocess.DEVNULL).pid, os.getpid(), flush=True)
sys.stdin.read()
os._exit(0)
"""
    owner = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout
        sleeper, pid = map(int, owner.stdout.readline().split())
        left = groups(trees, pid)
        wait_until(lambda: "sleep\n" in commands(left))
    assert str(find_cgroups())
    assert not any(path.exists() for path in left)
    assert not Path(f"/proc/{sleeper}/cwd").exists()


def commands(groups: list[Path]) -> set[str]:
    """Names of what runs in groups."""
    found = set()
    for group in groups:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found |= {Path(f"/proc/{pid}/comm").read_text() for pid in (group / "cgroup.procs").read_text().split()}
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_group_that_somebody_removed_is_a_fault_of_the_sandbox(trees: list[Tree]) -> None:
    group = Cgroup(trees)
    group.remove()
    with pytest.raises(SandboxError, match="group of a box"):
        group.limit(Step(command=(), limits=Limits()))
    with pytest.raises(SandboxError, match="group of a box"):
        list(group.memory_events())
