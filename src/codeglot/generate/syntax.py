"""The parts of a program: what it imports, what it defines, what it does, and what each part mentions.

Trees come from tree-sitter, which gives one for any text, so nothing here fails on a broken program. What the
nodes of a grammar mean is written in the language's specification. Offsets are in bytes of UTF-8.
"""

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from functools import cache, cached_property
from importlib import import_module
from typing import NamedTuple

import tree_sitter
from tree_sitter import Node, Parser

from codeglot.languages.spec import Language

_WORD = re.compile(rb"[A-Za-z_$][\w$]*")
_NAMING_FIELDS = frozenset(
    {"name", "declarator", "left", "definition", "declaration", "property", "field", "attribute"}
)
"""Fields that lead from a definition to the names that it defines."""
_CARRIERS = (
    "declarator",
    "declaration",
    "definition",
    "_spec",
    "_list",
    "assignment",
    "assignment_expression",
    "_statement",
    "_element",
    "_binding",
    "module_name",
)
"""Ends of the types of nodes that stand between, without a field."""
_FUNCTION = re.compile("function|method|lambda|bind")
_BODIES = frozenset({"function_body", "class_body", "enum_class_body"})
"""Nodes that are the body of what they stand in, in grammars without a field for it."""
_TYPES = frozenset({"user_type", "array_type", "dictionary_type", "optional_type", "tuple_type", "function_type"})
"""Nodes of types, which the grammar of Swift puts into the field of names."""
_PUNCTUATION = frozenset({"{", "}", ":", ";", "end", "do", "\n"})
_PIECE = 4096
"""Bytes that a parser reads at once."""
_left: ContextVar[list[int] | None] = ContextVar("_left", default=None)
"""Bytes that parsers may still read; None: any number."""


class TooMuchToReadError(Exception):
    """Parsers have read as much as they may; raised and caught within this room."""


@contextmanager
def at_most(num_bytes: int) -> Iterator[None]:
    """Let all parsers together read so many bytes, counting what one reads again; then `TooMuchToReadError`.

    The work of a parser goes with what it reads: twice a common text, thousands of times one of comments that no line
    closes. Unlike a time, it is the same whenever a text is looked at.
    """
    token = _left.set([num_bytes])
    try:
        yield
    finally:
        _left.reset(token)


class Kind(Enum):
    """What a part of a program is for."""

    IMPORT = auto()
    DEFINITION = auto()
    STATEMENT = auto()


class Item(NamedTuple):
    """One part at one level, with the comments and attributes before it."""

    node: Node
    kind: Kind
    start: int
    end: int
    names: frozenset[str]
    """What it defines."""


class Step(NamedTuple):
    """One level on the way to a definition."""

    items: Sequence[Item]
    position: int
    """Which of them is, or holds, the definition."""

    @property
    def item(self) -> Item:
        """The one that is, or holds, the definition."""
        return self.items[self.position]


@cache
def _parser(grammar: str) -> Parser:
    module, function = grammar.split(":")
    return Parser(tree_sitter.Language(getattr(import_module(module), function)()))


def _parse(data: bytes, grammar: str) -> tree_sitter.Tree:
    """The tree of a text; see `at_most`."""
    left = _left.get() or [sys.maxsize]
    is_parsing = True

    def read(at: int, _point: object) -> bytes:
        piece = data[at : at + _PIECE]
        if is_parsing:  # nodes are asked for their text in the same way
            piece = piece if left[0] > 0 else b""  # the end, so that the parser comes to one
            left[0] -= max(len(piece), 1)
        return piece

    tree = _parser(grammar).parse(read)
    if left[0] <= 0:
        raise TooMuchToReadError
    is_parsing = False
    return tree


def encode(text: str) -> bytes:
    """The bytes that offsets count; half surrogates, which JSON can carry, are kept."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The inverse of `encode`."""
    return data.decode("utf-8", "surrogatepass")


class Program:
    """A parsed text of a language that has a grammar."""

    def __init__(self, text: str | bytes, language: Language) -> None:
        self.data = text if isinstance(text, bytes) else encode(text)
        self.syntax = language.syntax
        self.root = _parse(self.data, language.grammar or "").root_node

    def text(self, start: int, end: int) -> str:
        """A part of the text."""
        return decode(self.data[start:end])

    def indented(self, item: Item) -> str:
        """The text of a part from the start of its first line."""
        line = self.data.rfind(b"\n", 0, item.start) + 1
        return self.text(item.start if self.data[line : item.start].strip() else line, item.end)

    @cached_property
    def items(self) -> list[Item]:
        """The parts at the top level, in order."""
        return self.parts(self.root)

    def parts(self, parent: Node) -> list[Item]:
        """The parts directly below a node, in order; trailing comments of a line belong to the part on it."""
        found: list[Item] = []
        lead: int | None = None
        for child in self._ungrouped(parent):
            if not child.is_named:
                if found and child.type == ";":
                    found[-1] = found[-1]._replace(end=child.end_byte)
            elif (
                _is_comment(child)
                and found
                and lead is None
                and b"\n" not in self.data[found[-1].end : child.start_byte]
            ):
                found[-1] = found[-1]._replace(end=child.end_byte)
            elif _is_comment(child) or child.type in self.syntax.attributes:
                lead = child.start_byte if lead is None else lead
            else:
                found.append(self.item(child, child.start_byte if lead is None else lead))
                lead = None
        return found

    def _ungrouped(self, parent: Node) -> Iterator[Node]:
        for child in parent.children:
            if child.type in self.syntax.groups:
                yield from child.children
            else:
                yield child

    def item(self, node: Node, start: int) -> Item:
        """What a node is for; `start` is where the comments before it begin."""
        inner = node
        while inner.type in {"expression_statement", "global_statement"} and inner.named_child_count == 1:
            inner = inner.named_children[0]
        kind, names = Kind.STATEMENT, frozenset[str]()
        if inner.type in self.syntax.imports or (
            inner.type == "call" and _first_word(inner) in self.syntax.import_calls
        ):
            kind = Kind.IMPORT
        elif inner.type in self.syntax.definitions:
            names = frozenset(_names(inner))
            is_annotation = inner.type == "assignment" and inner.child_by_field_name("right") is None
            kind = Kind.DEFINITION if names and not is_annotation else Kind.STATEMENT
        return Item(node, kind, start, node.end_byte, names)

    def body(self, item: Item) -> Node | None:
        """The node that holds the members of a class or name space; None for anything else."""
        return _own_body(item.node) if item.node.type in self.syntax.containers else None

    def find(self, name: str | None) -> list[Step]:
        """The levels down to the last definition of a name, preferably one with a body; empty where there is none."""
        return self._named(name, self.items) if name else []

    def open_at(self, at: int) -> list[Step]:
        """The levels down to the definition that goes on at an offset; empty where there is none."""
        path: list[Step] = []
        items = self.items
        while True:
            index = next((i for i, item in enumerate(items) if item.node.start_byte < at < item.node.end_byte), None)
            if index is None:
                return []
            path.append(Step(items, index))
            body = self.body(items[index])
            if body is None:
                return path if items[index].kind is Kind.DEFINITION else []
            items = self.parts(body)

    def _named(self, name: str, items: Sequence[Item]) -> list[Step]:
        called_so = [
            Step(items, i)
            for i, item in enumerate(items)
            if name in item.names and item.kind is Kind.DEFINITION and not self.body(item)
        ]
        if called_so:
            return [next((step for step in reversed(called_so) if self.has_body(step.item)), called_so[-1])]
        for index in reversed(range(len(items))):
            if (body := self.body(items[index])) and (rest := self._named(name, self.parts(body))):
                return [Step(items, index), *rest]
        return next(([Step(items, i)] for i, item in enumerate(items) if name in item.names and self.body(item)), [])

    def has_body(self, item: Item, *, after: int = 0) -> bool:
        """Whether a definition does something, in code behind offset `after`."""
        body = _body(item.node)
        if body is None:
            return False
        skipped = {*self.syntax.placeholders}
        found = (leaf for leaf in leaves(body, skipped) if after <= leaf.start_byte < leaf.end_byte)
        return any(leaf.type not in _PUNCTUATION for leaf in found)

    def words(self, node: Node) -> set[str]:
        """Every identifier and keyword below a node, but for strings and comments."""
        found = (_WORD.fullmatch(leaf.text or b"") for leaf in leaves(node, {"string", "string_literal"}))
        return {match[0].decode() for match in found if match}

    @cached_property
    def faults(self) -> list[tuple[int, int]]:
        """Where the text does not fit the grammar: the span of each place."""
        spans: list[tuple[int, int]] = []
        stack = [self.root] if self.root.has_error else []
        while stack:
            node = stack.pop()
            if node.is_error or node.is_missing:
                spans.append((node.start_byte, node.end_byte))
            else:
                stack += [child for child in node.children if child.has_error or child.is_missing]
        hollow = (item.node for item in self.items if (body := _body(item.node)) and body.start_byte == body.end_byte)
        return sorted(spans + [(node.start_byte, node.end_byte) for node in hollow])

    @property
    def bare(self) -> str:
        """The text with its strings and comments blanked."""
        data = bytearray(self.data)
        stack = [self.root]
        while stack:
            node = stack.pop()
            if _is_comment(node) or "string" in node.type:
                data[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
            else:
                stack += node.children
        return decode(bytes(data))

    @cached_property
    def depth(self) -> int:
        """Braces that are open at the end."""
        return self.depths([len(self.data)])[0]

    def depths(self, offsets: Sequence[int]) -> list[int]:
        """Braces that are open at each of some ascending offsets."""
        found: list[int] = []
        depth = 0
        for leaf in leaves(self.root):
            while len(found) < len(offsets) and offsets[len(found)] <= leaf.start_byte:
                found.append(depth)
            if not leaf.is_missing:
                depth += (leaf.type in {"{", "${", "#{"}) - (leaf.type == "}")
        return found + [depth] * (len(offsets) - len(found))


def _is_comment(node: Node) -> bool:
    return "comment" in node.type or node.type == "haddock"


def _first_word(node: Node) -> str:
    first = node.children[0] if node.children else node
    return decode(first.text or b"")


def leaves(node: Node, skipped: Collection[str] = ()) -> Iterator[Node]:
    """Nodes without children, in order, leaving out comments and the types in `skipped`.

    With a stack of its own here and elsewhere, since a model's text can nest deeper than Python calls.
    """
    stack = [node]
    while stack:
        node = stack.pop()
        if _is_comment(node) or node.type in skipped:
            continue
        if node.child_count:
            stack += reversed(node.children)
        else:
            yield node


def _names(node: Node) -> Iterator[str]:
    """What a definition defines."""
    stack = [node]
    while stack:
        node = stack.pop()
        children = [(child, node.field_name_for_child(i)) for i, child in enumerate(node.children) if child.is_named]
        if not children:
            if match := _WORD.search(node.text or b""):
                yield match[0].decode()
            continue
        if node.type == "variable_declaration" and children[0][0].type == "identifier":
            stack.append(children[0][0])
            continue
        lists_names = node.type.endswith(("pattern", "list", "declarator")) or node.type == "variable_name"
        naming = {*_NAMING_FIELDS, "pattern"} if node.type == "let_binding" else _NAMING_FIELDS
        onward = [child for child, field in children if field in naming and child.type not in _TYPES]
        onward = onward or [
            child for child, field in children if field is None and (lists_names or child.type.endswith(_CARRIERS))
        ]
        stack += onward or [child for child, field in children if field == "type"]


def is_function(node: Node) -> bool:
    """Whether a definition has parameters and code, rather than a value."""
    body = _body(node)
    return body is not None and body.parent is not None and bool(_FUNCTION.search(body.parent.type))


def _own_body(node: Node) -> Node | None:
    return node.child_by_field_name("body") or next((child for child in node.children if child.type in _BODIES), None)


def _body(node: Node) -> Node | None:
    """The code of a function or the value of a variable, through whatever is wrapped around it."""
    stack = [node]
    while stack:
        node = stack.pop()
        if body := _own_body(node):
            return body
        for field in ("value", "right", "match"):
            if value := node.child_by_field_name(field):
                return value.child_by_field_name("body") or value
        children = [(child, node.field_name_for_child(i)) for i, child in enumerate(node.children) if child.is_named]
        stack += [
            child
            for child, field in children
            if field in _NAMING_FIELDS or (field is None and child.type.endswith(_CARRIERS))
        ]
    return None
