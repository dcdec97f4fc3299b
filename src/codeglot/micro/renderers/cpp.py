"""C++17, by value and with `using namespace std`, as its beginners write it."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, LISTS, Before, Checks, Form, Special
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import Builtin, Count, Empty, ForCounts, ForEach, ForRange, Let, Letters, Not, Push, Type

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="#include <bits/stdc++.h>\nusing namespace std;\n\n{comment}{result} {name}({parameters}) {{",
    parameter="{type} {name}",
    char_quote="'",
    types={
        Type.INT: "int",
        Type.BOOL: "bool",
        Type.CHAR: "char",
        Type.TEXT: "string",
        Type.INTS: "vector<int>",
        Type.TEXTS: "vector<string>",
        Type.INT_COUNTS: "map<int, int>",
        Type.TEXT_COUNTS: "map<string, int>",
        Type.CHAR_COUNTS: "map<char, int>",
    },
    empties={Type.TEXT: '""', **dict.fromkeys((*LISTS, *COUNTS), "{}")},
    before={
        (Builtin.UPPER, Type.TEXT): Before(
            "upper_{0}", ("string {new} = {0};", "for (char& c : {new}) c = toupper(c);")
        )
    },
    forms={
        Let: "{type} {name} = {value}",
        **{(Let, Empty, kind): "{type} {name}" for kind in (*LISTS, *COUNTS)},
        Push: "{name}.push_back({value})",
        Count: "{name}[{key}]++",
        ForEach: "for ({type} {item} : {items})",
        (ForEach, Letters): "for ({type} {item} : string({items}))",
        ForRange: "for (int {item} = {low}; {test}; {item}++)",
        ForCounts: "for (auto [{key}, {count}] : {counts})",
        Special.FOR_KEYS: "for (auto [{key}, _] : {counts})",
        Special.FOR_VALUES: "for (auto [_, {count}] : {counts})",
        Builtin.ABSOLUTE: "abs({0})",
        Builtin.SMALLER: "min({0}, {1})",
        Builtin.LARGER: "max({0}, {1})",
        Builtin.LENGTH: Form("(int){0:8}.size()", 7),
        Builtin.FIRST: "{0:8}[0]",
        Builtin.LAST: "{0:8}.back()",
        Builtin.UPPER: Form("(char)toupper({0})", 7),
        Builtin.SHOW: "to_string({0})",
        Builtin.HAS: Form("{0:8}.find({1}) != string::npos", 4),
        (Builtin.HAS, Letters): Form("string({0}).find({1}) != string::npos", 4),
        (Not, Builtin.HAS): Form("{0:8}.find({1}) == string::npos", 4),
        (Not, Builtin.HAS, Letters): Form("string({0}).find({1}) == string::npos", 4),
        # Reading makes an entry, which nobody sees who does not go through the map afterwards.
        Builtin.COUNT_OF: "{0:8}[{1}]",
    },
    checks=Checks(
        row="        {{{values}}},\n",
        field="{type} {name}; ",
        argument="row.{name}",
        lists="{{{0}}}",
        types={
            Type.INT: "int",
            Type.BOOL: "bool",
            Type.TEXT: "std::string",
            Type.INTS: "std::vector<int>",
            Type.TEXTS: "std::vector<std::string>",
        },
        text="""\
#undef NDEBUG
#include <cassert>
#include <string>
#include <vector>
int main() {{
    struct {{ {fields}}} rows[] = {{
{rows}    }};
    for (auto& row : rows) assert({function}({arguments}) == row.expected);
}}
""",
    ),
)
