import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codeglot.execute import folders
from codeglot.execute.folders import Folders, hold, is_larger, make_readable, remove_stale, remove_tree


def test_a_tree_with_links_and_closed_folders_is_removed_and_what_links_point_to_is_not(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    tree = tmp_path / "tree"
    for folder in ("a/b/c", "a/d", "e"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "file").touch()
    (tree / "link").symlink_to(outside)
    (tree / "a/b/link").symlink_to(outside)
    (tree / "broken").symlink_to("nowhere")
    for folder in ("a/b/c", "a/b", "a"):
        (tree / folder).chmod(0)
    remove_tree(tree)
    assert list(tmp_path.iterdir()) == [outside]
    assert (outside / "kept").exists()


def test_a_tree_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("a" * 20, dir_fd=here)
        below = os.open("a" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_tree(tree)
    assert not tree.exists()


def test_bytes_and_entries_are_both_measured(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/big").write_bytes(bytes(2 << 20))
    assert is_larger(tmp_path, max_mib=1, max_entries=10)
    assert not is_larger(tmp_path, max_mib=4, max_entries=10)
    assert is_larger(tmp_path, max_mib=4, max_entries=1)


def test_a_readable_tree_is_writable_for_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "tool").touch(mode=0o700)
    (tmp_path / "data").touch()
    (tmp_path / "data").chmod(0o666)
    (tmp_path / "set").touch()
    (tmp_path / "set").chmod(0o4755)
    (tmp_path / "folder").mkdir(mode=0o700)
    make_readable(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o7777 for path in tmp_path.iterdir()}
    assert modes == {"tool": 0o755, "data": 0o644, "set": 0o755, "folder": 0o755}


def test_only_old_folders_that_nobody_holds_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, left, other = (tmp_path / name for name in ("box-held", "box-left", "other"))
    for folder in (held, left, other):
        folder.mkdir()
    (tmp_path / "box-link").symlink_to(other)
    remove_stale(tmp_path, "box-*", {os.geteuid()}, command="bwrap")
    assert left.exists()
    monkeypatch.setattr(folders, "STALE_S", -1.0)
    with hold(held):
        remove_stale(tmp_path, "box-*", {os.geteuid() + 1}, command="bwrap")
        assert left.exists()
        remove_stale(tmp_path, "box-*", {os.geteuid()}, command="bwrap")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box-held", "box-link", "other"]


def test_a_folder_that_took_the_name_of_a_stale_one_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the old one and the lock on it."""
    monkeypatch.setattr(folders, "STALE_S", -1.0)
    box = tmp_path / "box"
    box.mkdir()

    def replace(*_: int) -> None:
        box.rmdir()
        box.mkdir()

    monkeypatch.setattr(fcntl, "flock", replace)
    remove_stale(tmp_path, "box", {os.geteuid()}, command="bwrap")
    assert box.exists()


def test_names_of_folders_are_used_again_but_by_one_at_a_time(tmp_path: Path) -> None:
    made = Folders("box-")
    with made.make(tmp_path) as first, made.make(tmp_path) as second:
        assert {path.name for path in tmp_path.iterdir()} == {first.name, second.name}
        assert first.stat().st_mode & 0o777 == 0o700
        (first / "file").touch()
    assert not list(tmp_path.iterdir())
    with made.make(tmp_path) as third:
        assert third in {first, second}
        (tmp_path / ({first.name, second.name} - {third.name}).pop()).mkdir()
        with made.make(tmp_path) as fourth:
            assert fourth not in {first, second}, "somebody else took the name"
            fourth.rename(tmp_path / "moved")
    assert (tmp_path / "moved").exists()
    assert not third.exists()


def test_a_missing_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remove_tree(tmp_path / "missing")


def test_what_a_killed_supervisor_left_waiting_in_a_box_is_killed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "STALE_S", -1.0)
    stale, held = tmp_path / "box-stale", tmp_path / "box-held"
    waiting = {}
    for folder in (stale, held):
        folder.mkdir()
        command = ["bwrap", "-c", "import time; time.sleep(60)", str(folder)]
        waiting[folder] = subprocess.Popen(command, executable=sys.executable)
    with hold(held):
        remove_stale(tmp_path, "box-*", {os.geteuid()}, command="bwrap")
    assert waiting[stale].wait(timeout=10) == -signal.SIGKILL
    assert waiting[held].poll() is None
    waiting[held].kill()
    waiting[held].wait()
    assert [folder.name for folder in tmp_path.iterdir()] == ["box-held"]
