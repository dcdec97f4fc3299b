"""HumanEvalPack: what is asked, and that an answer in any shape becomes the right program."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeglot.data.sources import read
from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.execute.sandbox import Sandbox
from codeglot.generate.extract import extract_program
from codeglot.jobs.execute import build_execution
from codeglot.languages import spec
from codeglot.records import FinishReason, Limits, Problem, Verdict
from tests.conftest import needs_data

PYTHON: dict[str, Any] = {
    "task_id": "Python/7",
    "prompt": 'from typing import List\n\n\ndef halve(xs: List[int]) -> List[float]:\n    """ Halve all.\n    """\n',
    "declaration": "from typing import List\n\n\ndef halve(xs: List[int]) -> List[float]:\n",
    "canonical_solution": "    return [x / 2 for x in xs]\n",
    "buggy_solution": "    return [x // 2 for x in xs]\n",
    "test": "\n\ndef check(halve):\n    assert halve([1, 2]) == [0.5, 1.0]\n\ncheck(halve)",
    "entry_point": "halve",
    "instruction": "Write a function `halve(xs: List[int]) -> List[float]` to solve the following problem:\nHalve.",
}
JAVA = PYTHON | {
    "task_id": "Java/7",
    "prompt": "import java.util.*;\n\nclass Solution {\n    /** Halve. */\n    public double halve(int x) {\n",
    "declaration": "import java.util.*;\n\nclass Solution {\n    public double halve(int x) {\n",
    "canonical_solution": "        return x / 2.0;\n    }\n}",
    "buggy_solution": "        return x / 2;\n    }\n}",
    "test": "public class Main {\n    public static void main(String[] args) {\n"
    "        if (new Solution().halve(1) != 0.5) throw new AssertionError();\n    }\n}\n",
}
GO = PYTHON | {
    "task_id": "Go/7",
    "import": 'import (\n    "math"\n)\n',
    "prompt": 'import (\n    "math"\n)\n\n// Two.\nfunc Two() int {\n    return 2\n}\n\n// Half of it.\n'
    "func Halve(x int) float64 {\n",
    "declaration": "\nfunc Halve(x int) float64 {\n",
    "canonical_solution": "    return math.Abs(float64(x)) / float64(Two())\n}\n",
    "buggy_solution": "    return math.Abs(float64(x))\n}\n",
    "test_setup": 'package main\n\nimport (\n    "testing"\n    "github.com/stretchr/testify/assert"\n)\n',
    "test": "func TestHalve(t *testing.T) {\n    assert := assert.New(t)\n    assert.Equal(0.5, Halve(1))\n}\n",
    "entry_point": "Halve",
}
RUST = PYTHON | {
    "task_id": "Rust/7",
    "prompt": "fn main(){}\n\nuse std::any::Any;\n\n/* Half. */\nfn halve(x: i32) -> f32{\n",
    "declaration": "\nuse std::any::Any;\n\nfn halve(x: i32) -> f32{\n",
    "canonical_solution": "\n    return x as f32 / 2.0;\n}\n",
    "buggy_solution": "\n    return (x / 2) as f32;\n}\n",
    "test": "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn test_halve() {\n"
    "        assert_eq!(halve(1), 0.5);\n    }\n}\n",
}
ROWS = {"python": PYTHON, "java": JAVA, "go": GO, "rust": RUST}
TASKS = ("humanevalpack_fix", "humanevalpack_synthesize")

each_task = pytest.mark.parametrize("name", TASKS)
each_language = pytest.mark.parametrize("language_id", ROWS)


def load(folder: Path, name: str, language_id: str) -> Problem:
    (folder / f"humanevalpack_{language_id}.jsonl").write_text(json.dumps(ROWS[language_id]) + "\n")
    [problem] = load_problems(name, data=folder, languages=[language_id])
    return problem


def test_repair_shows_the_faulty_function_its_tests_and_no_docstring(tmp_path: Path) -> None:
    problem = load(tmp_path, "humanevalpack_fix", "python")
    assert problem.task_id == "HumanEvalFix/Python/7"
    assert problem.prompt == (
        f"{PYTHON['declaration']}{PYTHON['buggy_solution']}\n{PYTHON['test']}\nFix bugs in halve.\n\n"
        f"{PYTHON['declaration']}".strip()
    )
    assert PYTHON["canonical_solution"].strip() not in problem.prompt


def test_synthesis_gives_the_instruction_and_the_docstring(tmp_path: Path) -> None:
    problem = load(tmp_path, "humanevalpack_synthesize", "python")
    assert problem.task_id == "HumanEvalSynthesize/Python/7"
    assert problem.prompt == f"{PYTHON['instruction']}\n\n{PYTHON['prompt']}".strip()


@each_task
@each_language
def test_a_prompt_is_prose_that_ends_with_the_beginning_of_the_program(
    tmp_path: Path, name: str, language_id: str
) -> None:
    problem = load(tmp_path, name, language_id)
    assert not problem.prompt_is_code
    assert problem.given.rstrip().endswith(problem.prompt.rpartition("\n")[2])
    assert problem.canonical_solution == problem.given + ROWS[language_id]["canonical_solution"]
    assert problem.origin == "humaneval/7"


@each_task
def test_go_gets_its_package_and_imports_and_rust_its_main(tmp_path: Path, name: str) -> None:
    go = load(tmp_path, name, "go").given
    assert go.startswith("package main\n")
    assert go.count('"math"') == 1
    assert go.count("func Two() int {") == 1
    assert load(tmp_path, name, "rust").given.count("fn main(){}") == 1


def answers(problem: Problem, row: dict[str, Any]) -> dict[str, str]:
    """The same solution in the shapes in which models write it."""
    body, whole = row["canonical_solution"], problem.canonical_solution or ""
    tag = f"```{problem.language_id}\n"
    chat = f"The fault is in the division.\n\n{tag}{whole.rstrip()}\n```\n\nNow it divides.\n"
    function = whole[whole.rindex("\n", 0, whole.index("alve(")) + 1 :]
    shapes = {"continuation": body, "with line break": f"\n{body}", "whole": whole, "chat": chat}
    if problem.language_id == "python":
        shapes |= {
            "function alone": f"{tag}{function}```",
            "on and on": f"{body}\n\nassert halve([]) == []\n\nFix bugs in other.\n\ndef other():\n    return 1\n",
        }
    if problem.benchmark == "humanevalpack_fix":
        old = f"{row['declaration']}{row['buggy_solution']}"
        shapes["old one quoted"] = f"It was:\n\n{tag}{old}\n```\n\nMended:\n\n{tag}{whole.rstrip()}\n```\n"
    return shapes


@each_task
@each_language
def test_an_answer_in_any_shape_is_the_same_program(tmp_path: Path, name: str, language_id: str) -> None:
    problem, language = load(tmp_path, name, language_id), spec.get(language_id)
    wanted = "".join(ROWS[language_id]["canonical_solution"].split())
    faulty = "".join(ROWS[language_id]["buggy_solution"].split())
    for shape, text in answers(problem, ROWS[language_id]).items():
        source = extract_program(problem, text, FinishReason.STOP, language).source or ""
        squeezed = "".join(source.split())
        assert wanted in squeezed, shape
        assert faulty not in squeezed, shape
        assert source.count("alve(") == 1, shape
        if language_id == "python":
            assert "from typing import List" in source, shape
            exec(f"{source}\n{problem.tests}", {})


@pytest.mark.toolchain
@each_task
@each_language
def test_a_right_answer_passes_and_the_faulty_one_fails(
    tmp_path: Path, warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], name: str, language_id: str
) -> None:
    need_toolchain(language_id)
    problem, row = load(tmp_path, name, language_id), ROWS[language_id]
    verdicts = []
    for text in (row["canonical_solution"], row["buggy_solution"]):
        source = extract_program(problem, text, FinishReason.STOP, spec.get(language_id)).source
        verdicts.append(warm_sandbox.run(build_execution(problem, source or "", Limits())).verdict)
    assert verdicts == [Verdict.PASS, Verdict.FAIL_ASSERT]


@needs_data
@pytest.mark.toolchain
@pytest.mark.parametrize("language_id", get(TASKS[0]).sources)
def test_published_faulty_solutions_fail(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], language_id: str
) -> None:
    need_toolchain(language_id)
    benchmark = get("humanevalpack_fix")
    assert benchmark.problem
    rows = list(read(benchmark.sources[language_id], Path(os.environ["CODEGLOT_DATA"]), folder=benchmark.name))
    for row in rows[3::40]:
        problem = benchmark.problem(language_id, row)
        assert problem
        source = problem.given + row.text("buggy_solution")
        assert warm_sandbox.run(build_execution(problem, source, Limits())).verdict != Verdict.PASS, problem.task_id
