"""What turns a tree into a program: the frame that all languages share, filled from a table of forms.

A language is one file here, named like its specification, that defines `RENDERER`. The canonical solution is always
loop-style code of the same shape, since that is what makes transfer between languages visible.

What a form is, `forms` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from codeglot.errors import UnknownNameError
from codeglot.languages import spec
from codeglot.micro.renderers.forms import FORMS, Before, Checks, Form, Special, by_type
from codeglot.micro.renderers.scope import Scope, calls, scope_of
from codeglot.micro.tree import (
    BINDING,
    ITEM,
    Again,
    Builtin,
    Call,
    Case,
    Count,
    Empty,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Infix,
    Let,
    Letters,
    Minus,
    Name,
    Not,
    Number,
    Operation,
    Statement,
    Truth,
    Type,
    Value,
    While,
    Write,
)

_NO_SCOPE = Scope()
_BLOCKS = frozenset({"body", "otherwise"})


class Operand:
    """A part of a statement or of an expression on its way into a template."""

    __slots__ = ("_node", "_renderer")

    def __init__(self, renderer: "Renderer", node: Expression) -> None:
        self._renderer = renderer
        self._node = node

    @property
    def id(self) -> str:
        """A variable's plain name."""
        return plain_name(self._node)

    def __format__(self, binding: str) -> str:
        return self._renderer.expression(self._node, int(binding or 0))


def plain_name(node: Expression) -> str:
    """The id of a variable, where a form can take nothing else.

    Raises:
        ValueError: If the node is not a variable.
    """
    if not isinstance(node, Name):
        raise ValueError(f"a variable is needed in this place, not {node}")  # noqa: TRY004 - a value of the tree
    return node.id


def _one_more(high: Expression) -> Expression:
    """The number behind the last one of a range."""
    match high:
        case Number(value):
            return Number(value + 1)
        case Operation(Infix.MINUS, below, Number(1)):
            return below
        case _:
            return Operation(Infix.PLUS, high, Number(1))


@dataclass(frozen=True, kw_only=True)
class Renderer:
    """One programming language, as a table."""

    language_id: str
    signature: str
    """What stands above the body; slots: `comment`, `name`, `parameters`, `result`."""
    checks: Checks
    forms: Mapping[object, str | Form]
    """By class of the node, `Infix`, `Builtin` or `Special`. A key may be narrowed by the class, the type or both
    of the first operand or of the value: `(Let, Empty, Type.INTS)`, `(Let, Empty)`, `(Let, Type.INTS)`, `Let`. The
    form of `(Not, Builtin.HAS)` takes the operands of the call."""
    empties: Mapping[Type, str]
    types: Mapping[Type, str] = field(default_factory=dict)
    before: Mapping[tuple[Builtin, Type], Before] = field(default_factory=dict)
    parameter: str = "{name}"
    indent: str = "    "
    depth: int = 1
    """Levels of indentation of the function's body."""
    end: str = ";"
    """What ends a simple statement."""
    opens: str = " {"
    """What is put behind the line that opens a block."""
    closes: str | None = "}"
    otherwise: str = "} else {"
    closing: tuple[str, ...] = ("}",)
    """Lines that close what `signature` opened."""
    let_words: tuple[str, str] = ("", "")
    """`{let}` of a variable that changes, and of one that does not."""
    sigil: str = ""
    truths: tuple[str, str] = ("false", "true")
    char_quote: str = '"'
    scope: Scope = _NO_SCOPE
    """Of the function that is written just now."""
    _found: dict[object, Form] = field(default_factory=dict, compare=False, repr=False)
    _writers: "dict[Scope, Renderer]" = field(default_factory=dict, compare=False, repr=False)
    """By the scope of the functions that they write; there are far fewer scopes than functions."""
    _written: dict[object, str] = field(default_factory=dict, compare=False, repr=False)
    """What was written of a statement, its blocks aside; most come again and again."""

    # The three texts of a problem.

    def prompt(self, function: Function, description: Sequence[str]) -> str:
        """What stands above the body: imports, the description as line comments, the signature; no last newline."""
        mark = self.indent * (self.depth - 1) + spec.get(self.language_id).comment
        return self.signature.format(
            comment="".join(f"{mark} {line}\n" for line in description),
            name=function.name,
            parameters=", ".join(
                self.parameter.format(name=self.sigil + name.id, type=self.types.get(name.type))
                for name in function.parameters
            ),
            result=self.types.get(function.result),
        )

    @staticmethod
    def function_name(name: str) -> str:
        """The function's own name, as this language calls it: the same in all of them, since all allow it."""
        return name

    def completion(self, function: Function) -> str:
        """The rest of the program: a newline, the body, whatever closes what `prompt` opened, and a last newline.

        Raises:
            ValueError: If the function has a form that this language cannot say.
        """
        scope = scope_of(function)
        writer = self._writers.get(scope)
        if writer is None:
            writer = self._writers[scope] = replace(self, scope=scope, _written={})
        return "".join(f"\n{line}" for line in (*writer.lines(function.body, self.depth), *self.closing)) + "\n"

    def tests(self, function: Function, cases: Sequence[Case]) -> str:
        """Code behind the program that runs every case and fails by assertion at the first that is wrong."""
        checks = self.checks
        columns = [*((name.id, name.type) for name in function.parameters), ("expected", function.result)]
        arguments = [
            by_type(checks.argument, kind).format(name=name, index=index, type=self.types.get(kind))
            for index, (name, kind) in enumerate(columns[:-1])
        ]
        slots = {"function": function.name, "arguments": ", ".join(arguments), "num": len(arguments)}
        types = self.types if checks.types is None else checks.types
        return checks.text.format(
            rows="".join(checks.row.format(values=self._row(case, [kind for _, kind in columns])) for case in cases),
            check=by_type(checks.check, function.result).format(**slots),
            types=", ".join(types.get(kind, "") for _, kind in columns),
            fields="".join(checks.field.format(name=name, type=types.get(kind)) for name, kind in columns),
            **slots,
        )

    def _row(self, case: Case, kinds: Sequence[Type]) -> str:
        values = (*case.arguments, case.expected)
        return ", ".join(self.literal(value, kind) for value, kind in zip(values, kinds, strict=True))

    def literal(self, value: Value, kind: Type) -> str:
        """A value of a test written down."""
        if isinstance(value, list):
            items = ", ".join(self.literal(item, ITEM[kind]) for item in value)
            return self.checks.lists.format(items, type=self.types.get(kind))
        if isinstance(value, str):
            return f'"{value}"'
        return self.truths[value] if isinstance(value, bool) else str(value)

    # Statements.

    def lines(self, body: Sequence[Statement], depth: int) -> list[str]:
        """A block of statements."""
        return [line for statement in body for line in self.statement(statement, depth)]

    def statement(self, node: Statement, depth: int) -> list[str]:
        """One statement, each line indented."""
        above = self._above(node, depth) if self.before else []
        match node:
            case If():
                return [*above, *self._choice(node, depth), *self._closed(depth)]
            case ForEach() | ForRange() | ForCounts() | While():
                return [*above, *self._opened(node, depth), *self._closed(depth)]
            case _:
                return [*above, f"{self.indent * depth}{self._filled(node)}{self.end}"]

    def _above(self, node: Statement, depth: int) -> list[str]:
        found = [
            (self.before[key], plain_name(call.arguments[0]))
            for call in calls(node)
            if (key := (call.function, call.arguments[0].type)) in self.before
        ]
        if found and isinstance(node, While):
            raise ValueError(f"{self.language_id} cannot say this condition of a loop, which changes: {node.condition}")
        return [
            self.indent * depth + line.format(self.sigil + name, new=before.name.format(name))
            for before, name in dict.fromkeys(found)
            for line in before.lines
        ]

    def _opened(self, node: Statement, depth: int, kind: object = None) -> list[str]:
        """The line that opens a block, and the block."""
        first, *more = self._filled(node, kind).split("\n")
        pad = self.indent * depth
        body = node.body if isinstance(node, If | ForEach | ForRange | ForCounts | While) else ()
        inner = [f"{pad}{self.indent}{line}{self.end}" for line in more]
        return [f"{pad}{first}{self.opens}", *inner, *self.lines(body, depth + 1)]

    def _closed(self, depth: int) -> list[str]:
        return [] if self.closes is None else [self.indent * depth + self.closes]

    def _choice(self, node: If, depth: int, kind: object = None) -> list[str]:
        lines = self._opened(node, depth, kind)
        match node.otherwise:
            case ():
                return lines
            case (If() as other,) if not (self.before and self._above(other, depth)):
                return lines + self._choice(other, depth, Special.ELSE_IF)
            case _:
                return [*lines, self.indent * depth + self.otherwise, *self.lines(node.otherwise, depth + 1)]

    def _filled(self, node: Statement, kind: object = None) -> str:
        """The form of a statement, or of the line that opens it, with its parts put in."""
        kind = kind or self.kind(node)
        key = (kind, *[getattr(node, slot) for slot in node.__slots__ if slot not in _BLOCKS])
        text = self._written.get(key)
        if text is None:
            form = self.find(kind, self._subject(node))
            text = self._written[key] = form.text.format(**self.slots(node))
        return text

    def kind(self, node: Statement | Expression) -> object:
        """Under which key the form of a node is found."""
        match node:
            case Write(at_front=True):
                return Special.WRITE_FRONT
            case ForCounts(count=None):
                return Special.FOR_KEYS
            case ForCounts(key=None):
                return Special.FOR_VALUES
            case Operation():
                return node.operator
            case Call():
                return node.function
            case _:
                return type(node)

    @staticmethod
    def _subject(node: Statement) -> Expression:
        """The part of a statement by which forms may differ."""
        match node:
            case ForEach():
                return node.items
            case ForRange():
                return node.high
            case ForCounts():
                return node.counts
            case If() | While():
                return node.condition
            case Count():
                return node.key
            case _:
                return node.value

    def slots(self, node: Statement) -> dict[str, object]:
        """The parts of a statement for its form."""
        slots: dict[str, object] = {
            slot: Operand(self, part) for slot in node.__slots__ if hasattr(part := getattr(node, slot), "__slots__")
        }
        match node:
            case ForEach():
                slots["type"] = self.types.get(node.item.type)
            case Let():
                slots["type"] = self.types.get(node.name.type)
                slots["let"] = self.let_word(node)
            case ForCounts() if node.key is not None:
                slots["type"] = self.types.get(node.key.type)
            case ForRange():
                slots["test"], slots["beyond"] = self._last_test(node), Operand(self, _one_more(node.high))
        return slots

    def let_word(self, node: Let) -> str:
        """The word in front of a new variable."""
        return self.let_words[node.name.id not in self.scope.assigned]

    def _last_test(self, node: ForRange) -> str:
        """`i <= n`, or `i < n` where the last number is `n - 1`."""
        item = self.expression(node.item)
        match node.high:
            case Operation(Infix.MINUS, below, Number(1)):
                return f"{item} < {self.expression(below, 5)}"
            case high:
                return f"{item} <= {self.expression(high, 5)}"

    # Expressions.

    def expression(self, node: Expression, binding: int = 0) -> str:
        """An expression, in parentheses where what stands around it (`binding`) would tear it apart."""
        match node:
            case Name():
                return self.sigil + node.id
            case Number():
                return f"({node.value})" if node.value < 0 and binding > BINDING[Infix.PLUS] else str(node.value)
            case Truth():
                return self.truths[node.value]
            case Letters():
                quote = self.char_quote if node.type == Type.CHAR else '"'
                return f"{quote}{node.value}{quote}"
            case Empty():
                return self.empties[node.type]
            case Again():
                return f"{self.scope.function}({', '.join(map(self.expression, node.arguments))})"
            case _:
                return self._composed(node, binding)

    def _composed(self, node: Operation | Not | Minus | Call, binding: int) -> str:
        kind = self.kind(node)
        operands: tuple[Expression, ...]
        match node:
            case Operation():
                operands = (node.left, node.right)
            case Not(Call() as call) if (Not, call.function) in self.forms:
                kind, operands = (Not, call.function), call.arguments
            case Not() | Minus():
                operands = (node.operand,)
            case Call():
                operands = node.arguments
                if before := self.before.get((node.function, operands[0].type)):
                    return self.sigil + before.name.format(plain_name(operands[0]))
        form = self.find(kind, operands[0])
        text = form.text.format(*[Operand(self, operand) for operand in operands])
        return f"({text})" if form.binding < binding else text

    def find(self, kind: object, subject: Expression) -> Form:
        """The form of a node; see `forms` for how it may depend on the node's subject.

        Raises:
            ValueError: If the language has none.
        """
        key = (kind, type(subject), subject.type)
        if (found := self._found.get(key)) is not None:
            return found
        kinds = (kind[0], kind[1]) if isinstance(kind, tuple) else (kind,)
        for narrowed in ((*kinds, *key[1:]), (*kinds, key[1]), (*kinds, key[2]), kind):
            form = self.forms.get(narrowed) or FORMS.get(narrowed)
            if form is not None:
                self._found[key] = Form(form) if isinstance(form, str) else form
                return self._found[key]
        raise ValueError(f"the micro world of {self.language_id} has no form for {kind} of {subject}")


@cache
def renderer(language_id: str) -> Renderer:
    """The renderer of a programming language.

    Raises:
        UnknownNameError: If the micro world does not have it.
    """
    if language_id not in languages():
        raise UnknownNameError("language of the micro world", language_id, languages())
    found: Renderer = import_module(f"{__package__}.{language_id}").RENDERER
    return found


@cache
def languages() -> tuple[str, ...]:
    """Ids of the languages that have a renderer, in the order of their ids."""
    ids = (language.id for language in spec.all_languages())
    return tuple(name for name in ids if find_spec(f"{__package__}.{name}") is not None)
