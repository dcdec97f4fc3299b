"""What a job says, as it arrives in a file."""

import pytest

from codeglot.cli.progress import TerminalProgress


def test_a_line_of_any_length_stays_one_line_where_the_output_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    message = " ".join(f"words[{number}]" for number in range(60))
    progress = TerminalProgress()
    progress.say(message)
    with progress.track("work " * 30, total=1) as advance:
        advance()
    first, second = capsys.readouterr().err.splitlines()
    assert first == message
    assert second.endswith("1 of 1 after 0 s")
