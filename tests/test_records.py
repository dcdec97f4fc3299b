"""Records refuse what could not be judged, written or kept safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codeglot.records import Completion, Limits, Problem

PROBLEM = {"task_id": "a", "benchmark": "b", "language_id": "python", "prompt": "", "tests": "assert True"}


@pytest.mark.parametrize(
    "path", ["", ".", "/etc/x", "../x", "a/../x", "a//x", "./x", "a/", "a\0b", "a" * 256, "a/" * 600 + "x"]
)
def test_files_outside_the_program_folder_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match=r"no plain path|is longer than"):
        Problem.model_validate({**PROBLEM, "files": {path: ""}})


def test_plain_paths_below_it_are_taken() -> None:
    assert Problem.model_validate({**PROBLEM, "files": {"data/ä .txt": "x", "..x": ""}}).files


def test_a_row_without_an_origin_is_a_form_of_itself_alone() -> None:
    plain = Problem.model_validate(PROBLEM)
    named = Problem.model_validate({**PROBLEM, "origin": "mbpp/601"})
    assert (plain.origin, plain.root) == (None, "b/a")
    assert (named.root, named.as_asked) == ("mbpp/601", plain)
    with pytest.raises(ValidationError):
        Problem.model_validate({**PROBLEM, "origin": ""})


@pytest.mark.parametrize("field", ["prompt", "tests", "stdin", "canonical_solution"])
def test_a_problem_that_utf8_cannot_hold_is_refused_by_field(field: str) -> None:
    with pytest.raises(ValidationError, match=rf"'{field}' holds '\\ud800'"):
        Problem.model_validate({**PROBLEM, field: "x\ud800"})


@given(st.text(st.characters()))
def test_any_text_of_a_model_can_be_written_and_read(text: str) -> None:
    completion = Completion(task_id="a", text=text)
    assert Completion.model_validate_json(completion.model_dump_json()) == completion
    assert completion.text == text or "\N{REPLACEMENT CHARACTER}" in completion.text


@pytest.mark.parametrize("field", Limits.model_fields)
@pytest.mark.parametrize("value", [0, -1, 10**24, float("inf"), float("nan")])
def test_limits_that_no_machine_can_set_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate({field: value})


def test_a_wall_limit_below_the_cpu_limit_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match=r"wall_s=1e-06 is below cpu_s=10"):
        Limits(wall_s=1e-6)
    assert Limits(cpu_s=3, wall_s=3).wall_guard_s == 3


def test_an_empty_stop_string_is_refused() -> None:
    problem = {"task_id": "a", "benchmark": "b", "language_id": "python", "prompt": "", "tests": "x"}
    with pytest.raises(ValidationError, match="leave it out"):
        Problem.model_validate({**problem, "stop": ["\n", ""]})
    assert Problem.model_validate({**problem, "stop": ["\n"]}).stop == ("\n",)
