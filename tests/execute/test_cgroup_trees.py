"""Where groups of the kernel can be made: the trees of v1, and the unified one, which here is one of plain files."""

import os
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest

from codeglot.errors import SandboxError
from codeglot.execute import supervise
from codeglot.execute.cgroup_trees import CPU, Tree, find_trees, remove_stale
from codeglot.execute.cgroups import OWN_MIB, OWN_TASKS, Cgroup, Cgroups, Meter, find_cgroups
from codeglot.execute.step import Step, Stop
from codeglot.records import Limits


def test_groups_of_living_processes_and_of_others_are_left_alone(tmp_path: Path) -> None:
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    living = f"codeglot-{namespace}-{os.getpid()}-{start}-7"
    stale = f"codeglot-{namespace}-{os.getpid()}-{int(start) + 1}-7"
    elsewhere = f"codeglot-{namespace + 1}-{os.getpid()}-{int(start) + 1}-7"
    for name in (living, stale, elsewhere, "codeglot-mine"):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "neighbor" / name).mkdir(parents=True)
    remove_stale(tmp_path / "own")
    for folder in ("own", "neighbor"):
        assert {path.name for path in (tmp_path / folder).iterdir()} == {living, elsewhere, "codeglot-mine"}


class Fake:
    """A unified tree of plain files, mounted where the process thinks; new groups get the files of the kernel."""

    FILES: ClassVar = {
        "cgroup.procs": "",
        "cgroup.type": "domain\n",
        "pids.max": "max\n",
        "memory.max": "max\n",
        "memory.swap.max": "max\n",
        "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n",
        "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    }

    def __init__(self, folder: Path, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "unified"
        self.own = self.root / own.lstrip("/")
        self.own.mkdir(parents=True)
        self.process = folder / "process"
        self.process.mkdir()
        (self.process / "cgroup").write_text(f"0::{own}\n")
        (self.process / "mountinfo").write_text(
            f"31 23 0:28 / /sys rw - sysfs sysfs rw\n41 31 0:38 / {self.root} rw shared:9 - cgroup2 cgroup2 rw\n"
        )
        plain_mkdir, plain_rmdir = os.mkdir, os.rmdir

        def mkdir(path: Any, *rest: Any) -> None:
            plain_mkdir(path, *rest)
            if "codeglot-" in Path(path).name:
                for name, text in self.FILES.items():
                    (Path(path) / name).write_text(text)

        def rmdir(path: Any, **rest: Any) -> None:
            for name in self.FILES if "codeglot-" in Path(path).name else ():
                (Path(path) / name).unlink()
            plain_rmdir(path, **rest)

        monkeypatch.setattr(os, "mkdir", mkdir)
        monkeypatch.setattr(os, "rmdir", rmdir)

    def hand_on(self, folder: Path, text: str) -> None:
        (folder / "cgroup.subtree_control").write_text(text)
        for path in self.own.relative_to(self.root).parents:
            if path != Path():
                (self.root / path / "cgroup.type").write_text("domain\n")
        if self.own != self.root:
            (self.own / "cgroup.type").write_text("domain\n")


def test_the_unified_tree_limits_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the process's own group, since that holds processes and so can hand nothing on."""
    fake = Fake(tmp_path, "/user.slice/mine.scope", monkeypatch)
    fake.hand_on(fake.own.parent, "cpu memory pids\n")
    found = find_cgroups(fake.process)
    assert str(found) == "tasks, memory, CPU time (cgroups v2)"
    with found.take() as group:
        (folder,) = fake.own.parent.glob("codeglot-*")
        step = Step(command=(), limits=Limits(num_tasks=20, memory_mib=100, disk_mib=10), work_files={"a": "x" * 2**20})
        command = [*group.join(step), "/bin/echo", "done"]
        assert subprocess.run(command, capture_output=True, check=True, text=True, env={}).stdout == "done\n"
        assert (folder / "cgroup.procs").read_text() == "0\n"
        assert (folder / "pids.max").read_text() == str(20 + OWN_TASKS)
        assert (folder / "memory.max").read_text() == str((2 * 100 + 4 * 10 + OWN_MIB + 4) * 2**20)
        assert (folder / "memory.swap.max").read_text() == "0"
        meter = Meter(group)
        (folder / "cpu.stat").write_text("usage_usec 1750000\n")
        assert meter.cpu_s() == pytest.approx(0.25)
        for events, has_run_out in ((("oom", 0), False), (("oom", 1), True)):
            (folder / "memory.events").write_text(f"max 9\n{events[0]} {events[1]}\noom_kill 1\n")
            assert meter.has_run_out() is has_run_out
    found.close()
    assert not list(fake.root.rglob("codeglot-*"))


def test_a_keeper_that_the_kernel_killed_with_its_program_is_no_fault_of_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(tmp_path, "/a/b", monkeypatch)
    fake.hand_on(fake.own.parent, "memory pids\n")
    found = find_cgroups(fake.process)

    class Killed:
        """A box that ends at once, whose keeper has no end to tell of."""

        end_fd = os.eventfd(1)

        def first(self) -> list[int]:
            return []

        def reaped_cpu_s(self) -> float:
            return 0.0

        def end(self) -> supervise.End:
            raise SandboxError("the keeper has gone")

    with found.take() as group:
        (folder,) = fake.own.parent.glob("codeglot-*")
        stop_fd = os.eventfd(0)
        bounds = supervise.Bounds(limits=Limits(), folder=None, disks=(), stop_fd=stop_fd, group=group)
        with supervise.Streams() as streams, pytest.raises(SandboxError, match="has gone"):
            supervise.watch(Killed(), bounds, streams)
        with supervise.Streams() as streams:
            watched = supervise._Watch(Killed(), bounds, streams)
            streams.close_write_ends()
            (folder / "memory.events").write_text("oom 1\noom_kill 2\n")
            assert watched.outcome().stop is Stop.MEMORY
        os.close(stop_fd)
        os.close(Killed.end_fd)
    found.close()


def test_only_the_root_of_the_unified_tree_is_asked_to_hand_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(tmp_path, "/", monkeypatch)
    fake.hand_on(fake.root, "")
    (tree,) = find_trees(fake.process)
    assert tree.folder == fake.root
    assert (fake.root / "cgroup.subtree_control").read_text() == "+memory"  # the last that was asked for
    other = Fake(tmp_path / "other", "/a/b", monkeypatch)
    other.hand_on(other.own.parent, "cpu\n")
    assert [tree.counts for tree in find_trees(other.process)] == [frozenset()]
    assert (other.own.parent / "cgroup.subtree_control").read_text() == "cpu\n"
    assert find_cgroups(other.process)._trees == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="the root of the unified tree takes root")
def test_processes_join_and_are_counted_in_a_real_unified_tree() -> None:
    tree = next((tree for tree in find_trees(Path("/proc/self")) if tree.is_unified), None)
    if tree is None or not os.access(tree.folder, os.W_OK):
        pytest.skip("no unified tree (cgroup v2) is mounted where this process may write")
    counts = tree.counts | {CPU}
    group = Cgroup([Tree(tree.folder, counts, is_unified=True)])
    try:
        meter = Meter(group)
        command = [
            *group.join(Step(command=(), limits=Limits())),
            "/bin/sh",
            "-c",
            "while [ $((i += 1)) != 99999 ]; do :; done",
        ]
        subprocess.run(command, check=True, env={})
        assert 0.005 < meter.cpu_s() < 5
    finally:
        group.remove()
    assert not list(tree.folder.glob(f"codeglot-*-{os.getpid()}-*"))


def test_a_tree_that_cannot_be_written_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("4:memory:/there\n8:pids:/\n0::/\n")
    (tmp_path / "mountinfo").write_text(f"35 31 0:32 / {tmp_path}/memory rw - cgroup cgroup rw,memory\n")
    assert [tree.folder for tree in find_trees(tmp_path)] == [tmp_path / "memory" / "there"]
    assert find_cgroups(tmp_path)._trees == ()
    assert find_cgroups(tmp_path / "nothing")._trees == ()


def test_a_group_without_trees_limits_and_counts_nothing() -> None:
    groups = Cgroups([])
    assert str(groups) == ""
    with groups.take() as group:
        meter = Meter(group)
        assert group.join(Step(command=(), limits=Limits())) == ()
        assert (meter.cpu_s(), meter.has_run_out()) == (0, False)
