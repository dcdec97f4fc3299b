"""What JavaScript and TypeScript say alike."""

from collections.abc import Mapping

from codeglot.micro.renderers.forms import COUNTS, Form, Special, infix
from codeglot.micro.tree import Builtin, Count, ForCounts, ForEach, ForRange, Infix, Let, Push

SCRIPT_FORMS: Mapping[object, str | Form] = {
    Infix.DIVIDE: "Math.floor({0:6} / {1:7})",
    Infix.EQUAL: infix("===", Infix.EQUAL),
    Infix.DIFFERS: infix("!==", Infix.DIFFERS),
    Let: "{let} {name} = {value}",
    Push: "{name}.push({value})",
    Count: "{name}.set({key}, ({name}.get({key}) || 0) + 1)",
    ForEach: "for (const {item} of {items})",
    ForRange: "for (let {item} = {low}; {test}; {item}++)",
    ForCounts: "for (const [{key}, {count}] of {counts})",
    Special.FOR_KEYS: "for (const {key} of {counts}.keys())",
    Special.FOR_VALUES: "for (const {count} of {counts}.values())",
    Builtin.ABSOLUTE: "Math.abs({0})",
    Builtin.SMALLER: "Math.min({0}, {1})",
    Builtin.LARGER: "Math.max({0}, {1})",
    Builtin.LENGTH: "{0:8}.length",
    **{(Builtin.LENGTH, kind): "{0:8}.size" for kind in COUNTS},
    Builtin.FIRST: "{0:8}[0]",
    Builtin.LAST: "{0:8}[{0:8}.length - 1]",
    Builtin.UPPER: "{0:8}.toUpperCase()",
    Builtin.SHOW: "String({0})",
    Builtin.HAS: "{0:8}.includes({1})",
    Builtin.COUNT_OF: Form("{0:8}.get({1}) || 0", 1),
}
