"""HumanEval+ and MBPP+: rows made by hand become programs, and these end as they should in the sandbox."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError
from codeglot.evaluate.benchmarks.benchmark import load_problems
from codeglot.execute.sandbox import Sandbox
from codeglot.jobs.execute import build_execution
from codeglot.records import Execution, Limits, Problem, Verdict

ROW: dict[str, Any] = {
    "task_id": "HumanEval/7",
    "prompt": 'def halve(xs):\n    """Halve all."""\n',
    "entry_point": "halve",
    "canonical_solution": "    return [x / 2 for x in xs]\n",
    "contract": "    assert False\n",
    "base_input": [[[1, 2]]],
    "plus_input": [[[]], [[0.2, 3]]],
    "atol": 0,
}


def load(folder: Path, row: dict[str, Any], name: str = "humaneval_plus") -> Problem:
    file = {"humaneval_plus": "HumanEvalPlus.jsonl", "mbpp_plus": "MbppPlus.jsonl"}[name]
    (folder / file).write_text(json.dumps(row) + "\n")
    [problem] = load_problems(name, data=folder)
    return problem


def mbpp_row(number: int, **columns: Any) -> dict[str, Any]:
    code = "def first(a, b):\n    return a[0], type(a).__name__, type(b).__name__\n"
    row = {"task_id": f"Mbpp/{number}", "prompt": '"""\nFirst.\n"""\n', "entry_point": "first"}
    return ROW | row | {"canonical_solution": code, "base_input": [[[1], [2]]], "plus_input": {}} | columns


def test_a_task_keeps_apart_from_the_one_that_it_extends_and_shares_its_origin(tmp_path: Path) -> None:
    problem = load(tmp_path, ROW)
    assert (problem.task_id, problem.origin, problem.prompt_is_code) == ("HumanEvalPlus/7", "humaneval/7", True)
    assert problem.limits is None
    problem = load(tmp_path, mbpp_row(123), "mbpp_plus")
    assert (problem.task_id, problem.origin) == ("MbppPlus/123", "mbpp/123")
    assert problem.limits == Limits(cpu_s=30.0)


@pytest.mark.parametrize(("number", "rule"), [(32, "is_root"), (7, "is_equal")])
def test_special_tasks_name_their_rule(tmp_path: Path, number: int, rule: str) -> None:
    problem = load(tmp_path, ROW | {"task_id": f"HumanEval/{number}"})
    assert json.loads(problem.files["evalplus_task.json"])["rule"] == rule


@pytest.mark.parametrize(
    "columns", [{"atol": None}, {"base_input": [], "plus_input": []}, {"plus_input": [1]}, {"task_id": "HumanEval"}]
)
def test_a_row_without_inputs_tolerance_or_number_is_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"HumanEvalPlus\.jsonl, line 1: "):
        load(tmp_path, ROW | columns)


PREAMBLE = "class Liar(list):\n    __eq__ = lambda *_: True\n    __hash__ = None\n    __len__ = lambda _: 2\n\n"


@pytest.fixture
def judge(sandbox: Sandbox, need_toolchain: Callable[[str], None]) -> Callable[[Problem, str], Execution]:
    need_toolchain("python")
    return lambda problem, source: sandbox.run(build_execution(problem, source, Limits()))


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return [x / 2 for x in xs]", Verdict.PASS),
        ("return [x * 0.5000000001 for x in xs]", Verdict.PASS),
        ("print('x' * 2_000_000)\n    xs[:] = [x / 2 for x in xs]\n    return xs", Verdict.PASS),
        ("return [x // 2 for x in xs]", Verdict.FAIL_ASSERT),
        ("return [x / 2 for x in xs] if len(xs) != 2 or xs[0] != 0.2 else None", Verdict.FAIL_ASSERT),
        ("return Liar(xs)", Verdict.FAIL_ASSERT),
        ("return xs[0][0]", Verdict.RUNTIME_ERROR),
        ("raise SystemExit(0)", Verdict.EARLY_EXIT),
    ],
)
def test_an_answer_is_held_against_the_reference_on_every_input(
    tmp_path: Path, judge: Callable[[Problem, str], Execution], body: str, verdict: Verdict
) -> None:
    result = judge(load(tmp_path, ROW), f"{PREAMBLE}{ROW['prompt']}    {body}\n")
    assert (result.verdict, result.stdout.strip()) == (verdict, ""), result.detail


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("number", "types"), [(2, "'tuple', 'tuple'"), (106, "'list', 'tuple'"), (250, "'tuple', 'list'")]
)
def test_arguments_of_mbpp_have_their_types(
    tmp_path: Path, judge: Callable[[Problem, str], Execution], number: int, types: str
) -> None:
    problem = load(tmp_path, mbpp_row(number), "mbpp_plus")
    answer = f"def first(a, b):\n    return 1, {types}\n"
    assert judge(problem, answer).verdict == Verdict.PASS
    assert judge(problem, answer.replace("tuple", "set")).verdict == Verdict.FAIL_ASSERT
