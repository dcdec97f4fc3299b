"""The texts of the renderers; `test_renderers_run` compiles and runs them."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.errors import UnknownNameError
from codeglot.generate.extract import extract_program
from codeglot.generate.preamble import mend_packages
from codeglot.languages import spec
from codeglot.micro import tree
from codeglot.micro.families.registry import BY_NAME
from codeglot.micro.renderers.renderer import Renderer, languages, renderer
from codeglot.micro.renderers.scope import scope_of, walk
from codeglot.micro.tree import (
    Builtin,
    Call,
    Case,
    Expression,
    Function,
    Infix,
    Minus,
    Name,
    Not,
    Number,
    Operation,
    Return,
    Statement,
    Type,
    While,
)
from codeglot.records import FinishReason, Problem
from tests.micro.expressions import evaluate, random_expression
from tests.micro.test_families import some
from tests.micro.trees import (
    EVENS,
    FUNCTIONS,
    SHOUT,
    SPEECH,
    STEPS,
    TALLY,
    a,
    call,
    is_even,
    n,
    op,
    s,
    seen,
    solve,
    xs,
)

LINES = ["Keep the even numbers.", "Return the list."]


def whole(language_id: str, function: Function) -> str:
    chosen = renderer(language_id)
    return chosen.prompt(function, LINES) + chosen.completion(function)


def body(language_id: str, *statements: Statement) -> str:
    """The statements of a function without what stands around them."""
    chosen = renderer(language_id)
    lines = chosen.completion(solve((xs, n, s, a), Type.INT, *statements)).split("\n")
    return "\n".join(line.strip() for line in lines[1 : -1 - len(chosen.closing)])


def value(language_id: str, expression: Expression) -> str:
    return body(language_id, Return(expression)).removeprefix("return ").removesuffix(";")


@pytest.mark.parametrize("language_id", languages())
def test_a_program_does_not_depend_on_those_written_before(language_id: str) -> None:
    """What was written of a statement is kept: by all that it depends on, as whether Go reads a loop's variable."""
    used = renderer(language_id)
    for name in BY_NAME:
        for composition in some(name, 8):
            function = BY_NAME[name].function(composition)
            fresh = replace(used, _found={}, _written={}, _writers={})
            assert used.completion(function) == fresh.completion(function), composition


def test_every_renderer_is_of_a_known_language_and_there_are_twelve() -> None:
    assert len(languages()) == 12
    assert set(languages()) <= {language.id for language in spec.all_languages()}


def test_a_language_without_a_renderer_is_named_with_those_that_have_one() -> None:
    with pytest.raises(UnknownNameError, match=r"(?s)cobol.*python"):
        renderer("cobol")


def test_a_renderer_is_found_by_the_id_of_its_language() -> None:
    assert [renderer(language_id).language_id for language_id in languages()] == list(languages())


@pytest.mark.parametrize("language_id", languages())
def test_programs_and_tests_are_written_as_recorded(language_id: str, golden: Callable[[str, str], None]) -> None:
    texts = [whole(language_id, function) for function in (EVENS, SHOUT)]
    texts.append(renderer(language_id).tests(EVENS, FUNCTIONS["evens"][1]))
    golden(f"micro/renderers/{language_id}.txt", "\n".join(texts))


@pytest.mark.parametrize("language_id", languages())
def test_the_prompt_ends_without_a_newline_and_the_completion_begins_and_ends_with_one(language_id: str) -> None:
    prompt, completion = renderer(language_id).prompt(EVENS, LINES), renderer(language_id).completion(EVENS)
    assert prompt == prompt.rstrip()
    assert completion.startswith("\n")
    assert completion[1:].strip()
    assert completion.endswith("\n")
    assert not completion.endswith("\n\n")


@pytest.mark.parametrize("language_id", languages())
def test_every_line_of_the_description_is_a_comment_right_above_the_function(language_id: str) -> None:
    mark = spec.get(language_id).comment
    lines = [line.strip() for line in renderer(language_id).prompt(EVENS, LINES).split("\n")]
    at = lines.index(f"{mark} {LINES[0]}")
    assert lines[at + 1] == f"{mark} {LINES[1]}"
    assert "solve" in lines[at + 2]


@pytest.mark.parametrize("language_id", languages())
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_canonical_solution_is_extracted_as_it_is(language_id: str, name: str) -> None:
    function, cases = FUNCTIONS[name]
    chosen = renderer(language_id)
    prompt, completion = chosen.prompt(function, LINES), chosen.completion(function)
    problem = Problem(
        task_id="micro/0",
        benchmark="micro",
        language_id=language_id,
        prompt=prompt,
        entry_point=function.name,
        tests=chosen.tests(function, cases),
    )
    extraction = extract_program(problem, completion, FinishReason.STOP, spec.get(language_id))
    whole = mend_packages(prompt + completion, problem.tests, spec.get(language_id))  # Go's imports
    assert (extraction.how, extraction.source) == ("continuation", whole)


@pytest.mark.parametrize("language_id", languages())
def test_the_head_of_a_program_depends_on_its_signature_alone(language_id: str) -> None:
    other = Function("solve", EVENS.parameters, EVENS.result, (Return(xs),))
    assert renderer(language_id).prompt(EVENS, LINES) == renderer(language_id).prompt(other, LINES)


@given(seed=st.integers(0, 10**9), values=st.tuples(st.integers(-20, 20), st.integers(-20, 20)))
@settings(deadline=None)
def test_a_random_expression_in_python_has_the_value_of_the_tree(seed: int, values: tuple[int, int]) -> None:
    draw = random.Random(seed)
    expression = random_expression(draw, draw.choice([Type.INT, Type.BOOL]), depth=5)
    names = dict(zip("ab", values, strict=True))
    assert eval(value("python", expression), {}, names) == evaluate(expression, names)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (op(a, "-", op(n, "-", 1)), "a - (n - 1)"),
        (op(op(a, "-", n), "-", 1), "a - n - 1"),
        (op(op(a, "+", n), "*", a), "(a + n) * a"),
        (op(a, "-", -3), "a - (-3)"),
        (Minus(Minus(a)), "-(-a)"),
        (Minus(op(a, "*", n)), "-(a * n)"),
        (Not(is_even(a)), "!(a % 2 == 0)"),
        (op(op(is_even(a), "or", is_even(n)), "and", is_even(n)), "(a % 2 == 0 || n % 2 == 0) && n % 2 == 0"),
    ],
)
def test_parentheses_stand_where_they_are_needed(expression: Expression, text: str) -> None:
    assert value("java", expression) == text


def test_lists_of_objects_are_compared_by_value_in_java() -> None:
    first, last = call(Builtin.FIRST, xs), call(Builtin.LAST, xs)
    assert value("java", op(first, "==", last)) == "xs.get(0).equals(xs.get(xs.size() - 1))"
    assert value("java", op(first, "!=", last)) == "!xs.get(0).equals(xs.get(xs.size() - 1))"
    assert value("java", op(first, "==", n)) == "xs.get(0) == n"


def test_a_cast_stands_in_parentheses_before_a_comparison_in_rust() -> None:
    assert value("rust", op(call(Builtin.LENGTH, xs), "<", n)) == "(xs.len() as i32) < n"


def test_a_loop_without_its_variable_and_an_endless_one_are_written_as_go_wants_them() -> None:
    assert "for range xs {" in whole("go", TALLY)
    assert "\t\tfor {" in whole("go", STEPS)


def test_a_variable_is_constant_where_it_never_changes() -> None:
    assert "const seen = new Map();" in whole("javascript", TALLY)
    assert "let total = 0;" in whole("javascript", TALLY)
    assert "let mut seen = " in whole("rust", TALLY)
    assert "let y = " in whole("rust", TALLY)


def test_what_lua_has_no_expression_for_is_computed_in_the_lines_above() -> None:
    lines = ["local num_seen = 0", "for _ in pairs(seen) do", "num_seen = num_seen + 1", "end", "return num_seen * 2"]
    assert body("lua", Return(op(call(Builtin.LENGTH, seen), "*", 2))).split("\n") == lines


def test_a_condition_that_needs_lines_above_it_is_refused_in_a_loop() -> None:
    loop = While(op(call(Builtin.LENGTH, seen), "<", 2), ())
    with pytest.raises(ValueError, match="lua cannot say this condition"):
        body("lua", loop)
    assert "len(seen) < 2" in body("python", loop)


def test_what_a_language_has_no_form_for_is_named() -> None:
    lacking = Renderer(language_id="python", signature="", checks=renderer("python").checks, forms={}, empties={})
    with pytest.raises(ValueError, match=r"python has no form for length of Name\(id='xs'"):
        lacking.expression(call(Builtin.LENGTH, xs))


def test_only_a_variable_can_stand_where_a_form_needs_its_plain_name() -> None:
    made = Call(Builtin.LENGTH, (Call(Builtin.FIRST, (seen,), Type.INT_COUNTS),), Type.INT)
    with pytest.raises(ValueError, match="a variable is needed"):
        value("perl", made)


def test_the_functions_that_are_run_have_every_node_of_the_tree() -> None:
    nodes = list(walk(statement for function, _ in FUNCTIONS.values() for statement in function.body))
    assert {type(node) for node in nodes} == {*get_args(tree.Statement), *get_args(tree.Expression)}
    assert {node.function for node in nodes if isinstance(node, Call)} == set(Builtin)
    assert {node.operator for node in nodes if isinstance(node, Operation)} == set(Infix)
    assert {node.type for node in nodes if isinstance(node, Name)} == set(Type)


def test_walking_goes_through_every_node_once_for_each_place() -> None:
    found = list(walk([Return(op(a, "+", Minus(a)))]))
    assert sorted(type(node).__name__ for node in found) == ["Minus", "Name", "Name", "Operation", "Return"]


def test_the_scope_knows_what_changes_grows_and_is_borrowed() -> None:
    scope = scope_of(SPEECH)
    assert scope.assigned == {"ok", "best"}
    assert scope.grown == {"spoken"}
    assert scope.borrowed == {"word"}


@pytest.mark.parametrize("language_id", languages())
def test_an_argument_more_than_parameters_is_an_error(language_id: str) -> None:
    with pytest.raises(ValueError, match="argument"):
        renderer(language_id).tests(EVENS, [Case(([1], 2, 3), [1])])


def test_all_operators_have_one_form_in_every_language() -> None:
    for language_id in languages():
        texts = {value(language_id, Operation(operator, a, n)) for operator in set(Infix) - {Infix.AND, Infix.OR}}
        assert len(texts) == len(Infix) - 2


def test_negative_numbers_and_names_of_any_length_are_kept() -> None:
    assert value("perl", op(Name("longer_name", Type.INT), "+", Number(-1))) == "$longer_name + (-1)"
