"""Java, with `List` and `Map`, the function as a static method."""

from pathlib import Path

from typing_extensions import override

from codeglot.micro.renderers.forms import COUNTS, LISTS, Checks, Form, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import (
    Builtin,
    Call,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Infix,
    Let,
    Not,
    Operation,
    Push,
    Statement,
    Type,
)

_BOXED_EQUAL = "boxed_equal"
_BOXED_DIFFERS = "boxed_differs"


class _Java(Renderer):
    @override
    def kind(self, node: Statement | Expression) -> object:
        """What lists and maps hold are objects: between two of them, `==` would compare which objects they are."""
        match node:
            case Operation(Infix.EQUAL | Infix.DIFFERS as operator, left, right) if _is_boxed(left) and _is_boxed(
                right
            ):
                return _BOXED_EQUAL if operator == Infix.EQUAL else _BOXED_DIFFERS
            case _:
                return super().kind(node)


def _is_boxed(node: Expression) -> bool:
    return (
        isinstance(node, Call)
        and node.function in {Builtin.FIRST, Builtin.LAST, Builtin.COUNT_OF}
        and node.type == Type.INT
    )


RENDERER = _Java(
    language_id=Path(__file__).stem,
    signature="""\
import java.util.*;

class Solution {{
{comment}    static {result} {name}({parameters}) {{""",
    parameter="{type} {name}",
    depth=2,
    closing=("    }", "}"),
    char_quote="'",
    types={
        Type.INT: "int",
        Type.BOOL: "boolean",
        Type.CHAR: "char",
        Type.TEXT: "String",
        Type.INTS: "List<Integer>",
        Type.TEXTS: "List<String>",
        Type.INT_COUNTS: "Map<Integer, Integer>",
        Type.TEXT_COUNTS: "Map<String, Integer>",
        Type.CHAR_COUNTS: "Map<Character, Integer>",
    },
    empties={
        Type.TEXT: '""',
        **dict.fromkeys(LISTS, "new ArrayList<>()"),
        **dict.fromkeys(COUNTS, "new HashMap<>()"),
    },
    forms={
        _BOXED_EQUAL: "{0}.equals({1})",
        _BOXED_DIFFERS: Form("!{0}.equals({1})", 7),
        (Infix.EQUAL, Type.TEXT): "{0:8}.equals({1})",
        (Infix.DIFFERS, Type.TEXT): Form("!{0:8}.equals({1})", 7),
        Let: "{type} {name} = {value}",
        Push: "{name}.add({value})",
        Count: "{name}.put({key}, {name}.getOrDefault({key}, 0) + 1)",
        ForEach: "for ({type} {item} : {items})",
        (ForEach, Type.TEXT): "for (char {item} : {items:8}.toCharArray())",
        ForRange: "for (int {item} = {low}; {test}; {item}++)",
        ForCounts: "for ({type} {key} : {counts}.keySet())\nint {count} = {counts}.get({key})",
        Special.FOR_KEYS: "for ({type} {key} : {counts}.keySet())",
        Special.FOR_VALUES: "for (int {count} : {counts}.values())",
        Builtin.ABSOLUTE: "Math.abs({0})",
        Builtin.SMALLER: "Math.min({0}, {1})",
        Builtin.LARGER: "Math.max({0}, {1})",
        Builtin.LENGTH: "{0:8}.size()",
        (Builtin.LENGTH, Type.TEXT): "{0:8}.length()",
        Builtin.FIRST: "{0:8}.get(0)",
        Builtin.LAST: "{0:8}.get({0:8}.size() - 1)",
        (Builtin.FIRST, Type.TEXT): "{0:8}.charAt(0)",
        (Builtin.LAST, Type.TEXT): "{0:8}.charAt({0:8}.length() - 1)",
        Builtin.UPPER: "{0:8}.toUpperCase()",
        (Builtin.UPPER, Type.CHAR): "Character.toUpperCase({0})",
        Builtin.SHOW: "String.valueOf({0})",
        Builtin.HAS: Form("{0:8}.indexOf({1}) >= 0", 4),
        (Not, Builtin.HAS): Form("{0:8}.indexOf({1}) < 0", 4),
        Builtin.COUNT_OF: "{0:8}.getOrDefault({1}, 0)",
    },
    checks=Checks(
        row="            {{{values}}},\n",
        argument="({type}) row[{index}]",
        lists="list({0})",
        text="""\
class Main {{
    static java.util.List<Object> list(Object... items) {{
        return java.util.Arrays.asList(items);
    }}

    @SuppressWarnings("unchecked")
    public static void main(String[] args) {{
        Object[][] rows = {{
{rows}        }};
        for (Object[] row : rows) {{
            Object got = Solution.{function}({arguments});
            if (!row[{num}].equals(got)) throw new AssertionError(java.util.Arrays.toString(row) + " gives " + got);
        }}
    }}
}}
""",
    ),
)
