"""What the renderers write is compiled and run, in every language."""

import random
from collections.abc import Callable

import pytest

from codeglot.execute.sandbox import ExecutionRequest, Sandbox
from codeglot.generate.preamble import mend_packages
from codeglot.languages import spec
from codeglot.micro.renderers.renderer import languages, renderer
from codeglot.micro.tree import Case, Function, If, Infix, Number, Operation, Return, Type, Value
from codeglot.records import Execution, Verdict
from tests.micro.expressions import evaluate, random_expression
from tests.micro.trees import FUNCTIONS, PARAMETERS

pytestmark = pytest.mark.toolchain
NUM_EXPRESSIONS = 60


def run(sandbox: Sandbox, language_id: str, function: Function, cases: list[Case]) -> Execution:
    chosen = renderer(language_id)
    source = chosen.prompt(function, ["What a function does."]) + chosen.completion(function)
    tests = chosen.tests(function, cases)
    source = mend_packages(source, tests, spec.get(language_id))  # as for every completion; Go's imports
    request = ExecutionRequest(source=source, tests=tests, language_id=language_id)
    return sandbox.run(request)


def other(value: Value) -> Value:
    """A value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case [*items, last]:
            return [*items, other(last)]
        case _:
            raise ValueError(f"an empty list does not tell its type: {value}")


@pytest.mark.parametrize("language_id", languages())
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_passes_its_cases_and_fails_by_assertion_once_its_last_one_is_wrong(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], language_id: str, name: str
) -> None:
    need_toolchain(language_id)
    function, cases = FUNCTIONS[name]
    right = run(warm_sandbox, language_id, function, cases)
    assert right.verdict == Verdict.PASS, f"{right.detail}\n{right.stdout}\n{right.stderr}"
    wrong_case = cases[-1]._replace(expected=other(cases[-1].expected))
    wrong = run(warm_sandbox, language_id, function, [*cases[:-1], wrong_case])
    assert wrong.verdict == Verdict.FAIL_ASSERT, f"{wrong.detail}\n{wrong.stdout}\n{wrong.stderr}"


@pytest.mark.parametrize("language_id", languages())
def test_operators_hold_their_operands_as_the_tree_does(
    warm_sandbox: Sandbox, need_toolchain: Callable[[str], None], language_id: str
) -> None:
    need_toolchain(language_id)
    draw = random.Random(20)
    expressions = [random_expression(draw, kind, depth=4) for kind in (Type.INT, Type.BOOL) * (NUM_EXPRESSIONS // 2)]
    a, b, number = PARAMETERS
    body = tuple(
        If(
            Operation(Infix.EQUAL, number, Number(position)),
            (Return(expression),)
            if expression.type == Type.INT
            else (If(expression, (Return(Number(1)),), (Return(Number(0)),)),),
        )
        for position, expression in enumerate(expressions)
    )
    function = Function("solve", PARAMETERS, Type.INT, (*body, Return(Number(-1))))
    cases = [
        Case((first, second, position), int(evaluate(expression, {a.id: first, b.id: second})))
        for position, expression in enumerate(expressions)
        for first, second in ((0, 0), (7, 3), (-5, 2), (4, -9))
    ]
    execution = run(warm_sandbox, language_id, function, cases)
    assert execution.verdict == Verdict.PASS, f"{execution.detail}\n{execution.stdout}\n{execution.stderr}"
