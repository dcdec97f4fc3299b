"""Installs what languages need and this machine lacks; whatever it may not or cannot do, it says how a person would."""

import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from codeglot.execute.toolchains import missing_npm, tools
from codeglot.jobs.machine import Host, ThisMachine
from codeglot.jobs.progress import Progress
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.runs import cache_folder

SANDBOX_PACKAGES = ("bubblewrap", "util-linux")
"""The sandbox's own apt packages."""
_NPM_OPTIONS = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class Skipped(NamedTuple):
    """Something that was not installed."""

    reason: str
    command: str
    """What a person would run."""


def install(languages: Iterable[Language], progress: Progress, host: Host | None = None) -> list[Skipped]:
    """Install what these languages lack; where nothing is lacking, nothing is run but questions.

    Libraries that a language prepares are not built here; the sandbox does it when a program first needs them.
    """
    machine = host or ThisMachine()
    chosen = list(languages)
    skipped: list[Skipped] = []
    wanted = [*((language.name, language.packages.apt) for language in chosen), ("the sandbox", SANDBOX_PACKAGES)]
    lacking = [(name, missing) for name, packages in wanted if (missing := missing_apt(packages, machine))]
    if lacking and _may_install(machine):
        machine.run("apt-get", "update")
    with progress.track("install", total=len(lacking) + 1) as advance:
        for name, packages in lacking:
            skipped += _install_apt(name, packages, machine)
            advance()
        skipped += [_left_to_a_person(language) for language in chosen if _is_missing_by_hand(language, machine)]
        skipped += _install_npm(chosen, machine)
        advance()
    return skipped


def install_command(language: Language) -> str:
    """What a person would run to install all that a language needs."""
    packages = language.packages
    commands = [
        f"apt-get install -y {' '.join(packages.apt)}" if packages.apt else "",
        shlex.join(npm_command()) if packages.npm else "",
        packages.by_hand,
    ]
    return "; ".join(filter(None, commands))


def missing_apt(packages: Sequence[str], host: Host) -> list[str]:
    """Those packages that dpkg does not know as installed; all, where there is no dpkg."""
    if not packages or not host.has("dpkg-query"):
        return list(packages)
    _, printed = host.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages)
    return [package for package in packages if f"{package} installed" not in printed.splitlines()]


def npm_command() -> tuple[str, ...]:
    """Installs the npm packages of all languages, since npm removes what it is not asked for."""
    packages = sorted({package for language in spec.all_languages() for package in language.packages.npm})
    return "npm", "install", "--prefix", str(cache_folder() / "npm"), *_NPM_OPTIONS, *packages


def _may_install(host: Host) -> bool:
    return host.is_root and host.has("apt-get")


def _install_apt(name: str, packages: list[str], host: Host) -> list[Skipped]:
    command = ("apt-get", "install", "-y", "--no-install-recommends", *packages)
    if not host.has("apt-get"):
        return [
            Skipped(
                f"{name}: there is no apt-get here", f"your package manager, for what Debian calls {' '.join(packages)}"
            )
        ]
    if not host.is_root:
        return [Skipped(f"{name}: apt-get needs root", shlex.join(("sudo", *command)))]
    status, printed = host.run(*command)
    return [Skipped(f"{name}: apt-get failed: {_last_line(printed)}", shlex.join(command))] if status else []


def _is_missing_by_hand(language: Language, host: Host) -> bool:
    return bool(language.packages.by_hand) and not all(map(host.has, tools(language)))


def _left_to_a_person(language: Language) -> Skipped:
    return Skipped(f"{language.name}: no package manager has it", language.packages.by_hand)


def _install_npm(languages: Sequence[Language], host: Host) -> list[Skipped]:
    missing = missing_npm([package for language in languages for package in language.packages.npm])
    if not missing:
        return []
    names = ", ".join(language.name for language in languages if missing_npm(language.packages.npm))
    if not host.has("npm") and (failed := _install_apt(names, ["npm"], host)):
        return failed
    status, printed = host.run(*npm_command())
    if status or (missing := missing_npm(missing)):
        return [
            Skipped(f"{names}: npm left out {', '.join(missing)}: {_last_line(printed)}", shlex.join(npm_command()))
        ]
    return []


def _last_line(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
