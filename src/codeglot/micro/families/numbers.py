"""Families about many numbers: a list, 1 to n, the digits of n."""

from codeglot.micro.families import rules, sources, steps
from codeglot.micro.families.pipeline import Pipe
from codeglot.micro.primitives import NOTHING, names
from codeglot.micro.primitives_choices import QUANTIFIERS, RECORDS, RUNNINGS, SCOPES, WALKS
from codeglot.micro.primitives_core import Kind

TESTS = names(Kind.NUMBER_TEST)
NATURAL_TESTS = names(Kind.NUMBER_TEST, "positive", "negative")
"""Of numbers that are never negative."""
MAPS = names(Kind.NUMBER_MAP, "itself", "quotient", "remainder")
NATURAL_MAPS = names(Kind.NUMBER_MAP, "itself", "absolute")
PAIRS = names(Kind.PAIR)
TALLIES = ("different", "commonest", "repeated", "single")
SUMMARIES = ("sum", "count", "largest", "smallest", "first", "last")
"""What a later step may speak of as y."""
_MERGING_MAPS = ("square", "absolute", "cap", "raise", "last_digit")
"""Those that make different numbers equal, so that counts of them change."""
_MAYBE_VARIED = steps.keep(NOTHING, *names(Kind.NUMBER_TEST, "equal"))
_MAYBE_TESTED = steps.keep(NOTHING, *TESTS)
_MAYBE_CHANGED = steps.each(NOTHING, *MAPS)


FAMILIES = (
    Pipe(
        "list_pipe",
        sources.LIST,
        (_MAYBE_TESTED, _MAYBE_CHANGED),
        steps.reduce("sum", "count", "list", "largest", "smallest", "first", "last"),
        rules.pipe,
    ),
    Pipe(
        "range_pipe",
        sources.RANGE,
        (steps.keep(NOTHING, *NATURAL_TESTS), steps.each(NOTHING, *NATURAL_MAPS)),
        steps.reduce("sum", "count", "list", "joined", "last"),
        rules.pipe,
    ),
    Pipe(
        "digit_pipe",
        sources.DIGITS,
        (
            steps.keep(NOTHING, *names(Kind.NUMBER_TEST, "positive", "negative", "ends_in")),
            steps.each(NOTHING, *names(Kind.NUMBER_MAP, "itself", "absolute", "last_digit")),
        ),
        steps.reduce("sum", "count", "list", "joined", "product", "largest", "smallest", "first"),
        rules.pipe,
    ),
    Pipe(
        "change_then_keep",
        sources.LIST,
        (steps.each(*MAPS), steps.keep(*TESTS)),
        steps.reduce("sum", "count", "list", "largest", "smallest", "last"),
        rules.change_first,
    ),
    Pipe(
        "choose_each",
        sources.LIST,
        (steps.choose(names(Kind.NUMBER_TEST, "equal", "differs"), ("itself", *MAPS)),),
        steps.reduce("sum", "list"),
        rules.choose_each,
    ),
    Pipe(
        "quantifier",
        sources.LIST,
        (_MAYBE_CHANGED,),
        steps.quantify(tuple(primitive.name for primitive in QUANTIFIERS), TESTS),
        rules.quantifier,
    ),
    Pipe("longest_run", sources.LIST, (_MAYBE_CHANGED,), steps.longest_run(TESTS), rules.longest_run),
    Pipe(
        "walk",
        sources.walk(tuple(primitive.name for primitive in WALKS), TESTS),
        (_MAYBE_CHANGED,),
        steps.reduce("sum", "count", "list", "last"),
        rules.walk,
    ),
    Pipe(
        "neighbours",
        sources.neighbours(PAIRS),
        (_MAYBE_TESTED,),
        steps.reduce("sum", "count", "list", "largest", "smallest"),
        rules.neighbours,
    ),
    Pipe(
        "running",
        sources.running(tuple(primitive.name for primitive in RUNNINGS)),
        (_MAYBE_TESTED,),
        steps.reduce("sum", "count", "list", "last"),
        rules.running,
    ),
    Pipe(
        "records",
        sources.LIST,
        (_MAYBE_VARIED, steps.record(*(primitive.name for primitive in RECORDS)), _MAYBE_CHANGED),
        steps.reduce("sum", "count", "list"),
        rules.records,
    ),
    Pipe(
        "fold",
        sources.LIST,
        (_MAYBE_TESTED, _MAYBE_CHANGED),
        steps.fold(*names(Kind.FOLD), "difference_of", "distance_of"),
        rules.fold,
    ),
    Pipe(
        "two_passes",
        sources.LIST,
        (steps.related(SUMMARIES, names(Kind.RELATION_TEST)), _MAYBE_CHANGED),
        steps.reduce("sum", "count", "list"),
        rules.two_passes,
    ),
    Pipe(
        "shifted",
        sources.LIST,
        (steps.related(SUMMARIES, names(Kind.RELATION_MAP)),),
        steps.reduce("sum", "list"),
        rules.shifted,
    ),
    Pipe(
        "tally_numbers",
        sources.LIST,
        (_MAYBE_VARIED, steps.each(NOTHING, *_MERGING_MAPS)),
        steps.reduce(*TALLIES),
        rules.tally,
    ),
    Pipe(
        "counted_numbers",
        sources.counted(sources.XS, tuple(primitive.name for primitive in SCOPES), names(Kind.COUNT_TEST), "numbers"),
        (_MAYBE_CHANGED,),
        steps.reduce("sum", "count", "list", "largest", "smallest"),
        rules.counted,
    ),
)
