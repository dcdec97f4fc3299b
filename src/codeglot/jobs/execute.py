"""Completions -> executions.jsonl: every program without a verdict is run; what the machine spoiled is run again."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from codeglot import runs
from codeglot.execute.cold import execution_key
from codeglot.execute.local import Pool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.generate.extract import extract_program
from codeglot.jobs.judge import doubted_languages, is_doubtful, judge
from codeglot.jobs.progress import Progress
from codeglot.jobs.runfile import EvaluationRun
from codeglot.languages import spec
from codeglot.records import Completion, Execution, Limits, Problem, Verdict

Key = tuple[str, int]


def execute(
    run: EvaluationRun,
    problems: Sequence[Problem],
    completions: Sequence[Completion],
    pool: Pool,
    path: Path,
    progress: Progress,
) -> list[Execution]:
    """Run every program that `path` holds no scored verdict for.

    Returns:
        One execution per completion, in their order.

    Raises:
        SandboxError: If the sandbox cannot be used at all.
    """
    problem_by_id = {problem.task_id: problem for problem in problems}
    completion_by_key = {completion.key: completion for completion in completions}
    executions = kept_executions(run, problems, completions, path)

    def program(key: Key) -> ExecutionRequest | Execution:
        return build_program(problem_by_id[key[0]], completion_by_key[key], run.evaluate.limits)

    verdicts = judge(
        pool,
        [key for key in completion_by_key if key not in executions],
        program,
        known=executions,
        doubted=doubted_languages(_rows(path)),
        say=progress.say,
    )
    with (
        progress.track("execute", total=len(completions), done=len(executions)) as advance,
        runs.RowWriter(path) as writer,
        closing(verdicts),
    ):
        for key, execution in verdicts:
            is_new = key not in executions
            executions[key] = execution.model_copy(update={"task_id": key[0], "sample": key[1]})
            writer.write(executions[key])
            if is_new:  # a later verdict takes the place of one that was taken back
                advance()
    return [executions[completion.key] for completion in completions]


def kept_executions(
    run: EvaluationRun, problems: Sequence[Problem], completions: Sequence[Completion], path: Path
) -> dict[Key, Execution]:
    """Scored verdicts of an earlier start, by key, on the very programs that would be run now.

    A completion, a test or a limit that changed since, in whatever way, makes another program, which is run anew.
    """
    rows = _rows(path)
    found, doubted = {row.key: row for row in rows}, doubted_languages(rows)
    problem_by_id = {problem.task_id: problem for problem in problems}
    kept: dict[Key, Execution] = {}
    for completion in completions:
        row = found.get(completion.key)
        if row is None or not row.verdict.is_scored or is_doubtful(row, doubted):
            continue
        problem = problem_by_id[completion.task_id]
        program = build_program(problem, completion, run.evaluate.limits)
        language = spec.get(problem.language_id)
        version = row.versions.get(language.id, "")
        key = "" if isinstance(program, Execution) else execution_key(program, language, version)
        if key == row.execution_key:
            kept[completion.key] = row
    return kept


def _rows(path: Path) -> list[Execution]:
    return list(runs.iter_rows(path, Execution)) if path.exists() else []


def build_program(problem: Problem, completion: Completion, limits: Limits) -> ExecutionRequest | Execution:
    """The program in a completion and how it is judged; its verdict at once where the text holds none."""
    language = spec.get(problem.language_id)
    program = extract_program(problem, completion.text, completion.finish_reason, language)
    if program.source is None:
        return Execution(verdict=Verdict.EXTRACTION_FAILED, detail=program.how)
    return build_execution(problem, program.source, limits)


def build_execution(problem: Problem, source: str, limits: Limits) -> ExecutionRequest:
    """One program and how it is judged."""
    return ExecutionRequest(
        source=source,
        tests=problem.tests,
        language_id=problem.language_id,
        stdin=problem.stdin,
        expected_output=problem.expected_output,
        files=problem.files,
        limits=problem.limits or limits,
    )
