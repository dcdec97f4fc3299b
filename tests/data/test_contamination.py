"""Overlap of training examples with problems: found where it is, and not where there is none."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.data.contamination import MOST_PROBLEMS, Overlap, OverlapKind, find_overlaps, normalized, word_runs
from codeglot.data.examples import from_problem
from codeglot.records import Example, Problem

SENTENCE = "Write a function that returns the sum of all even numbers in a list of integers."


def problem(task_id: str = "b/1", **values: Any) -> Problem:
    fields = {"benchmark": "b", "language_id": "python", "prompt": SENTENCE, "tests": "t", **values}
    return Problem.model_validate({"task_id": task_id, **fields})


def example(prompt: str = "Other words", completion: str = "pass", **values: Any) -> Example:
    fields = {"language_id": "python", "source": "rows.jsonl, line 3", **values}
    return Example(prompt=prompt, completion=completion, **fields)


def test_an_example_made_from_a_problem_is_that_task() -> None:
    asked = problem(canonical_solution="return 1")
    made = from_problem(asked)
    assert made is not None
    assert find_overlaps([example(), made], [asked]) == [Overlap(OverlapKind.TASK, "b/1", 1, "b, task b/1")]


def test_a_form_of_the_task_in_another_language_and_benchmark_is_that_task() -> None:
    made = from_problem(problem("Mbpp/601", canonical_solution="return 1", origin="mbpp/601"))
    assert made is not None
    forms = [
        problem(f"{name}/{number}", language_id=name, prompt="worded anew", origin=f"mbpp/{number}")
        for name in ("lua", "ruby")
        for number in (601, 602)
    ]
    found = find_overlaps([made], forms)
    assert [(overlap.kind, overlap.task_id) for overlap in found] == [
        (OverlapKind.TASK, "lua/601"),
        (OverlapKind.TASK, "ruby/601"),
    ]


def test_rows_without_an_origin_are_no_task() -> None:
    assert find_overlaps([example()], [problem(prompt="worded anew")]) == []


def test_an_equal_answer_is_found_through_spaces_and_comments() -> None:
    asked = problem(canonical_solution="# add\nreturn a  +  b\n")
    overlap = Overlap(OverlapKind.SOLUTION, "b/1", 0, "rows.jsonl, line 3")
    assert find_overlaps([example(completion="    return a + b")], [asked]) == [overlap]
    assert find_overlaps([example(completion="return a - b")], [asked]) == []


def test_an_equal_answer_in_another_language_is_none() -> None:
    asked = problem(canonical_solution="return a")
    assert find_overlaps([example(completion="return a", language_id="ruby")], [asked]) == []


def test_a_problem_without_an_answer_equals_no_answer() -> None:
    assert find_overlaps([example(completion="# only words")], [problem(canonical_solution=None)]) == []


def test_a_long_run_of_words_is_found_in_any_case_and_language() -> None:
    copied = f"Please: {SENTENCE.upper()} Thanks!"
    overlap = Overlap(OverlapKind.PROMPT, "b/1", 0, "rows.jsonl, line 3")
    assert find_overlaps([example(copied, language_id="java")], [problem()]) == [overlap]


def test_fewer_words_in_a_row_are_no_copy() -> None:
    words = SENTENCE.split()
    halves = " ".join(words[:8]) + " something else " + " ".join(words[8:])
    assert find_overlaps([example(halves)], [problem()]) == []


def test_a_short_prompt_counts_where_it_is_equal() -> None:
    assert find_overlaps([example("Add two numbers.")], [problem(prompt="add two numbers.")])
    assert not find_overlaps([example("Add two numbers, now.")], [problem(prompt="add two numbers.")])


def test_words_that_stand_in_many_problems_are_boilerplate() -> None:
    def asked(count: int) -> list[Problem]:
        return [problem(f"b/{number}") for number in range(count)]

    assert len(find_overlaps([example(SENTENCE)], asked(MOST_PROBLEMS))) == MOST_PROBLEMS
    assert find_overlaps([example(SENTENCE)], asked(MOST_PROBLEMS + 1)) == []


def test_a_problem_in_many_languages_is_no_boilerplate() -> None:
    names = ["cpp", "csharp", "go", "java", "javascript", "lua", "perl", "php", "python", "ruby", "rust", "typescript"]
    assert len(find_overlaps([example(SENTENCE)], [problem(name, language_id=name) for name in names])) == len(names)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "+"]), max_size=12), st.lists(st.sampled_from(["a", "b"]), max_size=4))
def test_prompts_overlap_where_one_holds_a_run_of_the_other(prompt: list[str], asked: list[str]) -> None:
    num_words = 3
    runs = {tuple(asked[i : i + num_words]) for i in range(max(1, len(asked) - num_words + 1))} - {()}
    there = [tuple(prompt[i : i + num_words]) for i in range(max(1, len(prompt) - num_words + 1))]
    found = find_overlaps([example(" ".join(prompt))], [problem(prompt=" ".join(asked))], num_words=num_words)
    assert bool(found) == (not runs.isdisjoint(there))


def test_runs_of_an_empty_text_are_none() -> None:
    assert list(word_runs(" \n", 3)) == []


def test_code_is_compared_without_lines_of_comment() -> None:
    assert normalized("  -- x\n a =  1\n", "lua") == "a=1"
