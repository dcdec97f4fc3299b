"""The bundled world's own problems in every programming language, asked in English.

The same number is the same problem in all languages. All of them are new combinations: no training example has the
meaning of one of them.
"""

from codeglot.evaluate.benchmarks.benchmark import Benchmark, Made
from codeglot.micro.problems import LICENSE, build_problem, tasks
from codeglot.micro.renderers.renderer import languages
from codeglot.micro.splits import Split
from codeglot.records import Problem

NAME = "micro"
NUM_TEST = 320
"""Problems of the test split that this benchmark asks; the others are asked by `micro_nl` too."""


def _problems(language_id: str, natural_language: str, split: str, numbers: range) -> list[Problem]:
    return [
        build_problem(
            task,
            benchmark=NAME,
            task_id=f"{NAME}/{language_id}/{split}/{task.number}",
            language_id=language_id,
            natural_language=natural_language,
        )
        for task in tasks(Split(split))[numbers.start : numbers.stop]
    ]


BENCHMARK = Benchmark(
    name=NAME,
    made=Made(languages=languages, problems=_problems),
    license=LICENSE,
    citation="this package",
    splits={"validation": range(240), "test": range(NUM_TEST)},
    default_split="test",
)
