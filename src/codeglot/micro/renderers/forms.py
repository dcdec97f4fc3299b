"""Forms: the templates of which a language's table is made.

Slots are named like the parts of a statement (`{name}`, `{value}`, `{item}`, ...) or numbered like the operands of an
expression (`{0}`, `{1}`); `{0:5}` puts an operand in parentheses if it holds together less tightly than 5 (see
`BINDING`). `{0.id}` is a variable's name without the language's sigil.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from codeglot.micro.tree import BINDING, Add, Assign, If, Infix, Minus, Not, Return, Type, While, Write

PREFIX = 7
"""How tightly `-x` and `!x` hold their operand: more than any operator between two."""
ATOM = 9
"""What nothing tears apart: a name, a call. Operands in front of a dot or a bracket ask for 8."""
LISTS = (Type.INTS, Type.TEXTS)
COUNTS = (Type.INT_COUNTS, Type.TEXT_COUNTS, Type.CHAR_COUNTS)


class Special(StrEnum):
    """Keys of forms that belong to a node of the tree in some of its uses only."""

    WRITE_FRONT = "write_front"
    """`Write` at the front."""
    ELSE_IF = "else_if"
    """`If` as the only statement in the other branch of an `If`."""
    FOR_KEYS = "for_keys"
    """`ForCounts` without the counts."""
    FOR_VALUES = "for_values"
    """`ForCounts` without the keys."""


class Form(NamedTuple):
    """A template of an expression, and how tightly its result holds together."""

    text: str
    binding: int = ATOM


class Before(NamedTuple):
    """For a built-in function that a language has only as statements: they go before the one that asks."""

    name: str
    """Of the new variable; `{0}` is the one that the function is called with."""
    lines: tuple[str, ...]
    """The statements, with `{new}` and `{0}`."""


class Checks(NamedTuple):
    """How the cases of a problem are checked, in one loop over a table.

    Compilers are slow on long rows of assertions. What differs by type is a mapping.
    """

    text: str
    """Slots: `function`, `rows`, `check`, `arguments`, `types` and `fields` of a row, `num` of arguments."""
    row: str = "    [{values}],\n"
    """One case; `values` are the arguments and the expected result."""
    check: str | Mapping[Type, str] = ""
    """What is true where a result is right, by the type of the result; slots: `function`, `arguments`, `num`."""
    argument: str | Mapping[Type, str] = "{name}"
    """An argument in the loop; slots: `name`, `type`, `index`."""
    field: str = ""
    """What declares one column of the table; slots: `type`, `name`."""
    types: Mapping[Type, str] | None = None
    """Types of the columns, where not those of the program."""
    lists: str = "[{0}]"
    """A list in the table; slots: `0` for its items, `type`."""


def by_type(form: str | Mapping[Type, str], kind: Type) -> str:
    """What holds for a type."""
    return form if isinstance(form, str) else form[kind]


def infix(word: str, operator: Infix) -> Form:
    """An operator between its operands; all of them hold to the left."""
    binding = BINDING[operator]
    return Form(f"{{0:{binding}}} {word} {{1:{binding + 1}}}", binding)


FORMS: Mapping[object, str | Form] = {
    **{operator: infix(operator.value, operator) for operator in Infix},
    Infix.AND: infix("&&", Infix.AND),
    Infix.OR: infix("||", Infix.OR),
    Not: Form(f"!{{0:{PREFIX}}}", PREFIX),
    Minus: Form(f"-{{0:{PREFIX + 1}}}", PREFIX),
    Assign: "{name} = {value}",
    Add: "{name} += {value}",
    Write: "{name} += {value}",
    Special.WRITE_FRONT: "{name} = {value:5} + {name}",
    Return: "return {value}",
    If: "if ({condition})",
    Special.ELSE_IF: "}} else if ({condition})",
    While: "while ({condition})",
}
"""Forms that several languages share. Those of a language stand before them."""
