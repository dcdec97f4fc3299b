"""Python 3, without type hints, as its beginners write it."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks, Form, Special, infix
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import Builtin, Count, ForCounts, ForEach, ForRange, If, Infix, Let, Not, Push, Type, While

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}def {name}({parameters}):",
    closing=(),
    opens=":",
    closes=None,
    otherwise="else:",
    end="",
    truths=("False", "True"),
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **dict.fromkeys(COUNTS, "{}")},
    forms={
        Infix.DIVIDE: infix("//", Infix.DIVIDE),
        Infix.AND: infix("and", Infix.AND),
        Infix.OR: infix("or", Infix.OR),
        Not: Form("not {0:7}", 3),
        Let: "{name} = {value}",
        Push: "{name}.append({value})",
        Count: "{name}[{key}] = {name}.get({key}, 0) + 1",
        If: "if {condition}",
        Special.ELSE_IF: "elif {condition}",
        While: "while {condition}",
        ForEach: "for {item} in {items}",
        ForRange: "for {item} in range({low}, {beyond})",
        ForCounts: "for {key}, {count} in {counts}.items()",
        Special.FOR_KEYS: "for {key} in {counts}",
        Special.FOR_VALUES: "for {count} in {counts}.values()",
        Builtin.ABSOLUTE: "abs({0})",
        Builtin.SMALLER: "min({0}, {1})",
        Builtin.LARGER: "max({0}, {1})",
        Builtin.LENGTH: "len({0})",
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[-1]",
        Builtin.UPPER: "{0:8}.upper()",
        Builtin.SHOW: "str({0})",
        Builtin.HAS: Form("{1:5} in {0:5}", 4),
        (Not, Builtin.HAS): Form("{1:5} not in {0:5}", 4),
        Builtin.COUNT_OF: "{0:8}.get({1}, 0)",
    },
    checks=Checks(
        row="    ({values}),\n",
        text="for *arguments, expected in [\n{rows}]:\n    assert {function}(*arguments) == expected, arguments\n",
    ),
)
