"""Primitives of letters and words."""

from collections.abc import Callable

from codeglot.micro.primitives_core import (
    ZERO,
    Built,
    Kind,
    Primitive,
    call,
    differs,
    equal,
    greater,
    less,
    modulo,
)
from codeglot.micro.tree import Builtin, Empty, Expression, ForEach, Let, Letters, Name, Not, Number, Type, Write

VOWELS = "aeiou"
_COMMON = tuple("abcdeilnorst")
_MIDDLE = tuple("ghijklmnopqr")
_STAR = Letters("*", Type.CHAR)
_DASH = Letters("-", Type.CHAR)


def _char(letter: Expression) -> Expression:
    """A letter that was written down, as one character."""
    return Letters(letter.value, Type.CHAR) if isinstance(letter, Letters) else letter


def _is_vowel(letter: Expression) -> Expression:
    return call(Builtin.HAS, Type.BOOL, Letters(VOWELS), letter)


def _first(word: Expression) -> Expression:
    return call(Builtin.FIRST, Type.CHAR, word)


def _last(word: Expression) -> Expression:
    return call(Builtin.LAST, Type.CHAR, word)


def _length(word: Expression) -> Expression:
    return call(Builtin.LENGTH, Type.INT, word)


def _has(word: Expression, letter: Expression) -> Expression:
    return call(Builtin.HAS, Type.BOOL, word, _char(letter))


_TEST = Kind.LETTER_TEST
LETTER_TESTS = (
    Primitive("vowel", _TEST, lambda c: c in VOWELS, _is_vowel),
    Primitive("consonant", _TEST, lambda c: c not in VOWELS, lambda c: Not(_is_vowel(c))),
    Primitive("same_letter", _TEST, lambda c, k: c == k, lambda c, k: equal(c, _char(k)), (_COMMON,), ("letter",)),
    Primitive("other_letter", _TEST, lambda c, k: c != k, lambda c, k: differs(c, _char(k)), (_COMMON,), ("letter",)),
    Primitive("before", _TEST, lambda c, k: c < k, lambda c, k: less(c, _char(k)), (_MIDDLE,), ("letter",)),
    Primitive("after", _TEST, lambda c, k: c > k, lambda c, k: greater(c, _char(k)), (_MIDDLE,), ("letter",)),
)

_MAP = Kind.LETTER_MAP
LETTER_MAPS = (
    Primitive("same", _MAP, lambda c: c, lambda c: (c,)),
    Primitive("capital", _MAP, lambda c: c.upper(), lambda c: (call(Builtin.UPPER, Type.CHAR, c),)),
    Primitive("twice", _MAP, lambda c: c * 2, lambda c: (c, c)),
    Primitive("thrice", _MAP, lambda c: c * 3, lambda c: (c, c, c)),
    Primitive("star", _MAP, lambda _: "*", lambda _: (_STAR,)),
    Primitive("dash", _MAP, lambda c: c + "-", lambda c: (c, _DASH)),
)

_WORD = Kind.WORD_TEST
WORD_TESTS = (
    Primitive(
        "longer", _WORD, lambda w, k: len(w) > k, lambda w, k: greater(_length(w), k), ((2, 3, 4, 5, 6),), ("k",)
    ),
    Primitive("shorter", _WORD, lambda w, k: len(w) < k, lambda w, k: less(_length(w), k), ((3, 4, 5, 6, 7),), ("k",)),
    Primitive(
        "has_length", _WORD, lambda w, k: len(w) == k, lambda w, k: equal(_length(w), k), ((2, 3, 4, 5, 6),), ("k",)
    ),
    Primitive("even_length", _WORD, lambda w: len(w) % 2 == 0, lambda w: equal(modulo(_length(w), Number(2)), ZERO)),
    Primitive("odd_length", _WORD, lambda w: len(w) % 2 == 1, lambda w: differs(modulo(_length(w), Number(2)), ZERO)),
    Primitive(
        "starts", _WORD, lambda w, k: w.startswith(k), lambda w, k: equal(_first(w), _char(k)), (_COMMON,), ("letter",)
    ),
    Primitive(
        "ends", _WORD, lambda w, k: w.endswith(k), lambda w, k: equal(_last(w), _char(k)), (_COMMON,), ("letter",)
    ),
    Primitive("contains", _WORD, lambda w, k: k in w, _has, (_COMMON,), ("letter",)),
    Primitive("lacks", _WORD, lambda w, k: k not in w, lambda w, k: Not(_has(w, k)), (_COMMON,), ("letter",)),
    Primitive("vowel_first", _WORD, lambda w: w[0] in VOWELS, lambda w: _is_vowel(_first(w))),
)


def _upper(word: Expression) -> Expression:
    return call(Builtin.UPPER, Type.TEXT, word)


def _plain(build: Callable[[Expression], Expression]) -> Callable[[Expression, str], Built]:
    """What needs no statements in front."""

    def built(word: Expression, name: str) -> Built:
        del name
        return Built((), build(word))

    return built


def _written(name: str, *pieces: Expression) -> Built:
    """A new text of some pieces."""
    text = Name(name, Type.TEXT)
    return Built((Let(text, Empty(Type.TEXT)), *(Write(text, piece) for piece in pieces)), text)


def _reversed(word: Name, name: str) -> Built:
    text, letter = Name(name, Type.TEXT), Name("c", Type.CHAR)
    turn = ForEach(letter, word, (Write(text, letter, at_front=True),))
    return Built((Let(text, Empty(Type.TEXT)), turn), text)


_WORDS = Kind.WORD_MAP
WORD_MAPS = (
    Primitive("word_length", _WORDS, len, _plain(_length)),
    Primitive("capitals", _WORDS, lambda w: w.upper(), _plain(_upper)),
    Primitive("reversed", _WORDS, lambda w: w[::-1], _reversed),
    Primitive("first_letter", _WORDS, lambda w: w[0], lambda w, name: _written(name, _first(w))),
    Primitive("last_letter", _WORDS, lambda w: w[-1], lambda w, name: _written(name, _last(w))),
    Primitive("word_twice", _WORDS, lambda w: w * 2, lambda w, name: _written(name, w, w)),
)
