"""Perl 5. Lists are references; a truth is 1 or 0."""

from pathlib import Path

from codeglot.micro.renderers.forms import COUNTS, Checks, Form, Special, infix
from codeglot.micro.renderers.renderer import Renderer
from codeglot.micro.tree import (
    COMPARISONS,
    Builtin,
    Count,
    Empty,
    ForCounts,
    ForEach,
    ForRange,
    Infix,
    Let,
    Not,
    Push,
    Type,
    Write,
)

_TEXT_OPERATORS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

_SAME_LENGTH = 'ref($got) eq "ARRAY" && @$got == @$expected'
_PLACES = "0 .. $#$expected"

RENDERER = Renderer(
    language_id=Path(__file__).stem,
    signature="{comment}sub {name} {{\n    my ({parameters}) = @_;",
    sigil="$",
    truths=("0", "1"),
    empties={Type.TEXT: '""', Type.INTS: "[]", Type.TEXTS: "[]", **dict.fromkeys(COUNTS, "()")},
    forms={
        Infix.DIVIDE: "int({0:6} / {1:7})",
        **{
            (operator, kind): infix(_TEXT_OPERATORS[operator], operator)
            for operator in COMPARISONS
            for kind in (Type.CHAR, Type.TEXT)
        },
        Let: "my {name} = {value}",
        **{(Let, Empty, kind): "my %{name.id} = {value}" for kind in COUNTS},
        Push: "push @{name}, {value}",
        Write: "{name} .= {value}",
        Special.WRITE_FRONT: "{name} = {value:5} . {name}",
        Count: "{name}{{{key}}}++",
        Special.ELSE_IF: "}} elsif ({condition})",
        ForEach: "for my {item} (@{items})",
        (ForEach, Type.TEXT): "for my {item} (split //, {items})",
        ForRange: "for my {item} ({low} .. {high})",
        ForCounts: "for my {key} (keys %{counts.id})\nmy {count} = {counts}{{{key}}}",
        Special.FOR_KEYS: "for my {key} (keys %{counts.id})",
        Special.FOR_VALUES: "for my {count} (values %{counts.id})",
        Builtin.ABSOLUTE: "abs({0})",
        Builtin.SMALLER: Form("{0:5} < {1:5} ? {0:5} : {1:5}", 0),
        Builtin.LARGER: Form("{0:5} > {1:5} ? {0:5} : {1:5}", 0),
        Builtin.LENGTH: "scalar(@{0})",
        (Builtin.LENGTH, Type.TEXT): "length({0})",
        **{(Builtin.LENGTH, kind): "scalar(keys %{0.id})" for kind in COUNTS},
        Builtin.FIRST: "{0:8}->[0]",
        Builtin.LAST: "{0:8}->[-1]",
        (Builtin.FIRST, Type.TEXT): "substr({0}, 0, 1)",
        (Builtin.LAST, Type.TEXT): "substr({0}, -1)",
        Builtin.UPPER: "uc({0})",
        Builtin.SHOW: "{0:8}",
        Builtin.HAS: Form("index({0}, {1}) >= 0", 4),
        (Not, Builtin.HAS): Form("index({0}, {1}) < 0", 4),
        Builtin.COUNT_OF: Form("{0:8}{{{1}}} // 0", 1),
    },
    checks=Checks(
        check={
            Type.INT: "$got =~ /^-?\\d+$/ && $got == $expected",
            Type.BOOL: "!$got == !$expected",
            Type.TEXT: "$got eq $expected",
            Type.INTS: f"{_SAME_LENGTH} && !grep {{{{ $$got[$_] !~ /^-?\\d+$/ || $$got[$_] != $$expected[$_] }}}} "
            f"{_PLACES}",
            Type.TEXTS: f"{_SAME_LENGTH} && !grep {{{{ $$got[$_] ne $$expected[$_] }}}} {_PLACES}",
        },
        text="""\
{{
    my $number = 0;
    for my $case (
{rows}    ) {{
        my @arguments = @$case;
        my $expected = pop @arguments;
        my $got = {function}(@arguments);
        die "Exception -- test case $number did not pass." unless {check};
        $number++;
    }}
}}
""",
    ),
)
