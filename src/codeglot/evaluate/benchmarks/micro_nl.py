"""The bundled world's own problems asked in every natural language, answered in Python unless languages are named.

The same number is the same problem in all languages, and the first ones are those of `micro`.
"""

from codeglot.evaluate.benchmarks.benchmark import Benchmark, Made
from codeglot.micro.phrasing import natural_languages
from codeglot.micro.problems import LICENSE, build_problem, tasks
from codeglot.micro.renderers.renderer import languages
from codeglot.micro.splits import Split
from codeglot.records import Problem

NAME = "micro_nl"


def _problems(language_id: str, natural_language: str, split: str, numbers: range) -> list[Problem]:
    return [
        build_problem(
            task,
            benchmark=NAME,
            task_id=f"{NAME}/{language_id}/{natural_language}/{split}/{task.number}",
            language_id=language_id,
            natural_language=natural_language,
        )
        for task in tasks(Split(split))[numbers.start : numbers.stop]
    ]


BENCHMARK = Benchmark(
    name=NAME,
    made=Made(
        languages=languages,
        natural_languages=natural_languages,
        problems=_problems,
        default_languages=("python",),
    ),
    license=LICENSE,
    citation="this package",
    splits={"validation": range(240), "test": range(1040)},
    default_split="test",
)
