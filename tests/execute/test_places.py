import pytest

from codeglot.execute.levels.mountless import PLACES
from codeglot.execute.places import in_place, relocate
from codeglot.languages import spec

BOX, PREPARED, TMP = PLACES["/box"], PLACES["/prepared"], PLACES["/tmp"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/box", BOX),
        ("/box/main.c", f"{BOX}/main.c"),
        ("-I/prepared", f"-I{PREPARED}"),
        ("-out:/box/main.exe", f"-out:{BOX}/main.exe"),
        ("/prepared/a.jar:/box:/usr/share/x.jar", f"{PREPARED}/a.jar:{BOX}:/usr/share/x.jar"),
        ('Path.of("/box/nonce")', f'Path.of("{BOX}/nonce")'),
        ("-Djava.io.tmpdir=/tmp", f"-Djava.io.tmpdir={TMP}"),
        *((same, same) for same in ("/usr/box", "/boxes", "/box-2", "a/tmp/b", BOX, "/tmp.old", "../box", "box")),
    ],
)
def test_folders_are_named_where_they_are_and_nothing_else_changes(text: str, expected: str) -> None:
    assert in_place(text, PLACES) == expected
    assert in_place(in_place(text, PLACES), PLACES) == expected
    assert in_place(text, {}) == text


@pytest.mark.parametrize("language", spec.all_languages(), ids=lambda language: language.id)
def test_every_language_can_be_relocated_with_its_programs_unchanged(language: spec.Language) -> None:
    moved = relocate(language, PLACES)
    assert (moved.probes, moved.probe_tests, moved.errors) == (language.probes, language.probe_tests, language.errors)
    commands = " ".join((*moved.compile, *moved.run, *(word for form in moved.forms for word in form.run)))
    assert " /box" not in commands
    assert "fd/200" in commands or "fd/201" in commands
    assert relocate(language, {}) is language
