"""The one form in which a solution exists before any language: a typed tree of statements and expressions.

It holds just what every programming language of the house says in the same way. A renderer turns it into text,
`interpret` runs it. Numbers are integers that fit 32 bits; `Divide` and `Remainder` are only for operands >= 0, where
all languages agree; texts are ASCII.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Type(StrEnum):
    """What a value is."""

    INT = "int"
    BOOL = "bool"
    CHAR = "char"
    """One character of a text."""
    TEXT = "text"
    INTS = "ints"
    """List of integers."""
    TEXTS = "texts"
    """List of texts."""
    INT_COUNTS = "int_counts"
    """How often each integer came; local, never a parameter or a result."""
    TEXT_COUNTS = "text_counts"
    """How often each text came."""
    CHAR_COUNTS = "char_counts"
    """How often each character came."""


ITEM = {Type.INTS: Type.INT, Type.TEXTS: Type.TEXT, Type.TEXT: Type.CHAR}
"""What a loop over a value of a type goes through."""
KEY = {Type.INT_COUNTS: Type.INT, Type.TEXT_COUNTS: Type.TEXT, Type.CHAR_COUNTS: Type.CHAR}
"""Keys of a table of counts."""


class Infix(StrEnum):
    """Operators between two integers; the six comparisons make a BOOL, `EQUAL` and `DIFFERS` also of two CHAR or TEXT.

    `LESS` and its like also compare two CHAR.
    """

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDE = "/"
    """Whole quotient; both operands >= 0."""
    REMAINDER = "%"
    """Both operands >= 0, or compared with 0 at once, where the sign does not matter."""
    EQUAL = "=="
    DIFFERS = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    AND = "and"
    """Between two BOOL."""
    OR = "or"
    """Between two BOOL."""


COMPARISONS = frozenset({Infix.EQUAL, Infix.DIFFERS, Infix.LESS, Infix.AT_MOST, Infix.GREATER, Infix.AT_LEAST})
BINDING = {
    Infix.OR: 1,
    Infix.AND: 2,
    **dict.fromkeys(COMPARISONS, 4),
    Infix.PLUS: 5,
    Infix.MINUS: 5,
    Infix.TIMES: 6,
    Infix.DIVIDE: 6,
    Infix.REMAINDER: 6,
}
"""How tightly an operator holds its operands; the same order in every language here (3 is `Not`)."""


class Builtin(StrEnum):
    """Functions that every language has, each in its own words."""

    ABSOLUTE = "absolute"
    """INT -> INT."""
    SMALLER = "smaller"
    """INT, INT -> INT."""
    LARGER = "larger"
    """INT, INT -> INT."""
    LENGTH = "length"
    """INTS, TEXTS, TEXT or any table of counts (number of keys) -> INT."""
    FIRST = "first"
    """INTS -> INT, TEXTS -> TEXT, TEXT -> CHAR; not of an empty one."""
    LAST = "last"
    """As `FIRST`."""
    UPPER = "upper"
    """CHAR -> CHAR, TEXT -> TEXT: small letters become capitals."""
    SHOW = "show"
    """INT -> TEXT, decimal."""
    HAS = "has"
    """TEXT, CHAR -> BOOL: whether the character is in the text."""
    COUNT_OF = "count_of"
    """Table of counts, key -> INT, 0 where the key never came."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer written down; may be negative."""

    value: int
    type: Type = Type.INT


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false written down."""

    value: bool
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Letters:
    """Characters written down: a TEXT of any length, or one CHAR. Letters, digits, space and `-*,.!_` only."""

    value: str
    type: Type = Type.TEXT


@dataclass(frozen=True, slots=True)
class Empty:
    """A new, empty list, text or table of counts; only as the value of a `Let`."""

    type: Type


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter or a variable."""

    id: str
    type: Type


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what stands between them."""

    operator: Infix
    left: "Expression"
    right: "Expression"

    @property
    def type(self) -> Type:
        """BOOL for comparisons, AND and OR; else INT."""
        return Type.BOOL if self.operator in COMPARISONS or self.operator in {Infix.AND, Infix.OR} else Type.INT


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a BOOL."""

    operand: "Expression"
    type: Type = Type.BOOL


@dataclass(frozen=True, slots=True)
class Minus:
    """The negative of an INT."""

    operand: "Expression"
    type: Type = Type.INT


@dataclass(frozen=True, slots=True)
class Call:
    """A built-in function and its arguments."""

    function: Builtin
    arguments: tuple["Expression", ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Again:
    """The function calling itself."""

    arguments: tuple["Expression", ...]
    type: Type


Expression = Number | Truth | Letters | Empty | Name | Operation | Not | Minus | Call | Again


@dataclass(frozen=True, slots=True)
class Let:
    """A new variable with its first value; whether it changes later decides the keyword in some languages."""

    name: Name
    value: Expression
    is_constant: bool = False
    """Whether it is never assigned, added to, pushed to or counted in again."""


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable takes a new value."""

    name: Name
    value: Expression


@dataclass(frozen=True, slots=True)
class Add:
    """An INT variable grows by a value: `total += value`."""

    name: Name
    value: Expression


@dataclass(frozen=True, slots=True)
class Push:
    """A value goes to the end of a list variable (INTS: INT, TEXTS: TEXT)."""

    name: Name
    value: Expression


@dataclass(frozen=True, slots=True)
class Write:
    """A CHAR or TEXT goes to the end of a TEXT variable, or to its front."""

    name: Name
    value: Expression
    at_front: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A key of a table of counts came once more."""

    name: Name
    key: Expression


@dataclass(frozen=True, slots=True)
class ForEach:
    """Goes through a list or the characters of a text; `item` is new in the body."""

    item: Name
    items: Expression
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class ForRange:
    """Goes through whole numbers from `low` to `high`, both included; none where high < low."""

    item: Name
    low: Expression
    high: Expression
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class ForCounts:
    """Goes through a table of counts, in any order: nothing may depend on it. `key` or `count` is None where unused."""

    key: Name | None
    count: Name | None
    counts: Name
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class While:
    """Repeats its body as long as the condition holds."""

    condition: Expression
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class If:
    """A choice."""

    condition: Expression
    body: tuple["Statement", ...]
    otherwise: tuple["Statement", ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    """The result."""

    value: Expression


Statement = Let | Assign | Add | Push | Write | Count | ForEach | ForRange | ForCounts | While | If | Return


def statements(body: tuple[Statement, ...]) -> list[Statement]:
    """All statements of a body, also those inside of others."""
    found = list(body)
    for statement in found:  # which grows on the way
        match statement:
            case If():
                found += (*statement.body, *statement.otherwise)
            case ForEach() | ForRange() | ForCounts() | While():
                found += statement.body
    return found


@dataclass(frozen=True, slots=True)
class Function:
    """A solution. Parameters are INT, TEXT, INTS or TEXTS and never changed; every path returns."""

    name: str
    parameters: tuple[Name, ...]
    result: Type
    """INT, BOOL, TEXT, INTS or TEXTS."""
    body: tuple[Statement, ...] = field(default=())


Value = int | bool | str | list[int] | list[str]
"""An argument or a result, as Python has it."""


class Case(NamedTuple):
    """One test."""

    arguments: tuple[Value, ...]
    expected: Value
