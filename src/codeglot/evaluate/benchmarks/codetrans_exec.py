"""CodeTrans of CodeFuseEval: translate a function between C++, Java and Python; tests of the target language judge.

One benchmark per source language (`codetrans_from_cpp`, ...), whose language is that of the answer, so that the six
directions, whose rows differ, are asked for and scored one by one. The published prompt is the bare source; here it is
framed by the names of both languages and ends with the beginning of the program wanted: imports, class and signature,
and helpers that the tests call, from the published solution without its comments. Nothing else says what the tests
call. Sources from MBPP have the brace of their function twice, which is no program; one of the two is left out.

Rows do not name their origin. They keep the order of MBPP 11 to 511, without some, and of HumanEval behind them.
Task ids are `CodeTrans/<source>-<target>/<number>`, with upstream's number.
Source: Di et al. 2023, arXiv:2310.06266; data github.com/codefuse-ai/codefuse-evaluation (code_trans).
"""

import re
from functools import partial

from codeglot.data.sources import Row, Source
from codeglot.errors import DataError
from codeglot.evaluate.benchmarks import humaneval, mbpp
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.generate.syntax import Item, Kind, Program, Step, is_function
from codeglot.languages import spec
from codeglot.records import Problem

_LANGUAGES = ("cpp", "java", "python")

_BOTH: tuple[int, ...] = (37, 50, 64, 65, 67, 94, 115, 143, 157, 160, 174, 180, 215, 216, 237, 243)
_BOTH += (262, 265, 272, 278, 280, 284, 290, 294, 298, 299, 301, 307, 313, 317, 333, 361, 362, 376, 381, 390, 393, 395)
_BOTH += (405, 407, 410, 413, 418, 421, 425, 432, 440, 446, 452, 457, 462, 465, 473, 475, 490)
_CPP = (15, 111, 117, 255, 408)
_JAVA = (13, 31, 114, 124, 182, 209, 240, 293, 367, 422, 431, 444, 493)
_LEFT_OUT: dict[tuple[str, str], tuple[int, ...]] = {
    ("java", "python"): (124, 367, 511),
    ("python", "java"): (*_JAVA, 398, 511),
    ("cpp", "python"): (*_BOTH, 13, 124, 182, 240, 293, 367, 422, 431, 511),
    ("cpp", "java"): (*_BOTH, *_JAVA, 306, 323, 398),
    ("java", "cpp"): (*_BOTH, *_JAVA, *_CPP, 306, 323),
    ("python", "cpp"): (*_BOTH, *_JAVA, *_CPP, 306, 323, 511),
}
"""Problems of MBPP 11 to 511 that a direction lacks; found by the names of the functions."""
_NOT_IN_CPP = 162
"""The problem of HumanEval that the directions to C++ lack."""


def benchmark(name: str, source_id: str) -> Benchmark:
    """The benchmark of the translations from one language."""
    targets = [language_id for language_id in _LANGUAGES if language_id != source_id]
    files = {language_id: f"codeTrans_{source_id}_to_{language_id}.jsonl" for language_id in targets}
    return Benchmark(
        name=name,
        sources={
            language_id: Source(files=(file, f"codetrans_exec/{file}", f"code_trans/{file}"))
            for language_id, file in files.items()
        },
        problem=partial(_problem, name, source_id),
        license="Apache-2.0",
        citation="Di et al. 2023, CodeFuse-13B: A Pretrained Multi-lingual Code Large Language Model, arXiv:2310.06266",
    )


def _problem(name: str, source_id: str, language_id: str, row: Row) -> Problem:
    number = _number(row)
    solution, tests = _clean(row.text("canonical_solution")), _clean(row.text("test"))
    program = Program(solution, spec.get(language_id))
    path = _tested(program, tests)
    if not path:
        raise DataError(f"{row.where}: the tests call no function of the canonical solution. Give the published file.")
    given = _beginning(program, path, tests)
    source, target = spec.get(source_id).name, spec.get(language_id).name
    code = re.sub(r"\{\n\s*\{", "{", _clean(row.text("prompt")), count=1).strip("\n")
    return Problem(
        task_id=f"CodeTrans/{source_id}-{language_id}/{number}",
        benchmark=name,
        language_id=language_id,
        prompt=f"Translate this {source} code to {target}.\n\n{source}:\n{code}\n\n{target}:\n{given}",
        prompt_is_code=False,
        given=f"{given}\n",
        entry_point=_name(path[-1].item),
        tests=tests,
        canonical_solution=f"{solution}\n",
        stop=spec.get(language_id).stop,
        origin=_origin(source_id, language_id, number, row),
    )


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(row: Row) -> int:
    digits = row.text("task_id").rpartition("/")[2]
    if not digits.isdecimal() or digits == "0":
        raise DataError(f"{row.where}: '{row.text('task_id')}' ends with no number from 1. Give the published file.")
    return int(digits)


def _origin(source_id: str, language_id: str, number: int, row: Row) -> str:
    """The problem of MBPP or HumanEval that a row was made from."""
    left_out = _LEFT_OUT[source_id, language_id]
    of_mbpp = [origin for origin in range(11, 512) if origin not in left_out]
    of_humaneval = [origin for origin in range(164) if language_id != "cpp" or origin != _NOT_IN_CPP]
    origins = [f"{mbpp.NAME}/{n}" for n in of_mbpp] + [f"{humaneval.NAME}/{n}" for n in of_humaneval]
    if number > len(origins) or not origins[number - 1].startswith(row.text("Difficulty")):
        raise DataError(
            f"{row.where}: row {number} from '{row.text('Difficulty')}' does not stand there in the published file, so "
            "that its origin is not known. Give that file."
        )
    return origins[number - 1]


def _name(item: Item) -> str:
    return min(item.names)


def _tested(program: Program, tests: str) -> list[Step]:
    """The way to the last function that the tests call; those before it are helpers that they use."""
    names = [name for item in _functions(program, program.items) for name in item.names]
    called = [name for name in names if re.search(rf"\b{re.escape(name)}\b", tests)]
    return program.find(called[-1]) if called else []


def _functions(program: Program, items: list[Item]) -> list[Item]:
    """All functions, those of classes included, in order."""
    found: list[Item] = []
    for item in items:
        body = program.body(item)
        if body:
            found += _functions(program, program.parts(body))
        elif is_function(item.node):
            found.append(item)
    return found


def _beginning(program: Program, path: list[Step], tests: str) -> str:
    """What stands before the function and is not its solution, and the function up to its first statement."""
    parts: list[str] = []
    for step in path:
        for item in step.items[: step.position]:
            is_called = any(re.search(rf"\b{re.escape(name)}\b", tests) for name in item.names)
            if item.kind is Kind.IMPORT or is_called:
                parts.append(_lines(program, item.node.start_byte, item.end))
        node = step.item.node
        body = node.child_by_field_name("body") or node
        brace = program.text(body.start_byte, body.start_byte + 1) if program.syntax.closer else ""
        parts.append(_lines(program, node.start_byte, body.start_byte) + brace.rjust(len(brace) + 1))
    return "\n".join(part.rstrip() for part in parts)


def _lines(program: Program, start: int, end: int) -> str:
    """Code from the start of its line."""
    line = program.data.rfind(b"\n", 0, start) + 1
    return program.text(line if not program.data[line:start].strip() else start, end).rstrip()
