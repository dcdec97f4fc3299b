"""Reference answers of the published benchmarks, where `CODEGLOT_DATA` names them: none is damaged."""

import pytest

from codeglot.data.format import fenced
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.generate.demand import Demand
from codeglot.generate.extract import extract_program
from codeglot.generate.syntax import Kind, Program, leaves
from codeglot.languages import spec
from codeglot.records import FinishReason, Problem
from tests.conftest import needs_data

pytestmark = needs_data

SETS = [
    ("humaneval", "python"),
    ("humaneval_plus", "python"),
    ("mbpp_plus", "python"),
    *(("humaneval_x", language) for language in ("python", "java", "javascript", "cpp", "go", "rust")),
    ("mbpp", "python"),
    ("sanitized_mbpp", "python"),
    *(("mbxp", language) for language in ("python", "java", "cpp", "csharp", "typescript", "ruby")),
]
BROKEN = {
    # upstream cut this answer within a function of the same name inside the function
    "MBTSP/391",
}


def solved(benchmark: str, language_id: str, every: int) -> list[Problem]:
    problems = load_problems(benchmark, languages=[language_id], split="all")
    return [problem for problem in problems if problem.canonical_solution is not None][::every]


def check_identity(benchmark: str, language_id: str, every: int) -> None:
    language = spec.get(language_id)
    for problem in solved(benchmark, language_id, every):
        answer = problem.canonical_solution or ""
        source = extract_program(problem, answer, FinishReason.STOP, language).source
        if language.syntax.packages:  # imports that the answer lacks are added, those that nobody uses are dropped
            assert source is not None
            assert code_of(source, language_id) == code_of(problem.prompt + answer, language_id), problem.task_id
        elif problem.task_id not in BROKEN:
            assert source == problem.prompt + answer, problem.task_id


def code_of(source: str, language_id: str, num_open: int = 0) -> list[str]:
    """The code without white space, comments and imports."""
    program = Program(source + "\n" + "}" * num_open, spec.get(language_id))
    imports = [(item.node.start_byte, item.end) for item in program.items if item.kind is Kind.IMPORT]
    return [
        "".join((leaf.text or b"").decode().split())
        for leaf in leaves(program.root)
        if leaf.type != "\n" and not any(start <= leaf.start_byte < end for start, end in imports)
    ]


@pytest.mark.parametrize(("benchmark", "language_id"), SETS)
def test_some_answers_are_kept_to_the_letter(benchmark: str, language_id: str) -> None:
    check_identity(benchmark, language_id, every=20)


@pytest.mark.slow
@pytest.mark.parametrize(("benchmark", "language_id"), SETS)
def test_every_answer_is_kept_to_the_letter(benchmark: str, language_id: str) -> None:
    check_identity(benchmark, language_id, every=1)


@pytest.mark.parametrize(("benchmark", "language_id"), SETS)
def test_an_answer_told_in_a_chat_is_the_same_program(benchmark: str, language_id: str) -> None:
    language = spec.get(language_id)
    for problem in solved(benchmark, language_id, every=20):
        num_open = Demand(problem, language).num_open
        full = problem.prompt + (problem.canonical_solution or "")
        if Program(full + "\n" + "}" * num_open, language).faults:
            continue  # broken upstream: there is no one program to find
        text = f"Certainly! Here it is:\n\n{fenced(full + '}' * num_open, language_id)}\n\nIt loops over the input.\n"
        source = extract_program(problem, text, FinishReason.STOP, language).source
        assert source is not None
        expected = code_of(full, language_id, num_open)
        if language_id == "go":
            expected = code_of(
                extract_program(problem, problem.canonical_solution or "", FinishReason.STOP, language).source or "",
                "go",
            )
        assert code_of(source, language_id, num_open) == expected, problem.task_id
