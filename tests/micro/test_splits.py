"""Splits by meaning: aliases stay together, every primitive stays seen, small families keep their share."""

import json
from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.micro.grammar import Composition, Part
from codeglot.micro.splits import MIN_SEEN, Meanings, Split, assign, fingerprint, groups, skeleton
from codeglot.micro.world import Shape
from tests.micro.toy_world import TOY

SHAPES = TOY.shapes()
SPLIT_BY_SHAPE = assign(TOY)


def function(composition: Composition) -> object:
    return skeleton(TOY.families[composition.family].function(composition))


@settings(deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 99), st.integers(0, 99))
def test_constants_do_not_show_in_the_skeleton(shape: Shape, one: int, other: int) -> None:
    assert function(TOY.draw(shape, Random(one))) == function(TOY.draw(shape, Random(other)))


def test_the_skeleton_shows_operators_and_order() -> None:
    plus = Composition("choice", (Part("even"), Part("plus", (3,)), Part("times", (3,))))
    swapped = Composition("choice", (Part("even"), Part("times", (3,)), Part("plus", (3,))))
    assert function(plus) != function(swapped)


def test_aliases_of_code_and_of_behavior_are_in_one_group() -> None:
    group_by_shape = {shape: number for number, group in enumerate(groups(TOY, SHAPES)) for shape in group}
    assert set(group_by_shape) == set(SHAPES)
    for shape in SHAPES:
        if "even" in shape:
            same_answers = tuple("not_odd" if name == "even" else name for name in shape)
            same_code = tuple("divisible" if name == "even" else name for name in shape)
            assert group_by_shape[shape] == group_by_shape[same_answers] == group_by_shape[same_code]
    assert len(set(group_by_shape.values())) > len(SHAPES) / 3


def test_shapes_that_differ_in_meaning_are_not_thrown_together() -> None:
    found = groups(TOY, [("pipe", "greater", "plus", "sum"), ("pipe", "less", "plus", "sum")])
    assert len(found) == 2


def test_a_group_lies_in_one_split() -> None:
    for group in groups(TOY, SHAPES):
        assert len({SPLIT_BY_SHAPE[shape] for shape in group}) == 1


def test_no_fingerprint_and_no_skeleton_is_in_two_splits() -> None:
    rng = Random(5)
    split_by_key: dict[object, set[Split]] = {}
    for shape in SHAPES:
        composition = TOY.draw(shape, rng)
        for key in (function(composition), fingerprint(TOY, composition)):
            if key is not None:
                split_by_key.setdefault(key, set()).add(SPLIT_BY_SHAPE[shape])
    assert max(map(len, split_by_key.values())) == 1


def test_every_primitive_stays_seen_in_each_of_its_places() -> None:
    everywhere = Counter((shape[0], place, name) for shape in SHAPES for place, name in enumerate(shape[1:]))
    training = Counter(
        (shape[0], place, name)
        for shape in SHAPES
        if SPLIT_BY_SHAPE[shape] is Split.TRAIN
        for place, name in enumerate(shape[1:])
    )
    assert all(training[key] >= MIN_SEEN * count for key, count in everywhere.items())


def test_every_family_has_all_splits() -> None:
    found = Counter((shape[0], split) for shape, split in SPLIT_BY_SHAPE.items())
    assert all(found[name, split] >= 4 for name in TOY.families for split in Split)


def test_the_same_world_is_always_split_the_same_way() -> None:
    assert assign(TOY) == SPLIT_BY_SHAPE
    assert assign(TOY, seed=1) != SPLIT_BY_SHAPE


def test_the_same_meaning_is_found_in_another_shape_and_other_constants_are_told_apart() -> None:
    def has(composition: Composition) -> bool:
        return meanings.has(composition, TOY.families[composition.family].function(composition))

    meanings = Meanings(TOY, [Composition("choice", (Part("even"), Part("plus", (3,)), Part("times", (2,))))])
    assert has(Composition("choice", (Part("even"), Part("plus", (3,)), Part("times", (2,)))))
    assert has(Composition("choice", (Part("not_odd"), Part("plus", (3,)), Part("times", (2,)))))
    assert has(Composition("choice", (Part("odd"), Part("times", (2,)), Part("plus", (3,)))))
    assert not has(Composition("choice", (Part("even"), Part("plus", (4,)), Part("times", (2,)))))
    assert not has(Composition("choice", (Part("odd"), Part("plus", (3,)), Part("times", (2,)))))


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_the_quick_look_finds_what_the_fingerprints_find(seed: int) -> None:
    rng = Random(seed)
    held = [TOY.draw(rng.choice(SHAPES), rng) for _ in range(20)]
    meanings = Meanings(TOY, held)
    fingerprints = {fingerprint(TOY, composition) for composition in held} - {None}
    for _ in range(20):
        composition = TOY.draw(rng.choice(SHAPES), rng)
        solved = TOY.families[composition.family].function(composition)
        assert meanings.has(composition, solved) == (fingerprint(TOY, composition) in fingerprints)


def test_answers_that_hardly_vary_have_no_fingerprint() -> None:
    never = Composition("pipe", (Part("greater", (500,)), Part("plus", (3,)), Part("sum")))
    assert fingerprint(TOY, never) is None
    sometimes = Composition("pipe", (Part("greater", (5,)), Part("plus", (3,)), Part("sum")))
    assert json.dumps(fingerprint(TOY, sometimes))
