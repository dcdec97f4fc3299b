"""What makes a problem pointless, said of the names of its primitives alone.

Only what holds whatever the constants are: steps that change nothing, tests that always or never pass. What is
pointless for some constants is dropped by the tests of a problem.
"""

from codeglot.micro.primitives import NOTHING

Shape = tuple[str, ...]
_SIGNED = frozenset({"positive", "negative"})
_ORDERED = frozenset({"greater", "less", "at_least", "at_most", "between", "outside"})
_PARITY = frozenset({"even", "odd"})
_OPPOSED = frozenset({"even", "odd", "equal", "differs", "divisible", "indivisible", "between", "outside"})
"""Tests with an opposite among the others: none passes the one where all pass the other."""
_POSITIVE = frozenset({"positive", "greater", "at_least", "equal", "between"})
"""Tests that only positive numbers pass."""
_ONE_VALUE = frozenset({"equal", "same_letter"})
"""Tests that only one value passes."""
_NEVER_NEGATIVE = frozenset({"square", "absolute", "last_digit", "raise"})
_KEEPS_PARITY = frozenset({"square", "cube", "negate", "absolute", "last_digit"})
_ORDER_MATTERS = frozenset({"list", "joined", "backwards", "longest", "shortest"})
_MERGED = (
    {"plus", "minus"},
    {"plus", "minus_from"},
    {"minus", "minus_from"},
    {"negate", "minus_from"},
    {"negate", "plus"},
    {"negate", "minus"},
    {"times", "times_plus"},
    {"square", "cube"},
)
"""Two changes that make one simpler one, or the same in either order."""


def is_useful_after(test: str, change: str) -> bool:
    """Whether changing what passed a test is no no-op, and gives more than one value."""
    if test in _ONE_VALUE:
        return change == NOTHING
    if change == "absolute":
        return test not in _POSITIVE and test != "negative"
    if change in {"raise", "cap"}:
        return test != "negative"
    return (test, change) not in {("ends_in", "last_digit"), ("has_length", "word_length")}


def is_useful_before(change: str, test: str) -> bool:
    """Whether testing what was changed differs from testing it before, and is not decided by the change."""
    if change in _NEVER_NEGATIVE and test in _SIGNED:
        return False
    if change in _KEEPS_PARITY and test in _PARITY:
        return False
    return (change, test) not in {("last_digit", "ends_in"), ("negate", "positive"), ("negate", "negative")}


def _counts_plainly(change: str, reduce: str) -> bool:
    """Changing what is only counted is pointless."""
    return reduce != "count" or change == NOTHING


def anything(shape: Shape) -> bool:
    """Every shape is useful."""
    del shape
    return True


# Families of many items.


def pipe(shape: Shape) -> bool:
    """Test, change, reduce; test and change may be missing."""
    test, change, reduce = shape
    if test == change == NOTHING:
        return reduce in {"sum", "product", "largest", "smallest", "backwards", "each_once", "longest", "shortest"}
    if test == NOTHING and reduce in {"first", "first_text"}:
        return False
    if test in _ONE_VALUE and reduce not in {"sum", "count"}:
        return False
    return is_useful_after(test, change) and _counts_plainly(change, reduce) and _is_useful_end(test, change, reduce)


def _is_useful_end(test: str, change: str, reduce: str) -> bool:
    match reduce:
        case "product":
            return change == NOTHING
        case "backwards":
            return change != "star"
        case "each_once":
            return change in {NOTHING, "capital"}
        case "longest" | "shortest":
            return change not in {"first_letter", "last_letter"} and test != "has_length"
        case _:
            return True


def change_first(shape: Shape) -> bool:
    """Change, test, reduce."""
    change, test, reduce = shape
    return is_useful_before(change, test) and (test not in _ONE_VALUE or reduce == "count")


def choose(shape: Shape) -> bool:
    """Test, change if so, change if not."""
    test, yes, no = shape
    if yes == no or (test in _POSITIVE and yes == "absolute"):
        return False
    return test != "negative" or ("absolute" not in {yes, no} and yes not in {"cap", "raise"})


def choose_each(shape: Shape) -> bool:
    """Test, change if so, change if not, reduce."""
    return choose(shape[:3])


def quantifier(shape: Shape) -> bool:
    """Change, quantifier, test."""
    change, kind, test = shape
    return is_useful_before(change, test) and (kind, test in _OPPOSED) != ("none", True)


def longest_run(shape: Shape) -> bool:
    """Change, test."""
    return is_useful_before(*shape)


def walk(shape: Shape) -> bool:
    """Before or after the first, test, change, reduce."""
    place, test, change, reduce = shape
    if place == "before_first" and test in _SIGNED and change == "absolute":
        return False
    return _counts_plainly(change, reduce)


def neighbours(shape: Shape) -> bool:
    """Pair, test, reduce."""
    pair, test, reduce = shape
    if (reduce == "count" and test == NOTHING) or (test in _ONE_VALUE and reduce != "count"):
        return False
    return is_useful_before("absolute" if pair == "distance_of" else pair, test) or test == "even"


def running(shape: Shape) -> bool:
    """What runs, test, reduce."""
    kind, test, reduce = shape
    if test in _ONE_VALUE:
        return reduce == "count"
    if test == NOTHING:
        return reduce in {"list", "sum"}
    return kind == "running_sum" or reduce != "last"


def records(shape: Shape) -> bool:
    """Test, record, change, reduce."""
    test, _, change, reduce = shape
    return is_useful_after(test, change) and _counts_plainly(change, reduce)


def fold(shape: Shape) -> bool:
    """Test, change, how it goes on."""
    test, change, _ = shape
    return is_useful_after(test, change)


def two_passes(shape: Shape) -> bool:
    """What is made of all, how each must relate to it, change, reduce."""
    first, relation, change, reduce = shape
    if (first, relation) in {("largest", "greater_y"), ("smallest", "less_y")}:
        return False
    if relation == "equal_y":
        return change == NOTHING and reduce == "count"
    return _counts_plainly(change, reduce)


def shifted(shape: Shape) -> bool:
    """What is made of all, how each is changed by it, reduce."""
    first, change, _ = shape
    return first not in {"largest", "smallest"} or change not in {"cap_y", "raise_y"}


def tally(shape: Shape) -> bool:
    """Test, change, question about the counts."""
    test, change, _ = shape
    return is_useful_after(test, change)


def counted(shape: Shape) -> bool:
    """Each or each different one, how often it must come, change, reduce."""
    scope, often, change, reduce = shape
    if scope == "different_items" and (often == "once" or reduce in _ORDER_MATTERS):
        return False  # those that come once are different anyway, and a table of counts has no order
    if scope == "every_item" and reduce in {"largest", "smallest", "longest", "shortest"} and often != "once":
        return False  # the same as of the different ones
    if reduce in {"longest", "shortest"} and change in {"first_letter", "last_letter"}:
        return False
    return _counts_plainly(change, reduce) and (change, reduce) != ("star", "backwards")


def choose_letters(shape: Shape) -> bool:
    """Test, change if so, change if not, reduce."""
    _, yes, no, _ = shape
    return yes != no


# Families of one number.


def two_tests(shape: Shape) -> bool:
    """How they are joined, one test, the other: in one order only, and of different sorts."""
    _, one, other = shape
    return one < other and not {one, other} <= _ORDERED and not {one, other} <= _PARITY


def let_value(shape: Shape) -> bool:
    """Pair, change."""
    return shape not in {("distance_of", "absolute"), ("difference_of", "absolute"), ("difference_of", "negate")}


def let_test(shape: Shape) -> bool:
    """Pair, test."""
    return is_useful_before("absolute", shape[1]) or shape[0] != "distance_of" or shape[1] == "even"


def let_two(shape: Shape) -> bool:
    """Pair, change, change of that."""
    pair, first, second = shape
    if first == second or {first, second} in _MERGED:
        return False
    if second == "absolute" and (first in _NEVER_NEGATIVE or first in {"negate", "times", "cube"}):
        return False
    return let_value((pair, first)) and (first, second) not in {("absolute", "square"), ("absolute", "last_digit")}


def let_choose(shape: Shape) -> bool:
    """Pair, test, change if so, change if not."""
    pair, test, yes, no = shape
    if pair == "distance_of" and (test in _SIGNED or "absolute" in {yes, no}):
        return False
    return choose((test, yes, no))


def summary_test(shape: Shape) -> bool:
    """Which numbers, what is made of them, test."""
    kept, first, test = shape
    if first == "count":
        return test not in _SIGNED and kept != NOTHING
    if kept in _ONE_VALUE:
        return False
    return not _is_decided(kept, test, first)


def _is_decided(kept: str, test: str, first: str) -> bool:
    """Whether numbers that passed one test all pass, or all fail, another, and so does what is made of them."""
    if kept == test:
        return kept not in {"divisible", "ends_in"}
    if kept in _PARITY and test in _PARITY:
        return first != "sum" or kept == "even"
    return (kept in _POSITIVE or kept == "negative") and test in _SIGNED


def summary_choose(shape: Shape) -> bool:
    """All numbers, what is made of them, test, change if so, change if not."""
    return choose(shape[2:])


def recursion(shape: Shape) -> bool:
    """Next number, test, change."""
    _, test, change = shape
    return is_useful_after(test, change)


def shrinking(shape: Shape) -> bool:
    """Start, test, two ways down, what is returned."""
    _, _, yes, no, _ = shape
    return yes != no
