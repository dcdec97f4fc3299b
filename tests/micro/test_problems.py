"""Held-out problems: how many, how they are ordered, and that they still fit the families they were made of."""

import re
from collections import Counter

import pytest

from codeglot.micro.bundled import bundled
from codeglot.micro.cases import MAX_CASES, MIN_CASES, Flaw, Suite, answers, cases, choose, differ
from codeglot.micro.grammar import Composition, Part
from codeglot.micro.phrasing import natural_languages
from codeglot.micro.problems import Task, all_tasks, build_problem, solution, tasks
from codeglot.micro.renderers.renderer import languages, renderer
from codeglot.micro.splits import Split, assign, held_out
from codeglot.records import Problem
from tests.micro.test_cases import check_by_brute_force


def problem(task: Task, language_id: str = "python", natural_language: str = "en") -> Problem:
    return build_problem(task, benchmark="b", task_id="b/0", language_id=language_id, natural_language=natural_language)


def test_there_are_enough_held_out_problems() -> None:
    assert len(tasks(Split.TEST)) >= 1000
    assert len(tasks(Split.VALIDATION)) >= 200
    assert [task.number for task in tasks(Split.TEST)] == list(range(len(tasks(Split.TEST))))


def test_the_bundled_files_are_of_the_families_as_they_are() -> None:
    known = set(bundled().shapes())
    assert set(held_out()) <= known, "python -m codeglot.micro.build"
    for task in all_tasks():
        for part in task.composition.parts:
            values = bundled().choices(part.primitive)
            assert len(values) == len(part.constants), "python -m codeglot.micro.build"
            assert all(constant in of for constant, of in zip(part.constants, values, strict=True))


@pytest.mark.slow
def test_the_bundled_split_is_the_one_that_is_assigned_now() -> None:
    now = {shape: split for shape, split in assign(bundled()).items() if split is not Split.TRAIN}
    assert now == held_out(), "python -m codeglot.micro.build"


def test_there_are_twenty_thousand_shapes_of_ten_families() -> None:
    assert len(bundled().shapes()) >= 20_000
    assert len(bundled().families) >= 10


def test_every_problem_has_a_held_out_shape() -> None:
    assert all(held_out()[task.composition.shape] is task.split for task in all_tasks())


def test_every_problem_has_thirty_inputs_or_more() -> None:
    for task in all_tasks():
        assert MIN_CASES <= len(task.inputs) <= MAX_CASES
        assert len({repr(arguments) for arguments in task.inputs}) == len(task.inputs)


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_no_family_outweighs_the_others_and_few_problems_share_a_shape(split: Split) -> None:
    found = tasks(split)
    by_family = Counter(task.composition.family for task in found)
    assert max(by_family.values()) < 0.15 * len(found)
    assert min(by_family.values()) >= 2
    assert len({task.composition.shape for task in found}) > 0.95 * len(found)


def test_no_problem_has_answers_that_hardly_vary() -> None:
    for task in all_tasks():
        found = Counter(repr(case.expected) for case in cases(bundled(), task.composition, task.inputs))
        assert len(found) >= (2 if "True" in found else 4), task.composition
        assert max(found.values()) <= 0.9 * len(task.inputs), task.composition


def test_no_step_of_a_problem_can_be_left_out() -> None:
    for task in all_tasks():
        family, parts = bundled().families[task.composition.family], task.composition.parts
        for place, names in enumerate(family.places):
            if "nothing" in names and parts[place].primitive != "nothing":
                left = (*parts[:place], Part("nothing"), *parts[place + 1 :])
                without = answers(family.reference(task.composition._replace(parts=left)), task.inputs)
                asked = answers(family.reference(task.composition), task.inputs)
                assert any(map(differ, asked, without)), task.composition


@pytest.mark.parametrize(
    "parts",
    [
        (Part("at_least", (10,)), Part("nothing"), Part("sum")),
        (Part("at_most", (9,)), Part("nothing"), Part("list")),
        (Part("nothing"), Part("cap", (9,)), Part("sum")),
    ],
)
def test_a_test_that_no_digit_passes_or_fails_makes_no_problem(parts: tuple[Part, ...]) -> None:
    """Prompts like "digits that are at least 11" judge nothing; nor do those with "at most 9"."""
    assert isinstance(choose(bundled(), Composition("digit_pipe", parts)), Flaw)


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
@pytest.mark.parametrize("count", [60, 200])
def test_the_first_problems_are_a_fair_sample_of_the_families(split: Split, count: int) -> None:
    families = [task.composition.family for task in tasks(split)]
    whole, part = Counter(families), Counter(families[:count])
    assert set(whole) == set(bundled().families)
    assert all(abs(part[name] - whole[name] * count / len(families)) <= 1 for name in whole)


@pytest.mark.parametrize("task", all_tasks()[::97], ids=lambda task: f"{task.split}-{task.number}")
def test_the_bundled_tests_are_those_that_would_be_chosen_now(task: Task) -> None:
    suite = choose(bundled(), task.composition)
    assert isinstance(suite, Suite), suite
    assert suite.inputs == task.inputs, "python -m codeglot.micro.build"


@pytest.mark.slow
@pytest.mark.parametrize("task", all_tasks()[::149], ids=lambda task: f"{task.split}-{task.number}")
def test_bundled_tests_kill_every_mutant_by_brute_force(task: Task) -> None:
    suite = choose(bundled(), task.composition)
    assert isinstance(suite, Suite), suite
    check_by_brute_force(bundled(), task.composition, suite)


def test_python_solutions_pass_their_tests_and_those_of_other_problems_do_not() -> None:
    chosen = all_tasks()[::61]
    num_fooled = 0
    for task, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
        asked, wrong = problem(task), problem(other)
        assert asked.canonical_solution is not None
        assert wrong.canonical_solution is not None
        exec(f"{asked.prompt}{asked.canonical_solution}\n{asked.tests}", {})
        try:
            exec(f"{wrong.prompt}{wrong.canonical_solution}\n{asked.tests}", {})
        except (AssertionError, TypeError, AttributeError):
            continue
        num_fooled += 1
    assert num_fooled == 0


def test_every_language_has_a_prompt_a_solution_and_tests() -> None:
    task = tasks(Split.TEST)[0]
    for language_id in languages():
        found = problem(task, language_id)
        assert found.language_id == language_id
        assert found.prompt_is_code
        assert found.stop == ()
        assert not found.prompt.endswith("\n")
        assert found.canonical_solution is not None
        assert found.canonical_solution.startswith("\n")
        assert str(found.entry_point) in found.prompt


def test_only_the_prompt_depends_on_the_natural_language() -> None:
    task = tasks(Split.TEST)[1]
    english = problem(task)
    for code in natural_languages():
        found = problem(task, natural_language=code)
        assert found.natural_language == code
        assert (found.tests, found.canonical_solution) == (english.tests, english.canonical_solution)
        assert (found.prompt == english.prompt) == (code == "en")


def test_values_of_tests_fit_32_bits_and_stay_short() -> None:
    for task in all_tasks()[::17]:
        for case in cases(bundled(), task.composition, task.inputs):
            assert len(repr(case.arguments)) < 200
            expected = case.expected if isinstance(case.expected, list) else [case.expected]
            assert all(abs(value) < 2**31 for value in expected if isinstance(value, int))


def test_no_go_solution_names_a_variable_of_a_loop_that_it_does_not_read() -> None:
    """Go's compiler refuses that; the one place where correct trees give code that does not compile."""
    loop = re.compile(r"for (\w+)(?:, (\w+))? := range ")
    for task in all_tasks():
        code = renderer("go").completion(solution(bundled(), task.composition))
        for found in loop.finditer(code):
            rest = code[found.end() :]
            assert all(re.search(rf"\b{name}\b", rest) for name in found.groups() if name and name != "_"), code
