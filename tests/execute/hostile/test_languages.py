"""The same attacks from languages of every kind: native, interpreted, and on virtual machines."""

from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.levels.choose import LEVELS
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.step import Level
from codeglot.languages import spec
from codeglot.records import Execution, Verdict
from tests.execute.hostile.conftest import Host
from tests.execute.hostile.reach import FORGED, IN_ITS_OWN_PROCESS, REACH, SEARCHING
from tests.execute.hostile.row import ISOLATED

SECURITY = Path(__file__).parents[3] / "SECURITY.md"
CHEAP = {"python", "bash", "ruby", "c", "javascript", "perl", "lua", "php"}
"""Started in well under a second, with nothing to prepare; the others are tried by `make test-all`."""

Run = Callable[..., Execution]


def _over(programs: dict[str, str]) -> list[ParameterSet]:
    return [pytest.param(name, marks=[] if name in CHEAP else pytest.mark.slow) for name in programs]


@pytest.fixture
def run(open_level: Callable[[str], Level]) -> Run:
    """`run(level, language_id, source)`, with the tests of the language's probes where it has no main of its own."""

    def run_there(name: str, language_id: str, source: str, tests: str = "") -> Execution:
        sandbox = ColdSandbox(open_level(name))
        language = spec.get(language_id)
        if problem := sandbox.toolchain(language).problem:
            pytest.skip(problem)
        return sandbox.run(ExecutionRequest(source=source, tests=tests, language_id=language_id))

    return run_there


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", _over(REACH))
@pytest.mark.parametrize("name", ISOLATED)
def test_no_language_gets_out(name: str, language_id: str, run: Run, host: Host) -> None:
    execution = run(name, language_id, host.fill(REACH[language_id]))
    assert "TRIED" in execution.stdout, f"{execution.verdict} {execution.stderr}"
    assert "BROKE" not in execution.stdout
    assert not host.is_harmed()


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", _over(FORGED))
@pytest.mark.parametrize("name", [next(iter(LEVELS))])  # what judges is the same for all levels
def test_a_failure_cannot_be_made_to_look_like_an_end_in_peace(name: str, language_id: str, run: Run) -> None:
    execution = run(name, language_id, FORGED[language_id], spec.get(language_id).probe_tests)
    assert execution.verdict in {Verdict.FAIL_ASSERT, Verdict.EARLY_EXIT, Verdict.RUNTIME_ERROR}, execution.stderr


@pytest.mark.parametrize("name", LEVELS)
def test_the_mark_is_nowhere_but_in_the_program(name: str, run: Run) -> None:
    execution = run(name, "python", SEARCHING, "assert False")
    assert execution.verdict is Verdict.EARLY_EXIT


@pytest.mark.parametrize("gap", IN_ITS_OWN_PROCESS)
def test_what_no_sandbox_can_stop_is_named(gap: str, run: Run) -> None:
    execution = run(ISOLATED[0], "python", IN_ITS_OWN_PROCESS[gap], spec.get("python").probe_tests)
    assert execution.verdict is Verdict.PASS, "it is stopped: take it out of SECURITY.md"
    assert gap in SECURITY.read_text()
