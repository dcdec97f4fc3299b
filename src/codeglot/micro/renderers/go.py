"""Go 1.19: without generic `min`, `max` and `maps`.

A prompt imports nothing: Go forbids a package that is not used, and which are used is up to the answer. They are put in
when a program is taken out of its completion.
"""

from pathlib import Path

from typing_extensions import override

from codeglot.micro.renderers.forms import COUNTS, LISTS, Checks, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.renderers.scope import is_used
from codeglot.micro.tree import (
    Builtin,
    Count,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    If,
    Let,
    Push,
    Statement,
    Truth,
    Type,
    While,
    Write,
)

_REPEAT = "repeat"
_TYPES = {
    Type.INT: "int",
    Type.BOOL: "bool",
    Type.CHAR: "rune",
    Type.TEXT: "string",
    Type.INTS: "[]int",
    Type.TEXTS: "[]string",
    Type.INT_COUNTS: "map[int]int",
    Type.TEXT_COUNTS: "map[string]int",
    Type.CHAR_COUNTS: "map[rune]int",
}


class _Go(Renderer):
    @override
    def kind(self, node: Statement | Expression) -> object:
        """As `Renderer`; Go forbids variables that nobody reads."""
        if isinstance(node, ForEach) and not is_used(node.item, node.body):
            return _REPEAT
        if isinstance(node, ForCounts) and node.key is not None and not is_used(node.key, node.body):
            return Special.FOR_VALUES
        return super().kind(node)


RENDERER = _Go(
    language_id=Path(__file__).stem,
    signature="package main\n\n{comment}func {name}({parameters}) {result} {{",
    parameter="{name} {type}",
    indent="\t",
    end="",
    char_quote="'",
    types=_TYPES,
    empties={Type.TEXT: '""', **{kind: f"{_TYPES[kind]}{{}}" for kind in (*LISTS, *COUNTS)}},
    forms={
        Let: "{name} := {value}",
        Push: "{name} = append({name}, {value})",
        (Write, Type.CHAR): "{name} += string({value})",
        (Special.WRITE_FRONT, Type.CHAR): "{name} = string({value}) + {name}",
        Count: "{name}[{key}]++",
        If: "if {condition}",
        Special.ELSE_IF: "}} else if {condition}",
        While: "for {condition}",
        (While, Truth): "for",
        ForEach: "for _, {item} := range {items}",
        _REPEAT: "for range {items}",
        ForRange: "for {item} := {low}; {test}; {item}++",
        ForCounts: "for {key}, {count} := range {counts}",
        Special.FOR_KEYS: "for {key} := range {counts}",
        Special.FOR_VALUES: "for _, {count} := range {counts}",
        Builtin.ABSOLUTE: "int(math.Abs(float64({0})))",
        Builtin.SMALLER: "int(math.Min(float64({0}), float64({1})))",
        Builtin.LARGER: "int(math.Max(float64({0}), float64({1})))",
        Builtin.LENGTH: "len({0})",
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[len({0})-1]",
        (Builtin.FIRST, Type.TEXT): "rune({0:8}[0])",
        (Builtin.LAST, Type.TEXT): "rune({0:8}[len({0})-1])",
        Builtin.UPPER: "strings.ToUpper({0})",
        (Builtin.UPPER, Type.CHAR): "unicode.ToUpper({0})",
        Builtin.SHOW: "strconv.Itoa({0})",
        Builtin.HAS: "strings.ContainsRune({0}, {1})",
        Builtin.COUNT_OF: "{0:8}[{1}]",
    },
    checks=Checks(
        row="\t\t{{{values}}},\n",
        field="\t\t{name} {type}\n",
        argument="row.{name}",
        lists="{type}{{{0}}}",
        check={
            **dict.fromkeys(Type, "reflect.DeepEqual(got, row.expected)"),
            **dict.fromkeys(LISTS, "len(got)+len(row.expected) == 0 || reflect.DeepEqual(got, row.expected)"),
        },
        text="""\
package main

import (
	"reflect"
	"testing"
)

func TestSolve(t *testing.T) {{
	rows := []struct {{
{fields}	}}{{
{rows}	}}
	for _, row := range rows {{
		got := {function}({arguments})
		if !({check}) {{
			t.Fatalf("%v gives %v", row, got)
		}}
	}}
}}
""",
    ),
)
