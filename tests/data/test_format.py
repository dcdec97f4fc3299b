"""How a problem is put to a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.data.format import PromptStyle, build_prompt, build_turns, fenced
from codeglot.languages import spec
from codeglot.languages.fences import blocks
from codeglot.records import Example, Problem


def problem(**changes: object) -> Problem:
    fields: dict[str, object] = {
        "task_id": "t/1",
        "benchmark": "b",
        "language_id": "python",
        "prompt": 'def f(x):\n    """Verdopple x."""\n',
        "entry_point": "f",
        "tests": "assert f(1) == 2\n",
    }
    return Problem.model_validate(fields | changes)


def message(**changes: object) -> str:
    prompt = build_prompt(problem(**changes), PromptStyle.CHAT, spec.get("python"))
    assert prompt.text == ""
    assert [message.role for message in prompt.messages] == ["user"]
    return prompt.messages[0].content


def test_a_base_model_gets_the_prompt_as_it_is() -> None:
    assert build_prompt(problem(), PromptStyle.COMPLETION, spec.get("python")) == (problem().prompt, ())


def test_a_chat_model_gets_code_in_a_block_and_is_asked_for_one() -> None:
    content = message()
    assert [(block.language_id, block.code) for block in blocks(content)] == [("python", problem().prompt)]
    assert "one fenced code block tagged `python`" in content


def test_a_chat_model_gets_prose_as_it_is() -> None:
    prose = "Écris une fonction f qui double x.\n\n  Merci.  "
    content = message(prompt=prose, prompt_is_code=False)
    assert content.startswith(prose)
    assert blocks(content) == []


def test_the_name_that_tests_call_is_told_where_the_prompt_does_not() -> None:
    assert "`f`" not in message()
    assert "Tests will call `twice`" in message(prompt="Double it.", prompt_is_code=False, entry_point="twice")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Leave out tests"),
        ({"tests": "", "stdin": "1", "expected_output": "2"}, "reads standard input"),
    ],
)
def test_a_chat_model_is_told_how_its_program_is_used(changes: dict[str, object], expected: str) -> None:
    assert expected in message(**changes)


def test_a_program_that_only_prints_needs_no_rule() -> None:
    assert message(tests="", expected_output="2", entry_point=None).endswith("```")


@given(code=st.text(st.sampled_from("`~x\n "), max_size=40))
def test_code_in_a_block_comes_out_as_it_went_in(code: str) -> None:
    (block,) = blocks(fenced(code, "python"))
    assert block.is_closed
    assert block.language_id == "python"
    assert block.code == (code if code.endswith("\n") else code + "\n")


def turns(**fields: object) -> tuple[str, str]:
    values = {"prompt": problem().prompt, "completion": "    return 2 * x\n", "language_id": "python", "source": "s"}
    example = Example.model_validate(values | fields)
    question, answer = build_turns(example, spec.get("python"))
    assert (question.role, answer.role) == ("user", "assistant")
    return question.content, answer.content


def test_an_example_of_code_is_asked_as_its_problem_is_and_answered_with_the_whole_program() -> None:
    question, answer = turns()
    assert question == message()
    assert answer == f"```python\n{problem().prompt}    return 2 * x\n```"


def test_an_example_of_prose_is_asked_as_a_problem_of_prose_is() -> None:
    question, answer = turns(prompt="Double `x` with `f`.", prompt_is_code=False, completion="def f(x): ...")
    asked = message(prompt="Double `x` with `f`.", prompt_is_code=False, tests="", stdin=None, expected_output="1")
    assert question == asked
    assert answer == "```python\ndef f(x): ...\n```"


def test_an_answer_that_is_fenced_already_stays_as_it_is_and_so_does_its_question() -> None:
    written = "Like so:\n\n```python\nf = abs\n```\n\nDone."
    assert turns(prompt="How?", prompt_is_code=False, completion=written) == ("How?", written)


def test_fences_inside_continued_code_are_code() -> None:
    _, answer = turns(completion='    """\n```\nf(1)\n```\n"""\n')
    [block] = blocks(answer)
    assert block.code == problem().prompt + '    """\n```\nf(1)\n```\n"""\n'
