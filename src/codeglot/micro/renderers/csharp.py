"""C# (as far as Mono has it), with `List` and `Dictionary`, the function as a static method."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, LISTS, Checks, Form, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import Builtin, Count, ForCounts, ForEach, ForRange, Let, Not, Push, Type

_TYPES = {
    Type.INT: "int",
    Type.BOOL: "bool",
    Type.CHAR: "char",
    Type.TEXT: "string",
    Type.INTS: "List<int>",
    Type.TEXTS: "List<string>",
    Type.INT_COUNTS: "Dictionary<int, int>",
    Type.TEXT_COUNTS: "Dictionary<string, int>",
    Type.CHAR_COUNTS: "Dictionary<char, int>",
}
_SPACE = "System.Collections.Generic."

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="""\
using System;
using System.Collections.Generic;

class Solution {{
{comment}    public static {result} {name}({parameters}) {{""",
    parameter="{type} {name}",
    depth=2,
    closing=("    }", "}"),
    char_quote="'",
    types=_TYPES,
    empties={Type.TEXT: '""', **{kind: f"new {_TYPES[kind]}()" for kind in (*LISTS, *COUNTS)}},
    forms={
        Let: "{type} {name} = {value}",
        Push: "{name}.Add({value})",
        Count: "{name}[{key}] = ({name}.ContainsKey({key}) ? {name}[{key}] : 0) + 1",
        ForEach: "foreach ({type} {item} in {items})",
        ForRange: "for (int {item} = {low}; {test}; {item}++)",
        ForCounts: "foreach ({type} {key} in {counts}.Keys)\nint {count} = {counts}[{key}]",
        Special.FOR_KEYS: "foreach ({type} {key} in {counts}.Keys)",
        Special.FOR_VALUES: "foreach (int {count} in {counts}.Values)",
        Builtin.ABSOLUTE: "Math.Abs({0})",
        Builtin.SMALLER: "Math.Min({0}, {1})",
        Builtin.LARGER: "Math.Max({0}, {1})",
        Builtin.LENGTH: "{0:8}.Count",
        (Builtin.LENGTH, Type.TEXT): "{0:8}.Length",
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[{0:8}.Count - 1]",
        (Builtin.LAST, Type.TEXT): "{0:8}[{0:8}.Length - 1]",
        Builtin.UPPER: "{0:8}.ToUpper()",
        (Builtin.UPPER, Type.CHAR): "char.ToUpper({0})",
        Builtin.SHOW: "{0:8}.ToString()",
        Builtin.HAS: Form("{0:8}.IndexOf({1}) >= 0", 4),
        (Not, Builtin.HAS): Form("{0:8}.IndexOf({1}) < 0", 4),
        Builtin.COUNT_OF: Form("{0:8}.ContainsKey({1}) ? {0:8}[{1}] : 0", 0),
    },
    checks=Checks(
        row="            new object[] {{{values}}},\n",
        argument={
            **{kind: f"({_TYPES[kind]}) row[{{index}}]" for kind in _TYPES if kind not in LISTS},
            **{kind: f"({_SPACE}{_TYPES[kind]}) row[{{index}}]" for kind in LISTS},
        },
        lists=f"new {_SPACE}{{type}} {{{{{{0}}}}}}",
        check={
            **dict.fromkeys(Type, "object.Equals(Solution.{function}({arguments}), row[{num}])"),
            **{
                kind: "System.Linq.Enumerable.SequenceEqual(Solution.{function}({arguments}), "
                f"({_SPACE}{_TYPES[kind]}) row[{{num}}])"
                for kind in LISTS
            },
        },
        text="""\
class Program {{
    public static void Main() {{
        object[][] rows = {{
{rows}        }};
        int number = 0;
        foreach (object[] row in rows) {{
            if (!{check}) throw new System.Exception("Exception --- test case " + number + " failed to pass");
            number++;
        }}
    }}
}}
""",
    ),
)
