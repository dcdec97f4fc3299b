"""The benchmarks of the bundled world: languages, splits, limits and what they refuse."""

from collections import Counter
from pathlib import Path

import pytest

from codeglot.errors import UnknownNameError
from codeglot.evaluate.benchmarks.benchmark import get, load_problems
from codeglot.micro.phrasing import natural_languages
from codeglot.micro.renderers.renderer import languages


def test_there_are_enough_problems_of_every_split() -> None:
    for split, least in (("validation", 200), ("test", 300)):
        found = load_problems("micro", languages=["python"], split=split)
        assert len(found) == len({problem.task_id for problem in found}) >= least
    assert len(load_problems("micro_nl", natural_languages=["en"])) >= 1000


def test_the_test_split_is_the_default_and_all_holds_both() -> None:
    default = load_problems("micro", languages=["python"])
    assert {problem.task_id.split("/")[2] for problem in default} == {"test"}
    everything = load_problems("micro", languages=["python"], split="all")
    assert {problem.task_id.split("/")[2] for problem in everything} == {"validation", "test"}
    assert len(everything) == len(default) + len(load_problems("micro", languages=["python"], split="validation"))


def test_every_programming_language_gets_the_same_problems() -> None:
    found = load_problems("micro", limit=3)
    assert Counter(problem.language_id for problem in found) == dict.fromkeys(languages(), 3)
    assert {problem.task_id for problem in found if problem.language_id == "java"} == {
        f"micro/java/test/{number}" for number in range(3)
    }
    assert {problem.natural_language for problem in found} == {"en"}


def test_every_natural_language_gets_the_same_problems_in_the_default_language() -> None:
    found = load_problems("micro_nl", limit=3)
    assert Counter(problem.natural_language for problem in found) == dict.fromkeys(natural_languages(), 3)
    assert {problem.language_id for problem in found} == {"python"}
    assert len({(problem.tests, problem.canonical_solution) for problem in found}) == 3


def test_natural_languages_are_chosen_and_keep_their_order() -> None:
    chosen = list(reversed(natural_languages()))[:2]
    found = load_problems("micro_nl", languages=["lua"], natural_languages=chosen, limit=2)
    assert [problem.natural_language for problem in found] == [chosen[0]] * 2 + chosen[1:] * 2
    assert {problem.language_id for problem in found} == {"lua"}


def test_a_natural_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="natural language of micro_nl 'tlh'"):
        load_problems("micro_nl", natural_languages=["tlh"])


def test_a_programming_language_or_split_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="language of micro 'klingon'"):
        load_problems("micro", languages=["klingon"])
    with pytest.raises(UnknownNameError, match="split of micro 'train'"):
        load_problems("micro", split="train")


def test_a_limit_counts_over_all_splits(tmp_path: Path) -> None:
    found = load_problems("micro", languages=["python"], split="all", limit=245, data=tmp_path)
    assert Counter(problem.task_id.split("/")[2] for problem in found) == {"validation": 240, "test": 5}


def test_the_first_problems_of_both_benchmarks_are_the_same() -> None:
    for one, other in zip(
        load_problems("micro", languages=["java"], limit=4),
        load_problems("micro_nl", languages=["java"], natural_languages=["en"], limit=4),
        strict=True,
    ):
        assert (one.prompt, one.tests) == (other.prompt, other.tests)
        assert one.task_id != other.task_id


def test_only_the_natural_language_benchmark_lets_the_prompts_language_be_chosen() -> None:
    assert get("micro_nl").has_natural_languages
    assert not get("micro").has_natural_languages
    assert not get("humaneval").has_natural_languages


def test_a_number_is_one_origin_in_all_languages_of_both_benchmarks() -> None:
    english = load_problems("micro", limit=2)
    spoken = load_problems("micro_nl", languages=["lua"], limit=2)
    assert {problem.origin for problem in (*english, *spoken)} == {"micro/test/0", "micro/test/1"}
    assert {problem.origin for problem in load_problems("micro", split="validation", limit=1)} == {"micro/validation/0"}
