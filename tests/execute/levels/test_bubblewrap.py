import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.levels import bubblewrap
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.step import Step
from codeglot.records import Limits
from tests.execute.programs import PARENT_OF_HOG


@pytest.fixture
def fake_bwrap(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put another `bwrap` first in PATH."""

    def install(script: str) -> None:
        tool = cache / "bwrap"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{cache}:{os.environ['PATH']}")

    return install


def test_a_missing_bwrap_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"'bwrap' is not installed; `apt-get install bubblewrap`"):
        Bubblewrap()


def test_an_old_bwrap_is_refused_by_its_version(fake_bwrap: Callable[[str], None]) -> None:
    fake_bwrap("echo bubblewrap 0.4.1")
    with pytest.raises(SandboxError, match=r"too old \(bubblewrap 0\.4\.1\); 0\.8 or newer"):
        Bubblewrap()


def test_a_bwrap_that_may_make_no_namespace_is_told_with_a_remedy(fake_bwrap: Callable[[str], None]) -> None:
    message = "bwrap: No permissions to create new namespace"
    fake_bwrap(f'test "$1" = --version && echo bubblewrap 0.8.0 && exit; echo "{message}" >&2; exit 1')
    with pytest.raises(SandboxError, match=f"(?s)cannot start a box here.*{message}.*(helps|allow them|TMPDIR)"):
        Bubblewrap()


def test_a_temporary_folder_that_boxes_cannot_enter_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: Bubblewrap
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's boxes run as another user")
    tmp_path.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SandboxError, match="TMPDIR"):
        Bubblewrap()


def test_each_box_of_root_has_an_unprivileged_user_of_its_own(level: Bubblewrap) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can change the user")
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    step = Step(command=("id", "-u"), limits=Limits())
    with level.open_box() as first, level.open_box() as second:
        users = [int(box.run(step).stdout) for box in (first, second)]
        assert users == [box.folder.stat().st_uid for box in (first, second)]
        assert all(box.folder.stat().st_mode & 0o777 == 0o700 for box in (first, second))
    assert len(set(users)) == 2
    assert not taken & set(users)
    assert set(users) <= set(bubblewrap.USER_IDS)


def test_only_the_three_standard_streams_are_open_in_a_box(level: Bubblewrap) -> None:
    with level.open_box() as box:
        outcome = box.run(Step(command=("sh", "-c", "ls -1 /proc/self/fd"), limits=Limits()))
    assert outcome.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3 is the folder that ls reads


def test_a_box_has_no_capability_and_cannot_gain_any(level: Bubblewrap) -> None:
    with level.open_box() as box:
        status = box.run(Step(command=("cat", "/proc/self/status"), limits=Limits())).stdout.decode()
    facts = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert {facts[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")


def test_status_signal_and_streams_are_reported(level: Bubblewrap) -> None:
    with level.open_box() as box:
        ended = box.run(Step(command=("sh", "-c", "echo out; echo err >&2; exit 7"), limits=Limits()))
        killed = box.run(Step(command=("sh", "-c", "kill -SEGV $$"), limits=Limits()))
    assert (ended.status, ended.stdout, ended.stderr) == (7, b"out\n", b"err\n")
    assert killed.status == 128 + 11


def test_cpu_time_and_memory_of_children_are_counted(level: Bubblewrap) -> None:
    with level.open_box() as box:
        outcome = box.run(Step(command=("python3", "-c", PARENT_OF_HOG), limits=Limits()))
    assert outcome.cpu_s > 0.05
    assert 100 < outcome.memory_mib < 150
