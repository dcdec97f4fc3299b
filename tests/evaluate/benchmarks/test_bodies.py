"""Published tests that come without reference answers tell right from wrong: answers made by hand show it."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.execute.sandbox import Sandbox
from codeglot.jobs.execute import build_program
from codeglot.records import Completion, Execution, Limits, Problem, Verdict
from tests.conftest import needs_data

pytestmark = [needs_data, pytest.mark.toolchain]


class Bodies(NamedTuple):
    """How a function of a language goes on behind its prompt, each right and wrong."""

    divisor: str
    """The greatest common divisor of a and b."""
    first: str
    """a, in its place."""
    palindrome: str
    """Whether text reads alike from behind."""
    always: str
    """True, in its place."""


def braces(divisor: str, first: str, palindrome: str, always: str) -> Bodies:
    return Bodies(*(f"    {line}\n}}\n" for line in (divisor, first, palindrome, always)))


C_LIKE = "while (b != 0) {{ {new}r = a % b; a = b; b = r; }} return a;"
BODIES = {
    "java": braces(
        C_LIKE.format(new="int "),
        "return a;",
        "return new StringBuilder(text).reverse().toString().equals(text);",
        "return true;",
    ),
    "javascript": braces(
        C_LIKE.format(new="const "),
        "return a;",
        "return text === text.split('').reverse().join('');",
        "return true;",
    ),
    "typescript": braces(
        C_LIKE.format(new="const "),
        "return a;",
        "return text === text.split('').reverse().join('');",
        "return true;",
    ),
    "csharp": braces(
        C_LIKE.format(new="int "),
        "return a;",
        "return text == new string(text.Reverse().ToArray());",
        "return true;",
    ),
    "go": braces(
        "for b != 0 { a, b = b, a%b }; return a",
        "return a",
        "for i := range text { if text[i] != text[len(text)-1-i] { return false } }; return true",
        "return true",
    ),
    "kotlin": braces(
        "return if (b == 0) a else greatestCommonDivisor(b, a % b)",
        "return a",
        "return text == text.reversed()",
        "return true",
    ),
    "perl": braces(
        "($a, $b) = ($b, $a % $b) while $b; return $a;",
        "return $a;",
        "return $text eq reverse($text) ? 1 : 0;",
        "return 1;",
    ),
    "php": braces(
        "return $b == 0 ? $a : greatestCommonDivisor($b, $a % $b);",
        "return $a;",
        "return $text === strrev($text);",
        "return true;",
    ),
    "ruby": Bodies(
        *(f"\n  {line}\nend\n" for line in ("b == 0 ? a : a.gcd(b)", "a", "text == text.reverse", "true")),
    ),
    "scala": braces(
        "if (b == 0) a else greatestCommonDivisor(b, a % b)",
        "a",
        "text == text.reverse",
        "true",
    ),
    "swift": braces(
        "return b == 0 ? a : greatestCommonDivisor(a : b, b : a % b)",
        "return a",
        "return text == String(text.reversed())",
        "return true",
    ),
}
each = pytest.mark.parametrize("language_id", BODIES)


def judge(sandbox: Sandbox, problem: Problem, text: str) -> Verdict:
    program = build_program(problem, Completion(task_id=problem.task_id, text=text), Limits())
    assert not isinstance(program, Execution), program
    return sandbox.run(program).verdict


def problem_from(name: str, language_id: str, origin: str, spoken: str = "en") -> Problem:
    found = load_problems(name, languages=[language_id], natural_languages=[spoken])
    return next(problem for problem in found if problem.origin == origin)


@each
def test_humaneval_xl(language_id: str, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]) -> None:
    need_toolchain(language_id)
    problem = problem_from("humaneval_xl", language_id, "humaneval/13", spoken="ar")
    assert judge(warm_sandbox, problem, BODIES[language_id].divisor) == Verdict.PASS
    assert judge(warm_sandbox, problem, BODIES[language_id].first) == Verdict.FAIL_ASSERT


@each
def test_multilingual_humaneval(language_id: str, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]) -> None:
    need_toolchain(language_id)
    problem = problem_from("multilingual_humaneval", language_id, "humaneval/48")
    assert judge(warm_sandbox, problem, BODIES[language_id].palindrome) == Verdict.PASS
    assert judge(warm_sandbox, problem, BODIES[language_id].always) == Verdict.FAIL_ASSERT


@pytest.mark.parametrize("language_id", ["java", "javascript"])
def test_mathqa_x(language_id: str, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]) -> None:
    need_toolchain(language_id)
    problem = problem_from("mathqa_x", language_id, "mathqa/1")
    assert judge(warm_sandbox, problem, "    return 29.0 * 30.0;\n}\n" + "}" * (language_id == "java")) == Verdict.PASS
    assert judge(warm_sandbox, problem, "    return 29.0 * 29.0;\n}\n") == Verdict.FAIL_ASSERT
