"""Whole programs: those that the parser cannot read are kept, and the prose around any is not."""

import pytest

from codeglot.data.format import fenced
from codeglot.generate.extract import extract_program
from codeglot.languages import spec
from codeglot.records import FinishReason, Problem

IO = "#include <stdio.h>\n"
STD = "#include <bits/stdc++.h>\nusing namespace std;\n"
PRINT = 'printf("%d\\n", '
UNREADABLE = {
    "loop": (
        "c",
        (
            f"{IO}#define LOOP(i, n) for (int i = 0; i < n; i++)\nint main(void) {{\n    int s = 0;\n"
            f"    LOOP(i, 3) s++;\n    {PRINT}s);\n    return 0;\n}}\n"
        ),
    ),
    "specifier": (
        "c",
        (
            f"{IO}#define API static inline\nAPI int f(void) {{ return 3; }}\n"
            f"int main(void) {{ {PRINT}f()); return 0; }}\n"
        ),
    ),
    "branches across braces": (
        "c",
        (
            f"{IO}int main(void) {{\n#ifdef X\n    if (1) {{\n#else\n    if (2) {{\n#endif\n"
            '        puts("3");\n    }\n    return 0;\n}\n'
        ),
    ),
    "rep": (
        "cpp",
        (
            f"{STD}#define rep(i, n) for (int i = 0; i < (n); ++i)\nint main() {{\n    int s = 0;\n"
            "    rep(i, 3) s++;\n    cout << s << endl;\n}\n"
        ),
    ),
    "helper": (
        "cpp",
        (
            f"{STD}#define FOR(i, a, b) for (int i = (a); i < (b); ++i)\ntypedef long long ll;\n"
            "ll solve(int n) { ll s = 0; FOR(i, 0, n) { s++; } return s; }\n"
            "int main() { cout << solve(3) << endl; }\n"
        ),
    ),
}


def printing(language_id: str, entry_point: str | None = None) -> Problem:
    return Problem(
        task_id="t",
        benchmark="b",
        language_id=language_id,
        prompt="Print 3.",
        prompt_is_code=False,
        entry_point=entry_point,
        expected_output="3",
    )


def source(problem: Problem, text: str, reason: FinishReason = FinishReason.STOP) -> str | None:
    return extract_program(problem, text, reason, spec.get(problem.language_id)).source


@pytest.mark.parametrize("entry_point", [None, "main"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_program_with_macros_is_kept_to_the_letter(name: str, entry_point: str | None) -> None:
    language_id, program = UNREADABLE[name]
    problem = printing(language_id, entry_point)
    assert source(problem, program) == program
    assert source(problem, f"Sure!\n{fenced(program, language_id)}\nIt prints the number.\n") == program


@pytest.mark.parametrize("name", UNREADABLE)
def test_prose_around_a_program_with_macros_is_left_out(name: str) -> None:
    language_id, program = UNREADABLE[name]
    text = f"Here is the program:\n\n{program}\nIt prints the number three.\n"
    assert source(printing(language_id), text) == program


def test_what_stands_behind_a_program_that_can_be_read_is_left_out() -> None:
    program = "print(3)\n"
    problem = printing("python")
    for behind, reason in (("This prints the number 3, that's all.\n", None), ("def again(", FinishReason.LENGTH)):
        assert (source(problem, f"{program}\n{behind}", reason or FinishReason.STOP) or "").strip() == program.strip()


PROMPT = "#include <vector>\nusing namespace std;\n\nbool close(vector<float> xs, float t) {\n"
MACROS = (
    "#include <cmath>\n#define rep(i, a, b) for (int i = (a); i < (b); ++i)\n"
    "static bool pair(const vector<float>& v, float t) {\n    int n = v.size();\n"
    "    rep(i, 0, n) rep(j, i + 1, n) if (fabs(v[i] - v[j]) < t) return true;\n    return false;\n}\n"
    "bool close(vector<float> xs, float t) {\n    return pair(xs, t);\n}\n"
)
TESTED = Problem(
    task_id="t",
    benchmark="b",
    language_id="cpp",
    prompt=PROMPT,
    entry_point="close",
    tests="#include <cassert>\nint main() {\n    assert(close({1, 1}, 1));\n}\n",
)


def test_a_helper_with_macros_stays_before_the_function_and_what_the_prompt_imports_is_put_back() -> None:
    found = source(TESTED, f"Here it is:\n\n{fenced(MACROS, 'cpp')}\n") or ""
    assert found.endswith(MACROS.partition("\n")[2])
    assert set(found.splitlines()) == {*PROMPT.splitlines()[:2], *MACROS.splitlines()}


def test_what_the_tests_define_leaves_a_program_with_macros_too() -> None:
    found = source(TESTED, fenced(f"{MACROS}\nint main() {{ return 0; }}\n", "cpp")) or ""
    assert "static bool pair" in found
    assert "main" not in found


@pytest.mark.parametrize("tag", ["own", ""])
@pytest.mark.parametrize("opener", ["Sure!\n", "Answer:\n", "Sure, here you go!\n\n### Solution\n\n"])
@pytest.mark.parametrize("language", spec.all_languages(), ids=lambda language: language.id)
def test_a_fenced_program_goes_before_the_words_that_lead_to_it(language: spec.Language, opener: str, tag: str) -> None:
    program = f"{language.syntax.opening}\none = 1\nprint(one)\n".lstrip()
    text = f"{opener}{fenced(program, language.id if tag else '')}\n"
    assert source(printing(language.id), text) == program


@pytest.mark.parametrize("language_id", ["python", "ruby", "bash", "perl"])
def test_a_program_goes_before_a_fence_that_only_closes_it(language_id: str) -> None:
    assert source(printing(language_id), "one=1\n```\n\nIt is one.\n") == "one=1\n"


@pytest.mark.parametrize("language_id", ["c", "javascript", "perl", "python"])
@pytest.mark.parametrize("unit", ["/* a\n", "x=1\n", "{(\n"])
def test_a_text_of_any_length_is_kept_as_it_is(language_id: str, unit: str) -> None:
    text = unit * (60_000 // len(unit))
    for program in (text, text * 10):
        found = source(printing(language_id), program) or ""
        assert found.startswith(program)


@pytest.mark.parametrize("language_id", ["c", "javascript", "perl", "python"])
def test_a_long_answer_is_taken_out_of_its_fence_and_behind_its_prompt(language_id: str) -> None:
    program = "one = 1\n" * 20_000
    assert source(printing(language_id), f"Sure!\n{fenced(program, language_id)}\n") == program
    problem = printing(language_id).model_copy(update={"prompt": "zero = 0\n", "prompt_is_code": True})
    assert source(problem, program) == "zero = 0\n" + program
