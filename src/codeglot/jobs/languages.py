"""Which programming languages can this machine judge, and how well does it?

Every probe of a language runs in the sandbox that judges real programs, so what is said here is what a run will meet.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Protocol

from codeglot.execute.levels.choose import AUTO, open_level
from codeglot.execute.local import LocalPool
from codeglot.execute.probes import probe_request
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.execute.toolchains import Toolchain
from codeglot.jobs.boxes import warm_sandbox
from codeglot.jobs.install import install, install_command
from codeglot.jobs.language_table import LanguageRow
from codeglot.jobs.progress import Progress, Silent
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Verdict

SHORT_CPU_S = 0.5
"""CPU limit of the probe that has to run into it."""


class CheckingSandbox(Sandbox, Protocol):
    """A sandbox that also tells what it has."""

    def toolchain(self, language: Language) -> Toolchain:
        """Version of a language's tools in the boxes, or why they cannot be used."""
        ...


def look(languages: Iterable[Language], sandbox: CheckingSandbox) -> list[LanguageRow]:
    """Ask each toolchain for its version; run no probe."""
    return [
        LanguageRow(
            id=language.id,
            name=language.name,
            version=toolchain.version,
            problem=toolchain.problem,
            level=sandbox.level,
            install=install_command(language),
        )
        for language, toolchain in ((language, sandbox.toolchain(language)) for language in languages)
    ]


def check(
    languages: Sequence[Language],
    sandbox: CheckingSandbox,
    progress: Progress | None = None,
    *,
    only: Verdict | None = None,
) -> list[LanguageRow]:
    """Run every probe, or only one, of each language that has its tools."""
    rows = {row.id: row for row in look(languages, sandbox)}
    requests = {
        (language.id, probe): _request(language, probe)
        for language in languages
        if not rows[language.id].problem
        for probe in language.probes
        if only in (None, probe)
    }
    ended: dict[tuple[str, Verdict], Execution] = {}
    with (progress or Silent()).track("probes", total=len(requests)) as advance:
        for key, execution in LocalPool(sandbox).run_all(requests.items()):
            ended[key] = execution
            advance()
    return [
        row.model_copy(update={"probes": {probe: ended[owner, probe] for owner, probe in requests if owner == row.id}})
        for row in rows.values()
    ]


def _request(language: Language, probe: Verdict) -> ExecutionRequest:
    request = probe_request(language, probe)
    if probe is not Verdict.TIMEOUT_CPU:
        return request
    return request.model_copy(update={"limits": request.limits.model_copy(update={"cpu_s": SHORT_CPU_S})})


def languages(
    ids: Sequence[str] | None, *, installs: bool, probes: bool, progress: Progress, level: str = AUTO
) -> list[LanguageRow]:
    """Do what `codeglot languages` was asked for; without `ids` for every language.

    After installing, one program per language is run, so that libraries which programs share are built now.

    Raises:
        UnknownNameError: If no language is called so.
        SandboxError: If the sandbox cannot be used here.
    """
    chosen = [spec.get(name) for name in ids] if ids else list(spec.all_languages())
    if installs:
        for skipped in install(chosen, progress):
            progress.say(f"Not installed: {skipped.reason}\n  by hand: {skipped.command}")
    opened = open_level(level)
    if probes:
        progress.say(f"Boxes: {opened.name}; groups of the kernel around them count {opened.cgroups or 'nothing'}")
    with closing(warm_sandbox(opened)) as sandbox:
        if not probes and not installs:
            return look(chosen, sandbox.cold)
        rows = check(chosen, sandbox.cold, progress, only=None if probes else Verdict.PASS)
        return warmed(rows, sandbox, progress) if probes else rows


def warmed(rows: Sequence[LanguageRow], sandbox: Sandbox, progress: Progress) -> list[LanguageRow]:
    """The rows with what their good and their bad program ended as with everything kept ready that can be."""
    found = []
    with progress.track("keep warm", total=len(rows)) as advance:
        for row in rows:
            # The first one starts what is kept ready.
            runs = (Verdict.PASS, Verdict.FAIL_ASSERT, Verdict.PASS) if row.is_usable else ()
            ended = {probe: sandbox.run(probe_request(spec.get(row.id), probe)) for probe in runs}
            found.append(row.model_copy(update={"warm": ended}))
            advance()
    return found
