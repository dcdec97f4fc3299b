"""MultiPL-E: rows become problems whose right answers pass, and whose wrong ones and early exits do not."""

import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from codeglot.errors import DataError
from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.records import Limits, Problem, Verdict
from tests.conftest import needs_data

ANSWERS = tomllib.loads(Path(__file__).with_name("multipl_e_answers.toml").read_text(encoding="utf-8"))
EXITS = {
    "bash": Verdict.FAIL_ASSERT,  # it ends the subshell, which has printed nothing
    "lua": Verdict.RUNTIME_ERROR,  # the library of the tests takes it for an error
}
"""How an answer that ends the program with status 0 is judged where that is not `early_exit`."""
ROW: dict[str, Any] = {"name": "HumanEval_7_f_x", "prompt": "f_x(", "tests": "T", "stop_tokens": ["\n\n"]}


def load(folder: Path, upstream: str, language_id: str, part: str = "humaneval", **columns: Any) -> Problem:
    (folder / f"{part}-{upstream}-reworded.jsonl").write_text(json.dumps(ROW | columns) + "\n")
    name = "multipl_e" if part == "humaneval" else "multipl_e_mbpp"
    [problem] = load_problems(name, data=folder, languages=[language_id])
    return problem


def test_a_row_becomes_a_problem_of_its_language_and_origin(tmp_path: Path) -> None:
    problem = load(tmp_path, "rs", "rust")
    assert (problem.task_id, problem.language_id, problem.origin) == ("rust/HumanEval/7", "rust", "humaneval/7")
    assert (problem.prompt, problem.tests, problem.stop) == ("f_x(", "T", ("\n\n",))
    other = load(tmp_path, "rs", "rust", "mbpp", name="mbpp_601_f_x")
    assert (other.benchmark, other.task_id, other.origin) == ("multipl_e_mbpp", "rust/mbpp/601", "mbpp/601")


@pytest.mark.parametrize(
    ("prompt", "tests", "entry_point"),
    [("fn f_x(", "T", "f_x"), ("// f_x\nstatic int FX(", "T", "FX"), ("int g(int f", "auto candidate = g;", "g")],
)
def test_the_function_is_named_as_the_prompt_spells_it(
    tmp_path: Path, prompt: str, tests: str, entry_point: str
) -> None:
    assert load(tmp_path, "cpp", "cpp", prompt=prompt, tests=tests).entry_point == entry_point


def test_splits_of_the_mbpp_part_are_those_of_mbpp_but_none_to_learn_from(tmp_path: Path) -> None:
    load(tmp_path, "rs", "rust", "mbpp", name="mbpp_601_f_x")
    rows = [ROW | {"name": f"mbpp_{number}_f_x"} for number in (510, 511)]
    (tmp_path / "mbpp-rs-reworded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [problem] = load_problems("multipl_e_mbpp", data=tmp_path, languages=["rust"], split="validation")
    assert problem.origin == "mbpp/511"
    assert set(get("multipl_e_mbpp").splits) == {"test", "validation"}


def test_a_row_with_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: a name of multipl_e is like .*, not 'f'"):
        load(tmp_path, "rs", "rust", name="f")


def test_a_signature_in_the_comment_above_it_is_put_back(tmp_path: Path) -> None:
    prompt = "class Problem {\n    // Doc.\n    //     public static int FX(int n) {\n"
    assert load(tmp_path, "cs", "csharp", prompt=prompt).prompt.endswith("Doc.\n     public static int FX(int n) {\n")


FAULTY = "    candidate = fn args -> apply(HumanEval, f_x, args) end\n"


@pytest.mark.parametrize(
    ("parameters", "tests", "mended"),
    [
        ("n, ,,  , m", FAULTY, "n, m"),
        ("l, s, t", FAULTY, "lst"),
        ("n", FAULTY, "n"),
        ("l, s, t", FAULTY.replace("f_x", ":f_x"), "l, s, t"),
        ("n, m", "T", "n, m"),
    ],
)
def test_listed_parameters_of_elixir_are_put_together(tmp_path: Path, parameters: str, tests: str, mended: str) -> None:
    problem = load(tmp_path, "elixir", "elixir", prompt=f"  def f_x({parameters}) do", tests=tests)
    assert problem.prompt == f"  def f_x({mended}) do"
    assert "HumanEval, f_x" not in problem.tests


@cache
def first(language_id: str) -> Problem:
    [found] = [
        problem for problem in load_problems("multipl_e", languages=[language_id]) if problem.origin == "humaneval/0"
    ]
    return found


def judge(problem: Problem, answer: str, sandbox: Sandbox) -> Verdict:
    request = ExecutionRequest(
        source=problem.prompt + answer,
        tests=problem.tests,
        language_id=problem.language_id,
        files=problem.files,
        limits=Limits(),
    )
    return sandbox.run(request).verdict


def test_every_language_has_answers_here() -> None:
    assert set(ANSWERS) == set(get("multipl_e").languages) == set(get("multipl_e_mbpp").languages)


@needs_data
@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", ANSWERS)
@pytest.mark.parametrize("kind", ["right", "wrong", "exit"])
def test_a_right_answer_passes_and_no_other_does(
    kind: str, language_id: str, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain(language_id)
    problem = first(language_id)
    if kind == "exit" and "imports" in ANSWERS[language_id]:
        before, after = ANSWERS[language_id]["imports"]
        problem = problem.model_copy(update={"prompt": problem.prompt.replace(before, after, 1)})
    verdict = {"right": Verdict.PASS, "wrong": Verdict.FAIL_ASSERT, "exit": EXITS.get(language_id, Verdict.EARLY_EXIT)}
    assert judge(problem, ANSWERS[language_id][kind], warm_sandbox) == verdict[kind]


@needs_data
@pytest.mark.toolchain
def test_mended_elixir_of_the_mbpp_part_is_judged(warm_sandbox: Sandbox, need_toolchain: Callable[[str], None]) -> None:
    need_toolchain("elixir")
    [problem] = [p for p in load_problems("multipl_e_mbpp", languages=["elixir"]) if p.origin == "mbpp/103"]
    step = "(n - m) * eulerian_num(n - 1, m - 1) + (m + 1) * eulerian_num(n - 1, m)"
    right = f"\n    cond do\n      m >= n -> 0\n      m == 0 -> 1\n      true -> {step}\n    end\n  end\nend\n"
    assert judge(problem, right, warm_sandbox) is Verdict.PASS
    assert judge(problem, "\n    n - m\n  end\nend\n", warm_sandbox) is Verdict.FAIL_ASSERT


@needs_data
@pytest.mark.parametrize(("name", "count", "origins"), [("multipl_e", 3497, 161), ("multipl_e_mbpp", 8522, 399)])
def test_all_published_rows_are_problems_that_name_their_function(name: str, count: int, origins: int) -> None:
    languages = [key for key in get(name).languages if key not in get(name).unknown_languages]
    problems = load_problems(name, languages=languages)
    if not get(name).unknown_languages:
        assert (len(problems), len({problem.origin for problem in problems})) == (count, origins)
    assert all(problem.entry_point and problem.entry_point in problem.prompt for problem in problems)
    assert all(problem.stop for problem in problems)
