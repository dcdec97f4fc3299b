"""What is kept ready changes no verdict, and nothing of one program is there for the next one."""

import re
from collections.abc import Callable, Iterator

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.fork_server.client import ForkServers
from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.readiness import Readiness
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.warm.compile_server import CompileServer
from codeglot.execute.warm.strategy import StartedCompiler, Strategy
from codeglot.languages.spec import Language, all_languages
from codeglot.records import Execution, Limits, Verdict
from tests.execute.conftest import PRELOAD

LANGUAGES = [
    language
    for language in all_languages()
    if language.warm is not None and language.warm.strategy in {"prepared", "compile_server"}
]
PROBES = [(language, verdict) for language in LANGUAGES for verdict in language.probes]
PROBE_NAMES = [f"{language.id}-{verdict}" for language, verdict in PROBES]

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def warm(level: Bubblewrap) -> Iterator[ColdSandbox]:
    """A sandbox that builds as `warm` of the language says, and fails where that fails."""
    readiness = Readiness(level)
    strategies: dict[str, Strategy] = {}

    def find(language: Language) -> Strategy:
        assert language.warm
        if problem := readiness.warm_problem(language):
            pytest.skip(problem)
        if language.warm.strategy == "prepared":
            return StartedCompiler(name="prepared")
        if language.id not in strategies:
            prepared = readiness.prepared(language, readiness.toolchain(language).version)
            strategies[language.id] = CompileServer(level, language, prepared)
        return strategies[language.id]

    yield ColdSandbox(level, find_strategy=find, readiness=readiness)
    for strategy in strategies.values():
        strategy.close()


def request(language: Language, verdict: Verdict, *, rename: str = "") -> ExecutionRequest:
    probe = language.probes[verdict]
    limits = Limits(cpu_s=0.5) if verdict is Verdict.TIMEOUT_CPU else Limits()
    tests = language.probe_tests if probe.tests is None else probe.tests
    source = probe.source.replace("wice", rename) if rename else probe.source
    return ExecutionRequest(source=source, tests=tests, language_id=language.id, limits=limits)


def facts(execution: Execution) -> tuple[object, ...]:
    """What must be the same; compilers give their own files names by chance, and programs their objects addresses."""
    messages = re.sub(r"\S+\.o:", "", execution.stderr) if execution.verdict is Verdict.COMPILE_ERROR else ""
    return execution.verdict, execution.detail, messages


@pytest.mark.parametrize(("language", "verdict"), PROBES, ids=PROBE_NAMES)
def test_each_probe_ends_as_its_name_says(
    warm: ColdSandbox, need_toolchain: Callable[[str], None], language: Language, verdict: Verdict
) -> None:
    need_toolchain(language.id)
    assert language.warm
    execution = warm.run(request(language, verdict))
    assert execution.verdict == verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"
    assert execution.strategy == language.warm.strategy


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_a_name_of_one_program_is_unknown_to_the_next_with_the_words_of_the_compiler(
    sandbox: ColdSandbox, warm: ColdSandbox, need_toolchain: Callable[[str], None], language: Language
) -> None:
    need_toolchain(language.id)
    assert warm.run(request(language, Verdict.PASS)).verdict is Verdict.PASS
    other = request(language, Verdict.PASS, rename="hrice")
    execution = warm.run(other)
    assert execution.verdict is Verdict.COMPILE_ERROR
    assert facts(execution) == facts(sandbox.run(other))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
@pytest.mark.parametrize("verdict", [Verdict.FAIL_ASSERT, Verdict.COMPILE_ERROR, Verdict.RUNTIME_ERROR])
def test_a_failure_is_told_in_the_same_words(
    sandbox: ColdSandbox,
    warm: ColdSandbox,
    need_toolchain: Callable[[str], None],
    language: Language,
    verdict: Verdict,
) -> None:
    need_toolchain(language.id)
    assert facts(warm.run(request(language, verdict))) == facts(sandbox.run(request(language, verdict)))


def test_modules_among_the_files_of_a_problem_are_found_by_an_interpreter_that_has_started(level: Bubblewrap) -> None:
    servers = ForkServers(level, PRELOAD)
    fork = StartedCompiler("fork_server", forks=True)
    forking = ColdSandbox(servers, find_strategy=lambda _: fork)
    source = "import sys\nsys.path.insert(0, '')\nimport string\nprint(string.mine)"
    asked = ExecutionRequest(source=source, files={"string.py": "mine = 1"}, language_id="python")
    try:
        found, expected = (sandbox.run(asked) for sandbox in (forking, ColdSandbox(level)))
        assert (found.verdict, found.stdout) == (expected.verdict, expected.stdout) == (Verdict.PASS, "1\n")
    finally:
        servers.close()
