"""Every probe of every language ends as its name says."""

from collections.abc import Callable

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.probes import probe_request
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.languages.spec import Language, all_languages
from codeglot.records import Limits, Verdict
from tests.execute.conftest import every_way

PROBES = [(language, verdict) for language in all_languages() for verdict in language.probes]

EVERY_WAY = ("python", "lua", "cpp")


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("language", "verdict"), PROBES, ids=[f"{language.id}-{verdict}" for language, verdict in PROBES]
)
def test_each_probe_ends_as_its_name_says(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None], language: Language, verdict: Verdict
) -> None:
    check(sandbox, need_toolchain, language, verdict)


@every_way
@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("language", "verdict"),
    [(language, verdict) for language, verdict in PROBES if language.id in EVERY_WAY],
    ids=lambda part: getattr(part, "id", part),
)
def test_each_way_to_isolate_ends_a_probe_so(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None], language: Language, verdict: Verdict
) -> None:
    """One language that is forked, one that is executed, one that is compiled."""
    check(sandbox, need_toolchain, language, verdict)


@pytest.mark.toolchain
@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL_ASSERT])
@pytest.mark.parametrize("language", all_languages(), ids=lambda language: language.id)
def test_no_limit_is_too_small_for_the_runtime_itself(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None], language: Language, verdict: Verdict
) -> None:
    need_toolchain(language.id)
    request = probe_request(language, verdict).model_copy(update={"limits": Limits(memory_mib=16, num_tasks=1)})
    execution = sandbox.run(request)
    assert execution.verdict == verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"


def check(sandbox: ColdSandbox, need_toolchain: Callable[[str], None], language: Language, verdict: Verdict) -> None:
    """Run a probe."""
    need_toolchain(language.id)
    probe = language.probes[verdict]
    limits = Limits(cpu_s=0.5) if verdict == Verdict.TIMEOUT_CPU else Limits()
    tests = language.probe_tests if probe.tests is None else probe.tests
    request = ExecutionRequest(source=probe.source, tests=tests, language_id=language.id, limits=limits)
    execution = sandbox.run(request)
    assert execution.verdict == verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"
    assert execution.level == sandbox.level
    assert execution.versions[language.id]
