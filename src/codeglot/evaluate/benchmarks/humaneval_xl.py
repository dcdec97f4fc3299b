"""HumanEval-XL: 80 problems of HumanEval, each asked in 23 natural languages for 12 programming languages.

The prose was translated by machine and checked by program; signatures, tests and the English text are those of
multilingual HumanEval. Only Python has reference answers. Task ids are `language/code/number`, with the code of
the natural language, as the ids on file are the same in all of these.
Source: Peng et al. 2024, arXiv:2402.16694; data github.com/floatai/HumanEval-XL.
"""

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval, mbxp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import natural
from codeglot.records import Problem

NAME = "humaneval_xl"

_CODES = {
    natural.name_of(code): code
    for code in (
        *("af", "ar", "bg", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he"),
        *("hu", "id", "it", "ms", "nl", "pt", "ru", "tl", "tr", "vi", "zh"),
    )
}

_LANGUAGES = (
    *("python", "java", "javascript", "typescript", "csharp", "go"),
    *("kotlin", "perl", "php", "ruby", "scala", "swift"),
)

HUMANEVAL = (
    *(3, 8, 11, 12, 13, 19, 21, 27, 30, 31, 34, 39, 40, 43, 46, 47, 48, 51, 52, 53),
    *(54, 55, 58, 59, 60, 62, 63, 64, 69, 71, 72, 75, 79, 80, 81, 82, 84, 87, 90, 91),
    *(94, 95, 99, 100, 101, 102, 103, 106, 107, 109, 110, 112, 115, 117, 120, 122, 127, 130, 131, 132),
    *(133, 134, 135, 136, 139, 143, 144, 145, 146, 147, 148, 150, 151, 153, 154, 156, 157, 161, 162, 163),
)
"""Number in HumanEval of each problem; found by comparing answers and tests."""


def _problem(language_id: str, row: Row) -> Problem:
    number, name = row.text("task_id").rpartition("/")[2], row.text("natural_language")
    if name not in _CODES or not number.isdecimal() or int(number) >= len(HUMANEVAL):
        raise DataError(
            f"{row.where}: {NAME} has tasks 0 to {len(HUMANEVAL) - 1}, each in {', '.join(_CODES)}; "
            f"it has no task {number} in {name}."
        )
    code = _CODES[name]
    return mbxp.build(
        language_id,
        row,
        benchmark=NAME,
        task_id=f"{language_id}/{code}/{number}",
        origin=f"{humaneval.NAME}/{HUMANEVAL[int(number)]}",
        natural_language=code,
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={language_id: Source(files=(f"humaneval_xl_{language_id}.jsonl",)) for language_id in _LANGUAGES},
    problem=_problem,
    natural_languages=tuple(_CODES.values()),
    license="MIT",
    citation="Peng et al. 2024, HumanEval-XL: A Multilingual Code Generation Benchmark for Cross-lingual Natural "
    "Language Generalization, arXiv:2402.16694",
)
