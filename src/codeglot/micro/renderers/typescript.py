"""TypeScript: JavaScript with types where none can be told from a first value."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.renderers.scripts import SCRIPT_FORMS
from codeglot.micro.tree import Empty, Let, Type

_TYPES = {
    Type.INT: "number",
    Type.BOOL: "boolean",
    Type.CHAR: "string",
    Type.TEXT: "string",
    Type.INTS: "number[]",
    Type.TEXTS: "string[]",
    Type.INT_COUNTS: "Map<number, number>",
    Type.TEXT_COUNTS: "Map<string, number>",
    Type.CHAR_COUNTS: "Map<string, number>",
}

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}function {name}({parameters}): {result} {{",
    parameter="{name}: {type}",
    indent="  ",
    let_words=("let", "const"),
    types=_TYPES,
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **{kind: f"new {_TYPES[kind]}()" for kind in COUNTS}},
    forms={
        **SCRIPT_FORMS,
        (Let, Empty, Type.INTS): "{let} {name}: {type} = {value}",
        (Let, Empty, Type.TEXTS): "{let} {name}: {type} = {value}",
    },
    checks=Checks(
        row="  [{values}],\n",
        # As JSON, since -0 is 0.
        text="""\
for (const [{arguments}, expected] of [
{rows}] as [{types}][]) {{
  require("assert")(JSON.stringify({function}({arguments})) === JSON.stringify(expected));
}}
""",
    ),
)
