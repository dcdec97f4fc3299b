import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.execute.step import Outcome, Stop
from codeglot.execute.verdict import Judgement, judge, without_nonce
from codeglot.languages import spec
from codeglot.languages.spec import ErrorRule
from codeglot.records import Verdict

NONCE = "0123456789abcdef0123456789abcdef"
RULES = (
    ErrorRule(verdict=Verdict.FAIL_ASSERT, pattern=r"^AssertionError\b"),
    ErrorRule(verdict=Verdict.MEMORY, pattern="virtual memory exhausted", step="compile"),
    ErrorRule(verdict=Verdict.NO_TESTS_RAN, pattern="no tests to run", status=0),
    ErrorRule(verdict=Verdict.RESOURCE_DENIED, pattern="^denied", status=7),
)


def of_run(
    outcome: Outcome, *, compiled: Outcome | None = None, nonce: str | None = NONCE, expected: str | None = None
) -> Judgement:
    return judge(compiled=compiled, ran=outcome, rules=RULES, nonce=nonce, expected_output=expected)


def ended(status: int, stdout: str = "", stderr: str = "") -> Outcome:
    return Outcome(status=status, stdout=stdout.encode(), stderr=stderr.encode(), cpu_s=0.25, wall_s=1.5)


def test_the_mark_of_the_end_is_told_to_nobody() -> None:
    judgement = of_run(ended(3, f"\n{NONCE}\n", ""))
    assert (judgement.verdict, judgement.detail) == (Verdict.RUNTIME_ERROR, "ended with status 3")


def test_status_0_with_the_marker_passes() -> None:
    assert of_run(ended(0, f"text\n{NONCE}\n")) == Judgement(Verdict.PASS)


def test_status_0_without_the_marker_is_an_early_exit() -> None:
    assert of_run(ended(0, "text")).verdict == Verdict.EARLY_EXIT


def test_a_marker_on_stderr_does_not_count() -> None:
    assert of_run(ended(0, "", NONCE)).verdict == Verdict.EARLY_EXIT


def test_the_marker_excuses_no_bad_status() -> None:
    assert of_run(ended(1, NONCE)).verdict == Verdict.RUNTIME_ERROR


@pytest.mark.parametrize(
    ("stop", "verdict"),
    [
        (Stop.CPU, Verdict.TIMEOUT_CPU),
        (Stop.WALL, Verdict.TIMEOUT_WALL),
        (Stop.OUTPUT, Verdict.OUTPUT_LIMIT),
        (Stop.MEMORY, Verdict.MEMORY),
        (Stop.DISK, Verdict.RESOURCE_DENIED),
    ],
)
def test_a_limit_is_looked_at_before_any_text(stop: Stop, verdict: Verdict) -> None:
    stopped = Outcome(status=None, stop=stop, stdout=NONCE.encode(), stderr=b"AssertionError: no", cpu_s=0.5)
    assert of_run(stopped).verdict == verdict
    judgement = judge(compiled=stopped, ran=None, rules=RULES, nonce=NONCE, expected_output=None)
    assert judgement.verdict == verdict
    assert judgement.detail.endswith(", while compiling")


def test_text_refines_a_failure_and_gives_its_line() -> None:
    judgement = of_run(ended(1, "", "Traceback\n  assert f(1) == 2\nAssertionError: 3 is not 2\n"))
    assert judgement == Judgement(Verdict.FAIL_ASSERT, "AssertionError: 3 is not 2")


def test_a_bare_exception_is_explained_by_the_line_above_it() -> None:
    judgement = of_run(ended(1, "", "Traceback\n    assert f(1) == 2\n           ^^^^^^^^^\nAssertionError\n"))
    assert judgement.detail == "AssertionError: assert f(1) == 2"


def test_text_alone_fails_nothing() -> None:
    assert of_run(ended(0, NONCE, "AssertionError: printed by a passing program")).verdict == Verdict.PASS


def test_a_rule_for_status_0_is_about_status_0_only() -> None:
    assert of_run(ended(0, "no tests to run")).verdict == Verdict.NO_TESTS_RAN
    assert of_run(ended(1, "no tests to run")).verdict == Verdict.RUNTIME_ERROR


def test_a_rule_with_a_status_needs_that_status() -> None:
    assert of_run(ended(7, "denied")).verdict == Verdict.RESOURCE_DENIED
    assert of_run(ended(8, "denied")).verdict == Verdict.RUNTIME_ERROR


def test_rules_of_one_step_are_not_used_for_the_other() -> None:
    compiled = ended(1, "", "a.c:1: error: AssertionError is not declared")
    judgement = judge(compiled=compiled, ran=None, rules=RULES, nonce=NONCE, expected_output=None)
    assert judgement == Judgement(Verdict.COMPILE_ERROR, "a.c:1: error: AssertionError is not declared")
    compiled = ended(1, "", "cc1: virtual memory exhausted")
    assert judge(compiled=compiled, ran=None, rules=RULES, nonce=None, expected_output=None).verdict == Verdict.MEMORY


def test_a_compiler_that_is_killed_has_rejected_nothing() -> None:
    compiled = ended(128 + signal.SIGKILL, "", "a.c:1: warning: an error is near")
    judgement = judge(compiled=compiled, ran=None, rules=RULES, nonce=NONCE, expected_output=None)
    assert judgement == Judgement(Verdict.RESOURCE_DENIED, "killed by SIGKILL, while compiling")
    crashed = judge(compiled=ended(128 + signal.SIGSEGV), ran=None, rules=RULES, nonce=NONCE, expected_output=None)
    assert crashed == Judgement(Verdict.COMPILE_ERROR, "killed by SIGSEGV")


@pytest.mark.parametrize("language_id", ["c", "cpp", "fortran"])
def test_a_part_of_a_compiler_that_is_killed_has_rejected_nothing_either(language_id: str) -> None:
    said = "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated."
    rules = spec.get(language_id).errors
    judgement = judge(compiled=ended(1, "", said), ran=None, rules=rules, nonce=NONCE, expected_output=None)
    assert judgement == Judgement(Verdict.RESOURCE_DENIED, said.partition("\n")[0])


def test_a_signal_is_named() -> None:
    judgement = of_run(ended(128 + signal.SIGSEGV))
    assert judgement == Judgement(Verdict.RUNTIME_ERROR, "killed by SIGSEGV")


def test_a_status_above_all_signals_is_only_a_status() -> None:
    assert of_run(ended(255)).detail == "ended with status 255"


def test_a_file_that_grew_too_large_is_a_denied_resource() -> None:
    assert of_run(ended(128 + signal.SIGXFSZ)).verdict == Verdict.RESOURCE_DENIED


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable", Verdict.RESOURCE_DENIED),
        ("OSError: [Errno 28] No space left on device", Verdict.RESOURCE_DENIED),
        ("error: Operation not permitted", Verdict.RESOURCE_DENIED),
        ("fork: Cannot allocate memory", Verdict.MEMORY),
        ("KeyError: 3", Verdict.RUNTIME_ERROR),
    ],
)
def test_what_the_c_library_calls_an_error_is_understood_in_every_language(text: str, verdict: Verdict) -> None:
    assert of_run(ended(1, "", text)) == Judgement(verdict, text)


def test_a_failed_assertion_that_mentions_an_error_is_still_one() -> None:
    assert of_run(ended(1, "", "AssertionError: No space left on device")).verdict == Verdict.FAIL_ASSERT


@pytest.mark.parametrize(
    "printed", ["1 2\n3\n", "1 2\n3", "1 2  \n3\t\n\n\n", "1 2\r\n3\r\n", f"1 2\n3\n\n{NONCE}\n", f"1 2\n3\n{NONCE}\n"]
)
def test_white_space_at_ends_does_not_count(printed: str) -> None:
    nonce = NONCE if NONCE in printed else None
    assert of_run(ended(0, printed), nonce=nonce, expected="1 2\n3\n").verdict == Verdict.PASS


@pytest.mark.parametrize("printed", ["", "1 2", "1  2\n3", " 1 2\n3", "1 2\n\n3", "1 2\n3\n4"])
def test_any_other_difference_of_output_counts(printed: str) -> None:
    assert of_run(ended(0, printed), nonce=None, expected="1 2\n3\n").verdict == Verdict.FAIL_OUTPUT


def test_the_first_difference_of_output_is_told() -> None:
    judgement = of_run(ended(0, "1\n3\n"), nonce=None, expected="1\n2\n")
    assert judgement.detail == "line 2: printed '3', not '2'"


def test_right_output_excuses_no_early_exit() -> None:
    assert of_run(ended(0, "1\n"), expected="1\n").verdict == Verdict.EARLY_EXIT


def test_a_program_that_prints_its_own_source_has_not_reached_the_end_of_its_tests() -> None:
    for printed in (f'print("{NONCE}")\n', f"x{NONCE}\n", f"{NONCE}x\n"):
        assert of_run(ended(0, printed)).verdict == Verdict.EARLY_EXIT
    assert of_run(ended(0, f"no line end\n{NONCE}\n")).verdict == Verdict.PASS


def test_a_rule_that_needs_no_text_tells_the_status() -> None:
    rules = [ErrorRule(verdict=Verdict.FAIL_ASSERT, pattern="", status=1)]
    judgement = judge(compiled=None, ran=ended(1), rules=rules, nonce=NONCE, expected_output=None)
    assert judgement == Judgement(Verdict.FAIL_ASSERT, "ended with status 1")


def test_a_compiler_that_says_what_is_wrong_on_a_line_of_its_own_is_understood() -> None:
    compiled = ended(1, "", "\n/box/main.hs:7:1: error:\n    Multiple declarations\n    Declared at: 3:1\n")
    judgement = judge(compiled=compiled, ran=None, rules=(), nonce=NONCE, expected_output=None)
    assert judgement == Judgement(Verdict.COMPILE_ERROR, "/box/main.hs:7:1: error: Multiple declarations")


def test_details_are_one_line_of_bounded_length() -> None:
    detail = of_run(ended(1, "", "Error: " + "x" * 10_000 + "\nat y")).detail
    assert len(detail) == 300


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(deadline=None)
def test_without_the_marker_output_is_what_the_program_printed(before: bytes, after: bytes) -> None:
    printed = before + f"\n{NONCE}\n".encode() + after
    assert without_nonce(printed, NONCE) == before + after


@given(
    status=st.integers(0, 255),
    stdout=st.text(max_size=60),
    stderr=st.text(max_size=60),
    nonce=st.sampled_from([NONCE, None]),
)
@settings(deadline=None)
def test_only_status_0_can_pass_and_no_text_breaks_the_judge(
    status: int, stdout: str, stderr: str, nonce: str | None
) -> None:
    outcome = Outcome(
        status=status, stdout=stdout.encode(errors="surrogatepass"), stderr=stderr.encode(errors="surrogatepass")
    )
    judgement = of_run(outcome, nonce=nonce)
    assert (judgement.verdict == Verdict.PASS) <= (status == 0)
    assert "\n" not in judgement.detail
