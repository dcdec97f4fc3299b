"""What the engine is for, shown from end to end; each test is named after what goes wrong elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.execute.local import LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.warm.sandbox import WarmSandbox
from codeglot.generate.mutation import mutate
from codeglot.jobs import boxes
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Execution, Problem, Verdict
from tests.conftest import needs_data

PROGRAMS = Path(__file__).parents[2] / "benchmarks" / "execution" / "programs"
NUM_SLOTS = 12
NUM_AT_ONCE = 24


class Program(NamedTuple):
    """One of our own, without its tests and with them."""

    name: str
    source: str
    tests: str


def programs(language_id: str) -> list[Program]:
    """Known-good ones."""
    found = []
    for path in sorted((PROGRAMS / language_id).iterdir()):
        above, _, tests = path.read_text(encoding="utf-8").partition("--- tests ---")
        source, _, _ = above.rpartition("\n")
        found.append(Program(path.stem, f"{source}\n", tests.partition("\n")[2]))
    return found


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmSandbox]:
    """As a user has it."""
    with closing(boxes.open_sandbox()) as sandbox:
        assert isinstance(sandbox, WarmSandbox)
        yield sandbox


def verdicts(requests: list[ExecutionRequest], sandbox: WarmSandbox) -> list[Verdict]:
    found = dict(LocalPool(sandbox, NUM_SLOTS).run_all(enumerate(requests)))
    return [found[number].verdict for number in range(len(requests))]


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", ["typescript", pytest.param("java", marks=pytest.mark.slow)])
def test_good_programs_pass_on_a_machine_with_more_workers_than_cores(
    language_id: str, warm: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    """Other harnesses give a compiler so many seconds of wall time, and then call a good program wrong."""
    need_toolchain(language_id)
    comment = spec.get(language_id).comment
    requests = [
        ExecutionRequest(source=f"{source}{comment} {number}\n", tests=tests, language_id=language_id)
        for number in range(NUM_AT_ONCE // len(programs(language_id)))
        for _, source, tests in programs(language_id)
    ]
    assert verdicts(requests, warm) == [Verdict.PASS] * NUM_AT_ONCE


@pytest.mark.slow
@pytest.mark.toolchain
@needs_data
def test_published_answers_pass_on_a_machine_with_more_workers_than_cores(
    warm: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain("typescript")
    problems = load_problems("mceval", languages=["typescript"], split="all")[:NUM_AT_ONCE]
    requests = [
        ExecutionRequest(
            source=problem.prompt + (problem.canonical_solution or ""), tests=problem.tests, language_id="typescript"
        )
        for problem in problems
    ]
    assert verdicts(requests, warm) == [Verdict.PASS] * NUM_AT_ONCE


@pytest.mark.parametrize("language", spec.all_languages(), ids=lambda language: language.id)
def test_every_language_is_asked_to_leave_before_its_tests_have_ended(language: Language) -> None:
    """The contract tests run these probes, where the tools are."""
    assert Verdict.EARLY_EXIT in language.probes


CHATTER = {
    "c": 'for (int i = 0; i < 10000; i++) printf("%099d\\n", i);',
    "javascript": "for (let i = 0; i < 10000; i++) console.log('x'.repeat(99))",
    "python": "for i in range(10000):\n    print('x' * 99)",
    "ruby": "10000.times { puts 'x' * 99 }",
}
"""A million bytes in 10,000 lines, less than the limit on output."""


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", CHATTER)
def test_a_good_program_that_prints_a_megabyte_passes_in_a_second(
    language_id: str, warm: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    """Other harnesses read a program's output when it has ended, which it never does once the pipe is full."""
    need_toolchain(language_id)
    language, chatter = spec.get(language_id), CHATTER[language_id]
    source = language.probes[Verdict.PASS].source
    if language_id == "c":
        source = f"#include <stdio.h>\n{source}\n__attribute__((constructor)) void chat(void) {{ {chatter} }}\n"
    else:
        source = f"{source}\n{chatter}\n"
    execution = warm.run(ExecutionRequest(source=source, tests=language.probe_tests, language_id=language_id))
    assert execution.verdict is Verdict.PASS, f"{execution.detail}\n{execution.stderr}"
    assert "bytes left out" in execution.stdout
    assert execution.cpu_s < 1


WARM_LANGUAGES = [language for language in spec.all_languages() if language.warm]


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", WARM_LANGUAGES, ids=lambda language: language.id)
def test_what_is_kept_ready_judges_good_and_changed_programs_as_a_start_from_nothing_does(
    language: Language, warm: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain(language.id)
    answers = {program: mutate(_problem(program, language), language).text for program in programs(language.id)}
    assert sum(bool(changed) for changed in answers.values()) > 1  # one of C returns nothing: its answer is left out
    for program, changed in answers.items():
        for source in (program.source, changed):
            request = ExecutionRequest(source=source, tests=program.tests, language_id=language.id)
            ready, from_nothing = warm.run(request), warm.cold.run(request)
            assert ready.strategy, f"it is judged from nothing: {warm.given_up}"
            assert _facts(ready) == _facts(from_nothing)
            assert (ready.verdict is Verdict.PASS) == (source is program.source), f"{program.name}: {ready.detail}"
    assert language.id not in warm.given_up


def _problem(program: Program, language: Language) -> Problem:
    """One whose answer is the whole program."""
    return Problem(
        task_id=program.name,
        benchmark="own",
        language_id=language.id,
        prompt="",
        entry_point=program.name,
        tests=program.tests,
        canonical_solution=program.source,
    )


def _facts(execution: Execution) -> tuple[Verdict, str]:
    return execution.verdict, execution.detail
