import importlib
import re
from pathlib import Path

import pytest

from codeglot.errors import ConfigError, UnknownNameError
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Verdict

LANGUAGES = spec.all_languages()
PROBES = {
    Verdict.PASS,
    Verdict.FAIL_ASSERT,
    Verdict.COMPILE_ERROR,
    Verdict.RUNTIME_ERROR,
    Verdict.TIMEOUT_CPU,
    Verdict.MEMORY,
    Verdict.OUTPUT_LIMIT,
    Verdict.EARLY_EXIT,
}
SMALL = """
name = "Small"
aliases = ["sm"]
source = "main.sm"
run = ["small", "/box/{source}"]
version = ["small", "--version"]
comment = "#"
probe_tests = "check"
probes = { pass = { source = "a" }, fail_assert = { source = "b" } }
"""
JUMPING = "leave = '(x)', jump = '', end = 'x', label = '', change = ''"
AROUND = "before = '-(', after = ')'"


def read(tmp_path: Path, **specs: str) -> tuple[Language, ...]:
    for name, text in specs.items():
        (tmp_path / f"{name}.toml").write_text(text)
    return spec.read_languages(tmp_path)


def first_rule(language: Language, text: str, *, step: str = "run", status: int = 1) -> Verdict | None:
    rules = (
        rule
        for rule in language.errors
        if rule.step == step and status == (status if rule.status is None and status else rule.status)
    )
    return next((rule.verdict for rule in rules if re.search(rule.pattern, text, re.MULTILINE)), None)


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.id)
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.param
    return found


def test_languages_are_known_in_the_order_of_their_ids() -> None:
    ids = "bash c cpp csharp d fortran go haskell java javascript lua ocaml perl php python r ruby rust tcl typescript"
    found = [language.id for language in LANGUAGES]
    assert [language_id for language_id in found if language_id in ids.split()] == ids.split()
    assert found == sorted(found)


def test_a_language_is_found_by_every_spelling_in_any_case(language: Language) -> None:
    for spelling in (language.id, language.name, *language.aliases):
        assert spec.get(spelling) is language
        assert spec.get(f" {spelling.upper()} ") is language


def test_an_unknown_language_is_an_error_that_suggests_one() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown language 'rustt'\. Did you mean 'rust'\?"):
        spec.get("rustt")


def test_aliases_add_to_id_and_name(language: Language) -> None:
    assert len(set(language.aliases)) == len(language.aliases)
    assert not {language.id, language.name.lower()} & set(language.aliases)


@pytest.mark.parametrize(
    ("spelling", "language_id"),
    [
        ("c++", "cpp"),
        ("cxx", "cpp"),
        ("hpp", "cpp"),
        ("c#", "csharp"),
        ("cs", "csharp"),
        ("dotnet", "csharp"),
        ("js", "javascript"),
        ("jsx", "javascript"),
        ("node", "javascript"),
        ("mjs", "javascript"),
        ("ts", "typescript"),
        ("py", "python"),
        ("python3", "python"),
        ("ipython", "python"),
        ("rs", "rust"),
        ("golang", "go"),
        ("rb", "ruby"),
        ("pl", "perl"),
        ("h", "c"),
        ("c11", "c"),
        ("sh", "bash"),
        ("shell", "bash"),
        ("R", "r"),
        ("rscript", "r"),
        ("hs", "haskell"),
        ("ml", "ocaml"),
        ("dlang", "d"),
        ("f90", "fortran"),
        ("tclsh", "tcl"),
        ("kt", "kotlin"),
        ("rkt", "racket"),
        ("exs", "elixir"),
        ("jl", "julia"),
        ("lisp", "common_lisp"),
        ("Common Lisp", "common_lisp"),
        ("scm", "scheme"),
        ("coffee", "coffeescript"),
        ("elisp", "emacs_lisp"),
        ("Emacs Lisp", "emacs_lisp"),
        ("vim", "vimscript"),
        ("VimScript", "vimscript"),
    ],
)
def test_the_spellings_of_data_sets_and_fences_are_known(spelling: str, language_id: str) -> None:
    assert spec.get(spelling).id == language_id


@pytest.mark.parametrize("spelling", ["text", "json", "diff", "sml", "awk"])
def test_a_language_we_do_not_judge_is_never_taken_for_one_we_do(spelling: str) -> None:
    with pytest.raises(UnknownNameError):
        spec.get(spelling)


def test_every_verdict_that_a_program_can_earn_has_a_probe(language: Language) -> None:
    assert language.probes.keys() >= PROBES


def test_a_program_with_tests_says_that_it_reached_their_end(language: Language) -> None:
    recipe = language.recipe(language.probe_tests)
    assert any("{nonce}" in text for text in (recipe.epilogue, *recipe.files.values()))
    assert recipe.run


def test_the_program_is_named_in_full(language: Language) -> None:
    commands = [command for recipe in (language, *language.forms) for command in (recipe.compile, recipe.run)]
    assert not [word for command in commands for word in command if word.startswith("{source}")]


def test_npm_packages_are_pinned(language: Language) -> None:
    assert all(re.fullmatch(r"(@[\w-]+/)?[\w-]+@\d+\.\d+\.\d+", package) for package in language.packages.npm)


def test_the_grammar_exists(language: Language) -> None:
    if language.grammar is None:
        pytest.skip(f"{language.name} has no grammar package")
    module, _, function = language.grammar.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_an_answer_has_an_end(language: Language) -> None:
    assert "\n```" in language.stop


def test_a_form_inherits_what_it_leaves_empty() -> None:
    language = spec.get("java")
    form = language.recipe("class Main {}")
    assert form.compile == language.compile
    assert form.run[-1] == "Start"
    assert language.recipe("  \n").run[-1] == "Main"


def test_the_first_form_whose_pattern_is_found_is_taken() -> None:
    forms = (spec.TestForm(when="^test", epilogue="one"), spec.TestForm(when="test", epilogue="two"))
    language = spec.get("lua").model_copy(update={"forms": forms})
    assert language.recipe("a\ntest").epilogue == "one"
    assert language.recipe("a test").epilogue == "two"
    assert language.recipe("other").epilogue == language.epilogue


def test_go_tests_are_run_by_the_test_runner_and_a_main_is_called() -> None:
    go = spec.get("go")
    runner = go.recipe("package main\n\nfunc TestOne(t *testing.T) {}")
    assert (runner.compile[-2:], runner.tests_file) == (("test", "main_test.go"), "main_test.go")
    main = go.recipe("\nfunc main() {}")
    assert (main.compile[-1], main.tests_file) == ("main", None)
    assert go.recipe("").compile[-1] == "plain"


def test_rust_tests_are_run_by_the_test_runner_and_a_main_is_called() -> None:
    rust = spec.get("rust")
    assert "--test" in rust.recipe("#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n}").compile
    assert "--test" not in rust.recipe("fn main() {}").compile


PARSED = '  File "/box/main.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
EVALUATED = 'Traceback (most recent call last):\n  File "/box/main.py", line 2, in <module>\n' + PARSED
JS_PARSED = """/box/main.js:1
let (

SyntaxError: Unexpected end of input
    at wrapSafe (node:internal/modules/cjs/loader:1464:18)
"""
JS_READ = """undefined:1
{

SyntaxError: Unexpected end of JSON input
    at JSON.parse (<anonymous>)
    at Object.<anonymous> (/box/main.js:1:6)
"""
GO_PANIC = "--- FAIL: TestOne (0.00s)\npanic: runtime error: index out of range [2] with length 0 [recovered]\n"


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("python", PARSED, Verdict.COMPILE_ERROR),
        ("python", f"/box/main.py:1: SyntaxWarning: odd\n{PARSED}", Verdict.COMPILE_ERROR),
        ("python", EVALUATED, None),
        ("python", "Traceback (most recent call last):\nAssertionError: got 3", Verdict.FAIL_ASSERT),
        ("python", "Traceback (most recent call last):\nValueError: AssertionError", None),
        ("javascript", JS_PARSED, Verdict.COMPILE_ERROR),
        ("javascript", JS_READ, None),
        ("javascript", "AssertionError [ERR_ASSERTION]: Assertion failed: \n    at main", Verdict.FAIL_ASSERT),
        ("typescript", "AssertionError [ERR_ASSERTION]: Exception --- test case 0 failed to pass", Verdict.FAIL_ASSERT),
        ("java", 'Exception in thread "main" java.lang.AssertionError\n\tat Main.main', Verdict.FAIL_ASSERT),
        ("java", "java.lang.Exception: Exception -- test case 0 did not pass. x0 = 9", Verdict.FAIL_ASSERT),
        ("java", "java.lang.OutOfMemoryError: unable to create native thread", Verdict.RESOURCE_DENIED),
        ("java", "java.lang.OutOfMemoryError: Java heap space", Verdict.MEMORY),
        ("cpp", "main: /box/main.cpp:6: int main(): Assertion `f(2) == 4' failed.", Verdict.FAIL_ASSERT),
        ("cpp", "  what():  Exception -- test case 0 did not pass.", Verdict.FAIL_ASSERT),
        ("csharp", "System.Exception: Exception --- test case 0 failed to pass", Verdict.FAIL_ASSERT),
        ("ruby", "/box/main.rb:3: syntax error, unexpected `end', expecting ')'", Verdict.COMPILE_ERROR),
        ("ruby", "/box/main.rb:3:in `eval': (eval):1: syntax error (SyntaxError)", None),
        ("ruby", "/box/main.rb:5:in `<main>': Error at test case 2 (StandardError)", Verdict.FAIL_ASSERT),
        ("lua", "lua5.4: /box/main.lua:2: ')' expected near 'return'", Verdict.COMPILE_ERROR),
        ("lua", "lua5.4: /box/main.lua:2: no\nstack traceback:\n\t/box/main.lua:2: in main chunk\n\t[C]: in ?", None),
        ("php", "PHP Parse error:  syntax error, unexpected end of file in /box/main.php", Verdict.COMPILE_ERROR),
        ("php", "Fatal error: Uncaught TypeError: f(): Argument #1", None),
        (
            "php",
            "Fatal error: Uncaught Exception: Error at 1th assert statement. in /box/main.php:6",
            Verdict.FAIL_ASSERT,
        ),
        ("go", GO_PANIC, Verdict.RUNTIME_ERROR),
        ("go", "--- FAIL: TestOne (0.00s)\n    main_test.go:7: f(2) is 3", Verdict.FAIL_ASSERT),
        ("go", "panic: Exception --- test case 0 failed to pass", Verdict.FAIL_ASSERT),
        ("rust", "thread 'tests::one' panicked at 'assertion failed: `(left == right)`", Verdict.FAIL_ASSERT),
        (
            "rust",
            "thread 'tests::one' panicked at /box/main.rs:8:9:\nassertion `left == right` failed",
            Verdict.FAIL_ASSERT,
        ),
        ("rust", "thread 'tests::one' panicked at 'index out of bounds: the len is 0'", None),
    ],
)
def test_what_runtimes_print_is_understood(name: str, text: str, verdict: Verdict | None) -> None:
    assert first_rule(spec.get(name), text) == verdict


R_PARSED = """Error: unexpected symbol in:
"
f y"
Execution halted
"""


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("c", "main: /box/main.c:6: main: Assertion `f(2) == 4' failed.\n", Verdict.FAIL_ASSERT),
        ("c", "Cannot allocate memory\n", Verdict.MEMORY),
        ("bash", "", Verdict.FAIL_ASSERT),
        ("bash", "/box/main.sh: line 3: frobnicate: command not found\n", Verdict.RUNTIME_ERROR),
        ("bash", "/box/main.sh: eval: line 4: syntax error: unexpected end of file", Verdict.RUNTIME_ERROR),
        ("r", R_PARSED, Verdict.COMPILE_ERROR),
        ("r", 'Error: \'\\d\' is an unrecognized escape in character string starting ""\\d"', Verdict.COMPILE_ERROR),
        ("r", 'Error in parse(text = "a b") : <text>:1:3: unexpected symbol', None),
        ("r", "Error: unexpected input", None),
        ("r", "Error in test() : f(2) == 4 is not TRUE\nCalls: test -> stopifnot", Verdict.FAIL_ASSERT),
        ("r", "Error: cannot allocate vector of size 74.5 Gb", Verdict.MEMORY),
        ("haskell", "main: assertion failed\nCallStack (from HasCallStack):", Verdict.FAIL_ASSERT),
        ("haskell", "main: Prelude.head: empty list", None),
        ("haskell", "main: internal error: Unable to commit 1048576 bytes of memory", Verdict.MEMORY),
        (
            "ocaml",
            'Fatal error: exception File "/box/main.ml", line 4, characters 2-8: Assertion failed',
            Verdict.FAIL_ASSERT,
        ),
        ("ocaml", 'Fatal error: exception Failure("Assertion failed")', None),
        ("ocaml", "Fatal error: exception Out of memory", Verdict.MEMORY),
        ("d", "core.exception.AssertError@/box/main.d(3): Assertion failure", Verdict.FAIL_ASSERT),
        ("d", "core.exception.RangeError@/box/main.d(1): Range violation", None),
        ("fortran", "ERROR STOP Assertion failed\n", Verdict.FAIL_ASSERT),
        ("fortran", "Fortran runtime error: End of file\n", Verdict.RUNTIME_ERROR),
        ("tcl", 'missing close-brace\n    while executing\n"proc"', Verdict.COMPILE_ERROR),
        ("tcl", "unmatched open brace in list\n    while executing", Verdict.RUNTIME_ERROR),
    ],
)
def test_what_further_runtimes_print_is_understood(name: str, text: str, verdict: Verdict | None) -> None:
    assert first_rule(spec.get(name), text) == verdict


SCALA = 'Exception in thread "main" java.lang.'
EXUNIT = "  1) test twice (T)\n     /box/main.exs:10\n     "
RACKUNIT = "--------------------\n{}\nname:       check-equal?\nlocation:   /box/main.rkt:7:4\n"
LISP = "Debugger entered--Lisp error: "
ERT = "Test a condition:\n    ({}\n     ((should\n       (equal 4 5))\n      :form\n      (equal 4 5)))\n"
JULIA = "ERROR: LoadError: "


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("scala", f"{SCALA}AssertionError: assertion failed: Exception -- test case 0", Verdict.FAIL_ASSERT),
        ("scala", f"{SCALA}ExceptionInInitializerError\nCaused by: java.lang.AssertionError", Verdict.FAIL_ASSERT),
        ("scala", f"{SCALA}OutOfMemoryError: unable to create native thread", Verdict.RESOURCE_DENIED),
        ("scala", "no object has a main method\n", Verdict.NO_TESTS_RAN),
        ("kotlin", 'Exception in thread "main" java.lang.Exception: Exception -- test case 0', Verdict.FAIL_ASSERT),
        ("kotlin", f"{SCALA}IllegalStateException: Check failed.", None),
        ("racket", "not expanded: /box/main.rkt:3:7: m: unbound identifier", Verdict.COMPILE_ERROR),
        ("racket", RACKUNIT.format("FAILURE") + "actual:     9\nexpected:   6\n", Verdict.FAIL_ASSERT),
        ("racket", RACKUNIT.format("ERROR") + "\ncar: contract violation\n", Verdict.RUNTIME_ERROR),
        ("racket", "no checks ran\n", Verdict.NO_TESTS_RAN),
        ("scheme", "not compiled: /box/main.scm:2:1: unexpected end of input", Verdict.COMPILE_ERROR),
        ("scheme", "/box/main.scm:5: FAIL twice\n", Verdict.FAIL_ASSERT),
        ("elixir", f"{EXUNIT}Assertion with == failed", Verdict.FAIL_ASSERT),
        ("elixir", f"{EXUNIT}** (ArithmeticError) bad argument in arithmetic expression", Verdict.RUNTIME_ERROR),
        ("elixir", "** (CompileError) /box/main.exs:3: undefined function m/0", Verdict.COMPILE_ERROR),
        ("elixir", f"{EXUNIT}** (TokenMissingError) nofile:1:3: incomplete", Verdict.RUNTIME_ERROR),
        ("elixir", 'eheap_alloc: Cannot allocate 24 bytes of memory (of type "heap").', Verdict.MEMORY),
        (
            "common_lisp",
            "Unhandled simple-error: The assertion (= (F 2) 4) failed with (F 2) = 3.",
            Verdict.FAIL_ASSERT,
        ),
        ("common_lisp", "Unhandled sb-c::input-error-in-load: READ error during LOAD: \n", Verdict.COMPILE_ERROR),
        ("common_lisp", "Unhandled end-of-file: end of file on #<STRING-INPUT-STREAM>", Verdict.RUNTIME_ERROR),
        ("emacs_lisp", f"{LISP}(cl-assertion-failed (= (f 2) 4))", Verdict.FAIL_ASSERT),
        ("emacs_lisp", ERT.format("ert-test-failed"), Verdict.FAIL_ASSERT),
        ("emacs_lisp", ERT.format("void-variable m)"), Verdict.RUNTIME_ERROR),
        ("emacs_lisp", f'{LISP}(end-of-file "/box/main.el")\n  read(#<buffer  *load*>)', Verdict.COMPILE_ERROR),
        ("emacs_lisp", f'{LISP}(end-of-file "/box/main.el")\n  read("(1")', Verdict.RUNTIME_ERROR),
        ("vimscript", "Vim(function):E126: Missing :endfunction", Verdict.COMPILE_ERROR),
        ("vimscript", "Vim(return):E121: Undefined variable: a:m", Verdict.RUNTIME_ERROR),
        ("vimscript", "assert: main.vim line 4: Expected 6 but got 4", Verdict.FAIL_ASSERT),
        ("vimscript", "quit with status 1", Verdict.FAIL_ASSERT),
        ("coffeescript", "/box/main.js:9\n      throw new AssertionError(message);\n\nError\n", Verdict.FAIL_ASSERT),
        ("coffeescript", "TypeError: f is not a function", None),
        ("julia", f"{JULIA}AssertionError: f(2) == 4", Verdict.FAIL_ASSERT),
        ("julia", "test set: Test Failed at /box/main.jl:8\n  Expression: f(2) == 4\n", Verdict.FAIL_ASSERT),
        ("julia", f"{JULIA}ParseError:\n# Error @ /box/main.jl:2:9\n", Verdict.COMPILE_ERROR),
        ("julia", f"{JULIA}syntax: incomplete: premature end of input", Verdict.COMPILE_ERROR),
        ("julia", f"{JULIA}ParseError:\n# Error @ none:1:4\n", None),
        ("swift", "main/main.swift:5: Assertion failed: Exception -- test case 0", Verdict.FAIL_ASSERT),
        ("swift", "Swift/ContiguousArrayBuffer.swift:600: Fatal error: Index out of range", None),
    ],
)
def test_what_runtimes_of_tests_print_is_understood(name: str, text: str, verdict: Verdict | None) -> None:
    assert first_rule(spec.get(name), text) == verdict


def test_a_failed_assertion_of_vim_counts_although_it_ends_well() -> None:
    assert first_rule(spec.get("vimscript"), "assert: Expected 6 but got 4", status=0) == Verdict.FAIL_ASSERT


def test_tests_of_emacs_are_run_by_its_test_runner() -> None:
    emacs = spec.get("emacs_lisp")
    assert "ert-run-tests-batch" in emacs.recipe("(ert-deftest a ()\n  (should t))").epilogue
    assert "ert-run-tests-batch" not in emacs.recipe(emacs.probe_tests).epilogue


def test_a_parser_of_bash_ends_with_a_status_of_its_own() -> None:
    text = "/box/main.sh: line 4: syntax error near unexpected token `}'"
    assert first_rule(spec.get("bash"), text, status=2) == Verdict.COMPILE_ERROR


def test_a_stop_in_a_check_of_fortran_is_a_failed_assertion() -> None:
    assert first_rule(spec.get("fortran"), " Assertion failed!\n", status=0) == Verdict.FAIL_ASSERT


def test_tests_of_fortran_may_hold_the_program() -> None:
    fortran = spec.get("fortran")
    tests = "program main\ncontains\n  include 'main.f90'\nend program main\n"
    assert fortran.recipe(tests).tests_file == "tests.f90"
    assert fortran.recipe(fortran.probe_tests).tests_file is None


def test_unit_tests_of_d_are_run_and_a_main_is_called() -> None:
    d = spec.get("d")
    assert "-unittest" in d.recipe(" unittest\n{\n    assert(f(2) == 4);\n}\nvoid main(){}").compile
    assert "-unittest" not in d.recipe("void main() { assert(f(2) == 4); }").compile


def test_a_rust_runner_without_tests_is_no_success() -> None:
    assert first_rule(spec.get("rust"), "\nrunning 0 tests\n", status=0) == Verdict.NO_TESTS_RAN


def test_a_specification_needs_no_code(tmp_path: Path) -> None:
    (language,) = read(tmp_path, small=SMALL)
    assert (language.id, language.spellings) == ("small", frozenset({"small", "sm"}))
    assert language.recipe("check").run == ("small", "/box/{source}")


def test_two_languages_with_one_spelling_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'sm' means both other and small"):
        read(tmp_path, small=SMALL, other=SMALL.replace("Small", "Other"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("run = [", "runs = ["), "runs: unknown key; did you mean 'run'"),
        (('run = ["small", "/box/{source}"]', ""), "'run' is empty"),
        (('["sm"]', '["SM"]'), "write SM so"),
        (("fail_assert", "memory"), "probes lack fail_assert"),
        (("pass =", "passes ="), "probes.passes"),
        (("comment", "errors = [{ verdict = 'memory', pattern = '(' }]\ncomment"), r"'\(' is no regular expression"),
        (("comment", f"wrong_values = [{{ type = 'int', {AROUND} }}]\ncomment"), "end with one that has none"),
        (("comment", f"wrong_values = [{{ type = '(', {AROUND} }}, {{ {AROUND} }}]\ncomment"), "no regular expression"),
        (("comment", f"wrong_variables = {{ results = '(', {JUMPING} }}\ncomment"), "no regular expression"),
        (("name = ", "name "), "is not valid TOML"),
    ],
)
def test_a_malformed_specification_is_named_with_its_fault(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, small=SMALL.replace(*change))
    assert "small.toml" in str(error.value)
