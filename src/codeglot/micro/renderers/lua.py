"""Lua 5.4. Lists begin at 1; how many keys a table of counts has must be counted."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Before, Checks, Form, Special, infix
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import (
    Add,
    Builtin,
    Count,
    ForCounts,
    ForEach,
    ForRange,
    If,
    Infix,
    Let,
    Letters,
    Not,
    Push,
    Type,
    While,
    Write,
)

_NUM_KEYS = Before("num_{0}", ("local {new} = 0", "for _ in pairs({0}) do", "  {new} = {new} + 1", "end"))

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}local function {name}({parameters})",
    closing=("end",),
    indent="  ",
    opens="",
    closes="end",
    otherwise="else",
    end="",
    empties={Type.TEXT: '""', Type.INTS: "{}", Type.TEXTS: "{}", **dict.fromkeys(COUNTS, "{}")},
    before={(Builtin.LENGTH, kind): _NUM_KEYS for kind in COUNTS},
    forms={
        Infix.DIVIDE: infix("//", Infix.DIVIDE),
        Infix.DIFFERS: infix("~=", Infix.DIFFERS),
        Infix.AND: infix("and", Infix.AND),
        Infix.OR: infix("or", Infix.OR),
        Not: Form("not {0:7}", 3),
        Let: "local {name} = {value}",
        Add: "{name} = {name} + {value:5}",
        Push: "table.insert({name}, {value})",
        Write: "{name} = {name} .. {value:5}",
        Special.WRITE_FRONT: "{name} = {value:5} .. {name}",
        Count: "{name}[{key}] = ({name}[{key}] or 0) + 1",
        If: "if {condition} then",
        Special.ELSE_IF: "elseif {condition} then",
        While: "while {condition} do",
        ForEach: "for _, {item} in ipairs({items}) do",
        (ForEach, Type.TEXT): 'for {item} in {items:8}:gmatch(".") do',
        (ForEach, Letters): 'for {item} in ({items}):gmatch(".") do',
        ForRange: "for {item} = {low}, {high} do",
        ForCounts: "for {key}, {count} in pairs({counts}) do",
        Special.FOR_KEYS: "for {key} in pairs({counts}) do",
        Special.FOR_VALUES: "for _, {count} in pairs({counts}) do",
        Builtin.ABSOLUTE: "math.abs({0})",
        Builtin.SMALLER: "math.min({0}, {1})",
        Builtin.LARGER: "math.max({0}, {1})",
        Builtin.LENGTH: Form("#{0:8}", 7),
        Builtin.FIRST: "{0:8}[1]",
        Builtin.LAST: "{0:8}[#{0:8}]",
        (Builtin.FIRST, Type.TEXT): "{0:8}:sub(1, 1)",
        (Builtin.LAST, Type.TEXT): "{0:8}:sub(-1)",
        Builtin.UPPER: "{0:8}:upper()",
        Builtin.SHOW: "tostring({0})",
        Builtin.HAS: Form("{0:8}:find({1}, 1, true) ~= nil", 4),
        (Builtin.HAS, Letters): Form("({0}):find({1}, 1, true) ~= nil", 4),
        (Not, Builtin.HAS): Form("{0:8}:find({1}, 1, true) == nil", 4),
        (Not, Builtin.HAS, Letters): Form("({0}):find({1}, 1, true) == nil", 4),
        Builtin.COUNT_OF: Form("{0:8}[{1}] or 0", 1),
    },
    checks=Checks(
        row="    {{{values}}},\n",
        lists="{{{0}}}",
        text="""\
do
  local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for i = 1, math.max(#a, #b) do
      if a[i] ~= b[i] then return false end
    end
    return true
  end
  for _, case in ipairs({{
{rows}  }}) do
    assert(same({function}(table.unpack(case, 1, {num})), case[{num} + 1]))
  end
end
""",
    ),
)
