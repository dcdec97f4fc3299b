"""mHumanEval: HumanEval in Python, its prompts in nine natural languages, translated by experts.

The rows have neither task ids nor names of functions: they stand in the order of HumanEval, and the function asked
for is the last one of the prompt. Source: Raihan et al. 2024, arXiv:2410.15037; data
github.com/mraihan-gmu/mHumanEval-Benchmark, the part called Expert.
"""

import re
import textwrap

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "mhumaneval"

_CODES = {
    "arb_Arab": "ar",
    "ben_Beng": "bn",
    "fra_Latn": "fr",
    "hin_Deva": "hi",
    "ita_Latn": "it",
    "por_Latn": "pt",
    "spa_Latn": "es",
    "swh_Latn": "sw",
    "zho_Hans": "zh",
}
"""By the code of FLORES-200, which the rows have."""


def _problem(language_id: str, row: Row) -> Problem:
    name, prompt = row.text("nl"), row.text("prompt")
    functions = re.findall(r"^def (\w+)", prompt, re.MULTILINE)
    if name not in _CODES or not functions:
        raise DataError(
            f"{row.where}: a row of {NAME} has one of {', '.join(_CODES)} as nl and a function in its prompt; "
            f"this one has {name} and {prompt!r:.60}."
        )
    solution = row.optional("canonical_solution")
    if solution and not solution.lstrip("\n")[:1].isspace():
        solution = textwrap.indent(solution, "    ")  # the first row of each file lost its indentation
    return Problem(
        task_id=f"mHumanEval/{_CODES[name]}/{row.number}",
        benchmark=NAME,
        language_id=language_id,
        natural_language=_CODES[name],
        prompt=prompt,
        entry_point=functions[-1],
        tests=f"{row.text('test')}\ncheck({functions[-1]})\n",
        canonical_solution=solution,
        stop=(*spec.get(language_id).stop, *humaneval.STOP),
        origin=f"{humaneval.NAME}/{row.number}",
    )


_FILES = ("mhumaneval_expert_{part}.jsonl", "Human_Expert_{part}.json")

BENCHMARK = Benchmark(
    name=NAME,
    sources={
        "python": Source(
            files=tuple(
                f"{folder}{file}" for folder in ("", "mhumaneval_expert/", "mHuamnEval-Expert/") for file in _FILES
            ),
            parts=tuple(_CODES),
        )
    },
    problem=_problem,
    natural_languages=tuple(_CODES.values()),
    license="Apache-2.0 AND MIT",
    citation="Raihan et al. 2024, mHumanEval: A Multilingual Benchmark to Evaluate Large Language Models for Code "
    "Generation, arXiv:2410.15037",
)
