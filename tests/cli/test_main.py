"""The edge where errors become text."""

import errno
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from codeglot.cli.main import COMMANDS, app, main


def test_every_command_is_listed_with_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.strip().startswith(f"{name} ") for line in lines) for name in COMMANDS)


def test_an_unknown_command_exits_with_2_and_suggests_nothing_silly(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evalute"])
    assert caught.value.code == 2
    assert "evalute" in capsys.readouterr().err


def test_a_user_error_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["report", str(tmp_path / "nowhere")])
    assert caught.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert "nowhere" in text


@pytest.mark.parametrize(("place", "told"), [(None, ""), ("/disk/x", " (/disk/x)")])
def test_a_full_disk_is_told_with_the_folders_and_what_helps(
    place: str | None, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fill(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", place)

    monkeypatch.setattr(app, "main", fill)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CODEGLOT_CACHE", str(tmp_path / "not" / "there"))
    with pytest.raises(SystemExit) as caught:
        main(["languages"])
    assert caught.value.code == 2
    text = re.sub(r"\d+ MiB", "0 MiB", capsys.readouterr().err)
    assert text == (
        f"error: The system refused: No space left on device{told}. {tmp_path} (TMPDIR) has 0 MiB left, "
        f"{tmp_path}/not/there (CODEGLOT_CACHE) has 0 MiB left: make room, or name other folders in TMPDIR and "
        "CODEGLOT_CACHE. What was finished is kept.\n"
    )


def test_the_module_is_the_command() -> None:
    result = subprocess.run([sys.executable, "-m", "codeglot", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("codeglot, version ")
