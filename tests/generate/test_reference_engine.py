"""Canonical solutions, and the same with other values returned."""

from typing import Any

import pytest

from codeglot.data.format import Message
from codeglot.errors import EngineError
from codeglot.generate.engine import Decoding, GenerationRequest
from codeglot.generate.reference_engine import MutatedEngine, ReferenceEngine, answerable
from codeglot.languages import spec
from codeglot.records import Problem


def problem(solution: str | None, *, language_id: str = "python", **changes: Any) -> Problem:
    fields: dict[str, Any] = {
        "task_id": "T/0",
        "benchmark": "b",
        "prompt": "def f(x):\n",
        "tests": "assert f(2) == 4\n",
        "entry_point": "f",
        "canonical_solution": solution,
    }
    return Problem(language_id=language_id, **fields | changes)


DOUBLE = problem("    return 2 * x\n")


def request(**changes: Any) -> GenerationRequest:
    return GenerationRequest(**{"task_id": "T/0", "sample": 1, "prompt": "p", "seed": 0, "prompt_hash": "h"} | changes)


def test_the_canonical_solution_is_the_completion() -> None:
    [completion] = ReferenceEngine([DOUBLE]).generate([request()], Decoding())
    assert (completion.key, completion.text, completion.prompt_hash) == (("T/0", 1), "    return 2 * x\n", "h")


@pytest.mark.parametrize(("is_code", "program"), [(True, "def f(x):\n    return 2 * x"), (False, "    return 2 * x")])
def test_a_chat_is_answered_with_a_fenced_program(is_code: bool, program: str) -> None:
    asked = request(prompt="", messages=(Message(role="user", content="?"),))
    engine = ReferenceEngine([DOUBLE.model_copy(update={"prompt_is_code": is_code})])
    [completion] = engine.generate([asked], Decoding())
    assert completion.text == f"```python\n{program}\n```\n"


def test_problems_without_a_solution_are_refused_or_left_out_by_number() -> None:
    others = [
        problem(None, task_id="T/1"),
        problem(" \n", task_id="T/2"),
        problem(None, task_id="T/3", language_id="ruby"),
    ]
    with pytest.raises(EngineError, match="b python 2 of 3, b ruby 1 of 1"):
        ReferenceEngine([DOUBLE, *others])
    chosen, left_out = answerable([DOUBLE, *others])
    assert chosen == [DOUBLE]
    assert left_out == "Left out, having no canonical solution: b python 2 of 3, b ruby 1 of 1."
    assert answerable([DOUBLE]) == ([DOUBLE], "")
    with pytest.raises(EngineError, match="No problem has a canonical solution"):
        answerable(others)


def test_the_mutated_engine_says_what_it_changed() -> None:
    engine = MutatedEngine([DOUBLE])
    [completion] = engine.generate([request()], Decoding())
    assert completion.text == engine.mutations["T/0"].text
    assert engine.mutations["T/0"].how == "1 returned value(s) changed"


def test_a_language_without_wrong_values_is_refused_by_name() -> None:
    python = spec.get("python").model_copy(update={"wrong_values": ()})
    with pytest.raises(
        EngineError, match=r"How Python returns wrong values .* \[\[wrong_values\]\].* to its python\.toml"
    ):
        MutatedEngine([DOUBLE], find_language=lambda _: python)
