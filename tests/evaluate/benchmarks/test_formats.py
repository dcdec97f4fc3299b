"""How the rows of each benchmark become programs, on rows made by hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.records import Problem


def load(folder: Path, name: str, file: str, row: dict[str, Any], **options: Any) -> Problem:
    (folder / file).write_text(json.dumps(row) + "\n")
    [problem] = load_problems(name, data=folder, split="all", **options)
    return problem


def program(problem: Problem) -> str:
    return f"{problem.prompt}{problem.canonical_solution}\n{problem.tests}"


def test_humaneval_calls_its_check(tmp_path: Path) -> None:
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
    }
    problem = load(tmp_path, "humaneval", "HumanEval.jsonl", row)
    assert (problem.language_id, problem.natural_language, problem.prompt_is_code) == ("python", "en", True)
    exec(program(problem), {})
    with pytest.raises(AssertionError):
        exec(program(problem.model_copy(update={"canonical_solution": "    return x\n"})), {})


MBPP: dict[str, Any] = {
    "task_id": 11,
    "text": "Join with a line\r\nbreak.",
    "code": "def join(a, b):\r\n    return a + '\\n' + b",
    "test_setup_code": "root = join('', '')",
    "test_list": ["assert join('a', 'b') == 'a\\nb'", "assert root == '\\n'"],
    "challenge_test_list": ["assert False"],
}


def test_mbpp_asks_by_a_docstring_that_is_valid_code(tmp_path: Path) -> None:
    problem = load(tmp_path, "mbpp", "mbpp.jsonl", MBPP)
    assert problem.task_id == "Mbpp/11"
    assert problem.entry_point == "join"
    assert problem.limits is None
    assert problem.prompt.startswith('r"""\nJoin with a line\nbreak.\nassert join(')
    scope: dict[str, Any] = {}
    exec(program(problem), scope)
    assert scope["__doc__"].strip().endswith(r"assert root == '\n'"), "the reader sees the assertions as they are"


def test_mbpp_runs_the_setup_after_the_answer_and_no_challenge_tests(tmp_path: Path) -> None:
    problem = load(tmp_path, "mbpp", "mbpp.jsonl", MBPP)
    assert problem.tests.splitlines() == [MBPP["test_setup_code"], *MBPP["test_list"]]


def test_the_slow_task_of_mbpp_has_limits_of_its_own(tmp_path: Path) -> None:
    problem = load(tmp_path, "mbpp", "mbpp.jsonl", MBPP | {"task_id": 123})
    assert problem.limits is not None
    assert problem.limits.cpu_s == 30


@pytest.mark.parametrize(
    ("assertion", "name"),
    [
        ("assert f(1) == 2", "f"),
        ("assert is_Diff (12345) == False", "is_Diff"),
        ("assert not f([1])", "f"),
        ("assert set(f((3, 4))) == set((4, 5))", "f"),
        ("assert math.isclose(f(10), 4188.79, rel_tol=0.001)", "f"),
        ("assert sum(10, 15) == 6", "sum"),
        ("assert (f(g(1))) == 3", "f"),
        ("assert x == 1", None),
        ("assert f(", None),
    ],
)
def test_the_function_under_test_is_read_from_the_first_assertion(
    tmp_path: Path, assertion: str, name: str | None
) -> None:
    problem = load(tmp_path, "mbpp", "mbpp.jsonl", MBPP | {"test_list": [assertion]})
    assert problem.entry_point == name


@pytest.mark.parametrize(
    "changes", [{"test_list": []}, {"test_list": None}, {"task_id": "x"}, {"test_list": "assert f()"}]
)
def test_a_row_of_mbpp_without_number_or_tests_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"mbpp\.jsonl, line 1: .*test_list"):
        load(tmp_path, "mbpp", "mbpp.jsonl", MBPP | changes)


@pytest.mark.parametrize(
    ("split", "numbers"),
    [
        ("prompt", [10]),
        ("test", [11, 510]),
        ("validation", [511, 600]),
        ("train", [601, 974]),
        (None, [11, 510]),
        ("all", [10, 11, 510, 511, 600, 601, 974]),
    ],
)
def test_splits_of_mbpp_go_by_number(tmp_path: Path, split: str | None, numbers: list[int]) -> None:
    rows = [MBPP | {"task_id": number} for number in (10, 11, 510, 511, 600, 601, 974)]
    (tmp_path / "mbpp.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    problems = load_problems("mbpp", data=tmp_path, split=split)
    assert [problem.task_id for problem in problems] == [f"Mbpp/{number}" for number in numbers]


def test_sanitized_mbpp_imports_before_its_assertions(tmp_path: Path) -> None:
    row = {
        "task_id": 82,
        "prompt": "Write a function.",
        "code": "def f(x):\n    return x",
        "test_imports": ["import math"],
        "test_list": ["assert math.isclose(f(1.0), 1.0)"],
    }
    problem = load(tmp_path, "sanitized_mbpp", "sanitized-mbpp.json", row)
    assert problem.task_id == "SanitizedMbpp/82"
    assert problem.tests == "import math\nassert math.isclose(f(1.0), 1.0)\n"
    exec(program(problem), {})


def x_row(language: str, **columns: Any) -> dict[str, Any]:
    return {"task_id": f"{language}/0", "prompt": "P ", "canonical_solution": "S", "test": "T"} | columns


@pytest.mark.parametrize(
    ("language_id", "file", "declaration", "entry_point"),
    [
        ("python", "python", "def f(x: int) -> int:\n", "f"),
        ("java", "java", "class Solution {\n    public List<String> f(int x) {\n", "f"),
        ("javascript", "js", "const f = (x) => {\n", "f"),
        ("cpp", "cpp", "#include<math.h>\nint help(int x){\n return x;\n}\nvector<int> f(int x){\n", "f"),
        ("cpp", "cpp", "int help(int x){\n for (int i=0;i<g(x);i++) {\n }\n}\nint f(int x){ \n", "f"),
    ],
)
def test_humaneval_x_is_prompt_answer_tests(
    tmp_path: Path, language_id: str, file: str, declaration: str, entry_point: str
) -> None:
    row = x_row(file, declaration=declaration)
    problem = load(tmp_path, "humaneval_x", f"humaneval_{file}.jsonl", row, languages=[language_id])
    assert (problem.language_id, problem.entry_point, program(problem)) == (language_id, entry_point, "P S\nT")


def test_rust_of_humaneval_x_declares_behind_the_prompt(tmp_path: Path) -> None:
    row = x_row("Rust", declaration="use md5;\nfn f(x: i32) -> bool{\n")
    problem = load(tmp_path, "humaneval_x", "humaneval_rust.jsonl", row, languages=["rust"])
    assert program(problem) == "P use md5;\nfn f(x: i32) -> bool{\nS\nT"
    assert problem.entry_point == "f"


@pytest.mark.parametrize(
    ("columns", "prompt"),
    [
        ({"import": ""}, "package main\n\nP "),
        (
            {"import": 'import (\n    "math"\n)\n', "prompt": 'import (\n    "math"\n)\nP '},
            'package main\n\nimport (\n    "math"\n)\nP ',
        ),
        ({"import": 'import (\n    "strconv"\n)'}, 'package main\n\nimport (\n    "strconv"\n)\nP '),
        ({"prompt": "package main\nP "}, "package main\nP "),
    ],
)
def test_go_of_humaneval_x_gets_its_package_and_imports_once(
    tmp_path: Path, columns: dict[str, str], prompt: str
) -> None:
    row = x_row("Go", declaration="func F(x int) int {\n", **columns)
    problem = load(tmp_path, "humaneval_x", "humaneval_go.jsonl", row, languages=["go"])
    assert problem.prompt == prompt
    assert problem.entry_point == "F"


@pytest.mark.parametrize("setup", ['package main\n\nimport (\n    "testing"\n    "math/rand"\n)\n', None])
def test_go_tests_of_humaneval_x_are_a_file_that_imports_what_it_uses(tmp_path: Path, setup: str | None) -> None:
    test = "func TestF(t *testing.T) {\n\tmath.Abs(F(strings.Count(a, b)))\n}"
    row = x_row("Go", test_setup=setup, test=test)
    problem = load(tmp_path, "humaneval_x", "humaneval_go.jsonl", row, languages=["go"])
    assert problem.tests.startswith("package main\n")
    assert problem.tests.endswith(test)
    assert set(re.findall(r'"([\w/.]+)"', problem.tests)) == {"testing", "math", "strings"}


def mbxp_row(language: str) -> dict[str, Any]:
    return {
        "task_id": "MBXP/600",
        "language": language,
        "prompt": "P ",
        "test": "\nT",
        "entry_point": "f",
        "canonical_solution": None,
    }


def test_mbxp_rows_may_lack_a_solution_and_python_calls_its_check(tmp_path: Path) -> None:
    ruby = load(tmp_path, "mbxp", "mbrbp_release_v1.2.jsonl", mbxp_row("ruby"), languages=["ruby"])
    assert (ruby.tests, ruby.canonical_solution, ruby.files) == ("\nT", None, {})
    python = load(tmp_path, "mbxp", "mbpp_release_v1.jsonl", mbxp_row("python"), languages=["python"])
    assert python.tests == "\nT\ncheck(f)\n"


def test_mbxp_has_all_rows_by_default_and_the_splits_of_mbpp(tmp_path: Path) -> None:
    (tmp_path / "mbrbp_release_v1.2.jsonl").write_text(json.dumps(mbxp_row("ruby")) + "\n")
    assert len(load_problems("mbxp", data=tmp_path, languages=["ruby"])) == 1
    assert len(load_problems("mbxp", data=tmp_path, languages=["ruby"], split="validation")) == 1
    with pytest.raises(DataError, match="no problem in split 'test'"):
        load_problems("mbxp", data=tmp_path, languages=["ruby"], split="test")


def test_csharp_of_mbxp_brings_the_comparison_that_its_tests_use(tmp_path: Path) -> None:
    problem = load(tmp_path, "mbxp", "mbcsp_release_v1.2.jsonl", mbxp_row("csharp"), languages=["csharp"])
    [(name, code)] = problem.files.items()
    assert name.endswith(".cs")
    assert "class CompareLogic" in code


@pytest.mark.parametrize(
    ("name", "file", "task_id", "origin"),
    [
        ("humaneval", "HumanEval.jsonl", "HumanEval/7", "humaneval/7"),
        ("humaneval_x", "humaneval_python.jsonl", "Python/7", "humaneval/7"),
        ("humaneval_x", "humaneval_cpp.jsonl", "CPP/7", "humaneval/7"),
        ("mbpp", "mbpp.jsonl", 601, "mbpp/601"),
        ("sanitized_mbpp", "sanitized-mbpp.json", 601, "mbpp/601"),
        ("mbxp", "mbrbp_release_v1.2.jsonl", "MBRBP/601", "mbpp/601"),
        ("mbxp", "mbpp_release_v1.jsonl", "MBPP/601", "mbpp/601"),
    ],
)
def test_forms_of_one_problem_name_the_same_origin(
    tmp_path: Path, name: str, file: str, task_id: str | int, origin: str
) -> None:
    row = MBPP | {"task_id": task_id, "prompt": "P ", "test": "T", "entry_point": "f"}
    language_id = {"humaneval_cpp.jsonl": "cpp", "mbrbp_release_v1.2.jsonl": "ruby"}.get(file, "python")
    rows = [row] if file.endswith(".json") else row
    (tmp_path / file).write_text(json.dumps(rows) + "\n")
    [problem] = load_problems(name, data=tmp_path, languages=[language_id], split="all")
    assert (problem.origin, problem.root) == (origin, origin)
