"""Families about one number, be it n, made of two parameters, or made of a list."""

from codeglot.micro.families import heads, rules, tails
from codeglot.micro.families.chain import Chain
from codeglot.micro.families.numbers import MAPS, NATURAL_MAPS, NATURAL_TESTS, PAIRS, SUMMARIES, TESTS
from codeglot.micro.primitives import NOTHING, names
from codeglot.micro.primitives_choices import JOINTS, NEXTS, VISITS
from codeglot.micro.primitives_core import Kind

_VARIED_TESTS = names(Kind.NUMBER_TEST, "equal", "differs")
"""Those that more than one value passes, and more than one fails."""
_NATURAL_VARIED_TESTS = tuple(name for name in NATURAL_TESTS if name in _VARIED_TESTS)

FAMILIES = (
    Chain("choose", heads.NATURAL, tails.choose(_NATURAL_VARIED_TESTS, ("itself", *NATURAL_MAPS)), rules.choose),
    Chain(
        "two_tests",
        heads.NATURAL,
        tails.joint(tuple(primitive.name for primitive in JOINTS), _NATURAL_VARIED_TESTS),
        rules.two_tests,
    ),
    Chain("let_value", heads.pair(PAIRS), tails.value(MAPS), rules.let_value),
    Chain("let_two", heads.pair(PAIRS), tails.value(MAPS, MAPS), rules.let_two),
    Chain("let_test", heads.pair(PAIRS), tails.whether(TESTS), rules.let_test),
    Chain("let_choose", heads.pair(PAIRS), tails.choose(_VARIED_TESTS, ("itself", *MAPS)), rules.let_choose),
    Chain("summary_test", heads.reduced((NOTHING, *TESTS), SUMMARIES), tails.whether(TESTS), rules.summary_test),
    Chain(
        "summary_choose",
        heads.reduced((NOTHING,), ("sum", "largest", "smallest")),
        tails.choose(_VARIED_TESTS, ("itself", *MAPS)),
        rules.summary_choose,
    ),
    Chain(
        "recursion",
        heads.NATURAL,
        tails.recurse(
            tuple(primitive.name for primitive in NEXTS),
            (NOTHING, *names(Kind.NUMBER_TEST, "positive", "negative", "equal")),
            ("itself", *NATURAL_MAPS),
        ),
        rules.recursion,
    ),
    Chain(
        "shrinking",
        heads.mapped(("itself", "plus", "times", "square", "times_plus")),
        tails.shrink(_NATURAL_VARIED_TESTS, ("minus", "quotient"), tuple(primitive.name for primitive in VISITS)),
        rules.shrinking,
    ),
)
