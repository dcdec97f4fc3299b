"""McEval: problems written by hand for each of its languages, with tests and reference answers.

A program is prompt, answer and tests, each from a new line. Where the published program is none for the compilers used
here, or its tests cannot fail or never end, it is mended.
Source: Chai et al. 2024, arXiv:2406.07436; data github.com/MCEVAL/McEval.
"""

import re

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "mceval"

_UPSTREAM_NAMES = {
    "coffeescript": "CoffeeScript",
    "common_lisp": "Common Lisp",
    "cpp": "CPP",
    "csharp": "C#",
    "dart": "Dart",
    "elixir": "Elixir",
    "emacs_lisp": "Emacs Lisp",
    "fortran": "Fortran",
    "fsharp": "F#",
    "go": "Go",
    "haskell": "Haskell",
    "java": "Java",
    "javascript": "JavaScript",
    "julia": "Julia",
    "lua": "Lua",
    "powershell": "PowerShell",
    "python": "Python",
    "r": "R",
    "ruby": "Ruby",
    "scala": "Scala",
    "scheme": "Scheme",
    "swift": "Swift",
    "typescript": "TypeScript",
    "vimscript": "VimScript",
}

_INSIDE_ANSWERS = {
    "coffeescript": ("\n#",),
    "common_lisp": ("\n(defun ", "\n;"),
    "elixir": ("\n#",),
    "emacs_lisp": ("\n(defun ", "\n;"),
    "fortran": ("\n!",),
    "go": ("\n//",),
    "haskell": ("\n--",),
    "javascript": ("\nfunction ", "\nconst ", "\nlet ", "\n//"),
    "julia": ("\nfunction ",),
    "lua": ("\nfunction ", "\nlocal ", "\n--"),
    "r": ("\n#",),
    "scheme": ("\n(define ",),
    "swift": ("\nfunc ", "\n//"),
    "typescript": ("\nlet ", "\n//"),
    "vimscript": ("\nlet ", '\n"'),
}
"""Stops of a language that stand inside reference answers here, not all of which are indented."""

_MENDED_TESTS = {
    "C#/1": (r"Console\.WriteLine\((.*)\);", r"System.Diagnostics.Debug.Assert(\1);"),  # only printed
    "Haskell/23": (r'" \(Fail\)"', 'error "Test failed"'),  # only printed
    "Lua/1": (r"\Z", "\n\ntestHelloMMCodeEval()\n"),  # never called
    "Python/35": (r"unittest\.main\(\)", "assert unittest.main(exit=False).result.wasSuccessful()"),  # left by exit()
}
"""By task id, what is replaced in the tests."""

_MENDED_NAMES = {"Elixir/15": "quicksort", "Elixir/40": "leap_year?"}
"""By task id, the function under test where the published data names one that is not there."""

_NO_PROGRAM = "its answers are not run, and the published data has neither tests nor answers to compare them with"


def _problem(language_id: str, row: Row) -> Problem:
    prompt, tests = row.text("prompt"), row.text("test")
    task_id, solution = row.text("task_id"), row.optional("canonical_solution")
    tests = re.sub(*_MENDED_TESTS[task_id], tests) if task_id in _MENDED_TESTS else tests
    if language_id == "java":
        prompt, tests = _java(prompt, tests)
    elif language_id == "fortran":
        tests, solution = _fortran(tests, solution)
    elif language_id == "csharp" and "using System.Linq;" not in prompt:
        prompt = f"using System.Linq;\n{prompt}"  # which the SDK of .NET imports unasked
    return Problem(
        task_id=task_id,
        benchmark=NAME,
        language_id=language_id,
        prompt=prompt,
        entry_point=_MENDED_NAMES.get(task_id, row.optional("entry_point")),
        tests=tests,
        canonical_solution=None if solution is None else ("" if prompt.endswith("\n") else "\n") + solution,
        stop=tuple(mark for mark in spec.get(language_id).stop if mark not in _INSIDE_ANSWERS.get(language_id, ())),
    )


def _java(prompt: str, tests: str) -> tuple[str, str]:
    """The class that is run is `Main`; another public one would need a file of its own name."""
    prompt = re.sub(r"(?m)^public (?=(?:final |abstract )?class )", "", prompt)
    own = re.findall(r"(?m)^(?:final |abstract )?class (\w+)", prompt)[-1]
    call = f"class Main {{\n    public static void main(String[] args) throws Throwable {{ {own}.main(args); }}\n}}\n"
    return prompt, tests if own == "Main" else f"{tests}\n{call}"


def _fortran(tests: str, solution: str | None) -> tuple[str, str | None]:
    """The answer is a procedure inside of the program that tests it, and so stands before that program's end."""
    name = re.findall(r"(?im)^\s*program (\w+)", tests)[0]
    ending = f"\ninclude 'main.f90'\nend program {name}\n"
    return f"{tests.rstrip()}{ending}", solution and re.sub(rf"(?i)\s*end program {name}\s*\Z", "\n", solution)


BENCHMARK = Benchmark(
    name=NAME,
    sources={
        language_id: Source(files=(f"mceval_{language_id}.jsonl", f"data/{upstream}.jsonl"))
        for language_id, upstream in _UPSTREAM_NAMES.items()
    },
    problem=_problem,
    left_out=dict.fromkeys(("html", "json", "markdown"), _NO_PROGRAM),
    license="CC-BY-SA-4.0",
    citation="Chai et al. 2024, McEval: Massively Multilingual Code Evaluation, arXiv:2406.07436",
)
