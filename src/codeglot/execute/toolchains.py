"""Is a language usable in the boxes of this machine, and in which version?"""

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from codeglot.execute.step import Level, Step
from codeglot.languages.spec import Language
from codeglot.records import Limits
from codeglot.runs import cache_folder

COMPILE_DISK_MIB = 256
"""For what a compiler writes: its temporary files, and its results."""
_MISSING = 'for name; do command -v "$name" > /dev/null || echo "$name"; done'


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a language has on this machine."""

    version: str
    """First line that its version command prints; empty where that cannot be run."""
    problem: str = ""
    """Why it cannot be used and what helps; empty where it can."""


class Toolchains:
    """Asks once for each language, inside a box, since only what is seen there counts."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._known: dict[str, Toolchain] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, language: Language) -> Toolchain:
        """The toolchain of a language.

        Raises:
            SandboxError: If the box failed.
        """
        with self._locks[language.id]:
            if language.id not in self._known:
                self._known[language.id] = _inspect(self._level, language)
            return self._known[language.id]


def tools(language: Language) -> list[str]:
    """Every program that its commands call by name."""
    recipes = (language, *language.forms)
    commands = [language.version, *(recipe.compile for recipe in recipes), *(recipe.run for recipe in recipes)]
    if language.prepare:
        commands.append(language.prepare.command)
    return sorted({command[0] for command in commands if command and "/" not in command[0]})


def warm_tools(language: Language) -> list[str]:
    """Every program that is needed to keep it warm, and not otherwise."""
    warm = language.warm
    if warm is None:
        return []
    commands = [warm.server, *(recipe.warm_run for recipe in (language, *language.forms))]
    if warm.strategy == "prepared":
        commands += [recipe.warm_compile for recipe in (language, *language.forms)]
    called = {command[0] for command in commands if command and "/" not in command[0]}
    return sorted({*called, *warm.tools} - set(tools(language)))


def missing_tools(level: Level, names: Sequence[str]) -> list[str]:
    """Those of these programs that are not found in a box.

    Raises:
        SandboxError: If the box failed.
    """
    with level.open_box() as box:
        outcome = box.run(Step(command=("sh", "-c", _MISSING, "sh", *names), limits=Limits()))
        return outcome.stdout.decode().split()


def missing_npm(packages: Sequence[str]) -> list[str]:
    """Those `name@version` that are not in the cache folder in exactly that version."""
    return [package for package in packages if _installed_npm(package.rpartition("@")[0]) != package.rpartition("@")[2]]


def _installed_npm(name: str) -> str | None:
    path = cache_folder() / "npm" / "node_modules" / name / "package.json"
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # not there, or torn by a kill: it is installed again
    return str(package.get("version"))


def compile_limits(language: Language) -> Limits:
    """What a compile step of a language may use."""
    needs = language.limits
    return Limits(
        cpu_s=needs.compile_cpu_s,
        memory_mib=needs.compile_memory_mib,
        num_tasks=max(needs.num_tasks, Limits().num_tasks),
        file_mib=COMPILE_DISK_MIB,
        disk_mib=COMPILE_DISK_MIB,
    )


def _inspect(level: Level, language: Language) -> Toolchain:
    remedy = f"`codeglot languages check --only {language.id} --install` installs what is missing."
    if language.packages.by_hand:
        remedy = f"No package manager has it; a person installs it by `{language.packages.by_hand}`."
    with level.open_box() as box:

        def run(*command: str) -> tuple[int | None, str]:
            step = Step(command=command, limits=compile_limits(language), env=language.env, binds=language.binds)
            outcome = box.run(step)
            return outcome.status, (outcome.stdout + b"\n" + outcome.stderr).decode("utf-8", errors="replace").strip()

        _, missing = run("sh", "-c", _MISSING, "sh", *tools(language))
        if missing:
            return Toolchain("", f"{language.name} needs {', '.join(missing.split())}, which is not there. {remedy}")
        if packages := missing_npm(language.packages.npm):
            return Toolchain("", f"{language.name} needs {', '.join(packages)} from npm, which is not there. {remedy}")
        status, answer = run(*language.version)
        if status != 0:
            command = " ".join(language.version)
            return Toolchain("", f"`{command}` of {language.name} failed with {status}: {answer[-300:]}. {remedy}")
        return Toolchain(answer.partition("\n")[0].strip())
