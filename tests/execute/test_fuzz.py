"""Whatever a model writes gets a verdict: no exception, nothing lost, and no pass where the tests cannot pass."""

import random
import re
import string
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from codeglot.execute.local import LocalPool
from codeglot.execute.sandbox import ExecutionRequest
from codeglot.execute.warm.sandbox import WarmSandbox
from codeglot.jobs import boxes
from codeglot.languages import spec
from codeglot.languages.spec import Language
from codeglot.records import Completion, Execution, Limits, Verdict

NUM_PROGRAMS = 100
"""Per language."""
SLOTS = 2
LIMITS = Limits(cpu_s=2.0, wall_s=20.0)
PROGRAMS = Path(__file__).parents[2] / "benchmarks" / "execution" / "programs"
LANGUAGES = [language for language in spec.all_languages() if (PROGRAMS / language.id).is_dir()]
NEVER_PRINTED = "b1d2f8a44cf94c0d9e4c1c6b5e0f7a39"

OPENING, CLOSING = "([{", ")]}"
UNITS = ("(", "[", "{", "((", "f(", "[[", "{(", "'(", "/*", "(*", "{-", "#|", "if ", "not ", "-", "1+", "\\", "<", '"')
"""What is put into itself."""


def printable(draw: random.Random, _: Language) -> str:
    return "".join(draw.choices(string.printable, k=draw.randrange(1, 2000)))


def any_bytes(draw: random.Random, _: Language) -> str:
    """As bytes come that are not UTF-8: each as half of a surrogate pair, or replaced as in a `Completion`."""
    text = draw.randbytes(draw.randrange(1, 2000)).decode(errors=draw.choice(("surrogateescape", "replace")))
    return draw.choice((text, Completion(task_id="T/0", text=text).text))


def any_unicode(draw: random.Random, _: Language) -> str:
    """All of it, with directions, separators, combining marks, halves of pairs and private letters."""
    return "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(1, 500)))


def next_to_nothing(draw: random.Random, _: Language) -> str:
    return draw.choice(("", " ", "\n", "\r\n", "\0", "\ufeff", "\x1a", "\x04", "\ud800", "#", ";", "\\"))


def nested(draw: random.Random, _: Language) -> str:
    """Brackets and operators in one another, closed or not."""
    unit, depth = draw.choice(UNITS), draw.choice((100, 2_000, 2_000, 100_000))
    ending = "".join(CLOSING[OPENING.index(letter)] for letter in reversed(unit) if letter in OPENING)
    return draw.choice(("", "x = ", "return ")) + unit * depth + "1" + ending * draw.choice((0, depth - 1, depth))


def huge(draw: random.Random, language: Language) -> str:
    """Several megabytes on one line, or on many."""
    unit = draw.choice(("a", "1", "a b ", "x = 1\n", "# a comment\n", "\n", "\0", "é", '"', printable(draw, language)))
    return unit * (draw.randrange(2, 5) * 10**6 // len(unit.encode(errors="replace")))


def truncated(draw: random.Random, language: Language) -> str:
    program = draw.choice(real_programs(language))
    return program[: draw.randrange(len(program))]


def damaged(draw: random.Random, text: str) -> str:
    """Some bytes changed, left out, put in or said twice."""
    data = bytearray(text.encode())
    for _ in range(draw.choice((1, 1, 2, 8))):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice((1, 1, 1, 2, 8, 64)))
        data[start:end] = draw.choice((b"", draw.randbytes(end - start), data[start:end] * 2, b"\0", b"\n"))
    return data.decode(errors=draw.choice(("surrogateescape", "replace")))


def mutated(draw: random.Random, language: Language) -> str:
    return damaged(draw, draw.choice(real_programs(language)))


def spliced(draw: random.Random, language: Language) -> str:
    """The beginning of one program, the end of another, and sometimes what is no program between them."""
    first, last = draw.choices(real_programs(language), k=2)
    between = draw.choice(("", "\0", printable(draw, language), any_bytes(draw, language)))
    return first[: draw.randrange(len(first))] + between + last[draw.randrange(len(last)) :]


def commented(draw: random.Random, language: Language) -> str:
    """A whole program with anything in a comment, which most compilers let pass."""
    noise = draw.choice((printable, any_bytes, any_unicode))(draw, language)
    closing = " *)" if language.comment == "(*" else ""
    return f"{draw.choice(real_programs(language))}\n{language.comment} {' '.join(noise.split())}{closing}\n"


Kind = Callable[[random.Random, Language], str]
KINDS: dict[Kind, int] = {printable: 10, any_bytes: 10, any_unicode: 4, next_to_nothing: 6, nested: 10, huge: 3}
KINDS |= {truncated: 16, mutated: 20, spliced: 8, commented: 15}
"""What is made up, then what is made of real programs, each with its share."""


def real_programs(language: Language) -> list[str]:
    """Programs without their tests: those of the probes, and some of a page each."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((PROGRAMS / language.id).iterdir())]
    pages = [text.partition("--- tests ---")[0].rpartition("\n")[0] + "\n" for text in texts]
    return [language.probes[Verdict.PASS].source, language.probes[Verdict.FAIL_ASSERT].source, *pages]


def impossible_tests(language: Language) -> str:
    """Those of the probes, which want twice a number, with another result for one of them."""
    tests = re.sub(r"\b4\b", "41", language.probe_tests)
    assert tests != language.probe_tests
    return tests


def fuzz(language: Language, count: int = NUM_PROGRAMS) -> Iterator[tuple[str, ExecutionRequest]]:
    """Programs by their numbers and kinds; the same ones every time. Those called `free` have nothing to fail at."""
    draw = random.Random(f"fuzz {language.id}")
    right = language.probes[Verdict.PASS].source
    for number, kind in enumerate(draw.choices(list(KINDS), list(KINDS.values()), k=count)):
        judged = draw.choices(("tests", "output", "torn tests", "free"), (12, 3, 3, 1))[0]
        source, tests, output = kind(draw, language), "", None
        if judged == "tests":
            tests = impossible_tests(language)
        elif judged == "output":
            output = NEVER_PRINTED
        elif judged == "torn tests":  # which may be right by what is left of them
            source, tests = right, damaged(draw, impossible_tests(language))
        request = ExecutionRequest(
            source=source, tests=tests, language_id=language.id, expected_output=output, limits=LIMITS
        )
        yield f"{number} {kind.__name__}, {judged}", request


@pytest.fixture(scope="module")
def sandbox() -> Iterator[WarmSandbox]:
    """As a user has it; of its own, since a pool that fails closes it."""
    with closing(boxes.open_sandbox()) as sandbox:
        assert isinstance(sandbox, WarmSandbox)
        yield sandbox


def check(name: str, execution: Execution) -> None:
    assert execution.verdict in Verdict
    assert execution.verdict.is_scored, execution.detail
    if not name.endswith((", torn tests", ", free")):
        assert execution.verdict is not Verdict.PASS
    assert Execution.model_validate_json(execution.model_dump_json()) == execution, "it can be written and read"


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_every_program_gets_a_verdict_and_none_passes_impossible_tests(
    language: Language, sandbox: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain(language.id)
    programs = dict(fuzz(language))
    found = dict(LocalPool(sandbox, SLOTS).run_all(programs.items()))
    assert found.keys() == programs.keys()
    for name, execution in found.items():
        check(name, execution)
    assert len({execution.verdict for execution in found.values()}) > 1, "all ended alike: nothing was tried"
    assert language.id not in sandbox.given_up


@pytest.mark.toolchain
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_a_right_program_fails_the_impossible_tests_alone(
    language: Language, sandbox: WarmSandbox, need_toolchain: Callable[[str], None]
) -> None:
    need_toolchain(language.id)
    program = ExecutionRequest(
        source=language.probes[Verdict.PASS].source, tests=impossible_tests(language), language_id=language.id
    )
    assert sandbox.run(program).verdict is Verdict.FAIL_ASSERT


def test_programs_are_the_same_every_time() -> None:
    language = spec.get("python")
    assert list(fuzz(language)) == list(fuzz(language))
