"""Primitives of numbers: tests, maps, pairs, folds, and how often something came.

No two mean the same. So thresholds with an equality are even where those without are even too (at least 4 is not more
than an even number), `equal` leaves 0 to nobody else, multiples of 2 are `even`.
"""

from codeglot.micro.primitives_core import (
    ZERO,
    Kind,
    Primitive,
    absolute,
    at_least,
    at_most,
    both,
    call,
    differs,
    divided,
    either,
    equal,
    fit,
    greater,
    less,
    minus,
    modulo,
    plus,
    times,
)
from codeglot.micro.tree import Builtin, Minus, Number, Type

_DIGITS = tuple(range(10))
_SMALL = tuple(range(1, 10))
_FACTORS = tuple(range(2, 10))
_EVEN = (2, 4, 6, 8, 10)
_ODD = (3, 5, 7, 9, 11)
_DIVISORS = (3, 4, 5, 6, 7)
_LOW = (1, 2, 3, 4)
_HIGH = (6, 7, 8, 9)

_TEST = Kind.NUMBER_TEST
TESTS = (
    Primitive("even", _TEST, lambda x: x % 2 == 0, lambda x: equal(modulo(x, Number(2)), ZERO)),
    Primitive("odd", _TEST, lambda x: x % 2 == 1, lambda x: differs(modulo(x, Number(2)), ZERO)),
    Primitive("positive", _TEST, lambda x: x > 0, lambda x: greater(x, ZERO)),
    Primitive("negative", _TEST, lambda x: x < 0, lambda x: less(x, ZERO)),
    Primitive("greater", _TEST, lambda x, k: x > k, greater, (_EVEN,), ("k",)),
    Primitive("less", _TEST, lambda x, k: x < k, less, (_ODD,), ("k",)),
    Primitive("at_least", _TEST, lambda x, k: x >= k, at_least, (_EVEN,), ("k",)),
    Primitive("at_most", _TEST, lambda x, k: x <= k, at_most, (_ODD,), ("k",)),
    Primitive("equal", _TEST, lambda x, k: x == k, equal, (_SMALL,), ("k",)),
    Primitive("differs", _TEST, lambda x, k: x != k, differs, (_SMALL,), ("k",)),
    Primitive(
        "divisible", _TEST, lambda x, k: x % k == 0, lambda x, k: equal(modulo(x, k), ZERO), (_DIVISORS,), ("k",)
    ),
    Primitive(
        "indivisible", _TEST, lambda x, k: x % k != 0, lambda x, k: differs(modulo(x, k), ZERO), (_DIVISORS,), ("k",)
    ),
    Primitive(
        "between",
        _TEST,
        lambda x, low, high: low <= x <= high,
        lambda x, low, high: both(at_least(x, low), at_most(x, high)),
        (_LOW, _HIGH),
        ("low", "high"),
    ),
    Primitive(
        "outside",
        _TEST,
        lambda x, low, high: x < low or x > high,
        lambda x, low, high: either(less(x, low), greater(x, high)),
        (_LOW, _HIGH),
        ("low", "high"),
    ),
    Primitive(
        "ends_in",
        _TEST,
        lambda x, k: abs(x) % 10 == k,
        lambda x, k: equal(modulo(absolute(x), Number(10)), k),
        (_DIGITS,),
        ("k",),
    ),
)

_MAP = Kind.NUMBER_MAP
MAPS = (
    Primitive("itself", _MAP, lambda x: x, lambda x: x),
    Primitive("plus", _MAP, lambda x, k: fit(x + k), plus, (_SMALL,), ("k",)),
    Primitive("minus", _MAP, lambda x, k: fit(x - k), minus, (_SMALL,), ("k",)),
    Primitive("times", _MAP, lambda x, k: fit(x * k), times, (_FACTORS,), ("k",)),
    Primitive("square", _MAP, lambda x: fit(x * x), lambda x: times(x, x)),
    Primitive("cube", _MAP, lambda x: fit(x * x * x), lambda x: times(times(x, x), x)),
    Primitive("negate", _MAP, lambda x: -x, Minus),
    Primitive("absolute", _MAP, abs, absolute),
    Primitive("minus_from", _MAP, lambda x, k: fit(k - x), lambda x, k: minus(k, x), (tuple(range(10, 21)),), ("k",)),
    Primitive(
        "times_plus",
        _MAP,
        lambda x, k, m: fit(fit(x * k) + m),
        lambda x, k, m: plus(times(x, k), m),
        ((2, 3, 4, 5), _SMALL),
        ("k", "m"),
    ),
    Primitive("cap", _MAP, min, lambda x, k: call(Builtin.SMALLER, Type.INT, x, k), (_FACTORS,), ("k",)),
    Primitive("raise", _MAP, max, lambda x, k: call(Builtin.LARGER, Type.INT, x, k), (_FACTORS,), ("k",)),
    Primitive("last_digit", _MAP, lambda x: abs(x) % 10, lambda x: modulo(absolute(x), Number(10))),
    # Only of numbers that are not negative, where all languages agree.
    Primitive("quotient", _MAP, lambda x, k: x // k, divided, (_FACTORS,), ("k",)),
    Primitive("remainder", _MAP, lambda x, k: x % k, modulo, (tuple(range(3, 10)),), ("k",)),
)

_PAIR = Kind.PAIR
PAIRS = (
    Primitive("sum_of", _PAIR, lambda a, b: fit(a + b), plus),
    Primitive("difference_of", _PAIR, lambda a, b: fit(a - b), minus),
    Primitive("product_of", _PAIR, lambda a, b: fit(a * b), times),
    Primitive("larger_of", _PAIR, max, lambda a, b: call(Builtin.LARGER, Type.INT, a, b)),
    Primitive("smaller_of", _PAIR, min, lambda a, b: call(Builtin.SMALLER, Type.INT, a, b)),
    Primitive("distance_of", _PAIR, lambda a, b: fit(abs(a - b)), lambda a, b: absolute(minus(a, b))),
)

_TO_Y = Kind.RELATION_TEST
_BY_Y = Kind.RELATION_MAP
RELATIONS = (
    Primitive("greater_y", _TO_Y, lambda x, y: x > y, greater, word="greater"),
    Primitive("less_y", _TO_Y, lambda x, y: x < y, less, word="less"),
    Primitive("equal_y", _TO_Y, lambda x, y: x == y, equal, word="equal"),
    Primitive("differs_y", _TO_Y, lambda x, y: x != y, differs, word="differs"),
    Primitive("plus_y", _BY_Y, lambda x, y: fit(x + y), plus, word="plus"),
    Primitive("minus_y", _BY_Y, lambda x, y: fit(x - y), minus, word="minus"),
    Primitive("times_y", _BY_Y, lambda x, y: fit(x * y), times, word="times"),
    Primitive("minus_from_y", _BY_Y, lambda x, y: fit(y - x), lambda x, y: minus(y, x), word="minus_from"),
    Primitive("cap_y", _BY_Y, min, lambda x, y: call(Builtin.SMALLER, Type.INT, x, y), word="cap"),
    Primitive("raise_y", _BY_Y, max, lambda x, y: call(Builtin.LARGER, Type.INT, x, y), word="raise"),
)

_FOLD = Kind.FOLD
FOLDS = (
    Primitive(
        "shifted_sum",
        _FOLD,
        lambda x, y, k: fit(fit(y * k) + x),
        lambda x, y, k: plus(times(y, k), x),
        ((2, 3),),
        ("k",),
    ),
    Primitive(
        "limited_sum",
        _FOLD,
        lambda x, y, k: min(fit(y + x), k),
        lambda x, y, k: call(Builtin.SMALLER, Type.INT, plus(y, x), k),
        (tuple(range(10, 31, 5)),),
        ("k",),
    ),
    Primitive(
        "floored_sum",
        _FOLD,
        lambda x, y: max(fit(y + x), 0),
        lambda x, y: call(Builtin.LARGER, Type.INT, plus(y, x), ZERO),
    ),
)

_COUNT = Kind.COUNT_TEST
COUNT_TESTS = (
    Primitive("once", _COUNT, lambda x: x == 1, lambda x: equal(x, Number(1))),
    Primitive("repeated_items", _COUNT, lambda x: x > 1, lambda x: greater(x, Number(1)), word="repeated"),
    Primitive("exactly", _COUNT, lambda x, k: x == k, equal, ((2, 3),), ("k",)),
    Primitive("often", _COUNT, lambda x, k: x >= k, at_least, ((3, 4),), ("k",)),
    Primitive("evenly", _COUNT, lambda x: x % 2 == 0, lambda x: equal(modulo(x, Number(2)), ZERO)),
    Primitive("oddly", _COUNT, lambda x: x % 2 == 1, lambda x: differs(modulo(x, Number(2)), ZERO)),
)
