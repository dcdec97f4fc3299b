from typing import get_args

import pytest

from codeglot.errors import SandboxError, UnknownNameError
from codeglot.execute.levels import choose
from codeglot.execute.levels.choose import open_level


class Fake:
    def __init__(self, name: str) -> None:
        self.name = name


def _levels(*usable: str) -> dict[str, object]:
    def make(name: str) -> object:
        if name not in usable:
            raise SandboxError(f"{name} is not there; install it.")
        return Fake(name)

    return {name: lambda name=name: make(name) for name in choose.LEVELS}


@pytest.mark.parametrize("name", [None, "auto"])
@pytest.mark.parametrize(
    ("usable", "taken"),
    [
        (("bubblewrap", "userns", "landlock", "process"), "bubblewrap"),
        (("userns", "landlock", "process"), "userns"),
        (("landlock", "process"), "landlock"),
    ],
)
def test_the_strongest_level_that_starts_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str | None, usable: tuple[str, ...], taken: str
) -> None:
    monkeypatch.setattr(choose, "LEVELS", _levels(*usable))
    assert open_level(name).name == taken


def test_the_unsafe_level_is_never_taken_unasked_and_every_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "LEVELS", _levels("process"))
    with pytest.raises(SandboxError) as refusal:
        open_level()
    for name in ("bubblewrap", "userns", "landlock"):
        assert f"{name}: {name} is not there; install it." in str(refusal.value)
    assert "evaluate.sandbox='process'" in str(refusal.value)
    assert open_level("process").name == "process"


def test_a_level_that_is_named_has_no_other_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "LEVELS", _levels("userns", "landlock"))
    with pytest.raises(SandboxError, match="bubblewrap is not there"):
        open_level("bubblewrap")


def test_an_unknown_level_is_refused_with_what_was_meant() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'landlock'"):
        open_level("landlok")


def test_every_level_can_be_named_in_a_run_file() -> None:
    assert {choose.AUTO, *choose.LEVELS} == set(get_args(choose.SandboxName))
