"""Other values returned, in every language."""

from collections.abc import Callable
from typing import Any

import pytest

from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.generate.mutation import Mutation, mutate
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Problem, Verdict


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


CHAINS = {
    "bash": (
        "f() {\n  if [ $1 = 0 ]; then echo true; else f $(($1 - 1)); fi\n}\n",
        "set -e\nt() {\n  [[ $(f 2) = true ]]\n}\nt\n",
        "set -e\nt() {\n  [[ $(f 2) = truex ]]\n}\nt\n",
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
