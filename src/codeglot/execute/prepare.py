"""Library code that every program of a language uses, built once in a box and kept in the cache folder."""

import fcntl
from importlib import resources
from pathlib import Path

from codeglot.errors import SandboxError, ToolchainError
from codeglot.execute.folders import make_readable
from codeglot.execute.places import in_place
from codeglot.execute.step import Level, Step, clip
from codeglot.execute.toolchains import compile_limits
from codeglot.languages.spec import Language, Prepare
from codeglot.records import short_hash
from codeglot.runs import cache_folder

DISK_MIB = 2048
SERVER = "Server.java"
"""Serves a compiler that runs on the Java virtual machine; put beside the files of languages with a compile server."""


def prepared_folder(level: Level, language: Language, version: str) -> Path | None:
    """The folder to show at `/prepared`, built now if it never was; None where the language needs none.

    Two processes may ask at one time: one builds, the other waits. A folder is complete or not there.

    Raises:
        ToolchainError: If the command fails; with the end of what it printed.
        SandboxError: If the box failed, or the cache folder cannot be written.
    """
    prepare = language.prepare
    if prepare is None:
        return None
    root = cache_folder() / "prepared"
    files = prepare.files | _shared_files(level, language)
    key = short_hash(prepare.command, files, language.env, version)
    folder = root / f"{language.id}-{key}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        opened = (root / f"{language.id}-{key}.lock").open("w")
    except OSError as error:
        raise SandboxError(
            f"Cannot write to the cache folder {root}: {error.strerror}. Name another with CODEGLOT_CACHE=FOLDER."
        ) from error
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(level, language, prepare.model_copy(update={"files": files}), folder)
    return folder


def _shared_files(level: Level, language: Language) -> dict[str, str]:
    if language.warm is None or not language.warm.server:
        return {}
    text = (resources.files("codeglot.execute.warm") / SERVER).read_text(encoding="utf-8")
    return {SERVER: in_place(text, level.places)}


def _build(level: Level, language: Language, prepare: Prepare, folder: Path) -> None:
    disk = {"cpu_s": prepare.timeout_s, "file_mib": DISK_MIB, "disk_mib": DISK_MIB}
    with level.open_box(folder.parent) as box:
        box.put(prepare.files)
        outcome = box.run(
            Step(
                command=prepare.command,
                limits=compile_limits(language).model_copy(update=disk),
                env=language.env,
                binds=language.binds,
                mount="/prepared",
                is_writable=True,
            )
        )
        if outcome.status != 0:
            printed = clip(outcome.stderr or outcome.stdout).strip()[-1000:]
            command = " ".join(prepare.command)
            raise ToolchainError(
                f"Preparing {language.name} failed with {outcome.stop or outcome.status}: "
                f"`{command}` printed: {printed or 'nothing'}"
            )
        make_readable(box.folder)
        box.folder.rename(folder)
