"""Families about letters and words."""

from codeglot.micro.families import rules, sources, steps
from codeglot.micro.families.numbers import TALLIES
from codeglot.micro.families.pipeline import Pipe
from codeglot.micro.primitives import NOTHING, names
from codeglot.micro.primitives_choices import SCOPES
from codeglot.micro.primitives_core import Kind

_LETTER_TESTS, _WORD_TESTS = names(Kind.LETTER_TEST), names(Kind.WORD_TEST)
_LETTER_MAPS = names(Kind.LETTER_MAP, "same")
_TEXT_MAPS = names(Kind.WORD_MAP, "word_length")
_SCOPES = tuple(primitive.name for primitive in SCOPES)
_COUNT_TESTS = names(Kind.COUNT_TEST)

FAMILIES = (
    Pipe(
        "letter_pipe",
        sources.LETTERS,
        (steps.keep(NOTHING, *_LETTER_TESTS), steps.each(NOTHING, *_LETTER_MAPS)),
        steps.reduce("joined", "backwards", "each_once", "count"),
        rules.pipe,
    ),
    Pipe(
        "choose_letters",
        sources.LETTERS,
        (steps.choose(_LETTER_TESTS, names(Kind.LETTER_MAP)),),
        steps.reduce("joined", "backwards"),
        rules.choose_letters,
    ),
    Pipe(
        "tally_letters",
        sources.LETTERS,
        (steps.keep(NOTHING, *names(Kind.LETTER_TEST, "same_letter")),),
        steps.reduce(*TALLIES),
        rules.anything,
    ),
    Pipe(
        "counted_letters",
        sources.counted(sources.S, _SCOPES, _COUNT_TESTS, "letters"),
        (steps.each(NOTHING, *_LETTER_MAPS),),
        steps.reduce("joined", "backwards", "count"),
        rules.counted,
    ),
    Pipe(
        "word_pipe",
        sources.ALL_WORDS,
        (steps.keep(NOTHING, *_WORD_TESTS), steps.each(NOTHING, *_TEXT_MAPS)),
        steps.reduce("list", "joined", "count", "longest", "shortest", "first_text", "last_text"),
        rules.pipe,
    ),
    Pipe(
        "word_lengths",
        sources.ALL_WORDS,
        (
            steps.keep(NOTHING, *names(Kind.WORD_TEST, "has_length")),
            steps.each("word_length"),
            steps.each(NOTHING, "square", "times", "plus", "times_plus"),
        ),
        steps.reduce("sum", "list", "largest", "smallest"),
        rules.anything,
    ),
    Pipe(
        "tally_words",
        sources.ALL_WORDS,
        (steps.keep(NOTHING, *_WORD_TESTS), steps.each(NOTHING, "word_length", "first_letter", "last_letter")),
        steps.reduce(*TALLIES),
        rules.tally,
    ),
    Pipe(
        "counted_words",
        sources.counted(sources.WORDS, _SCOPES, _COUNT_TESTS, "words"),
        (steps.each(NOTHING, *_TEXT_MAPS),),
        steps.reduce("list", "joined", "count", "longest", "shortest"),
        rules.counted,
    ),
)
