"""Rust, with parameters by value; texts and lists that are kept are cloned."""

from pathlib import Path

from typing_extensions import override

from codeglot.micro.renderers.forms import COUNTS, LISTS, Checks, Form, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import (
    Again,
    Assign,
    Builtin,
    Call,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    If,
    Infix,
    Let,
    Letters,
    Name,
    Number,
    Operation,
    Push,
    Return,
    Statement,
    Truth,
    Type,
    While,
    Write,
)

_OWNED = frozenset({Type.TEXT, *LISTS})
"""Types whose values have one owner."""


class _Rust(Renderer):
    @override
    def let_word(self, node: Let) -> str:
        """A list that grows is mutable too."""
        return self.let_words[node.name.id not in self.scope.assigned | self.scope.grown]

    @override
    def slots(self, node: Statement) -> dict[str, object]:
        """As `Renderer`, with the values that a variable or a list keeps as its own."""
        slots = super().slots(node)
        match node:
            case Return(Name(id, _)) if id not in self.scope.borrowed:
                pass
            case Let() | Assign() | Push() | Return():
                slots["value"] = self._owned(node.value)
            case Count():
                slots["key"] = self._owned(node.key)
            case Write() if node.value.type == Type.TEXT:
                slots["value"] = self._reference(node.value)
        return slots

    @override
    def expression(self, node: Expression, binding: int = 0) -> str:
        """As `Renderer`, with the marks of what is borrowed."""
        match node:
            case Again():
                return f"{self.scope.function}({', '.join(map(self._owned, node.arguments))})"
            case Operation(Infix.EQUAL | Infix.DIFFERS, left, right) if left.type == Type.TEXT:
                is_literal = isinstance(right, Letters)
                sides = [self.expression(side, 5) if is_literal else self._place(side) for side in (left, right)]
                text = f"{sides[0]} {node.operator} {sides[1]}"
                return f"({text})" if binding > 4 else text
            case Call(Builtin.COUNT_OF, (counts, key)):
                text = f"*{self.expression(counts)}.get({self._reference(key)}).unwrap_or(&0)"
                return f"({text})" if binding > 7 else text
            case _:
                return super().expression(node, binding)

    def _is_borrowed(self, node: Expression) -> bool:
        return isinstance(node, Name) and node.id in self.scope.borrowed

    def _owned(self, node: Expression) -> str:
        text = self.expression(node)
        match node:
            case Letters(type=Type.TEXT):
                return f"{text}.to_string()"
            case Name() | Call(Builtin.FIRST | Builtin.LAST) if node.type in _OWNED:
                return f"{text}.clone()"
            case _:
                return text

    def _reference(self, node: Expression) -> str:
        is_reference = self._is_borrowed(node) or (isinstance(node, Letters) and node.type == Type.TEXT)
        return self.expression(node) if is_reference else f"&{self.expression(node, 8)}"

    def _place(self, node: Expression) -> str:
        return f"*{self.expression(node)}" if self._is_borrowed(node) else self.expression(node, 5)


RENDERER = _Rust(
    language_id=Path(__file__).stem,
    signature="{comment}fn {name}({parameters}) -> {result} {{",
    parameter="{name}: {type}",
    let_words=("let mut", "let"),
    char_quote="'",
    types={
        Type.INT: "i32",
        Type.BOOL: "bool",
        Type.TEXT: "String",
        Type.INTS: "Vec<i32>",
        Type.TEXTS: "Vec<String>",
    },
    empties={
        Type.TEXT: "String::new()",
        **dict.fromkeys(LISTS, "Vec::new()"),
        **dict.fromkeys(COUNTS, "std::collections::HashMap::new()"),
    },
    forms={
        Let: "{let} {name} = {value}",
        (Let, Number): "{let} {name}: i32 = {value}",
        Push: "{name}.push({value})",
        (Write, Type.CHAR): "{name}.push({value})",
        (Write, Type.TEXT): "{name}.push_str({value})",
        (Special.WRITE_FRONT, Type.CHAR): "{name}.insert(0, {value})",
        (Special.WRITE_FRONT, Type.TEXT): "{name}.insert_str(0, {value})",
        Count: "*{name}.entry({key}).or_insert(0) += 1",
        If: "if {condition}",
        Special.ELSE_IF: "}} else if {condition}",
        While: "while {condition}",
        (While, Truth): "loop",
        ForEach: "for &{item} in &{items}",
        (ForEach, Type.TEXTS): "for {item} in &{items}",
        (ForEach, Type.TEXT): "for {item} in {items:8}.chars()",
        ForRange: "for {item} in {low:5}..={high:5}",
        ForCounts: "for (&{key}, &{count}) in &{counts}",
        (ForCounts, Type.TEXT_COUNTS): "for ({key}, &{count}) in &{counts}",
        Special.FOR_KEYS: "for &{key} in {counts}.keys()",
        (Special.FOR_KEYS, Type.TEXT_COUNTS): "for {key} in {counts}.keys()",
        Special.FOR_VALUES: "for &{count} in {counts}.values()",
        Builtin.ABSOLUTE: "{0:8}.abs()",
        Builtin.SMALLER: "{0:8}.min({1})",
        Builtin.LARGER: "{0:8}.max({1})",
        # `as` takes a `<` behind it for the beginning of a type.
        Builtin.LENGTH: Form("{0:8}.len() as i32", 3),
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[{0:8}.len() - 1]",
        (Builtin.FIRST, Type.TEXT): "{0:8}.chars().next().unwrap()",
        (Builtin.LAST, Type.TEXT): "{0:8}.chars().last().unwrap()",
        Builtin.UPPER: "{0:8}.to_uppercase()",
        (Builtin.UPPER, Type.CHAR): "{0:8}.to_ascii_uppercase()",
        Builtin.SHOW: "{0:8}.to_string()",
        Builtin.HAS: "{0:8}.contains({1})",
    },
    checks=Checks(
        row="        ({values}),\n",
        argument={
            Type.INT: "{name}",
            Type.TEXT: "{name}.to_string()",
            Type.INTS: "{name}.to_vec()",
            Type.TEXTS: "{name}.iter().map(|text| text.to_string()).collect()",
        },
        lists="&[{0}]",
        types={Type.INT: "i32", Type.BOOL: "bool", Type.TEXT: "&str", Type.INTS: "&[i32]", Type.TEXTS: "&[&str]"},
        field="{name}, ",
        text="""\
fn main() {{
    let rows: &[({types})] = &[
{rows}    ];
    for &({fields}) in rows {{
        assert_eq!({function}({arguments}), expected);
    }}
}}
""",
    ),
)
