"""Trees, and how much parsers read for them."""

import pytest
import tree_sitter
import tree_sitter_c
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.generate.extract import extract_program
from codeglot.generate.syntax import Program, TooMuchToReadError, at_most
from codeglot.languages import spec
from codeglot.records import FinishReason, Problem

C = spec.get("c")
LINES = st.sampled_from(
    ["int f(int a) { return a; }\n", "/* é */\n", "/* a\n", "#define A {\n", "}\n", '"é', "f(1);\n"]
)


@settings(deadline=None, max_examples=100)
@given(lines=st.lists(LINES, max_size=30), times=st.sampled_from([1, 40]))
def test_a_text_read_in_pieces_gives_the_tree_of_the_whole(lines: list[str], times: int) -> None:
    program = Program("".join(lines) * times, C)
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language())).parse(program.data)
    assert str(program.root) == str(tree.root_node)
    for node in program.root.children:
        assert node.text == program.data[node.start_byte : node.end_byte]


def test_a_common_text_is_read_about_once_and_comments_that_nobody_closes_are_read_again_and_again() -> None:
    common, never_closed = ("int f(int a) { return a; }\n" * 500, "/* a\n" * 2_500)
    with at_most(4 * len(common)):
        Program(common, C)
    with pytest.raises(TooMuchToReadError), at_most(40 * len(never_closed)):
        Program(never_closed, spec.get("javascript"))


def test_all_parsers_share_what_may_be_read() -> None:
    text = "int f(int a) { return a; }\n" * 500
    with at_most(10 * len(text)):
        for _ in range(5):
            Program(text, C)
        with pytest.raises(TooMuchToReadError):
            _ = [Program(text, C) for _ in range(15)]


@pytest.mark.parametrize("times", [20_000, 200_000])
def test_a_long_answer_is_not_parsed(times: int) -> None:
    problem = Problem(
        task_id="t", benchmark="b", language_id="python", prompt="One.", prompt_is_code=False, expected_output="1"
    )
    result = extract_program(problem, "x = 1\n" * times, FinishReason.STOP, spec.get("python"))
    assert result == ("x = 1\n" * times, "as written, not complete")
