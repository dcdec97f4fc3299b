"""Arguments: how many, how small, and that no boundary is forgotten."""

from codeglot.micro.inputs import build_pool, neighbours
from codeglot.micro.tree import Name, Type

XS, N, S, WORDS = Name("xs", Type.INTS), Name("n", Type.INT), Name("s", Type.TEXT), Name("words", Type.TEXTS)
A, B = Name("a", Type.INT), Name("b", Type.INT)
SIGNATURES = [(XS,), (N,), (S,), (WORDS,), (A, B)]


def test_every_signature_has_a_thousand_seeded_arguments() -> None:
    for signature in SIGNATURES:
        seeded = build_pool(signature, ()).seeded
        assert len(seeded) >= 1000
        assert len({repr(arguments) for arguments in seeded}) >= (250 if signature == (N,) else 1000)


def test_nearly_every_number_up_to_a_hundred_is_in_the_pool_of_a_natural_number() -> None:
    assert len({arguments[0] for arguments in build_pool((N,), ()).all} & set(range(100))) > 95


def test_no_argument_stands_in_a_pool_twice() -> None:
    for signature in SIGNATURES:
        pool = build_pool(signature, (0, 4, "e")).all
        assert len({repr(arguments) for arguments in pool}) == len(pool)


def test_the_same_problem_always_meets_the_same_arguments() -> None:
    for signature in SIGNATURES:
        assert build_pool(signature, (4, "e")) == build_pool(signature, (4, "e"))


def test_boundaries_hold_each_number_and_its_neighbors_alone() -> None:
    assert build_pool((XS,), (4, -2)).boundaries == (([3],), ([4],), ([5],), ([-3],), ([-2],), ([-1],))
    assert {a for a, b in build_pool((A, B), (4,)).boundaries if b == 0} >= {3, 4, 5}
    assert {b for a, b in build_pool((A, B), (4,)).boundaries if a == 0} >= {3, 4, 5}


def test_a_number_that_is_never_negative_has_no_negative_arguments() -> None:
    pool = build_pool((N,), (0, 3))
    assert {arguments[0] for arguments in pool.boundaries} == {0, 1, 2, 3, 4}
    assert all(isinstance(arguments[0], int) and arguments[0] >= 0 for arguments in pool.all)


def test_boundaries_of_texts_are_lengths_and_letters() -> None:
    assert [len(str(arguments[0])) for arguments in build_pool((S,), (4,)).boundaries] == [3, 4, 5]
    assert build_pool((S,), ("e",)).boundaries == (("d",), ("e",), ("f",))
    assert (["e"],) in build_pool((WORDS,), ("e",)).boundaries
    assert (["oe"],) in build_pool((WORDS,), ("e",)).boundaries


def test_letters_at_the_ends_of_the_alphabet_have_one_neighbor() -> None:
    assert neighbours("a") == ("a", "b")
    assert neighbours("z") == ("y", "z")


def test_edges_hold_what_careless_programs_forget() -> None:
    assert ([],) in build_pool((XS,), ()).edges
    assert ([3, 3, 3],) in build_pool((XS,), ()).edges
    assert ("",) in build_pool((S,), ()).edges
    assert ([],) in build_pool((WORDS,), ()).edges
    assert (0,) in build_pool((N,), ()).edges
    assert {(0, 0), (1, 1), (0, 1), (1, 0)} <= set(build_pool((A, B), ()).edges)


def test_words_are_never_empty_and_texts_are_small_letters() -> None:
    for (words,) in build_pool((WORDS,), (3, "b")).all:
        assert isinstance(words, list)
        assert all(isinstance(word, str) and word.isascii() and word.isalpha() and word.islower() for word in words)
    for (text,) in build_pool((S,), (3, "b")).all:
        assert isinstance(text, str)
        assert not text or (text.isascii() and text.isalpha() and text.islower())


def test_arguments_near_a_constant_hold_it_far_more_often() -> None:
    pool = build_pool((XS,), (57,))
    with_it = sum(57 in xs for (xs,) in pool.near if isinstance(xs, list))
    by_chance = sum(57 in xs for (xs,) in pool.seeded if isinstance(xs, list))
    assert with_it > 50 > by_chance
