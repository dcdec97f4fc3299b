"""No two boxes of a machine have one user, whichever process they belong to."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codeglot.errors import SandboxError
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.levels.landlock import Landlock
from codeglot.execute.levels.userns import Userns
from codeglot.execute.levels.users import check_users, own_user
from codeglot.execute.step import Level

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user"),
]

USER_IDS = range(61180, 61183)
OPEN_A_BOX = """
import sys
from importlib import import_module
level = getattr(import_module(sys.argv[1]), sys.argv[2])()
with level.open_box() as box:
    print(box.folder.stat().st_uid, flush=True)
    sys.stdin.read()
level.close()
"""
HOLD_A_USER = """
import sys
from codeglot.execute.levels.users import check_users, own_user
with own_user([int(sys.argv[1])]) as user:
    print(user, flush=True)
    sys.stdin.read()
"""


@contextmanager
def running(source: str, *arguments: str) -> Iterator[int]:
    """A process that shows a user and holds it; it is killed at the end."""
    command = [sys.executable, "-c", source, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture(params=[Bubblewrap, Userns, Landlock])
def new_level(request: pytest.FixtureRequest) -> Callable[[], Level]:
    new: Callable[[], Level] = request.param
    return new


@pytest.fixture
def level(new_level: Callable[[], Level]) -> Iterator[Level]:
    try:
        level = new_level()
    except SandboxError as error:
        pytest.skip(str(error))
    yield level
    level.close()


def test_boxes_of_two_processes_have_different_users(level: Level) -> None:
    with running(OPEN_A_BOX, type(level).__module__, type(level).__name__) as theirs, level.open_box() as box:
        assert box.folder.stat().st_uid not in (0, theirs)


def test_the_user_of_a_process_that_was_killed_is_free_again() -> None:
    with running(HOLD_A_USER, str(USER_IDS[0])) as theirs, own_user(USER_IDS) as user:
        assert theirs == USER_IDS[0] != user
    with own_user(USER_IDS) as user:
        assert user == theirs


def test_all_in_use_is_an_error_and_a_user_that_is_given_back_is_free() -> None:
    with own_user(USER_IDS) as first, own_user(USER_IDS), own_user(USER_IDS):
        with pytest.raises(SandboxError, match="All 3 users"), own_user(USER_IDS):
            pass
        assert first in USER_IDS
    with own_user(USER_IDS) as again:
        assert again == first


MAPPED = "0 1000 1\n1 100000 65536\n"


@pytest.mark.parametrize(
    ("uids", "gids"), [("0 1000 1\n", "0 1000 1\n"), (MAPPED, "0 1000 1\n"), ("0 0 61182\n", MAPPED)]
)
def test_root_of_a_namespace_without_these_users_is_told_what_helps(
    monkeypatch: pytest.MonkeyPatch, uids: str, gids: str
) -> None:
    maps = {"/proc/self/uid_map": uids, "/proc/self/gid_map": gids}
    monkeypatch.setattr(Path, "read_text", lambda path, **_: maps[str(path)])
    with pytest.raises(SandboxError, match=r"lacks some of the users 61180 to 61182.*plain user, or map 65536 users"):
        check_users(USER_IDS)


@pytest.mark.parametrize("ids", ["0 0 4294967295\n", MAPPED, "0 0 61181\n61181 5 2\n"])
def test_root_of_a_namespace_with_these_users_may_go_on(monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: ids)
    check_users(USER_IDS)


@pytest.mark.parametrize("name", ["auto", "process"])
def test_the_cause_is_named_once_where_only_root_is_mapped(name: str) -> None:
    source = f"from codeglot.execute.levels.choose import open_level; open_level({name!r})"
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stderr.startswith("unshare:"):
        pytest.skip(done.stderr)
    assert done.stderr.count("SandboxError: codeglot is root in a user namespace") == 1
