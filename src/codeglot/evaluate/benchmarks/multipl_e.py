"""MultiPL-E: HumanEval compiled from Python into many languages, tests and all; it has no reference answers.

Task ids are the beginnings of the published names behind the language, as `rust/HumanEval/0`. A program is prompt,
answer and tests in one file; where that file is no whole program, or its tests end without saying so, it is mended
here, so that what the prompt asks stays as published. The part made from MBPP is `multipl_e_mbpp`.
Source: Cassano et al. 2023, arXiv:2208.08227; data github.com/nuprl/MultiPL-E, prompts of the kind `reworded`.
"""

import re
from collections.abc import Callable
from itertools import count

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.records import Problem

NAME = "multipl_e"

LICENSE = "LicenseRef-BSD-3-Clause-no-training"
"""The text of BSD-3-Clause, with a clause more: its contents may not be used as training data."""

CITATION = (
    "Cassano et al. 2023, MultiPL-E: A Scalable and Polyglot Approach to Benchmarking Neural Code Generation, "
    "arXiv:2208.08227"
)

_UPSTREAM_NAMES = {
    "bash": "sh",
    "cpp": "cpp",
    "csharp": "cs",
    "d": "d",
    "elixir": "elixir",
    "go": "go",
    "haskell": "hs",
    "java": "java",
    "javascript": "js",
    "julia": "jl",
    "lua": "lua",
    "ocaml": "ml",
    "perl": "pl",
    "php": "php",
    "python": "py",
    "r": "r",
    "racket": "rkt",
    "ruby": "rb",
    "rust": "rs",
    "scala": "scala",
    "swift": "swift",
    "typescript": "ts",
}
_NOT_ON_THE_HUB = ("python",)


def sources(part: str) -> dict[str, Source]:
    """The files of one part, `humaneval` or `mbpp`, by language."""
    return {
        language_id: Source(
            files=(f"{part}-{upstream}-reworded.jsonl", f"{NAME}/{part}-{upstream}-reworded.jsonl"),
            hub=None if language_id in _NOT_ON_THE_HUB else "nuprl/MultiPL-E",
            hub_files=() if language_id in _NOT_ON_THE_HUB else (f"{part}-{upstream}/test-00000-of-00001.parquet",),
        )
        for language_id, upstream in _UPSTREAM_NAMES.items()
    }


def _problem(language_id: str, row: Row) -> Problem:
    return build(language_id, row, benchmark=NAME, root=humaneval.NAME)


def build(language_id: str, row: Row, *, benchmark: str, root: str) -> Problem:
    """One problem of either part.

    Args:
        language_id: Of the answer.
        row: With `name`, `prompt`, `tests`, `stop_tokens`.
        benchmark: Name of the benchmark.
        root: Name of the benchmark that it was compiled from.
    """
    name, prompt, tests = row.text("name"), row.text("prompt"), row.text("tests")
    match = re.match(r"([A-Za-z]+)_(\d+)_(\w+)$", name)
    if match is None:
        raise DataError(f"{row.where}: a name of {benchmark} is like HumanEval_0_has_close_elements, not {name!r}.")
    if language_id in _MENDERS:
        prompt, tests = _MENDERS[language_id](prompt, tests)
    return Problem(
        task_id=f"{language_id}/{match[1]}/{match[2]}",
        benchmark=benchmark,
        language_id=language_id,
        prompt=prompt,
        entry_point=_entry_point(prompt, tests, match[3]),
        tests=tests,
        stop=tuple(row.lines("stop_tokens")),
        origin=f"{root}/{match[2]}",
    )


def _entry_point(prompt: str, tests: str, python_name: str) -> str | None:
    """The last word of the prompt with the letters of the function's name in Python, or that is the one tested."""
    letters = python_name.replace("_", "").lower()
    words = re.findall(r"\w+", prompt)
    same = [word for word in words if word.replace("_", "").lower() == letters]
    same += re.findall(r"\bcandidate = (\w+)", tests)[:1]
    return next((word for word in reversed(words) if word in same), None)


def _csharp(prompt: str, tests: str) -> tuple[str, str]:
    """The signature stands in the comment above it in the published HumanEval."""
    return re.sub(r"\n    //( +public static [^\n]*\{\n)\Z", r"\n\1", prompt), tests


def _elixir(prompt: str, tests: str) -> tuple[str, str]:
    """In the published MBPP, the characters of the parameters are listed, and the function's name is no atom.

    The signature of `f(n, m)` is `f(n, ,,  , m)` there.
    """
    mended = re.sub(r"apply\(HumanEval, (?=\w)", "apply(HumanEval, :", tests)
    listed = re.search(r"\((.(?:, .)+)\) do\s*\Z", prompt) if mended != tests else None
    if listed:
        prompt = prompt[: listed.start(1)] + listed[1][::3] + prompt[listed.end(1) :]
    return prompt, mended


def _java(prompt: str, tests: str) -> tuple[str, str]:
    """The class that is run is `Main`."""
    main = "class Main {\n    public static void main(String[] args) { Problem.main(args); }\n}\n"
    return prompt, f"{tests}\n{main}"


def _lua(prompt: str, tests: str) -> tuple[str, str]:
    """The end of the tests is reached when they have passed, rather than left with a status."""
    return prompt, tests.replace("os.exit(lu.LuaUnit.run())", "if lu.LuaUnit.run() ~= 0 then os.exit(false) end")


def _perl(prompt: str, tests: str) -> tuple[str, str]:
    """A failure says that it is one."""
    numbers = count()
    return prompt, re.sub(r"\bexit 1;", lambda _: f'die "Exception -- test case {next(numbers)} did not pass.";', tests)


_MENDERS: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "csharp": _csharp,
    "elixir": _elixir,
    "java": _java,
    "lua": _lua,
    "perl": _perl,
}
"""By language, how a prompt and its tests become those of a whole program."""

BENCHMARK = Benchmark(name=NAME, sources=sources("humaneval"), problem=_problem, license=LICENSE, citation=CITATION)
