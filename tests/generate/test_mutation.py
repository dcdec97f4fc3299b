"""Other values returned, in every language."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from codeglot.data.format import fenced
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.generate.extract import extract_program
from codeglot.generate.mutation import Mutation, mutate
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import FinishReason, Problem, Verdict
from tests.generate.test_extract import TASKS, problem_of


def problem(solution: str, *, language_id: str = "python", **changes: Any) -> Problem:
    fields: dict[str, Any] = {
        "task_id": "T/0",
        "benchmark": "b",
        "prompt": "def f(x):\n",
        "tests": "assert f(2) == 4\n",
        "entry_point": "f",
        "canonical_solution": solution,
    }
    return Problem(language_id=language_id, **fields | changes)


def changed(problem: Problem) -> Mutation:
    return mutate(problem, spec.get(problem.language_id))


def python(prompt: str, solution: str, call: str) -> Any:
    """The value of `call` before the change and after."""
    found = problem(solution, prompt=prompt, tests="pass\n")
    values = []
    for text in (solution, changed(found).text):
        scope: dict[str, Any] = {}
        exec(prompt + text, scope)
        values.append(eval(call, scope))
    return values


@pytest.mark.parametrize(
    ("expression", "before", "after"),
    [
        ("x > 1", True, False),
        ("x", 2, 3),
        ("x / 1", 2.0, 3.77),
        ("'a'", "a", "ax"),
        ("[x]", [2], "wrong"),
        ("None", None, "wrong"),
        ("x, 1", (2, 1), "wrong"),
        ("(  # note\n        x\n    )", 2, 3),
        ("(lambda: x)()", 2, 3),
    ],
)
def test_python_values_change_by_their_type(expression: str, before: Any, after: Any) -> None:
    found, wrong = python("def f(x):\n", f"    return {expression}\n", "f(2)")
    assert found == before
    assert wrong == (pytest.approx(after) if isinstance(after, float) else after)


def test_every_return_of_the_function_changes_but_none_of_its_helpers() -> None:
    helper = "    def g(y):\n        return y\n"
    solution = f"{helper}    if x < 0:\n        return g(0)\n    return g(x)\n\ndef h():\n    return 1\n"
    assert python("def f(x):\n", solution, "f(-1), f(5), h()") == [(0, 5, 1), (1, 6, 1)]


def test_what_recursion_passes_on_is_not_changed_back() -> None:
    solution = "    if x == 0:\n        return True\n    return f(x - 1)\n"
    assert python("def f(x):\n", solution, "[f(n) for n in range(4)]") == [[True] * 4, [False] * 4]


def test_a_recursive_choice_changes_with_its_base_case() -> None:
    solution = "    return 1 if x == 0 else 1 + f(x - 1)\n"
    before, after = python("def f(x):\n", solution, "[f(n) for n in range(4)]")
    assert all(b != a for b, a in zip(before, after, strict=True))


def test_the_function_under_test_is_found_in_a_whole_program() -> None:
    solution = "def g(x):\n    return x\ndef f(x):\n    return g(x)\ndef h(x):\n    return x\n"
    assert python('"""Prompt."""\n', solution, "f(1), g(1), h(1)") == [(1, 1, 1), (2, 1, 1)]


def test_an_answer_without_a_returned_value_is_left_out() -> None:
    for solution in ("    x.append(1)\n", "    return\n"):
        mutation = changed(problem(solution))
        assert mutation.text == ""
        assert mutation.how.startswith("the answer left out")


EXAMPLES = {
    "java": ("class S {\n  public static int f(int x) {\n", "    return x;\n  }\n}\n", "return (x) + 1;"),
    "csharp": ("class S {\n  public static string F(int x) {\n", '    return "" + x;\n  }\n', 'return ("" + x) + "x";'),
    "cpp": ("bool f(int x){\n", "    return x > 1;\n}\n", "return !(x > 1);"),
    "go": ("package main\n\nfunc F(x int) bool {\n", "\treturn x > 1\n}\n", "return !(x > 1)"),
    "rust": ("fn f(x: i32) -> i32{\n", "    x * 2\n}\n", "{ let v: i32 = (x * 2); v + 1 }"),
    "perl": ("sub f {\n", "    my $x = shift;\n    return $x * 2;\n}\n", "return do { my @v = ($x * 2);"),
}


ELIXIR_TESTS = "ExUnit.start()\ndefmodule T do\n  use ExUnit.Case\n  test 'f' do\n    assert {}\n  end\nend\n"
CHAINS = {
    "bash": (
        "f() {\n  if [ $1 = 0 ]; then echo true; else f $(($1 - 1)); fi\n}\n",
        "set -e\nt() {\n  [[ $(f 2) = true ]]\n}\nt\n",
        "set -e\nt() {\n  [[ $(f 2) = truex ]]\n}\nt\n",
    ),
    "elixir": (
        "defmodule M do\n  def f(0), do: true\n  def f(n), do: f(n - 1)\n  def g(n), do: f(n)\nend\n",
        ELIXIR_TESTS.format("M.f(2) and M.g(1)"),
        ELIXIR_TESTS.format("not M.f(2) and not M.g(1) and not M.f(0)"),
    ),
    "r": ("f <- function(n) if (n == 0) TRUE else f(n - 1)\n", "stopifnot(f(2))\n", "stopifnot(!f(2), !f(1))\n"),
    "tcl": (
        "proc f {n} {\n  if {$n == 0} { return true }\n  return [f [expr {$n - 1}]]\n}\n",
        'if {[f 2] ne "true"} { error "Assertion failed" }\n',
        'if {[f 2] ne "truex" || [f 1] ne "truex"} { error "Assertion failed" }\n',
    ),
}


@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", CHAINS)
def test_a_result_changes_once_however_often_the_function_calls_itself(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], language_id: str
) -> None:
    need_toolchain(language_id)
    solution, tests, tests_of_changed = CHAINS[language_id]
    text = changed(problem(solution, language_id=language_id, prompt="", tests=tests)).text
    for source, checks, verdict in (
        (solution, tests, Verdict.PASS),
        (text, tests, Verdict.FAIL_ASSERT),
        (text, tests_of_changed, Verdict.PASS),
    ):
        execution = warm_sandbox.run(ExecutionRequest(source=source, tests=checks, language_id=language_id))
        assert execution.verdict == verdict, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"


HASKELL_TYPES = {
    "Bool": ("n > 1", "False"),
    "Int": ("n", "3"),
    "Double": ("fromIntegral n", "3.77"),
    "[Char]": ("'a' : show n", '"a2x"'),
    "Char": ("'x'", "'y'"),
    "[[Int]]": ("[[n]]", "[]"),
    "Maybe Int": ("Just n", "Nothing"),
}
HASKELL_FORMS = {
    "f 0 = 0\nf n = n\n": 2,
    "f n\n  | even n = n\n  | otherwise = 1\n": 2,
    "f n = case n of 0 -> 0\n                _ -> let a = n\n                         b = 1 in a * b\n": 1,
    "f n = go n where\n  go m = m\n": 1,
    "f 0 = 0\nf n = 1 + f (n - 1)\n": 1,
}
"""Each gives back its argument, from so many places."""


def changed_haskell(name: str, return_type: str, head: str, solution: str) -> tuple[str, str]:
    """A changed function with its signature and head, and what was changed."""
    prompt = f"{name} :: Int -> {return_type}\n{head}"
    mutation = changed(
        problem(solution, language_id="haskell", prompt=prompt, entry_point=name, tests="main = pure ()\n")
    )
    return prompt + mutation.text, mutation.how


@pytest.mark.toolchain
def test_haskell_changes_by_the_declared_type_at_every_right_hand_side_and_keeps_its_layout(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain("haskell")
    source, checks = "module Main where\n", []
    for number, (return_type, (value, wrong)) in enumerate(HASKELL_TYPES.items()):
        name = f"typed{number}"
        source += changed_haskell(name, return_type, f"{name} n =", f"  {value}\n")[0]
        checks.append(f"{name} 2 == {wrong}")
    for name, (solution, count) in zip("pqrst", HASKELL_FORMS.items(), strict=True):
        text, how = changed_haskell(name, "Int", "", re.sub(r"\bf\b", name, solution))
        assert how.startswith(f"{count} returned value(s) of type Int")
        source += text
        checks.append(f"{name} 2 /= 2")
    tests = f'main :: IO ()\nmain = if and [{", ".join(checks)}] then pure () else error "Test failed"\n'
    execution = warm_sandbox.run(ExecutionRequest(source=source, tests=tests, language_id="haskell"))
    assert execution.verdict is Verdict.PASS, f"{execution.detail}\n{execution.stderr}\n{source}"


def test_a_function_of_haskell_without_arguments_is_changed_as_a_whole() -> None:
    text, how = changed_haskell("f", "Int", "", "f = \\n -> n\n")
    assert how == "1 returned value(s) of type Int -> Int changed"
    assert "asTypeOf" in text


FORTRAN = {
    "    logical function f(n)\n": (
        (
            "    integer, intent(in) :: n\n    f = .true. ! return\n    if (n > 1) return\n    f = .false.\n"
            "    end function f\n"
        ),
        "f(2) .or. .not. f(1)",
        "",
    ),
    "function f(n) result(value)\n": (
        (
            "integer, intent(in) :: n\nreal :: value(2)\nvalue = n + g(n)\nend function\n\n"
            "integer function g(n)\ninteger, intent(in) :: n\ng = 0\nif (n == 0) then\n return\nend if\nend function\n"
        ),
        "any(f(2) < 3.7)",
        "",
    ),
    "! f gives back two\nsubroutine f(n, twice, words)\n": (
        (
            "integer, intent(in) :: n\ninteger, intent(out) :: twice(1)\ncharacter(len=3), intent(inout) :: words\n"
            "twice = 2 * n\nwords = 'abc'\nend\n"
        ),
        "is_right()",
        (
            "logical function is_right()\ninteger :: one(1)\ncharacter(len=3) :: words\ncall f(2, one, words)\n"
            "is_right = one(1) == 4 .or. words == 'abc'\nend function\n"
        ),
    ),
}
"""By prompt: an answer, what is false only once all its results are others, and a function for that."""


@pytest.mark.toolchain
@pytest.mark.parametrize("prompt", FORTRAN, ids=["its own name", "another name", "arguments"])
def test_what_the_variables_of_fortran_hold_in_the_end_changes_wherever_a_function_is_left(
    prompt: str, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain("fortran")
    solution, is_unchanged, checking = FORTRAN[prompt]
    ending = f"contains\n{checking}include 'main.f90'\nend program\n"
    tests = f"program main\nif ({is_unchanged}) error stop 'Assertion failed'\n{ending}"
    text = changed(problem(solution, language_id="fortran", prompt=prompt, tests=tests)).text
    for answer, verdict in ((solution, Verdict.FAIL_ASSERT), (text, Verdict.PASS)):
        execution = warm_sandbox.run(ExecutionRequest(source=prompt + answer, tests=tests, language_id="fortran"))
        assert execution.verdict is verdict, f"{execution.detail}\n{execution.stderr}\n{answer}"


@pytest.mark.parametrize("answer", ["n = 1\nend subroutine\n", "n = 1\n"])
def test_an_answer_of_fortran_that_says_of_nothing_that_it_is_a_result_is_left_out(answer: str) -> None:
    assert changed(problem(answer, language_id="fortran", prompt="subroutine f(n)\n")).text == ""


@pytest.mark.parametrize("language_id", EXAMPLES)
def test_values_of_typed_languages_change_by_the_declared_type(language_id: str) -> None:
    prompt, solution, expected = EXAMPLES[language_id]
    mutation = changed(problem(solution, language_id=language_id, prompt=prompt, entry_point=None, tests="}"))
    assert expected in mutation.text
    assert mutation.text != solution


@pytest.mark.parametrize(
    ("solution", "count"),
    [
        ("  x * 2\nend\n", 1),
        ("  return 1, 2\nend\n", 1),
        ("  if x\n    1\n  else\n    2\n  end\nend\n", 2),
        ("  if x\n    return 1\n  else\n    2\n  end\nend\n", 2),
        ("  case x\n  when 1 then 2\n  else 3\n  end\nend\n", 2),
        ("  return 1 if x\n  [1].map { |y| y }\nend\n", 2),
        ("  while x\n    x -= 1\n  end\nend\n", 0),
    ],
)
def test_ruby_returns_its_last_expressions_too(solution: str, count: int) -> None:
    mutation = changed(problem(solution, language_id="ruby", prompt="def f(x)\n", tests="raise if f(1)\n"))
    assert mutation.text.count(".is_a?(Numeric)") == count


def test_arrow_functions_with_an_expression_change() -> None:
    for language_id in ("javascript", "typescript"):
        mutation = changed(problem("const f = x => x + 1;\n", language_id=language_id, prompt="", tests="f(1);"))
        assert mutation.text.endswith("(((x + 1))));\n") or mutation.text.endswith("(((x + 1)));\n")


def test_the_declared_type_is_put_into_the_code_without_line_breaks() -> None:
    prompt = "vector<vector<\n    int>> f(int x){\n"
    mutation = changed(problem("    return {};\n}\n", language_id="cpp", prompt=prompt))
    assert "[&]() -> vector<vector< int>> { vector<vector< int>> v = {}; if (v.empty())" in mutation.text


@pytest.mark.parametrize("language", spec.all_languages(), ids=lambda language: language.id)
def test_every_language_says_how_other_values_are_returned(language: Language) -> None:
    assert language.wrong_values or language.wrong_result or language.wrong_variables


CHANGEABLE = [language for language in spec.all_languages() if language.wrong_values]


def probe(language: Language) -> Problem:
    """The passing probe of a language, as a problem whose answer is the whole program."""
    source = language.probes[Verdict.PASS].source
    return problem(source, language_id=language.id, prompt="", entry_point=None, tests=language.probe_tests)


@pytest.mark.parametrize("language", CHANGEABLE, ids=lambda language: language.id)
def test_the_passing_probe_of_every_language_has_a_value_to_change(language: Language) -> None:
    mutation = changed(probe(language))
    assert mutation.how.startswith("1 returned value(s)")
    assert mutation.text not in {"", language.probes[Verdict.PASS].source}


@pytest.mark.toolchain
@pytest.mark.parametrize("language", CHANGEABLE, ids=lambda language: language.id)
def test_a_probe_that_returns_another_value_fails_its_assertions(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], language: Language
) -> None:
    need_toolchain(language.id)
    request = ExecutionRequest(
        source=changed(probe(language)).text, tests=language.probe_tests, language_id=language.id
    )
    execution = warm_sandbox.run(request)
    assert execution.verdict == Verdict.FAIL_ASSERT, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"


@pytest.mark.parametrize("language_id", TASKS)
def test_extraction_leaves_the_change_in_the_answer(language_id: str) -> None:
    found, language = problem_of(language_id), spec.get(language_id)
    mutation = mutate(found, language)
    programs = [
        extract_program(found, text, FinishReason.STOP, language).source
        for answer in (found.canonical_solution or "", mutation.text)
        for text in (answer, fenced(found.prompt + answer, language_id))
    ]
    assert None not in programs
    assert not {*programs[:2]} & {*programs[2:]}, mutation.how
