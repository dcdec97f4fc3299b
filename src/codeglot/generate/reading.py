"""Reading a text as a program that holds the function asked for, and leaving out what would spoil the tests.

A text is read up to the last line at which it is a program in which that function is complete. Then goes what
cannot stay: what the tests define too, examples and checks behind the function, a second version of it, and
whatever a base model ran on to and nobody needs. Where nothing has to go, the text stays as it is.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from codeglot.generate.demand import Demand
from codeglot.generate.preamble import bound_names
from codeglot.generate.syntax import Item, Kind, Program, Step, decode, encode, is_function

_NEXT_LINE = re.compile(rb"\n[ \t\r]*(?=\S)")
_NUM_LONG = 24
"""Ends tried from the longest text on."""
_NUM_SHORT = 60
"""Ends tried from the shortest text on, when these did not do."""
_VALUES = ("assignment", "lexical", "variable", "assignment_statement", "assignment_expression", "const")


class Reading(NamedTuple):
    """A text in which the function asked for is complete."""

    data: bytes
    program: Program
    """The text parsed, with the braces that it leaves open closed."""
    path: list[Step]
    """The way to the function; empty where no name is asked for."""
    depth: int
    """Braces that it leaves open."""
    in_doubt: bool = False
    """Whether the parser may have misread it, so that only what surely spoils the tests is left out."""


def read(text: str, demand: Demand, *, at: int = 0, is_strict: bool = True) -> Reading | None:
    """The longest beginning of `text`, in whole lines, that is a program; None where there is none.

    Args:
        text: What may be a program, with more behind it.
        demand: Which function must be complete in it.
        at: Length of the prompt at the start of `text`: the function that is open there is meant.
        is_strict: Whether the function itself must be free of faults too.
    """
    data = encode(text)
    floor = len(encode(text[:at]))
    ends = _ends(data, floor, demand)
    last = len(ends) - 1
    for _ in range(_NUM_LONG):
        if last < 0:
            return None
        found = _read_all(data[: ends[last]], demand, floor, is_strict=is_strict)
        if isinstance(found, Reading):
            return found
        # text that does not fit stays in the way of all that ends behind it
        last = min(last - 1, bisect_right(ends, found) - 1)
    for end in ends[: min(last + 1, _NUM_SHORT)]:
        found = _read_all(data[:end], demand, floor, is_strict=is_strict)
        if isinstance(found, Reading):
            return found
    return None


def _ends(data: bytes, floor: int, demand: Demand) -> list[int]:
    """Where the text may end, in order: between two lines where no function is open, and behind the last line."""
    closer = demand.language.syntax.closer
    lines = [match.start() + 1 for match in _NEXT_LINE.finditer(data, floor) if closer == "}" or match[0] == b"\n"]
    if closer == "}":
        most = max(len(demand.headers), demand.num_open)
        depths = Program(data, demand.language).depths(lines)
        lines = [end for end, depth in zip(lines, depths, strict=True) if 0 <= depth <= most]
    return [*lines, len(data)]


def _read_all(data: bytes, demand: Demand, floor: int, *, is_strict: bool) -> Reading | int:
    """The program that a text is; else an offset such that nothing is gained by leaving out what stands behind it."""
    program, depth = Program(data, demand.language), 0
    if demand.language.syntax.closer == "}" and (depth := program.depth):
        if not 0 < depth <= max(len(demand.headers), demand.num_open):
            return len(data)
        program = Program(data + b"\n" + b"}" * depth, demand.language)
    # the function that the prompt opened must go on: another one of its name would leave the first without a body
    path = program.open_at(floor) if floor and demand.path else program.find(demand.name)
    function = path[-1].item if path else None
    behind = max(floor, function.end if function else 0)
    first_fault = next((start for start, _ in program.faults if start >= behind), len(data))
    if program.faults and is_strict:
        return first_fault
    if function is None:
        return first_fault if demand.name or program.faults or not program.items else Reading(data, program, [], depth)
    if not program.has_body(function, after=floor):
        return first_fault
    if function.node.start_byte < floor and _starts_over(program, floor, function):
        return first_fault
    if any(start < function.start or end >= function.node.end_byte or start == end for start, end in program.faults):
        return first_fault
    return Reading(data, program, path, depth)


def _starts_over(program: Program, floor: int, function: Item) -> bool:
    """Whether what follows the prompt does nothing but define the function again, inside of itself."""
    code = program.data[floor:]
    first = floor + len(code) - len(code.lstrip())
    node = program.root.named_descendant_for_byte_range(first, first + 1)
    while node is not None and node.start_byte == first:
        if is_function(node) and program.item(node, first).names & function.names:
            return not program.has_body(function, after=node.end_byte)
        node = node.parent
    return False


def prune(reading: Reading, demand: Demand) -> str:
    """The program of a reading, without what does not belong and as open at its end as the tests need it."""
    data, program, path, depth, in_doubt = reading
    dropped, kept_behind = _sort_out(program, path, demand, in_doubt=in_doubt) if path else ([], [])
    if not dropped and depth == demand.num_open:
        return decode(data)
    end, tail = len(data), ""
    if demand.num_open > depth:
        end = _end_when_open(reading, demand.num_open)
        tail = "".join(f"\n{program.text(item.start, item.end)}" for item in kept_behind if item.start > end)
    else:
        tail = "\n" * (depth > demand.num_open) + "}" * (depth - demand.num_open)
    pieces, position = [], 0
    for item in sorted(dropped, key=lambda item: item.start):
        if position <= item.start < end:
            pieces.append(data[position : item.start])
            position = item.end
    pieces.append(data[position:end])
    text = decode(b"".join(pieces)).rstrip()
    return f"{text}{tail}\n"


def _end_when_open(reading: Reading, num_open: int) -> int:
    """Where the brace stands that the tests will close, in place of the program."""
    program, path = reading.program, reading.path
    if num_open < len(path) and (body := program.body(path[num_open - 1].item)):
        return min(body.end_byte - 1, len(reading.data))
    return reading.data.rfind(b"}", 0, path[-1].item.node.end_byte) if path else len(reading.data)


def _sort_out(program: Program, path: list[Step], demand: Demand, *, in_doubt: bool) -> tuple[list[Item], list[Item]]:
    """What has to go, and what stays behind the function."""
    others = [item for step in path for i, item in enumerate(step.items) if i != step.position]
    function = path[-1].item
    own = _closure(program, function, others, program.words(function.node))
    needed = own | _closure(program, function, others, set(demand.test_words))
    variables = {name for item in others if _holds_value(item) for name in item.names & own}
    dropped: list[Item] = []
    kept_behind: list[Item] = []
    for step in path:
        for i, item in enumerate(step.items):
            if i == step.position:
                continue
            is_behind = i > step.position
            if in_doubt:
                is_sure = not item.node.has_error and _clashes(program, item, demand, own)
                (dropped if is_sure else kept_behind).append(item)
            elif _clashes(program, item, demand, own) or (is_behind and _is_second(item, function, demand)):
                dropped.append(item)
            elif is_behind and item.kind is Kind.STATEMENT:
                words = program.words(item.node)
                (kept_behind if words & variables and demand.name not in words else dropped).append(item)
            elif is_behind and dropped and item.kind is Kind.DEFINITION and not item.names & needed:
                dropped.append(item)
            elif is_behind:
                kept_behind.append(item)
    return dropped, kept_behind


def _closure(program: Program, function: Item, others: Iterable[Item], words: set[str]) -> set[str]:
    """The words of the function and of every definition that it needs, and that they need."""
    waiting = [item for item in others if item.kind is Kind.DEFINITION]
    reached = set(words)
    while found := [item for item in waiting if item.names & reached]:
        waiting = [item for item in waiting if item not in found]
        for item in found:
            reached |= program.words(item.node)
    return reached - function.names


def _holds_value(item: Item) -> bool:
    is_wrapped = item.node.type == "expression_statement" and item.node.named_child_count > 0
    node = item.node.named_children[0] if is_wrapped else item.node
    return item.kind is Kind.DEFINITION and node.type.startswith(_VALUES)


def _clashes(program: Program, item: Item, demand: Demand, own: set[str]) -> bool:
    """Whether the tests define the same, and the function can do without this one."""
    if item.kind is Kind.IMPORT:
        return not demand.tests_elsewhere and bool(bound_names(program, item.node) & demand.test_names)
    return not demand.language.syntax.redefines and bool(item.names & demand.test_names) and not item.names & own


def _is_second(item: Item, function: Item, demand: Demand) -> bool:
    return item.kind is Kind.DEFINITION and bool(item.names & function.names) and not demand.language.syntax.overloads
