import os
import shutil
import subprocess
import sys
from pathlib import Path

import annotated_types
import pydantic
import pydantic_core
import pytest
import typing_extensions
import typing_inspection

import codeglot
from codeglot.errors import SandboxError
from codeglot.execute.levels import landlock
from codeglot.execute.levels.landlock import Landlock
from codeglot.execute.step import Step
from codeglot.records import Limits


@pytest.fixture
def level() -> Landlock:
    try:
        return Landlock()
    except SandboxError as error:
        pytest.skip(str(error))


def test_a_kernel_without_landlock_is_refused_with_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "find_abi", lambda: 0)
    with pytest.raises(SandboxError, match=r"offers no Landlock.*ABI 4 \(Linux 6\.7\) is needed"):
        Landlock()


def test_an_old_kernel_is_refused_where_boxes_share_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "find_abi", lambda: 5)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match=r"does not keep signals.*ABI 6 \(Linux 6\.12\) does, or run as root"):
        Landlock()


@pytest.mark.parametrize("abi", [4, 5])
def test_an_older_kernel_is_asked_for_no_more_than_it_knows(abi: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0 or landlock.find_abi() < abi:
        pytest.skip("needs root and a kernel with Landlock")
    monkeypatch.setattr(landlock, "find_abi", lambda: abi)
    with Landlock().open_box() as box:
        assert box.run(Step(command=("cat", "/etc/passwd"), limits=Limits())).status == 1
        assert box.run(Step(command=("true",), limits=Limits())).status == 0


def test_a_box_has_no_capability_a_filter_and_no_way_back(level: Landlock) -> None:
    with level.open_box() as box:
        status = box.run(Step(command=("sh", "-c", "exec cat /proc/self/status"), limits=Limits()))
    facts = dict(line.split(":\t") for line in status.stdout.decode().splitlines() if ":\t" in line)
    assert {facts[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {""}
    assert (facts["NoNewPrivs"], facts["Seccomp_filters"]) == ("1", "2")
    assert int(facts["Uid"].split()[0]) != 0


def test_each_box_of_root_has_an_unprivileged_user_of_its_own(level: Landlock) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can change the user")
    step = Step(command=("id", "-u"), limits=Limits())
    with level.open_box() as first, level.open_box() as second, Landlock().open_box() as third:
        users = [int(box.run(step).stdout) for box in (first, second, third)]
        assert users == [box.folder.stat().st_uid for box in (first, second, third)]
    assert len(set(users)) == 3
    with level.open_box() as box:
        assert int(box.run(step).stdout) in users  # given back


def test_no_socket_can_be_made_but_pairs_can(level: Landlock) -> None:
    source = "import socket\nsocket.socketpair()\nfor family in (1, 2, 10, 16):\n    socket.socket(family)"
    with level.open_box() as box:
        outcome = box.run(Step(command=("python3", "-c", source), limits=Limits()))
    assert b"PermissionError" in outcome.stderr
    assert b"line 4" in outcome.stderr


AS_ANOTHER_USER = """
import os, sys
from codeglot.execute.levels.landlock import Landlock
from codeglot.execute.step import Step
from codeglot.records import Limits

ATTACK = '''
import os, signal, time
for pid in (int(os.environ["VICTIM"]), os.getppid()):
    try:
        os.kill(pid, signal.SIGKILL)
        print("BROKE")
    except PermissionError:
        print("DENIED")
for path in (open("/proc/self/fd/200/secret-is-at").read(), "/etc/passwd"):
    try:
        print("BROKE" if open(path).read() else "")
    except PermissionError:
        print("DENIED")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
'''
secret = os.path.join(os.environ["TMPDIR"], "secret")
open(secret, "w").write("hunter2")
with Landlock().open_box() as box:
    env = {"VICTIM": str(os.getpid())}
    box.put({"secret-is-at": secret})
    outcome = box.run(Step(command=("python3", "-c", ATTACK), limits=Limits(), env=env))
    killed = box.run(Step(command=("sh", "-c", "setsid sleep 60 & sleep 60"), limits=Limits(cpu_s=0.5, wall_s=0.5)))
print(outcome.status, outcome.stdout.decode().split(), outcome.stderr.decode(), killed.stop)
print(open(f"/proc/self/task/{os.getpid()}/children").read().split())
"""


def test_without_root_signals_and_leftovers_stay_in_the_box(cache: Path) -> None:
    if os.geteuid() != 0 or landlock.find_abi() < landlock.OLDEST_ABI_WITHOUT_USERS:
        pytest.skip("needs root, to be another user, and Linux 6.12")
    interpreter = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if not Path(interpreter).exists():
        pytest.skip(f"needs {interpreter}, which every user can run")
    # This package and what it needs may lie where other users cannot go.
    needed = (codeglot, pydantic, pydantic_core, annotated_types, typing_inspection)
    for folder in (Path(str(module.__file__)).parent for module in needed):
        shutil.copytree(folder, cache / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(typing_extensions.__file__), cache)
    (cache / "codeglot-0.dist-info").mkdir()
    (cache / "codeglot-0.dist-info" / "METADATA").write_text("Name: codeglot\nVersion: 0\n")
    user = 65533
    os.chown(cache, user, user)
    answer = subprocess.run(
        [interpreter, "-B", "-c", AS_ANOTHER_USER],
        user=user,
        group=user,
        extra_groups=[],
        env={"TMPDIR": str(cache), "PYTHONPATH": str(cache), "PATH": os.environ["PATH"], "HOME": str(cache)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    lines = answer.stdout.splitlines()
    assert lines == ["0 ['DENIED', 'DENIED', 'DENIED', 'DENIED']  wall", "[]"], answer.stdout + answer.stderr
