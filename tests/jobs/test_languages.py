import pytest

from codeglot.errors import UnknownNameError
from codeglot.execute.cgroups import Cgroups
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.levels.process import Process
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.toolchains import Toolchain
from codeglot.jobs import languages as job
from codeglot.jobs.install import install_command
from codeglot.jobs.language_table import table
from codeglot.jobs.progress import Silent
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Verdict


class ScriptedSandbox:
    """Gives each probe the verdict that it should have, or the one of `wrong`; has every tool that is not `missing`."""

    level = "scripted"

    def __init__(self, *, missing: str = "", wrong: dict[Verdict, Verdict] | None = None) -> None:
        self.missing = missing
        self.wrong = wrong or {}
        self.requests: list[ExecutionRequest] = []

    def toolchain(self, language: Language) -> Toolchain:
        return Toolchain("", "its compiler is not there") if language.id == self.missing else Toolchain("1.0")

    def run(self, request: ExecutionRequest) -> Execution:
        self.requests.append(request)
        language = spec.get(request.language_id)
        probe = next(name for name, probe in language.probes.items() if probe.source == request.source)
        return Execution(verdict=self.wrong.get(probe, probe), detail="because", cpu_s=0.25, level=self.level)

    def close(self) -> None:
        pass


LANGUAGES = [spec.get("lua"), spec.get("perl")]


def test_every_probe_of_every_language_is_run() -> None:
    lua, perl = job.check(LANGUAGES, ScriptedSandbox())
    assert list(lua.probes) == list(spec.get("lua").probes)
    assert lua.is_usable
    assert perl.is_usable
    assert (lua.version, lua.level, lua.cold_s) == ("1.0", "scripted", 0.25)


def test_one_probe_alone_can_be_asked_for() -> None:
    (row,) = job.check([spec.get("lua")], ScriptedSandbox(), only=Verdict.PASS)
    assert list(row.probes) == [Verdict.PASS]


def test_the_probe_of_the_cpu_limit_gets_a_short_one() -> None:
    sandbox = ScriptedSandbox()
    job.check([spec.get("lua")], sandbox)
    limits = {request.source: request.limits.cpu_s for request in sandbox.requests}
    assert limits[spec.get("lua").probes[Verdict.TIMEOUT_CPU].source] == job.SHORT_CPU_S
    assert limits[spec.get("lua").probes[Verdict.PASS].source] > job.SHORT_CPU_S


def test_a_language_without_its_tools_runs_no_probe_and_says_what_helps() -> None:
    rows = job.check(LANGUAGES, ScriptedSandbox(missing="perl"))
    assert [row.is_usable for row in rows] == [True, False]
    assert rows[1].probes == {}
    assert rows[1].cold_s is None
    assert "apt-get install -y perl" in rows[1].install


def test_a_probe_that_ends_otherwise_makes_a_language_unusable() -> None:
    (row,) = job.check([spec.get("lua")], ScriptedSandbox(wrong={Verdict.MEMORY: Verdict.RUNTIME_ERROR}))
    assert not row.is_usable
    assert list(row.wrong) == [Verdict.MEMORY]
    assert "    the probe 'memory' ended as 'runtime_error': because" in table([row])


def test_a_look_runs_nothing() -> None:
    sandbox = ScriptedSandbox()
    rows = job.look(LANGUAGES, sandbox)
    assert [row.id for row in rows] == ["lua", "perl"]
    assert sandbox.requests == []


def test_the_table_has_a_line_per_language_and_one_per_fault() -> None:
    lines = table(job.check(LANGUAGES, ScriptedSandbox(missing="perl")))
    assert lines[0].split() == ["lua", "1.0", "8", "of", "8", "probes", "0.25", "CPU", "s", "scripted"]
    assert lines[1].split()[:2] == ["perl", "missing"]
    assert lines[2:] == ["    its compiler is not there", f"    by hand: {install_command(spec.get('perl'))}"]


def test_an_unknown_language_is_refused_before_anything_runs() -> None:
    with pytest.raises(UnknownNameError, match="brainf"):
        job.languages(["brainf"], installs=True, probes=True, progress=Silent())


def test_a_check_says_what_groups_of_the_kernel_count(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    progress = Silent()
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.setitem(LEVELS, "process", lambda: Process(lambda: Cgroups([])))
    job.languages(["bash"], installs=False, probes=False, progress=progress, level="process")
    assert said == []
    job.languages(["bash"], installs=False, probes=True, progress=progress, level="process")
    assert said == ["Boxes: process; groups of the kernel around them count nothing"]
