"""Which verdicts of an earlier start are kept, and which programs are run."""

from pathlib import Path

from codeglot.execute.cold import execution_key
from codeglot.execute.local import LocalPool
from codeglot.execute.log import ReusingPool, VerdictLog
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.jobs.execute import execute, kept_executions
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
    pool = LocalPool(sandbox, 1)
    return [row.verdict for row in execute(RUN, PROBLEMS, completions(texts), pool, path, Silent())]


def completions(texts: list[str]) -> list[Completion]:
    return [Completion(task_id=problem.task_id, text=text) for problem, text in zip(PROBLEMS, texts, strict=True)]


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
    assert set(again.sources) == {"def f(x):\n    return 2\n", "def f(x):\n    return 3\n"}, "some are run twice"


def test_what_the_machine_spoiled_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "executions.jsonl"
    texts = ["    return x\n"] * 3
    judge(texts, path, CountingSandbox(Verdict.INFRA_ERROR))
    assert judge(texts, path, CountingSandbox()) == [Verdict.PASS] * 3


class WarmSandbox(CountingSandbox):
    """Fails every program with what it keeps ready, and finds out at one of them that this is wrong.

    Args:
        contradicted: Number of that program, from 1.
    """

    def __init__(self, contradicted: int) -> None:
        super().__init__()
        self.contradicted = contradicted
        self.cold: list[str] = []

    def run(self, request: ExecutionRequest) -> Execution:
        right = super().run(request)
        if request.from_nothing:
            self.cold.append(request.source)
            return right
        if len(self.sources) == self.contradicted:
            return right.model_copy(update={"contradicts": "fork_server"})
        return right.model_copy(update={"verdict": Verdict.FAIL_ASSERT, "strategy": "fork_server"})


TEXTS = [f"    return {number}\n" for number in range(3)]


def test_what_was_judged_warm_before_a_contradiction_is_judged_again_from_nothing(tmp_path: Path) -> None:
    sandbox = WarmSandbox(contradicted=2)
    assert judge(TEXTS, tmp_path / "executions.jsonl", sandbox) == [Verdict.PASS] * 3
    assert len(sandbox.sources) == 5, "the one that contradicted was from nothing"
    again = CountingSandbox(Verdict.FAIL_ASSERT)
    assert judge(TEXTS, tmp_path / "executions.jsonl", again) == [Verdict.PASS] * 3
    assert not again.sources


def test_what_an_earlier_start_judged_warm_is_judged_again_too(tmp_path: Path) -> None:
    path = tmp_path / "executions.jsonl"
    judge([*TEXTS[:2], ""], path, WarmSandbox(contradicted=9))
    sandbox = WarmSandbox(contradicted=1)
    assert judge(TEXTS, path, sandbox) == [Verdict.PASS] * 3
    assert len(sandbox.cold) == 2


def test_a_run_that_was_killed_before_it_judged_again_still_does_so(tmp_path: Path) -> None:
    path = tmp_path / "executions.jsonl"
    judge(TEXTS, path, WarmSandbox(contradicted=2))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2]))  # a warm verdict, and what contradicts it
    kept = kept_executions(RUN, PROBLEMS, completions(TEXTS), path)
    assert [row.contradicts for row in kept.values()] == ["fork_server"], "the run is not taken for finished"
    sandbox = WarmSandbox(contradicted=9)
    assert judge(TEXTS, path, sandbox) == [Verdict.PASS] * 3
    assert len(sandbox.cold) == len(sandbox.sources) == 2


def test_no_later_run_is_served_what_was_contradicted(tmp_path: Path) -> None:
    versions = {"python": "Python 3"}
    for name, sandbox in (("first", WarmSandbox(contradicted=3)), ("second", CountingSandbox())):
        with VerdictLog(tmp_path / "log") as log:
            pool = ReusingPool(LocalPool(sandbox, 1), log, versions)
            rows = execute(RUN, PROBLEMS, completions(TEXTS), pool, tmp_path / name, Silent())
        assert [row.verdict for row in rows] == [Verdict.PASS] * 3
    assert not sandbox.sources, "all were served, from nothing"


def test_a_later_run_judges_anew_what_an_earlier_one_judged_warm(tmp_path: Path) -> None:
    versions = {"python": "Python 3"}
    with VerdictLog(tmp_path / "log") as log:
        for name, texts, sandbox in (
            ("earlier", ["", *TEXTS[1:]], WarmSandbox(contradicted=9)),
            ("later", TEXTS, WarmSandbox(contradicted=1)),
        ):
            pool = ReusingPool(LocalPool(sandbox, 1), log, versions)
            rows = execute(RUN, PROBLEMS, completions(texts), pool, tmp_path / name, Silent())
    assert [row.verdict for row in rows] == [Verdict.PASS] * 3
    assert len(sandbox.cold) == 2


def test_the_run_says_how_many_verdicts_are_given_again(tmp_path: Path) -> None:
    class Heard(Silent):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def say(self, message: str) -> None:
            self.lines.append(message)

    heard = Heard()
    pool = LocalPool(WarmSandbox(contradicted=3), 1)
    execute(RUN, PROBLEMS, completions(TEXTS), pool, tmp_path / "executions.jsonl", heard)
    assert len(heard.lines) == 1
    assert heard.lines[0].startswith("2 verdicts on python are given again")
