"""Fitting a program that defines the function itself into the shape that the prompt gave and the tests expect.

A parser knows no macros and not every version of a language, so what it cannot read may still be code. Only prose is
left out for that, and what runs on behind a program that it can read.
"""

import re
import textwrap
from collections.abc import Iterator

from codeglot.generate.demand import Demand
from codeglot.generate.preamble import lacking
from codeglot.generate.reading import Reading, prune, read
from codeglot.generate.syntax import Item, Kind, Program, decode, encode, is_function

_NUM_GUESSES = 8
"""Lines that may be the function's definition, in a text with prose before it."""
_PROSE = re.compile(r"[A-Z][\w']*[,:]?(?: [\w'`\"(),/-]+)*(?: [\w'`\"(),/-]+[.:!?])?|.*[a-z] [a-z]+[.:!?]")

_OPENER = re.compile(r"[A-Z][^={}\[\]();$<>|&\\]*[.:!?]")
"""A line that announces what follows."""
_HEADING = re.compile(r"#{1,6} .*|\*\*.*\*\*:?")


def is_talk(text: str) -> bool:
    """Whether a text before a fence only leads to it: sentences of any length, headings."""
    lines = [line.strip() for line in text.splitlines()]
    return all(_is_talk(line) or _HEADING.fullmatch(line) for line in lines if line)


def _is_talk(line: str) -> bool:
    return _is_sentence(line) or bool(_OPENER.fullmatch(line))


def is_prose(text: str) -> bool:
    """Whether all lines of a text read as sentences rather than as code."""
    return all(_is_sentence(line.strip()) for line in text.splitlines() if line.strip())


def _is_sentence(line: str) -> bool:
    return bool(_PROSE.fullmatch(line)) and line.count(" ") > 1 and not re.search(r"[={};\[\]]|\)\s*:", line)


def read_whole(code: str, demand: Demand, *, is_strict: bool, runs_on: bool) -> str | None:
    """The program in `code`, which defines the function, without prose around it; None where there is none.

    `runs_on` tells that anything may stand behind the program. Else all that is no prose is kept, read or not.
    """
    code = textwrap.dedent(code)
    for start in _starts(code, demand):
        reading = read(code[start:], demand, is_strict=is_strict)
        if reading is None or (demand.path and not is_function(reading.path[-1].item.node)):
            continue  # inside its body, a function may use its own name for a variable
        behind = "" if runs_on else code[start + len(decode(reading.data)) :]
        if _holds_code(code[:start], demand) or not _is_talk(behind.strip().split("\n", 1)[0] or "Nothing."):
            break
        if (text := _fit(reading, demand)) is not None:
            return text
    return None if is_strict else _as_it_stands(code, demand)


def _holds_code(head: str, demand: Demand) -> bool:
    """Whether something is imported or defined in a text."""
    items = Program(head, demand.language).items if head.strip() else []
    return any(item.kind is not Kind.STATEMENT and not item.node.has_error for item in items)


def _as_it_stands(code: str, demand: Demand) -> str | None:
    """All of a program that the parser cannot read, but for prose at its ends."""
    lines = code.splitlines(keepends=True)
    while lines and (not lines[0].strip() or _is_talk(lines[0].strip())):
        del lines[0]
    while lines and (not lines[-1].strip() or _is_sentence(lines[-1].strip())):
        del lines[-1]
    program = Program("".join(lines), demand.language)
    path = program.find(demand.name)
    function = path[-1].item if path else None
    if not lines or (demand.name and not (function and program.has_body(function))):
        return None
    if demand.path and not (function and is_function(function.node)):
        return None
    depth = program.depth if demand.num_open else 0
    return _fit(Reading(program.data, program, path, depth, in_doubt=True), demand)


def _starts(code: str, demand: Demand) -> Iterator[int]:
    """Where the program may start: the first line from which all is code up to a line that may define the function."""
    lines = [match.start() for match in re.finditer(r"^.*\S", code, re.MULTILINE)]
    if demand.name is None:
        yield from lines[:1]
        return
    tried: set[int] = set()
    for target in _definitions(code, demand):
        for start in (line for line in lines if line <= target):
            if not is_prose(code[start:].split("\n", 1)[0]) and _is_code(code[start:target], demand):
                if start not in tried:
                    yield start
                tried.add(start)
                break


def _definitions(code: str, demand: Demand) -> Iterator[int]:
    """Starts of the lines that may define the function: where the parser sees it, then by its name."""
    program = Program(code, demand.language)
    if path := program.find(demand.name):
        yield code.rfind("\n", 0, len(program.text(0, path[-1].item.node.start_byte))) + 1
    name = re.compile(rf"(?<![\w.]){re.escape(demand.name or '')}\s*(?:[(=:<]|$)", re.MULTILINE)
    for match in list(name.finditer(code))[:_NUM_GUESSES]:
        yield code.rfind("\n", 0, match.start()) + 1


def _is_code(code: str, demand: Demand) -> bool:
    """Whether a text, with the classes that it opens closed, is a program."""
    program = Program(code, demand.language)
    if program.faults and demand.language.syntax.containers and program.depth > 0:
        program = Program(code + "\n" + "}" * program.depth, demand.language)
    return not program.faults


def _fit(reading: Reading, demand: Demand) -> str | None:
    """The program with the prompt's classes around the function and all that the prompt brought."""
    if demand.headers and not _has_shape(reading, demand):
        text = _transplant(reading, demand)
        moved = read(text, demand, is_strict=False)
        if moved is None:
            return None
        reading = moved
    return _complete(prune(reading, demand), demand)


def _has_shape(reading: Reading, demand: Demand) -> bool:
    """Whether the function stands in the classes that the prompt opened, with what it has there."""
    program, containers = reading.program, [step.item for step in reading.path[:-1]]
    if len(containers) != len(demand.headers):
        return False
    headers = [
        program.text(item.node.start_byte, body.start_byte + 1) for item in containers if (body := program.body(item))
    ]
    wanted = [
        demand.head.text(item.node.start_byte, body.start_byte + 1)
        for item in demand.containers
        if (body := demand.head.body(item))
    ]
    present = {name for item in reading.path[-1].items for name in item.names}
    return [header.split() for header in headers] == [header.split() for header in wanted] and all(
        item.names & present for item in demand.members if item.kind is Kind.DEFINITION
    )


def _transplant(reading: Reading, demand: Demand) -> str:
    """The members of the function's class, or its neighbors where it has none, put into the prompt's classes."""
    program, path = reading.program, reading.path
    package = program.syntax.package
    imports = [item for item in path[0].items if item.kind is Kind.IMPORT and item.node.type not in package]
    members = [item for item in path[-1].items if item.kind is not Kind.IMPORT]
    others = [
        item
        for step in path[:-1]
        for i, item in enumerate(step.items)
        if i != step.position and item.kind is Kind.DEFINITION
    ]
    present = {name for item in members for name in item.names}
    parts = [_text(program, item) for item in imports] + demand.headers
    parts += [_text(demand.head, item) for item in demand.members if not item.names & present]
    inside = "\n\n".join(program.indented(item) for item in members)
    for step, item in zip(reversed(path[:-1]), reversed(demand.containers), strict=False):
        old, new = min(step.item.names, default=""), min(item.names, default="")
        if old and new and old != new:
            inside = re.sub(rf"\b{re.escape(old)}\b", new, inside)
    parts += [inside, "}" * len(demand.headers)]
    parts += [_text(program, item) for item in others]
    return "\n".join(parts) + "\n"


def _complete(text: str, demand: Demand) -> str:
    """Add what the prompt imports and defines before the function, where the program lacks it."""
    if not demand.prompt:
        return text
    program = Program(text + "\n" + "}" * demand.num_open, demand.language)
    path = program.find(demand.name)
    if not path:
        return text
    syntax = demand.language.syntax
    given = {_text(demand.head, item).strip() for item in demand.outer}
    strays = [item for item in program.items if item.node.type in syntax.package and _text(program, item) not in given]
    edits = [(item.start, item.end, "") for item in strays]
    defined = {name for item in program.items for name in item.names}
    helpers = [item for item in demand.outer if item.kind is Kind.DEFINITION and not item.names & defined]
    start = path[0].item.start
    edits += [(start, start, _text(demand.head, item) + "\n\n") for item in reversed(helpers)]
    imports = lacking([(demand.head, item) for item in demand.outer if item.kind is Kind.IMPORT], program)
    firsts = [item.end for item in program.items if item.node.type in syntax.first and item not in strays]
    position = firsts[-1] if firsts else 0
    if imports:
        edits.append((position, position, "\n" * bool(position) + "\n".join(imports) + "\n"))
    data = program.data[: len(encode(text))]
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        data = data[:start] + encode(replacement) + data[end:]
    return decode(data)


def _text(program: Program, item: Item) -> str:
    return program.text(item.start, item.end)
