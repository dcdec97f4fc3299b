"""Ruby, with `each` for loops."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import Builtin, Count, ForCounts, ForEach, ForRange, If, Let, Push, Type, While

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}def {name}({parameters})",
    closing=("end",),
    indent="  ",
    opens="",
    closes="end",
    otherwise="else",
    end="",
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **dict.fromkeys(COUNTS, "Hash.new(0)")},
    forms={
        Let: "{name} = {value}",
        Push: "{name} << {value}",
        Count: "{name}[{key}] += 1",
        If: "if {condition}",
        Special.ELSE_IF: "elsif {condition}",
        While: "while {condition}",
        ForEach: "{items:8}.each do |{item}|",
        (ForEach, Type.TEXT): "{items:8}.each_char do |{item}|",
        ForRange: "({low}..{high}).each do |{item}|",
        ForCounts: "{counts}.each do |{key}, {count}|",
        Special.FOR_KEYS: "{counts}.each_key do |{key}|",
        Special.FOR_VALUES: "{counts}.each_value do |{count}|",
        Builtin.ABSOLUTE: "{0:8}.abs",
        Builtin.SMALLER: "[{0}, {1}].min",
        Builtin.LARGER: "[{0}, {1}].max",
        Builtin.LENGTH: "{0:8}.length",
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}[-1]",
        Builtin.UPPER: "{0:8}.upcase",
        Builtin.SHOW: "{0:8}.to_s",
        Builtin.HAS: "{0:8}.include?({1})",
        Builtin.COUNT_OF: "{0:8}[{1}]",
    },
    checks=Checks(
        row="  [{values}],\n",
        text="""\
[
{rows}].each_with_index do |(*arguments, expected), i|
  raise "Error at test case #{{i}}" unless {function}(*arguments) == expected
end
""",
    ),
)
