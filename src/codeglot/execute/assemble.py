"""Puts a program, its tests and the marker of their end together: files and commands for a box."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from codeglot.errors import DataError
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.languages.spec import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is put into a box, and what is run there."""

    files: dict[str, str]
    compile: tuple[str, ...]
    run: tuple[str, ...]
    nonce: str | None
    """What the program prints when its tests have come to their end; None where nothing is expected."""


def assemble(request: ExecutionRequest, language: Language, nonce: str, *, is_warm: bool = False) -> Program:
    """Make the files and commands of one program; one without tests is left as it is.

    Args:
        request: The program.
        language: Its language.
        nonce: What marks the end of its tests.
        is_warm: Whether to take the language's faster commands, where it has some.

    Raises:
        DataError: If a file of the request has an unsafe path, or the place of another file.
    """
    recipe = language.recipe(request.tests)
    has_tests = bool(request.tests.strip())
    files = {name: text.replace("{nonce}", nonce) for name, text in recipe.files.items()}
    files[language.source] = request.source
    if has_tests:
        tests = f"{request.tests}\n{recipe.epilogue.replace('{nonce}', nonce)}"
        if recipe.tests_file:
            files[recipe.tests_file] = tests
        else:
            files[language.source] += language.joint + tests
    _check_paths(request.files, taken=set(files))
    marked = has_tests and any("{nonce}" in text for text in (recipe.epilogue, *recipe.files.values()))
    return Program(
        files=files | request.files,
        compile=_command((is_warm and recipe.warm_compile) or recipe.compile, language),
        run=_command((is_warm and recipe.warm_run) or recipe.run, language),
        nonce=nonce if marked else None,
    )


def _command(words: tuple[str, ...], language: Language) -> tuple[str, ...]:
    return tuple(word.replace("{source}", language.source) for word in words)


def _check_paths(files: dict[str, str], *, taken: set[str]) -> None:
    folders = {str(parent) for path in (*files, *taken) for parent in PurePosixPath(path).parents} if files else set()
    for path in files:
        is_plain = path not in {"", "."} and path == str(PurePosixPath(path)) and not path.startswith("/")
        if not is_plain or "\0" in path or ".." in path.split("/"):
            raise DataError(f"The file '{path}' of a problem has an unsafe path; give one below the program's folder.")
        if path in taken or path in folders:
            raise DataError(f"The file '{path}' of a problem has the place of another file of the program; rename it.")
