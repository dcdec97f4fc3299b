"""Training examples: seeded, in the shares asked for, and never what is held out."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from codeglot.errors import ConfigError, UnknownNameError
from codeglot.micro.bundled import bundled
from codeglot.micro.problems import all_tasks, solution
from codeglot.micro.renderers.renderer import languages, renderer
from codeglot.micro.splits import fingerprint, held_out, skeleton
from codeglot.micro.stream import examples, stream, training_compositions
from codeglot.records import Example

ENGLISH = {"en": 1.0}


def first(count: int, **shares: float) -> list[Example]:
    return list(islice(stream(seed=0, languages=shares, natural_languages=ENGLISH), count))


def test_the_same_seed_gives_the_same_examples() -> None:
    assert first(50, python=1.0) == first(50, python=1.0)
    other = list(islice(stream(seed=1, languages={"python": 1.0}, natural_languages=ENGLISH), 50))
    assert [example.prompt for example in other] != [example.prompt for example in first(50, python=1.0)]


def test_languages_come_in_their_shares() -> None:
    found = Counter(example.language_id for example in first(4000, python=3.0, java=1.0, lua=0.0))
    assert found["lua"] == 0
    assert 0.71 < found["python"] / 4000 < 0.79


def test_every_example_says_where_it_came_from() -> None:
    found = first(20, python=1.0)
    assert len({example.source for example in found}) == 20
    assert {example.natural_language for example in found} == {"en"}
    assert all(example.license for example in found)


def test_an_example_continues_its_prompt_with_a_new_line() -> None:
    for example in first(200, **dict.fromkeys(languages(), 1.0)):
        assert not example.prompt.endswith("\n")
        assert example.completion.startswith("\n")


@pytest.mark.parametrize("shares", [{}, {"python": 0.0}, {"python": -1.0}, {"python": float("nan")}])
def test_shares_that_leave_nothing_to_draw_are_refused_at_once(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        stream(seed=0, languages=shares, natural_languages=ENGLISH)


def test_a_language_that_the_world_lacks_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="language of the micro world 'klingon'"):
        stream(seed=0, languages={"klingon": 1.0}, natural_languages=ENGLISH)
    with pytest.raises(UnknownNameError, match="natural language of the micro world 'tlh'"):
        stream(seed=0, languages={"python": 1.0}, natural_languages={"tlh": 1.0})
    with pytest.raises(UnknownNameError, match="klingon"):
        examples(seed=0, languages=["klingon"], natural_languages=["en"], num_per_language=1)


def test_a_finite_list_has_the_same_number_of_every_language() -> None:
    found = examples(seed=3, languages=["python", "lua"], natural_languages=["en"], num_per_language=30)
    assert Counter(example.language_id for example in found) == {"python": 30, "lua": 30}
    assert len({example.source for example in found}) == 60
    with pytest.raises(ConfigError, match="at least 1"):
        examples(seed=3, languages=["python"], natural_languages=["en"], num_per_language=0)


def test_what_one_language_gets_does_not_depend_on_the_others() -> None:
    alone = examples(seed=3, languages=["lua"], natural_languages=["en"], num_per_language=10)
    both = examples(seed=3, languages=["python", "lua"], natural_languages=["en"], num_per_language=10)
    assert both[10:] == alone


def test_a_finite_list_is_no_piece_of_a_stream() -> None:
    streamed = {example.prompt + example.completion for example in first(400, python=1.0)}
    found = examples(seed=0, languages=["python"], natural_languages=["en"], num_per_language=400)
    assert len({example.prompt + example.completion for example in found} & streamed) < 40


@pytest.mark.parametrize("language_id", ["python", "java"])
def test_no_held_out_solution_is_in_the_training_stream(language_id: str) -> None:
    held = {renderer(language_id).completion(solution(bundled(), task.composition)) for task in all_tasks()}
    seen = {example.completion for example in first(8000, **{language_id: 1.0})}
    assert len(seen) > 5000
    assert not held & seen


def test_no_held_out_meaning_is_in_the_training_stream() -> None:
    held = {fingerprint(bundled(), task.composition) for task in all_tasks()}
    assert None not in held
    drawn = islice(training_compositions(Random(11)), 6000)
    seen = {fingerprint(bundled(), composition) for composition in drawn} - {None}
    assert len(held) > 1000
    assert len(seen) > 2500
    assert not held & seen


def test_no_held_out_tree_is_for_training_whatever_the_constants() -> None:
    held = {skeleton(solution(bundled(), task.composition)) for task in all_tasks()}
    drawn = islice(training_compositions(Random(12)), 4000)
    assert not held & {skeleton(solution(bundled(), composition)) for composition in drawn}


def test_every_primitive_is_seen_in_training_in_each_of_its_places() -> None:
    everywhere = {(shape[0], place, name) for shape in bundled().shapes() for place, name in enumerate(shape[1:])}
    kept_out = held_out()
    training = {
        (shape[0], place, name)
        for shape in bundled().shapes()
        if shape not in kept_out
        for place, name in enumerate(shape[1:])
    }
    assert training == everywhere
