"""What the tasks of HumanEvalPack share: HumanEval in six languages, mended, with instructions and with faulty answers.

Prompts are those of the harness that the published figures come from, in its form for models in general: what is asked,
in prose, then the beginning of the program. An answer may go on with that or be a whole program; the published
solutions stand as whole programs here. That harness also puts imports before an answer; here an answer brings its own.
Task ids are those of upstream behind the task's name, as `HumanEvalFix/Java/7`.
Source: Muennighoff et al. 2023, arXiv:2308.07124; data github.com/bigcode-project/octopack, prompts
bigcode_eval/tasks/humanevalpack.py of github.com/bigcode-project/bigcode-evaluation-harness.
"""

from typing import NamedTuple

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import humaneval
from codeglot.generate.preamble import mend_packages
from codeglot.generate.syntax import Program
from codeglot.languages import spec
from codeglot.records import Problem

CITATION = "Muennighoff et al. 2023, OctoPack: Instruction Tuning Code Large Language Models, arXiv:2308.07124"
LICENSE = "MIT"

_UPSTREAM_NAMES = {"python": "python", "java": "java", "javascript": "js", "cpp": "cpp", "go": "go", "rust": "rust"}
_RUST_MAIN = "fn main(){}\n"

SOURCES = {
    language_id: Source(
        files=(f"humanevalpack_{name}.jsonl", f"humanevalpack/humanevalpack_{name}.jsonl"),
        hub="bigcode/humanevalpack",
        hub_files=(f"data/{name}/data/humanevalpack.jsonl",),
    )
    for language_id, name in _UPSTREAM_NAMES.items()
}


class Task(NamedTuple):
    """What a task of HumanEvalPack asks."""

    benchmark: str
    prefix: str
    """Of the task ids."""
    prompt: str
    """With the beginning of the program at its end."""
    shown: str
    """That beginning, as the prompt has it."""


def build(language_id: str, row: Row, task: Task) -> Problem:
    """One problem of a task."""
    task_id, tests = row.text("task_id"), row.text("test")
    given = task.shown
    if language_id == "go":
        given = _go_file(row, given)
        # The tests are a file of their own here; upstream keeps one list of imports for them and the answer.
        tests = mend_packages(f"{row.text('test_setup')}\n{tests}", "", spec.get(language_id))
    return Problem(
        task_id=f"{task.prefix}/{task_id}",
        benchmark=task.benchmark,
        language_id=language_id,
        prompt=task.prompt.strip(),
        prompt_is_code=False,
        given=given,
        entry_point=row.text("entry_point"),
        tests=tests,
        canonical_solution=given + row.text("canonical_solution"),
        stop=spec.get(language_id).stop,
        origin=f"{humaneval.NAME}/{task_id.rpartition('/')[2]}",
    )


def _go_file(row: Row, shown: str) -> str:
    """What is shown of a program behind all that the prompt of the row has and it has not: package, imports, helpers.

    Four published answers call a helper that their declaration lacks.
    """
    whole = Program(f"package main\n\n{row.text('prompt')}\n}}", spec.get("go"))
    others = [item for item in whole.items if row.text("entry_point") not in item.names]
    texts = [whole.text(item.node.start_byte, item.end) for item in others]
    return "\n\n".join([*(text for text in texts if text not in shown), shown.lstrip("\n")])


def declaration(language_id: str, row: Row) -> str:
    """The beginning of the program without what the function is for."""
    return (_RUST_MAIN if language_id == "rust" else "") + row.text("declaration")
