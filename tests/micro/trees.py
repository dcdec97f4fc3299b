"""Hand-written functions that together have every node of the tree, each with some cases."""

from codeglot.micro.tree import (
    ITEM,
    Add,
    Again,
    Assign,
    Builtin,
    Call,
    Case,
    Count,
    Empty,
    Expression,
    ForCounts,
    ForEach,
    ForRange,
    Function,
    If,
    Infix,
    Let,
    Letters,
    Minus,
    Name,
    Not,
    Number,
    Operation,
    Push,
    Return,
    Statement,
    Truth,
    Type,
    While,
    Write,
)

a, b, n, x, y, i = (Name(variable, Type.INT) for variable in ("a", "b", "n", "x", "y", "i"))
total, most, key, times, steps = (Name(variable, Type.INT) for variable in ("total", "most", "key", "times", "steps"))
xs, kept = (Name(variable, Type.INTS) for variable in ("xs", "kept"))
s, word, best, result, note = (Name(variable, Type.TEXT) for variable in ("s", "word", "best", "result", "note"))
words, found = (Name(variable, Type.TEXTS) for variable in ("words", "found"))
c, d = (Name(variable, Type.CHAR) for variable in ("c", "d"))
seen = Name("seen", Type.INT_COUNTS)
spoken = Name("spoken", Type.TEXT_COUNTS)
letters = Name("letters", Type.CHAR_COUNTS)
PARAMETERS = (a, b, n)
ok = Name("ok", Type.BOOL)


def op(left: Expression, operator: str, right: Expression | int) -> Operation:
    return Operation(Infix(operator), left, Number(right) if isinstance(right, int) else right)


def call(function: Builtin, *arguments: Expression) -> Call:
    first = arguments[0].type
    results = {
        Builtin.FIRST: ITEM.get(first),
        Builtin.LAST: ITEM.get(first),
        Builtin.UPPER: first,
        Builtin.SHOW: Type.TEXT,
        Builtin.HAS: Type.BOOL,
    }
    return Call(function, arguments, results.get(function) or Type.INT)


def char(letter: str) -> Letters:
    return Letters(letter, Type.CHAR)


def let(name: Name, value: Expression | int) -> Let:
    return Let(name, Number(value) if isinstance(value, int) else value)


def new(name: Name) -> Let:
    return Let(name, Empty(name.type))


def is_even(number: Expression) -> Operation:
    return op(op(number, "%", 2), "==", 0)


def solve(parameters: tuple[Name, ...], result: Type, *body: Statement) -> Function:
    return Function("solve", parameters, result, body)


EVENS = solve(
    (xs, n),
    Type.INTS,
    new(kept),
    ForEach(
        x,
        xs,
        (
            If(
                is_even(x),
                (Push(kept, op(op(x, "+", n), "*", -3)),),
                (If(op(x, "<", n), (Push(kept, x),), (Push(kept, Minus(op(x, "-", op(n, "-", 1)))),)),),
            ),
        ),
    ),
    If(op(call(Builtin.LENGTH, kept), ">", 3), (Push(kept, call(Builtin.LAST, kept)),)),
    Return(kept),
)
"""Lists of integers."""

TALLY = solve(
    (xs, n),
    Type.INT,
    let(total, 0),
    new(seen),
    ForEach(x, xs, (Count(seen, x),)),
    If(
        op(op(call(Builtin.LENGTH, xs), ">", 1), "and", op(call(Builtin.FIRST, xs), "==", call(Builtin.LAST, xs))),
        (Add(total, Number(1000)),),
    ),
    ForCounts(key, times, seen, (If(op(times, ">=", 2), (Add(total, op(key, "*", times)),)),)),
    ForCounts(key, None, seen, (Add(total, call(Builtin.SMALLER, key, Number(5))),)),
    let(most, 0),
    ForCounts(None, times, seen, (Assign(most, call(Builtin.LARGER, most, times)),)),
    Add(total, op(op(most, "*", 100), "+", call(Builtin.LENGTH, seen))),
    Add(total, op(call(Builtin.COUNT_OF, seen, n), "*", 7)),
    If(op(call(Builtin.COUNT_OF, seen, n), "!=", call(Builtin.COUNT_OF, seen, Number(1))), (Add(total, Number(3)),)),
    ForRange(i, Number(1), op(n, "-", 1), (Add(total, i),)),
    ForRange(i, op(n, "-", 2), n, (ForEach(x, xs, (Add(total, Number(1)),)),)),
    Let(y, call(Builtin.ABSOLUTE, op(total, "-", 2000))),
    let(steps, 0),
    While(op(op(total, ">", 9), "and", op(steps, "<", 20)), (Assign(total, op(total, "/", 2)), Add(steps, Number(1)))),
    Return(op(op(y, "*", 10), "+", op(total, "+", steps))),
)
"""Counts of integers, loops over numbers, numbers."""

SPEECH = solve(
    (words, s),
    Type.BOOL,
    new(spoken),
    Let(ok, Truth(value=True)),
    Let(best, s),
    ForEach(
        word,
        words,
        (
            Count(spoken, word),
            If(op(word, "==", best), (Return(Truth(value=False)),)),
            If(op(op(word, "==", Letters("no")), "and", op(best, "!=", Letters("yes"))), (Assign(ok, Not(ok)),)),
            If(op(call(Builtin.LENGTH, word), ">", call(Builtin.LENGTH, best)), (Assign(best, word),)),
        ),
    ),
    ForCounts(word, times, spoken, (If(op(op(times, ">", 2), "and", op(word, "!=", s)), (Return(Not(ok)),)),)),
    ForCounts(word, None, spoken, (If(op(call(Builtin.COUNT_OF, spoken, word), ">", 1), (Assign(ok, Not(ok)),)),)),
    If(
        op(call(Builtin.LENGTH, s), ">", 0),
        (
            Let(c, call(Builtin.FIRST, s)),
            If(Not(call(Builtin.HAS, Letters("aeiou"), c)), (Return(ok),)),
            Return(op(call(Builtin.LAST, s), ">=", char("m"))),
        ),
    ),
    Return(op(op(call(Builtin.COUNT_OF, spoken, s), "==", 0), "or", Not(op(ok, "and", op(best, "==", s))))),
)
"""Truths, equality of texts and characters, counts of texts."""

SHOUT = solve(
    (s, n),
    Type.TEXT,
    new(result),
    new(letters),
    ForEach(
        c,
        s,
        (
            Count(letters, c),
            If(
                call(Builtin.HAS, Letters("aeiou"), c),
                (Write(result, call(Builtin.UPPER, c)),),
                (
                    If(
                        op(c, "<", char("m")),
                        (Write(result, c, at_front=True),),
                        (Write(result, char("*")), Write(result, Letters("-.")), Write(result, Letters(""))),
                    ),
                ),
            ),
        ),
    ),
    let(most, 0),
    ForCounts(None, times, letters, (Assign(most, call(Builtin.LARGER, most, times)),)),
    ForCounts(c, None, letters, (If(op(c, "==", char("z")), (Write(result, char("!")),)),)),
    ForCounts(c, times, letters, (If(op(op(c, "==", char("a")), "and", op(times, "==", most)), (Write(result, c),)),)),
    Write(result, call(Builtin.SHOW, op(most, "-", n))),
    Write(result, call(Builtin.SHOW, call(Builtin.LENGTH, letters)), at_front=True),
    Let(note, Letters("_")),
    If(
        call(Builtin.HAS, s, char("q")),
        (Write(note, call(Builtin.UPPER, s)), Write(note, s, at_front=True), Assign(note, call(Builtin.UPPER, note))),
    ),
    Write(result, note),
    If(op(call(Builtin.LENGTH, s), ">", 6), (Return(Letters("long")),)),
    If(
        op(op(call(Builtin.LENGTH, s), ">", 1), "and", op(call(Builtin.FIRST, s), "==", call(Builtin.LAST, s))),
        (Write(result, call(Builtin.LAST, s)), Write(result, call(Builtin.FIRST, s), at_front=True)),
    ),
    If(op(result, "==", s), (Return(s),)),
    Return(result),
)
"""Texts and characters."""

PARTS = solve(
    (words, n),
    Type.TEXTS,
    new(found),
    Let(best, Letters("")),
    ForEach(
        word,
        words,
        (
            new(result),
            Write(result, call(Builtin.FIRST, word)),
            ForEach(c, word, (Write(result, c, at_front=True),)),
            Push(found, result),
            If(op(call(Builtin.LENGTH, word), "<=", n), (Push(found, word),)),
            If(op(call(Builtin.LENGTH, word), ">", call(Builtin.LENGTH, best)), (Assign(best, word),)),
            If(op(word, "==", best), (Push(found, call(Builtin.UPPER, word)),)),
        ),
    ),
    Push(found, best),
    Push(found, Letters("a b,c")),
    Push(found, call(Builtin.SHOW, Minus(n))),
    Push(found, call(Builtin.LAST, found)),
    Let(note, call(Builtin.FIRST, found)),
    If(op(note, "!=", call(Builtin.LAST, found)), (Push(found, note),)),
    Return(found),
)
"""Lists of texts."""

STEPS = solve(
    (n, s),
    Type.INT,
    If(op(n, "<", 1), (Return(Number(0)),)),
    If(is_even(n), (Return(op(Number(1), "+", Again((op(n, "/", 2), s), Type.INT))),)),
    If(
        op(n, "==", 7),
        (let(i, 0), While(Truth(value=True), (Add(i, Number(3)), If(op(i, ">", 10), (Return(op(i, "*", -1)),))))),
        (Return(op(Again((op(n, "-", 1), s), Type.INT), "+", call(Builtin.LENGTH, s))),),
    ),
)
"""A function that calls itself; a loop that only `Return` leaves."""

LAST_WORD = solve(
    (words,),
    Type.TEXT,
    ForEach(word, words, (If(op(call(Builtin.LENGTH, word), ">", 3), (Return(word),)),)),
    Return(Letters("none")),
)
"""A text that a loop goes through is returned."""

FUNCTIONS: dict[str, tuple[Function, list[Case]]] = {
    "evens": (
        EVENS,
        [
            Case(([1, 2, 5, 9], 4), [1, -18, -2, -6, -6]),
            Case(([], 0), []),
            Case(([-3, -2], 0), [-3, 6]),
        ],
    ),
    "tally": (
        TALLY,
        [
            Case(([], 0), 20000),
            Case(([3, 3, 4, 4, 4], 4), 16291),
            Case(([500, 1, 500], 2), 2226),
            Case(([300, -300], 1), 21683),
        ],
    ),
    "speech": (
        SPEECH,
        [
            Case(([], ""), True),
            Case((["no"], "be"), False),
            Case((["no", "no"], "be"), False),
            Case((["be"], "be"), False),
            Case((["of", "of"], "in"), True),
            Case((["of", "of"], "be"), False),
            Case((["of", "of", "of"], "be"), False),
            Case((["no", "no", "no"], "yes"), False),
            Case((["longer"], "a"), False),
        ],
    ),
    "shout": (
        SHOUT,
        [
            Case(("", 0), "00_"),
            Case(("banana", 1), "3bA*-.A*-.Aa2_"),
            Case(("zebra", 2), "5b*-.E*-.A!a-1_"),
            Case(("aqua", 0), "a3A*-.UAa2AQUA_AQUAa"),
            Case(("lengthy", 0), "long"),
        ],
    ),
    "parts": (
        PARTS,
        [
            Case(([], 3), ["", "a b,c", "-3", "-3", ""]),
            Case((["abc", "de"], 2), ["cbaa", "ABC", "edd", "de", "abc", "a b,c", "-2", "-2", "cbaa"]),
        ],
    ),
    "steps": (STEPS, [Case((0, "ab"), 0), Case((12, "ab"), 7), Case((7, ""), -12), Case((29, "x"), -9)]),
    "last_word": (LAST_WORD, [Case((["ab", "abcd", "abcde"],), "abcd"), Case(([],), "none")]),
}
"""By name."""
