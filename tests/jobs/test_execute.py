"""Which verdicts of an earlier start are kept, and which programs are run."""

from pathlib import Path

from codeglot.execute.cold import execution_key
from codeglot.execute.local import LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.jobs.execute import execute
from codeglot.jobs.progress import Silent
from codeglot.jobs.runfile import EvaluationRun
from codeglot.languages import spec
from codeglot.records import Completion, Execution, Problem, Verdict

RUN = EvaluationRun.model_validate(
    {"generate": {"engine": "completions", "completions": "x.jsonl"}, "evaluate": {"benchmarks": ["problems"]}}
)
PROBLEMS = [
    Problem(task_id=name, benchmark="mine", language_id="python", prompt="def f(x):\n", tests="assert f(1) == 1\n")
    for name in ("a", "b", "c")
]


class CountingSandbox:
    """Gives every program the same verdict."""

    level = "counting"

    def __init__(self, verdict: Verdict = Verdict.PASS) -> None:
        self.sources: list[str] = []
        self.verdict = verdict

    def run(self, request: ExecutionRequest) -> Execution:
        self.sources.append(request.source)
        key = execution_key(request, spec.get("python"), "Python 3")
        return Execution(verdict=self.verdict, execution_key=key, versions={"python": "Python 3"})

    def close(self) -> None:
        pass


def judge(texts: list[str], path: Path, sandbox: CountingSandbox) -> list[Verdict]:
    completions = [
        Completion(task_id=problem.task_id, text=text) for problem, text in zip(PROBLEMS, texts, strict=True)
    ]
    return [row.verdict for row in execute(RUN, PROBLEMS, completions, LocalPool(sandbox, 1), path, Silent())]


def test_a_verdict_is_kept_only_for_the_program_it_was_given_to(tmp_path: Path) -> None:
    path = tmp_path / "executions.jsonl"
    first = CountingSandbox()
    assert judge(["    return x\n", "    return 1\n", ""], path, first) == [
        Verdict.PASS,
        Verdict.PASS,
        Verdict.EXTRACTION_FAILED,
    ]
    again = CountingSandbox(Verdict.FAIL_ASSERT)
    judge(["    return x\n", "    return 1\n", ""], path, again)
    assert again.sources == []
    assert judge(["    return x\n", "    return 2\n", "    return 3\n"], path, again) == [
        Verdict.PASS,
        Verdict.FAIL_ASSERT,
        Verdict.FAIL_ASSERT,
    ]
    assert len(again.sources) == 2


def test_what_the_machine_spoiled_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "executions.jsonl"
    texts = ["    return x\n"] * 3
    judge(texts, path, CountingSandbox(Verdict.INFRA_ERROR))
    assert judge(texts, path, CountingSandbox()) == [Verdict.PASS] * 3
