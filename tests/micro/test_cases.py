"""Tests of a problem against brute force, and every reason to have no tests."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codeglot.micro.cases import MAX_CASES, MIN_CASES, Flaw, Suite, answers, cases, choose, differ
from codeglot.micro.grammar import Composition, Part, Phrase, Reference, Undefined
from codeglot.micro.inputs import build_pool
from codeglot.micro.mutants import mutants
from codeglot.micro.tree import Function, Name, Type, Value
from codeglot.micro.world import World, constants
from tests.micro.toy_world import TOY

compositions = st.builds(
    lambda shape, seed: TOY.draw(shape, Random(seed)), st.sampled_from(TOY.shapes()), st.integers(0, 99)
)


def check_by_brute_force(world: World, composition: Composition, suite: Suite) -> None:
    """Every mutant on every argument of the pool: equivalent there, or told apart by a chosen argument."""
    family = world.families[composition.family]
    pool = build_pool(family.function(composition).parameters, constants(composition)).all
    right = answers(family.reference(composition), pool)
    chosen = {repr(arguments) for arguments in suite.inputs}
    num_killed = 0
    equivalent = []
    for mutant in mutants(world, composition):
        wrong = answers(family.reference(mutant), pool)
        telling = {repr(row) for row, one, other in zip(pool, right, wrong, strict=True) if differ(one, other)}
        if telling:
            assert telling & chosen, (composition, mutant)
            num_killed += 1
        else:
            equivalent.append(mutant)
    assert (num_killed, equivalent) == (suite.num_killed, list(suite.equivalent))


@settings(deadline=None, max_examples=25)
@given(compositions)
def test_every_mutant_that_differs_anywhere_is_killed_by_a_chosen_input(composition: Composition) -> None:
    suite = choose(TOY, composition)
    assume(isinstance(suite, Suite))
    assert isinstance(suite, Suite)
    assert MIN_CASES <= len(suite.inputs) <= MAX_CASES
    assert len({repr(arguments) for arguments in suite.inputs}) == len(suite.inputs)
    check_by_brute_force(TOY, composition, suite)


@settings(deadline=None, max_examples=25)
@given(compositions)
def test_the_defined_boundaries_are_always_among_the_inputs(composition: Composition) -> None:
    suite = choose(TOY, composition)
    assume(isinstance(suite, Suite))
    assert isinstance(suite, Suite)
    family = TOY.families[composition.family]
    boundaries = build_pool(family.function(composition).parameters, constants(composition)).boundaries
    wanted = [
        row
        for row, answer in zip(boundaries, answers(family.reference(composition), boundaries), strict=True)
        if answer is not None
    ]
    assert list(suite.inputs[: len(wanted)]) == wanted


def test_cases_hold_what_the_reference_answers() -> None:
    composition = Composition("choice", (Part("even"), Part("plus", (3,)), Part("times", (2,))))
    assert [case.expected for case in cases(TOY, composition, [(4,), (5,)])] == [7, 10]


def test_the_same_composition_always_gets_the_same_tests() -> None:
    composition = Composition("pipe", (Part("greater", (4,)), Part("plus", (3,)), Part("sum")))
    assert choose(TOY, composition) == choose(TOY, composition)


@pytest.mark.parametrize(
    ("one", "other", "expected"), [(1, 1, False), (1, 2, True), (True, 1, True), (None, 1, False), (1, None, False)]
)
def test_answers_differ_only_where_both_exist(one: Value | None, other: Value | None, expected: bool) -> None:
    assert differ(one, other) is expected


def test_a_world_in_which_tests_are_left_out_is_told_from_one_that_is_whole() -> None:
    """The check by brute force itself can fail."""
    composition = Composition("pipe", (Part("greater", (4,)), Part("plus", (3,)), Part("sum")))
    suite = choose(TOY, composition)
    assert isinstance(suite, Suite)
    with pytest.raises(AssertionError):
        check_by_brute_force(TOY, composition, suite._replace(inputs=suite.inputs[3:4]))


class Answers:
    """A family of one place: what it answers is given, its mutants are the other answers."""

    name = "answers"

    def __init__(self, parameter: Name, answers_by_name: dict[str, Callable[..., Value]]) -> None:
        self.places: tuple[tuple[str, ...], ...] = (tuple(answers_by_name),)
        self._answers = answers_by_name
        self._parameter = parameter

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        return shape[0] in self._answers

    def function(self, composition: Composition) -> Function:
        assert composition.family == self.name
        return Function("solve", (self._parameter,), Type.INT)

    def reference(self, composition: Composition) -> Reference:
        return self._answers[composition.parts[0].primitive]

    def phrase(self, composition: Composition) -> Phrase:
        return Phrase(composition.family)


def chosen(kind: Type, *, right: Callable[..., Value], **others: Callable[..., Value]) -> Suite | Flaw:
    family = Answers(Name("v", kind), {"right": right, **others})
    return choose(World({"answers": family}, lambda _: ()), Composition("answers", (Part("right"),)))


def only_if(is_defined: Callable[..., bool]) -> Callable[..., Value]:
    def answer(xs: list[int]) -> Value:
        if not is_defined(xs):
            raise Undefined
        return sum(xs)

    return answer


def test_a_problem_without_enough_answers_is_dropped() -> None:
    assert chosen(Type.INTS, right=only_if(lambda xs: len(xs) > 6)) is Flaw.UNDEFINED
    assert chosen(Type.INTS, right=only_if(lambda xs: len(xs) > 1)) is not Flaw.UNDEFINED


def test_a_constant_result_is_dropped() -> None:
    assert chosen(Type.INTS, right=lambda xs: 0 * len(xs)) is Flaw.SAME
    assert chosen(Type.INTS, right=lambda xs: int(41 in xs)) is Flaw.SAME


def test_a_truth_that_nearly_always_holds_is_dropped() -> None:
    assert chosen(Type.INTS, right=lambda xs: len(xs) < 8) is not Flaw.SAME
    assert chosen(Type.INTS, right=lambda xs: 39 not in xs) is Flaw.SAME


def test_a_result_that_repeats_an_argument_is_dropped() -> None:
    assert chosen(Type.INTS, right=lambda xs: [x for x in xs if x != 39]) is Flaw.ECHO
    assert chosen(Type.TEXT, right=lambda s: s) is Flaw.ECHO


def test_a_step_that_changes_nothing_is_dropped() -> None:
    assert chosen(Type.INTS, right=sum, nothing=sum) is Flaw.IDLE
    assert isinstance(chosen(Type.INTS, right=sum, nothing=len), Suite)


def test_a_mutant_that_no_argument_tells_is_named_equivalent() -> None:
    suite = chosen(Type.INTS, right=sum, alias=lambda xs: sum(reversed(xs)), wrong=len)
    assert isinstance(suite, Suite)
    assert suite.equivalent == (Composition("answers", (Part("alias"),)),)
    assert suite.num_killed == 1


def test_a_mutant_that_only_one_argument_tells_is_killed_by_that_one() -> None:
    rare = build_pool((Name("v", Type.INTS),), ()).seeded[-1][0]
    suite = chosen(Type.INTS, right=sum, rare=lambda xs: sum(xs) + (xs == rare))
    assert isinstance(suite, Suite)
    assert (rare,) in suite.inputs
    assert suite.num_killed == 1


def test_a_problem_whose_mutants_need_too_many_tests_is_dropped() -> None:
    rows = [row[0] for row in build_pool((Name("v", Type.INTS),), ()).seeded[-MAX_CASES:]]
    others = {f"rare{place}": lambda xs, row=row: sum(xs) + (xs == row) for place, row in enumerate(rows)}
    assert chosen(Type.INTS, right=sum, **others) is Flaw.HARD


def test_an_argument_without_an_answer_kills_nothing() -> None:
    suite = chosen(Type.INTS, right=sum, shy=only_if(lambda xs: len(xs) < 5))
    assert isinstance(suite, Suite)
    assert suite.num_killed == 0
    assert len(suite.equivalent) == 1
