"""Languages of characters, causally."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.languages.fences import Block, FenceMachine, alias, aliases, blocks, label_characters
from codeglot.languages.spec import all_languages

TEXTS = st.lists(
    st.sampled_from(
        [
            "```",
            "````",
            "~~~",
            "``",
            "`",
            "~~~~",
            "python",
            "c++",
            "c#",
            "js",
            " ",
            "   ",
            "    ",
            "\t",
            "\n",
            "\r\n",
            "\r",
            "x",
            "é",
            "\U0001f600",
        ]
    ),
    max_size=40,
).map("".join)


def slow_labels(text: str) -> list[str | None]:
    """The labels by the letter of the rules: for each character, all lines that are whole up to it."""
    return [_state_behind(text[: end + 1]) for end in range(len(text))]


def _state_behind(text: str) -> str | None:
    language, fence = None, ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    for line in lines:
        stripped = line.lstrip(" ")
        if len(line) - len(stripped) > 3:
            continue
        char = stripped[:1]
        run = len(stripped) - len(stripped.lstrip(char)) if char in {"`", "~"} and char else 0
        rest = stripped[run:]
        if fence:
            if run >= len(fence) and char == fence[0] and not rest.strip(" \t"):
                language, fence = None, ""
        elif run >= 3 and not (char == "`" and "`" in rest):
            language, fence = alias(rest), char * run
    return language


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("python", "python"),
        ("Python", "python"),
        ("PY", "python"),
        ("python3", "python"),
        ("py3", "python"),
        ("ipython", "python"),
        ("js", "javascript"),
        ("JSX", "javascript"),
        ("node", "javascript"),
        ("mjs", "javascript"),
        ("ts", "typescript"),
        ("c++", "cpp"),
        ("C++", "cpp"),
        ("cxx", "cpp"),
        ("cc", "cpp"),
        ("hpp", "cpp"),
        ("c#", "csharp"),
        ("C#", "csharp"),
        ("cs", "csharp"),
        ("dotnet", "csharp"),
        ("golang", "go"),
        ("go", "go"),
        ("rs", "rust"),
        ("rust", "rust"),
        ("java", "java"),
        ("rb", "ruby"),
        ("{.python}", "python"),
        ("{.python .numberLines}", "python"),
        ("{python}", "python"),
        ("{r, echo=FALSE}", "r"),
        ("py:file.py", "python"),
        ("c++:main.cpp", "cpp"),
        ("rust,ignore", "rust"),
        ("js{1,3}", "javascript"),
        ("  lua  ", "lua"),
        ('python title="c++"', "python"),
        ("python\tx", "python"),
        ("c", "c"),
        ("h", "c"),
        ("", None),
        ("   ", None),
        ("javac", None),
        ("pythonic", None),
        ("javascripts", None),
        ("text", None),
        ("objective-c++", None),
        ("c-sharp-like", None),
        ("{}", None),
        ("{#id}", None),
        (":py", None),
    ],
)
def test_an_info_string_names_a_language(info: str, expected: str | None) -> None:
    assert alias(info) == expected


def test_every_spelling_of_every_language_is_an_alias() -> None:
    assert aliases() == {spelling: language.id for language in all_languages() for spelling in language.spellings}


def test_code_begins_at_the_line_break_behind_the_tag_and_ends_at_the_one_behind_the_fence() -> None:
    text = "Hi\n```python\nx\n```\nBye"
    labels = label_characters(text)
    begin, end = text.index("\nx"), text.index("\nBye")
    assert labels == [None] * begin + ["python"] * (end - begin) + [None] * (len(text) - end)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("```python\nx", "python"),
        ("```python", None),
        ("```python\n", "python"),
        ("```python\r", "python"),
        ("```python\r\nx\r\n```\r\n", None),
        ("```python\nx\n```", "python"),
        ("```python\nx\n```\n", None),
        ("```python\nx\n``` \t\n", None),
        ("```python\nx\n``` x\n", "python"),
        ("```python\nx\n``\n", "python"),
        ("````python\nx\n```\n", "python"),
        ("````python\nx\n`````\n", None),
        ("~~~python\nx\n```\n", "python"),
        ("~~~python\nx\n~~~\n", None),
        ("~~~ python `a`\n", "python"),
        ("``` python `a`\n", None),
        ("   ```python\n", "python"),
        ("    ```python\n", None),
        ("\t```python\n", None),
        ("```python\n    ```\n", "python"),
        ("```python\n   ```\n", None),
        ("x ```python\n", None),
        ("> ```python\n", None),
        ("```\nx\n", None),
        ("```\nx\n```python\n", None),
        ("```\nx\n```\n```c++\n", "cpp"),
        ("```c#\n```\n```c++\nx", "cpp"),
        ("````markdown\n```python\nx\n```\n", None),
    ],
)
def test_the_label_behind_a_text_is(text: str, last: str | None) -> None:
    assert label_characters(text)[-1] == last
    assert FenceMachine().feed(text).language_id == last


@given(text=TEXTS)
def test_labels_are_those_of_the_rules(text: str) -> None:
    assert label_characters(text) == slow_labels(text)


@given(text=TEXTS, end=st.integers(0, 200))
def test_a_label_depends_only_on_what_was_read_before(text: str, end: int) -> None:
    assert label_characters(text[:end]) == label_characters(text)[:end]


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200), max_size=8))
def test_feeding_pieces_is_feeding_the_whole(text: str, cuts: list[int]) -> None:
    state = FenceMachine()
    labels: list[str | None] = []
    ends = [*sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in zip([0, *ends], ends, strict=False):
        piece, following = state.label(text[start:end])
        assert following == state.feed(text[start:end])
        state, labels = following, labels + piece
    assert labels == label_characters(text)
    assert state == FenceMachine().feed(text)


def test_two_continuations_of_one_state_do_not_meet() -> None:
    state = FenceMachine().feed("```python\nx")
    closed, going_on = state.feed("\n```\n"), state.feed("y")
    assert (state.language_id, closed.language_id, going_on.language_id) == ("python", None, "python")
    assert (state.in_code, closed.in_code) == (True, False)


def test_a_long_line_that_is_no_fence_is_not_kept() -> None:
    assert FenceMachine().feed("x" * 10_000).line is None


def test_blocks_hold_code_language_and_span() -> None:
    text = "a\n```c++ x=1\nint x;\n```\nb\n  ~~~\n  y\n z\n  ~~~"
    assert blocks(text) == [
        Block("cpp", "c++ x=1", "int x;\n", 2, 24, is_closed=True),
        Block(None, "", "y\nz\n", 26, len(text), is_closed=True),
    ]


def test_a_block_without_end_is_open() -> None:
    assert blocks("```go\nx\n``") == [Block("go", "go", "x\n``", 0, 10, is_closed=False)]


def test_fences_deep_in_lists_are_found_when_asked_for() -> None:
    text = "1. a\n\n      ```python\n      x\n        y\n      ```\n"
    assert blocks(text) == []
    assert [(block.code, block.is_closed) for block in blocks(text, max_indent=10)] == [("x\n  y\n", True)]


@given(text=TEXTS)
def test_blocks_and_labels_agree(text: str) -> None:
    labels = label_characters(text + "\n")
    for block in blocks(text):
        body = range(
            block.start + len(text[block.start :].splitlines(keepends=True)[0]), max(block.start, block.end - 1)
        )
        closing = text[: block.end].rstrip("\r\n").rfind("\n") if block.is_closed else block.end
        assert all(labels[i] == block.language_id for i in body if i <= closing)


@given(text=TEXTS)
def test_blocks_do_not_overlap_and_only_the_last_may_be_open(text: str) -> None:
    found = blocks(text)
    assert all(one.end <= two.start for one, two in itertools.pairwise(found))
    assert all(block.is_closed for block in found[:-1])
