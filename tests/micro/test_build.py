"""Choosing held-out problems: from held-out shapes, families mixed, nothing that training has too."""

from collections import Counter
from functools import cache

import pytest

from codeglot.micro.build import KNOWN, TWICE, VAGUE, Bundle, build
from codeglot.micro.cases import Flaw, choose
from codeglot.micro.problems import pack, unpack
from codeglot.micro.splits import Split, fingerprint
from tests.micro.toy_world import TOY

NUM_TASKS = {Split.VALIDATION: 8, Split.TEST: 16}


@cache
def toy_bundle() -> Bundle:
    return build(TOY, num_tasks=NUM_TASKS)


def test_problems_come_from_the_shapes_of_their_split() -> None:
    bundle = toy_bundle()
    assert Counter(task.split for task in bundle.tasks) == NUM_TASKS
    assert all(bundle.split_by_shape[task.composition.shape] is task.split for task in bundle.tasks)


def test_problems_have_their_tests() -> None:
    for task in toy_bundle().tasks:
        suite = choose(TOY, task.composition)
        assert not isinstance(suite, str)
        assert suite.inputs == task.inputs


def test_no_two_problems_mean_the_same_and_none_is_known_from_training() -> None:
    bundle = toy_bundle()
    meanings = [fingerprint(TOY, task.composition) for task in bundle.tasks]
    assert len(set(meanings)) == len(meanings)
    for task in bundle.tasks:
        suite = choose(TOY, task.composition)
        assert not isinstance(suite, str)
        assert all(bundle.split_by_shape[mutant.shape] is not Split.TRAIN for mutant in suite.equivalent)


def test_what_is_dropped_is_counted_with_its_reason() -> None:
    """Asked for more problems than there are, everything that is left over has a reason."""
    greedy = build(TOY, num_tasks={Split.TEST: 10_000})
    assert greedy.dropped
    assert {reason for _, reason in greedy.dropped} <= {KNOWN, TWICE, VAGUE, *Flaw}


@pytest.mark.parametrize("count", [4, 8, 12, 16])
def test_any_first_problems_have_the_families_in_the_proportions_of_the_whole(count: int) -> None:
    families = [task.composition.family for task in toy_bundle().tasks if task.split is Split.TEST]
    whole, part = Counter(families), Counter(families[:count])
    assert all(abs(part[name] - whole[name] * count / len(families)) <= 1 for name in whole)


def test_the_file_gives_back_what_was_written() -> None:
    tasks = toy_bundle().tasks
    assert unpack(pack(tasks)) == tasks
    assert pack(tasks) == pack(unpack(pack(tasks)))


def test_the_same_world_gives_the_same_problems() -> None:
    assert build(TOY, num_tasks=NUM_TASKS).tasks == toy_bundle().tasks
