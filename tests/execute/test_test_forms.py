"""Tests as benchmarks write them in a language, beyond the form of its probes: each ends as it should."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from codeglot.execute.cold import ColdSandbox
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.records import Verdict


class Case(NamedTuple):
    language_id: str
    kind: str
    source: str
    tests: str
    verdict: Verdict


APP = "object Main extends App {\n    def twice(n: Int): Int = "
APP_TESTS = "    assert(twice(3) == 6)\n}\n"
MODULE = "#lang racket\n(define (twice n)\n  (* 2 n))"
EX_UNIT = "ExUnit.start()\ndefmodule T do\n  use ExUnit.Case\n  test 'twice' do\n    assert 6 == M.twice(3)\n  end\nend"
SRFI_64 = '(use-modules (srfi srfi-64))\n(test-begin "t")\n(test-equal 6 (twice 3))\n(test-end "t")'
ERT = "(ert-deftest twice-test ()\n  (should (equal (twice 3) 6)))"
C_TESTS = "int main() {\n    assert(twice(3) == 6);\n}\n"
VIM = "function! Twice(n) abort\n    {}\nendfunction"
VIM_TESTS = "if assert_equal(6, Twice(3)) | cq | endif\nexit(0)\n"

CASES = [
    *(
        Case(language_id, f"{kind} {verdict}", f"{opening}int twice(int n) {{ return {value}; }}", C_TESTS, verdict)
        for language_id in ("c", "cpp")
        for kind, opening in (
            ("without assertions", "#define NDEBUG\n#include <assert.h>\n"),
            ("own assertions", "#include <assert.h>\n#undef assert\n#define assert(condition)\n"),
        )
        for value, verdict in (("2 * n", Verdict.PASS), ("n", Verdict.FAIL_ASSERT))
    ),
    *(
        Case(language_id, "undeclared", "int twice(int n) { return 2 * n; }", C_TESTS, Verdict.COMPILE_ERROR)
        for language_id in ("c", "cpp")
    ),
    Case("scala", "app", f"{APP}2 * n\n", APP_TESTS, Verdict.PASS),
    Case("scala", "app fails", f"{APP}n * n\n", APP_TESTS, Verdict.FAIL_ASSERT),
    Case("scala", "app exits", f"{APP}sys.exit(0)\n", APP_TESTS, Verdict.EARLY_EXIT),
    Case("scala", "last of two", f"package a.b\nobject Other extends App\n{APP}n\n", APP_TESTS, Verdict.FAIL_ASSERT),
    Case(
        "kotlin",
        "in a package",
        "package a.b\nfun twice(n: Int) = n",
        "fun main() { check(1 > 2) }",
        Verdict.RUNTIME_ERROR,
    ),
    Case(
        "racket",
        "submodule",
        MODULE,
        "(module+ test (require rackunit) (check-equal? (twice 3) 5))",
        Verdict.FAIL_ASSERT,
    ),
    Case("racket", "plain", MODULE, '(unless (= (twice 3) 6) (error "wrong"))', Verdict.PASS),
    Case("elixir", "exits", "defmodule M do\n  def twice(_), do: System.halt(0)\nend", EX_UNIT, Verdict.EARLY_EXIT),
    Case(
        "elixir",
        "ends its process",
        "defmodule M do\n  def twice(_), do: exit(:normal)\nend",
        EX_UNIT,
        Verdict.RUNTIME_ERROR,
    ),
    Case(
        "elixir",
        "plain",
        "defmodule M do\n  def twice(n), do: n\nend",
        'if M.twice(3) != 6, do: raise "x"',
        Verdict.RUNTIME_ERROR,
    ),
    Case("scheme", "in racket", MODULE, "(require rackunit)\n(check-equal? (twice 3) 6)", Verdict.PASS),
    Case("scheme", "in racket fails", MODULE, "(require rackunit)\n(check-equal? (twice 3) 5)", Verdict.FAIL_ASSERT),
    Case("scheme", "exits in a test", "(define (twice n) (exit 0))", SRFI_64, Verdict.FAIL_ASSERT),
    Case("scheme", "not closed", "(define (twice n) (* 2 n)", SRFI_64, Verdict.COMPILE_ERROR),
    Case("common_lisp", "other package", "(defpackage :p)\n(in-package :p)", "(cl:assert (cl:= 6 6))", Verdict.PASS),
    Case("common_lisp", "malformed", "(defun twice (n) (if))", "(assert (= 6 (twice 3)))", Verdict.COMPILE_ERROR),
    Case("emacs_lisp", "ert", "(defun twice (n) (* 2 n))", ERT, Verdict.PASS),
    Case("emacs_lisp", "ert fails", "(defun twice (n) (* n n))", ERT, Verdict.FAIL_ASSERT),
    Case("emacs_lisp", "nested too deeply", "(" * 100_000, ERT, Verdict.RUNTIME_ERROR),
    Case("emacs_lisp", "ert exits", "(defun twice (n) (kill-emacs 0))", ERT, Verdict.EARLY_EXIT),
    Case("vimscript", "quits last", VIM.format("return 2 * a:n"), VIM_TESTS, Verdict.PASS),
    Case("vimscript", "fails", VIM.format("return a:n * a:n"), VIM_TESTS, Verdict.FAIL_ASSERT),
    Case("vimscript", "exits", VIM.format("exit"), VIM_TESTS, Verdict.EARLY_EXIT),
    Case(
        "vimscript",
        "unchecked",
        VIM.format("return 9"),
        "call assert_equal(6, Twice(3))\nexit(0)\n",
        Verdict.FAIL_ASSERT,
    ),
    Case(
        "coffeescript",
        "own class",
        "twice = (n) -> n",
        "class AssertionError extends Error\nthrow new AssertionError() unless twice(3) is 6",
        Verdict.FAIL_ASSERT,
    ),
]


@pytest.mark.toolchain
@pytest.mark.parametrize("case", CASES, ids=[f"{case.language_id}-{case.kind}" for case in CASES])
def test_tests_of_this_form_end_as_they_should(
    sandbox: ColdSandbox, need_toolchain: Callable[[str], None], case: Case
) -> None:
    need_toolchain(case.language_id)
    request = ExecutionRequest(source=case.source, tests=case.tests, language_id=case.language_id)
    execution = sandbox.run(request)
    assert execution.verdict == case.verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"
