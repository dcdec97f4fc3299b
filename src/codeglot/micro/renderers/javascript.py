"""JavaScript, as its beginners write it since `let`, `for ... of` and `Map`."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.renderers.scripts import SCRIPT_FORMS
from codeglot.micro.tree import Type

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}function {name}({parameters}) {{",
    indent="  ",
    let_words=("let", "const"),
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **dict.fromkeys(COUNTS, "new Map()")},
    forms=SCRIPT_FORMS,
    checks=Checks(
        row="  [{values}],\n",
        # As JSON, since -0 is 0.
        text="""\
for (const [{arguments}, expected] of [
{rows}]) {{
  require("assert")(JSON.stringify({function}({arguments})) === JSON.stringify(expected));
}}
""",
    ),
)
