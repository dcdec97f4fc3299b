"""What is kept ready changes no verdict, and is given up where it would."""

from contextlib import closing

import pytest

from codeglot.execute.levels.bubblewrap import Bubblewrap
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.warm.sandbox import MOST_FAILURES, WarmSandbox
from codeglot.languages.spec import Language
from codeglot.records import Execution, Verdict

WARM_FAILURE = Execution(verdict=Verdict.FAIL_ASSERT, strategy="prepared", execution_key="0" * 16)
BUILD = "cp /box/main.toy /box/program"


def language(warm_compile: str = BUILD, **warm: object) -> Language:
    return Language.model_validate(
        {
            "id": "toy",
            "name": "Toy",
            "source": "main.toy",
            "comment": "#",
            "version": ("echo", "toy 1"),
            "compile": ("sh", "-c", BUILD),
            "warm_compile": ("sh", "-c", warm_compile),
            "run": ("sh", "/box/program"),
            "warm": {"strategy": "prepared", **warm},
            "probe_tests": "",
            "probes": {"pass": {"source": ""}, "fail_assert": {"source": ""}},
        }
    )


def sandbox(toy: Language, share: float = 0.0) -> closing[WarmSandbox]:
    """A sandbox of its own, since it is closed with what it keeps."""
    return closing(WarmSandbox(Bubblewrap(), find_language=lambda _: toy, checked_share=share))


def program(number: int = 0, source: str = "") -> ExecutionRequest:
    return ExecutionRequest(source=f"{source}\n# {number}", language_id="toy")


def test_verdicts_that_agree_keep_it_warm() -> None:
    with sandbox(language(), share=1.0) as warm:
        verdicts = [warm.run(program(0)), warm.run(program(1, "exit 3")), warm.run(program(2))]
        assert not warm.given_up
    assert [(row.verdict, row.strategy) for row in verdicts] == [
        (Verdict.PASS, "prepared"),
        (Verdict.RUNTIME_ERROR, "prepared"),
        (Verdict.PASS, "prepared"),
    ]


def test_a_warm_compiler_that_rejects_what_the_cold_one_takes_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    with sandbox(language("exit 1")) as warm:
        first, second = warm.run(program(0)), warm.run(program(1))
        assert "compile_error" in warm.given_up["toy"]
        assert first.execution_key in warm.given_up["toy"]
    assert [(row.verdict, row.strategy) for row in (first, second)] == [(Verdict.PASS, "")] * 2
    assert (first.contradicts, second.contradicts) == ("prepared", "")
    assert "from nothing from now on" in caplog.text


@pytest.mark.parametrize(("cold", "is_given_up"), [("ppp", True), ("pfp", False), ("ppf", False)])
def test_a_program_that_rolls_dice_contradicts_nothing(
    cold: str, is_given_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {"p": Verdict.PASS, "f": Verdict.FAIL_ASSERT}
    from_nothing = iter([Execution(verdict=ends[letter]) for letter in cold])
    with sandbox(language(), share=1.0) as warm:
        monkeypatch.setattr(warm.cold, "run", lambda _: next(from_nothing))
        monkeypatch.setattr(warm._warm, "run", lambda _: WARM_FAILURE)
        execution = warm.run(program())
        assert bool(warm.given_up) == is_given_up
    assert (execution.verdict, execution.contradicts) == (Verdict.PASS, "prepared" if is_given_up else "")


def test_a_warm_compiler_that_builds_something_else_is_found_by_the_sample() -> None:
    with sandbox(language("echo 'exit 3' > /box/program"), share=1.0) as warm:
        assert warm.run(program()).verdict == Verdict.PASS
        assert "toy" in warm.given_up


def test_without_a_sample_nothing_is_run_twice() -> None:
    with sandbox(language("echo 'exit 3' > /box/program")) as warm:
        assert warm.run(program()).verdict == Verdict.RUNTIME_ERROR
        assert not warm.given_up


def test_who_asks_for_a_verdict_from_nothing_gets_it() -> None:
    with sandbox(language("echo 'exit 3' > /box/program"), share=1.0) as warm:
        request = program().model_copy(update={"from_nothing": True})
        execution = warm.run(request)
        assert (execution.verdict, execution.strategy, execution.contradicts) == (Verdict.PASS, "", "")
        assert not warm.given_up
        assert warm.run(program()).execution_key == execution.execution_key, "they are the same experiment"


def test_a_missing_tool_leaves_the_language_cold_and_is_named() -> None:
    with sandbox(language(tools=("no-such-linker",))) as warm:
        execution = warm.run(program())
        assert (execution.verdict, execution.strategy) == (Verdict.PASS, "")
        assert "no-such-linker" in warm.given_up["toy"]
        assert "--install" in warm.given_up["toy"]


def test_a_resident_compiler_that_keeps_dying_is_given_up_and_no_verdict_is_lost() -> None:
    with sandbox(language(strategy="compile_server", server=("true",))) as warm:
        executions = [warm.run(program(number)) for number in range(MOST_FAILURES + 1)]
        assert f"failed {MOST_FAILURES} times in a row" in warm.given_up["toy"]
    assert [(row.verdict, row.strategy) for row in executions] == [(Verdict.PASS, "")] * (MOST_FAILURES + 1)


FRAGILE_SERVER = r"""
import struct, sys
def blob(data):
    return struct.pack(">I", len(data)) + data
while size := sys.stdin.buffer.read(4):
    if b"# too large" in sys.stdin.buffer.read(struct.unpack(">I", size)[0]):
        sys.exit("out of memory")
    nothing = struct.pack(">I", 0) + blob(b"") + blob(b"")
    sys.stdout.buffer.write(blob(nothing + struct.pack(">I", 1) + blob(b"program") + blob(b"exit 0")))
    sys.stdout.flush()
"""


def test_programs_that_end_a_resident_compiler_now_and_then_take_it_from_no_other_program() -> None:
    server = ("python3", "-c", FRAGILE_SERVER)
    with sandbox(language(strategy="compile_server", server=server, memory_mib=256)) as warm:
        sources = [f"# {size}" for _ in range(2 * MOST_FAILURES) for size in ("too large", "small")]
        executions = [warm.run(program(number, source)) for number, source in enumerate(sources)]
        assert not warm.given_up
    assert [(row.verdict, row.strategy) for row in executions[:2]] == [
        (Verdict.PASS, ""),
        (Verdict.PASS, "compile_server"),
    ]
