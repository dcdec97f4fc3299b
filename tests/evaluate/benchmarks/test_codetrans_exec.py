"""CodeTrans: how directions are asked for, what a prompt gives away, and where a row comes from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.generate.extract import extract_program
from codeglot.generate.syntax import Program
from codeglot.languages import spec
from codeglot.records import FinishReason, Problem
from tests.conftest import needs_data

CPP = (
    "#include <bits/stdc++.h>\nusing namespace std;\n\n\n/** Halve. */\n"
    "double halve(int x) {\n{\n    return x / 2.0;\n}"
)
PYTHON = (
    "import math\r\ndef half(x):\r\n    return x / 2\r\n"
    'def halve(x): \r\n    """Halve."""\r\n    # slowly\r\n    return half(x)'
)
JAVA = (
    "import java.util.*;\n\n\nclass Halve {\n    /** Halve. */\n    public static double halve(int x) {\n"
    "        return x / 2.0;\n    }\n}"
)
TESTS = {
    "python": "assert halve(1) == 0.5",
    "java": "\nclass Main {\n    public static void main(String[] args) {\n"
    "        if (Halve.halve(1) != 0.5) throw new AssertionError();\n    }\n}\n",
    "cpp": "#include <cassert>\nint main() {\n    assert(halve(1) == 0.5);\n}\n",
}
SOLUTIONS = {"python": PYTHON, "java": JAVA, "cpp": CPP.replace("{\n{", "{")}
DIRECTIONS = [(source, target) for source in SOLUTIONS for target in SOLUTIONS if source != target]

each_direction = pytest.mark.parametrize(("source", "target"), DIRECTIONS)


def row(source: str, target: str, **columns: Any) -> dict[str, Any]:
    prompt = CPP if source == "cpp" else SOLUTIONS[source]
    solution = SOLUTIONS[target]
    own = {"task_id": "X/1", "prompt": prompt, "canonical_solution": solution, "test": TESTS[target]}
    return own | {"func_title": "halve", "Difficulty": "mbpp"} | columns


def load(folder: Path, source: str, target: str, **columns: Any) -> Problem:
    (folder / f"codeTrans_{source}_to_{target}.jsonl").write_text(json.dumps(row(source, target, **columns)) + "\n")
    [problem] = load_problems(f"codetrans_from_{source}", data=folder, languages=[target])
    return problem


@each_direction
def test_the_language_of_a_direction_is_that_of_the_answer(tmp_path: Path, source: str, target: str) -> None:
    problem = load(tmp_path, source, target)
    assert (problem.language_id, problem.task_id) == (target, f"CodeTrans/{source}-{target}/1")
    assert (problem.entry_point, problem.origin, problem.prompt_is_code) == ("halve", "mbpp/11", False)
    first, last = spec.get(source).name, spec.get(target).name
    assert problem.prompt.startswith(f"Translate this {first} code to {last}.\n\n{first}:\n")
    assert problem.prompt.endswith(f"\n\n{last}:\n{problem.given.rstrip()}")


GIVEN = {
    "python": "import math\ndef halve(x):\n",
    "java": "import java.util.*;\nclass Halve {\n    public static double halve(int x) {\n",
    "cpp": "#include <bits/stdc++.h>\nusing namespace std;\ndouble halve(int x) {\n",
}


@each_direction
def test_a_prompt_gives_the_signature_and_nothing_of_the_solution(tmp_path: Path, source: str, target: str) -> None:
    assert load(tmp_path, source, target).given == GIVEN[target]


def test_a_helper_that_the_tests_call_is_given(tmp_path: Path) -> None:
    problem = load(tmp_path, "cpp", "python", test="assert halve(1) == half(1)")
    assert "def half(x):\n    return x / 2\ndef halve(x):\n" in problem.given


def test_a_brace_that_stands_twice_in_a_source_is_given_once(tmp_path: Path) -> None:
    prompt = load(tmp_path, "cpp", "python").prompt
    code = prompt.partition("C++:\n")[2].partition("\n\nPython:")[0]
    assert not Program(code, spec.get("cpp")).faults
    assert Program(CPP, spec.get("cpp")).faults, "as published"


@each_direction
def test_an_answer_in_any_shape_is_the_same_program(tmp_path: Path, source: str, target: str) -> None:
    problem, language = load(tmp_path, source, target), spec.get(target)
    whole = problem.canonical_solution or ""
    body = {
        "python": "    return x / 2\n",
        "java": "        return x / 2.0;\n    }\n}\n",
        "cpp": "    return x / 2.0;\n}\n",
    }
    shapes = {
        "continuation": body[target],
        "with line break": f"\n{body[target]}",
        "on and on": f"{body[target]}\nC++:\nTranslate this code to {language.name}.\n",
        "whole": whole,
        "chat": f"Here is the {language.name} code:\n\n```{target}\n{whole.rstrip()}\n```\nIt halves.\n",
        "source first": f"From\n```{source}\n{SOLUTIONS[source]}\n```\nto\n```{target}\n{whole.rstrip()}\n```\n",
    }
    for shape, text in shapes.items():
        program = extract_program(problem, text, FinishReason.STOP, language).source or ""
        assert not Program(program, language).faults, shape
        assert re.search(r"return (x / 2|half\()", program), shape
        assert "Translate" not in program, shape
        if target == "python":
            exec(f"{program}\n{problem.tests}", {})
        elif target == "java":
            assert program.startswith("import java.util.*;"), shape
            assert program.count("class Halve") == 1, shape


def test_a_row_whose_origin_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 1 from 'humaneval' does not stand there"):
        load(tmp_path, "cpp", "java", Difficulty="humaneval")
    with pytest.raises(DataError, match="row 900 from"):
        load(tmp_path, "cpp", "java", task_id="Java/900")
    with pytest.raises(DataError, match="no number from 1"):
        load(tmp_path, "cpp", "java", task_id="Java")


def test_tests_that_call_nothing_of_the_solution_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="call no function"):
        load(tmp_path, "cpp", "python", test="assert other(1)")


COUNTS = {
    ("cpp", "java"): (430, 594),
    ("cpp", "python"): (437, 601),
    ("java", "cpp"): (426, 589),
    ("java", "python"): (498, 662),
    ("python", "cpp"): (425, 588),
    ("python", "java"): (486, 650),
}
"""Problems from MBPP, and all."""
RENAMED = 8
"""Functions whose name differs from that of the origin: misspelled, or a helper's."""


@needs_data
@each_direction
def test_published_rows_have_the_function_of_their_origin(source: str, target: str) -> None:
    problems = load_problems(f"codetrans_from_{source}", languages=[target])
    origins = {
        problem.origin: set(re.findall(r"def\s+(\w+)", problem.prompt + (problem.canonical_solution or "")))
        for name in ("mbpp", "humaneval")
        for problem in load_problems(name, languages=["python"], split="all")
    }
    of_mbpp = [problem for problem in problems if (problem.origin or "").startswith("mbpp/")]
    assert (len(of_mbpp), len(problems)) == COUNTS[source, target]
    assert len({problem.origin for problem in problems}) == len(problems)
    strange = [p.task_id for p in problems if _plain(p.entry_point) not in {_plain(n) for n in origins[p.origin]}]
    assert len(strange) <= RENAMED, strange
    assert not [task_id for task_id in strange if task_id in {problem.task_id for problem in of_mbpp}]
    assert not [problem.task_id for problem in problems if len(problem.given.splitlines()) > 40]


def _plain(name: str | None) -> str:
    return re.sub(r"[^a-z0-9]", "", (name or "").lower())
