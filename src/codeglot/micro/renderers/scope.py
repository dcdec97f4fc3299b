"""What a statement must know of the whole function that it stands in."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from codeglot.micro.tree import (
    Add,
    Assign,
    Call,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Let,
    Name,
    Push,
    Return,
    Statement,
    Type,
    While,
    Write,
    statements,
)

Node = Expression | Statement
_STATEMENTS = (Let, Assign, Add, Push, Write, Count, ForEach, ForRange, ForCounts, While, If, Return)


class Scope(NamedTuple):
    """Facts of a function that decide how its statements are written in some languages."""

    function: str = "solve"
    assigned: frozenset[str] = frozenset()
    """Variables that take another value after their first one; those whose content alone changes are not among them."""
    grown: frozenset[str] = frozenset()
    """Variables that are pushed to or counted in."""
    borrowed: frozenset[str] = frozenset()
    """Texts that are still part of what a loop goes through."""


def scope_of(function: Function) -> Scope:
    """Look through a function once."""
    assigned, grown, borrowed = set(), set(), set()
    for statement in statements(function.body):
        match statement:
            case Assign(name) | Add(name) | Write(name):
                assigned.add(name.id)
            case Push(name) | Count(name):
                grown.add(name.id)
            case ForEach(Name(id, Type.TEXT)) | ForCounts(Name(id, Type.TEXT)):
                borrowed.add(id)
    return Scope(function.name, frozenset(assigned), frozenset(grown), frozenset(borrowed))


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """All statements and expressions of a body, names where they are made or changed included."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        stack += _parts(node)


def _parts(node: Node) -> Iterator[Node]:
    for slot in node.__slots__:
        part = getattr(node, slot)
        if isinstance(part, tuple):
            yield from part
        elif hasattr(part, "__slots__"):
            yield part


def calls(node: Statement) -> list[Call]:
    """Calls of built-in functions in a statement, without those of the statements in its body."""
    expressions = [part for part in _parts(node) if not isinstance(part, _STATEMENTS)]
    return [found for found in walk(expressions) if isinstance(found, Call)]


def is_used(name: Name, body: Iterable[Statement]) -> bool:
    """Whether statements mention a variable."""
    return any(node == name for node in walk(body))
