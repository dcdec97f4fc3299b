"""PHP 8, with short type hints."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks, Form, Special, infix
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import Builtin, Count, ForCounts, ForEach, ForRange, Infix, Let, Push, Type, Write

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="<?php\n{comment}function {name}({parameters}): {result} {{",
    parameter="{type} {name}",
    sigil="$",
    types={
        Type.INT: "int",
        Type.BOOL: "bool",
        Type.TEXT: "string",
        Type.INTS: "array",
        Type.TEXTS: "array",
    },
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **dict.fromkeys(COUNTS, "[]")},
    forms={
        Infix.DIVIDE: "intdiv({0}, {1})",
        Infix.EQUAL: infix("===", Infix.EQUAL),
        Infix.DIFFERS: infix("!==", Infix.DIFFERS),
        Let: "{name} = {value}",
        Push: "{name}[] = {value}",
        Write: "{name} .= {value}",
        Special.WRITE_FRONT: "{name} = {value:5} . {name}",
        Count: "{name}[{key}] = ({name}[{key}] ?? 0) + 1",
        Special.ELSE_IF: "}} elseif ({condition})",
        ForEach: "foreach ({items} as {item})",
        (ForEach, Type.TEXT): "foreach (str_split({items}) as {item})",
        ForRange: "for ({item} = {low}; {test}; {item}++)",
        ForCounts: "foreach ({counts} as {key} => {count})",
        Special.FOR_KEYS: "foreach (array_keys({counts}) as {key})",
        Special.FOR_VALUES: "foreach ({counts} as {count})",
        Builtin.ABSOLUTE: "abs({0})",
        Builtin.SMALLER: "min({0}, {1})",
        Builtin.LARGER: "max({0}, {1})",
        Builtin.LENGTH: "count({0})",
        (Builtin.LENGTH, Type.TEXT): "strlen({0})",
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[count({0}) - 1]",
        (Builtin.LAST, Type.TEXT): "{0:8}[-1]",
        Builtin.UPPER: "strtoupper({0})",
        Builtin.SHOW: "strval({0})",
        Builtin.HAS: "str_contains({0}, {1})",
        Builtin.COUNT_OF: Form("{0:8}[{1}] ?? 0", 0),
    },
    checks=Checks(
        text="""\
foreach ([
{rows}] as $case) {{
    $expected = array_pop($case);
    assert({function}(...$case) === $expected);
}}
""",
    ),
)
