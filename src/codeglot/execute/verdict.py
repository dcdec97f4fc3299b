"""What a program's end means: a pure function from what was seen to a verdict.

The order is fixed: limits first, since a stopped process has no status; then the status; then text, which only refines
a failure; then the marker at the end of the tests; then the output.
"""

import errno
import os
import re
import signal
from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple

from codeglot.execute.step import Outcome, Stop, clip
from codeglot.languages.spec import ErrorRule
from codeglot.records import Verdict

LONGEST_DETAIL = 300
KILLED = "killed by SIGKILL"
"""Detail of a program that something else than this package killed."""
_BY_STOP = {
    Stop.CPU: (Verdict.TIMEOUT_CPU, "stopped after {0.cpu_s:.1f} s of CPU time"),
    Stop.WALL: (Verdict.TIMEOUT_WALL, "stopped after {0.wall_s:.1f} s, of which it computed {0.cpu_s:.1f} s"),
    Stop.OUTPUT: (Verdict.OUTPUT_LIMIT, "stopped when it had printed too much"),
    Stop.MEMORY: (Verdict.MEMORY, "stopped when its processes together held too much memory"),
    Stop.DISK: (Verdict.RESOURCE_DENIED, "stopped when its files took too much space"),
}
# What the C library calls these errors, and after it the runtimes of most languages.
_BY_ERROR_TEXT = [
    (Verdict.MEMORY, re.compile(re.escape(os.strerror(errno.ENOMEM)))),
    *(
        (Verdict.RESOURCE_DENIED, re.compile(re.escape(os.strerror(number))))
        for number in (
            errno.EAGAIN,
            errno.EPERM,
            errno.ENOSPC,
            errno.EFBIG,
            errno.EROFS,
            errno.EMFILE,
            errno.ENETUNREACH,
        )
    ),
]
_TELLING = re.compile(r"^(?!\s).*(?:error|exception|panic|fatal|assert|abort)", re.IGNORECASE | re.MULTILINE)


class Judgement(NamedTuple):
    """A verdict and one line that explains it."""

    verdict: Verdict
    detail: str = ""


def judge(
    *,
    compiled: Outcome | None,
    ran: Outcome | None,
    rules: Sequence[ErrorRule],
    nonce: str | None,
    expected_output: str | None,
) -> Judgement:
    """Judge one program.

    Args:
        compiled: What was seen of the compile step; None where nothing is compiled.
        ran: What was seen of the run; None only if compiling failed.
        rules: Those of the language, the first that fits is taken.
        nonce: What the program had to print at the end of its tests; None: nothing.
        expected_output: What it had to print beside that; None: anything.
    """
    if compiled is not None and (failure := _failure(compiled, "compile", rules)):
        return failure
    if ran is None:
        raise ValueError("a program that compiled must have been run")
    if failure := _failure(ran, "run", rules, nonce):
        return failure
    if nonce is not None and nonce.encode() not in ran.stdout.splitlines():  # elsewhere, it printed its own source
        return Judgement(Verdict.EARLY_EXIT, "ended with status 0 before the end of its tests")
    if expected_output is not None:
        return _compare(without_nonce(ran.stdout, nonce).decode("utf-8", errors="replace"), expected_output)
    return Judgement(Verdict.PASS)


def without_nonce(stdout: bytes, nonce: str | None) -> bytes:
    """The output as the program meant it."""
    if nonce is None:
        return stdout
    return stdout.replace(f"\n{nonce}\n".encode(), b"").replace(nonce.encode(), b"")


def _failure(
    outcome: Outcome, step: Literal["compile", "run"], rules: Sequence[ErrorRule], nonce: str | None = None
) -> Judgement | None:
    """The verdict of a step that did not end well; None if it did."""
    if outcome.stop is not None:
        verdict, form = _BY_STOP[outcome.stop]
        return Judgement(verdict, form.format(outcome) + (", while compiling" if step == "compile" else ""))
    streams = (clip(outcome.stderr), clip(without_nonce(outcome.stdout, nonce)))
    for rule in rules:
        fits = outcome.status == rule.status if rule.status is not None else outcome.status != 0
        if fits and rule.step == step:
            for text in streams:
                if match := re.search(rule.pattern, text, re.MULTILINE):
                    return Judgement(rule.verdict, _matched_line(match) or _ending(outcome))
    if outcome.status == 0:
        return None
    if step == "compile":
        if outcome.status == 128 + signal.SIGKILL:  # it rejected nothing: the machine, or a limit of its own, ended it
            return Judgement(Verdict.RESOURCE_DENIED, f"{KILLED}, while compiling")
        return Judgement(Verdict.COMPILE_ERROR, _compiler_line(streams) or _ending(outcome))
    verdict = Verdict.RESOURCE_DENIED if outcome.status == 128 + signal.SIGXFSZ else Verdict.RUNTIME_ERROR
    verdict = next((verdict for verdict, pattern in _BY_ERROR_TEXT if pattern.search(streams[0])), verdict)
    return Judgement(verdict, _telling_line(streams) or _ending(outcome))


def _ending(outcome: Outcome) -> str:
    """The status in words."""
    number = (outcome.status or 0) - 128
    if number in set(signal.Signals):
        return KILLED if number == signal.SIGKILL else f"killed by {signal.Signals(number).name}"
    return f"ended with status {outcome.status}"


def _matched_line(match: re.Match[str]) -> str:
    """The last unindented line that a rule's match touches: patterns may begin far above and end in a stack trace.

    A line of one word, as the name of an exception without a message, is followed by the line before it.
    """
    start = match.string.rfind("\n", 0, match.start()) + 1
    end = match.string.find("\n", match.end())
    lines = [line for line in match.string[start : end if end >= 0 else None].split("\n") if line.strip()]
    line = next((line for line in reversed(lines) if not line[0].isspace()), lines[-1] if lines else "").strip()
    above = match.string[: match.string.find(line)].split("\n")
    before = next((text.strip() for text in reversed(above) if re.search(r"\w", text)), "")
    return _cut(f"{line}: {before}" if before and line.isidentifier() else line)


def _telling_line(streams: Sequence[str]) -> str:
    """The last unindented line of the first stream that names an error, else its first line."""
    for text in streams:
        if matches := list(_TELLING.finditer(text)):
            return _matched_line(matches[-1])
        if text.strip():
            return _cut(text.strip().split("\n")[0])
    return ""


def _compiler_line(streams: Sequence[str]) -> str:
    """The first line that says "error", with the next where it says no more, else the first line."""
    lines = [line for text in streams for line in text.splitlines() if line.strip()]
    place = next((i for i, line in enumerate(lines) if "error" in line.lower()), 0)
    is_bare = bool(lines) and lines[place].rstrip().lower().endswith("error:")
    return _cut(" ".join(line.strip() for line in lines[place : place + 1 + is_bare]))


def _cut(line: str) -> str:
    line = line.strip()
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 3] + "..."


def _compare(printed: str, expected: str) -> Judgement:
    """Compare outputs; white space at the end of lines and of the whole does not count."""
    for number, (got, wanted) in enumerate(zip_longest(_lines(printed), _lines(expected)), start=1):
        if got != wanted:
            said = "nothing" if got is None else repr(got)
            return Judgement(Verdict.FAIL_OUTPUT, _cut(f"line {number}: printed {said}, not {wanted!r}"))
    return Judgement(Verdict.PASS)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]
