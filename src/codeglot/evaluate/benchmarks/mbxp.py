"""MBXP: MBPP converted into many languages by program; some rows have no reference answer.

The number in a task id is that of MBPP, so its splits hold here too; the field reports all rows.
Source: Athiwaratkun et al. 2022, arXiv:2210.14868; data github.com/amazon-science/mxeval, on the hub only in the
branch that the hub itself converts.
"""

from functools import cache
from importlib import resources

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import mbpp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "mbxp"

_FILES = {
    "python": "mbpp_release_v1.jsonl",
    "java": "mbjp_release_v1.2.jsonl",
    "cpp": "mbcpp_release_v1.2.jsonl",
    "csharp": "mbcsp_release_v1.2.jsonl",
    "javascript": "mbjsp_release_v1.2.jsonl",
    "typescript": "mbtsp_release_v1.2.jsonl",
    "ruby": "mbrbp_release_v1.2.jsonl",
    "php": "mbphp_release_v1.2.jsonl",
    "perl": "mbplp_release_v1.jsonl",
    "go": "mbgp_release_v1.1.jsonl",
}


def _problem(language_id: str, row: Row) -> Problem:
    task_id = row.text("task_id")
    origin = f"{mbpp.NAME}/{task_id.rpartition('/')[2]}"
    return build(language_id, row, benchmark=NAME, task_id=task_id, origin=origin)


def build(
    language_id: str,
    row: Row,
    *,
    benchmark: str,
    task_id: str,
    origin: str | None = None,
    natural_language: str = "en",
) -> Problem:
    """One problem of MBXP, or of another benchmark whose rows and tests are written like these."""
    entry_point, tests = row.text("entry_point"), row.text("test")
    return Problem(
        task_id=task_id,
        benchmark=benchmark,
        language_id=language_id,
        natural_language=natural_language,
        prompt=row.text("prompt"),
        entry_point=entry_point,
        tests=f"{tests}\ncheck({entry_point})\n" if language_id == "python" else tests,
        canonical_solution=row.optional("canonical_solution"),
        stop=spec.get(language_id).stop,
        files=_libraries(language_id),
        origin=origin,
    )


@cache
def _libraries(language_id: str) -> dict[str, str]:
    """What the tests of a language use and no package manager of the sandbox has."""
    if language_id != "csharp":
        return {}
    name = "CompareNetObjects.cs"
    return {name: (resources.files(__package__) / name).read_text(encoding="utf-8")}


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        language_id: Source(
            files=(file,),
            hub="mxeval/mbxp",
            hub_files=(f"{language_id}/test/0000.parquet",),
            revision="refs/convert/parquet",
        )
        for language_id, file in _FILES.items()
    },
    problem=_problem,
    license="CC-BY-4.0",
    citation="Athiwaratkun et al. 2022, Multi-lingual Evaluation of Code Generation Models, arXiv:2210.14868",
    splits=mbpp.SPLITS,
)
