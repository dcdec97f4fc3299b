"""Which program did a model write? Its text holds one, somewhere, in some shape; out comes the program without tests.

A text is looked at as the continuation of the prompt and as a program of its own, whole or block by block, and
the first look that shows the function asked for, complete, is taken. What a model wrote is never repaired: only
what stands around it is left out, and only what the prompt had given is put back.
"""

import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from codeglot.generate.demand import Demand
from codeglot.generate.preamble import mend_packages
from codeglot.generate.reading import prune, read
from codeglot.generate.syntax import Item, Kind, Program, TooMuchToReadError, at_most, is_function
from codeglot.generate.whole import is_prose, is_talk, read_whole
from codeglot.languages.fences import Block, blocks
from codeglot.languages.spec import Language
from codeglot.records import FinishReason, Problem

_THINKING = re.compile(r"\A\s*<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL)
_CLOSED_LATE = re.compile(r"(?:(?<!`)`{3,}|(?<!~)~{3,})\s*\Z")
_END_MARK = re.compile(r"<\|(?:endoftext|end_of_text|im_end|eot_id|end|EOT|file_sep)\|>|</s>\s*\Z|<EOT>")
_WHOLE = "program"
_CONTINUATION = "continuation"
_LONGEST = 1 << 16
"""Characters of a text that is still parsed."""
_MOST_READ = 1 << 20
"""Bytes that the parsers read of one, all its looks together: a second or two."""
_DEEP = 40
"""Indentation of a fence within lists, at most."""


class Extraction(NamedTuple):
    """The program in a completion, or why there is none."""

    source: str | None
    """Without the tests; None where there is no program."""
    how: str
    """For people: what the completion was taken for."""


def extract_program(problem: Problem, text: str, finish_reason: FinishReason, language: Language) -> Extraction:
    """Take the program out of a completion.

    A continuation that needs nothing left out gives exactly `prompt + text`. A text in which the function is not
    complete is still given, as well as it can be told from prose, so that the compiler has the last word. So is one of
    more than 65,536 characters, or one that takes parsers too much to read.
    """
    text = _spoken(text)
    if not text.strip():
        return Extraction(None, "empty")
    if language.grammar is None:
        return _by_text(problem, text, language)
    demand = Demand(problem, language)
    found = _blocks(text)
    if len(text) > _LONGEST:
        return _as_written(problem, text, found, demand, is_read=False)
    try:
        with at_most(_MOST_READ):
            return _by_grammar(problem, text, found, demand, is_cut=finish_reason is FinishReason.LENGTH)
    except TooMuchToReadError:
        return _as_written(problem, text, found, demand, is_read=False)


def _by_grammar(problem: Problem, text: str, found: list[Block], demand: Demand, *, is_cut: bool) -> Extraction:
    result = _look(text, found, demand, is_cut=is_cut) or _as_written(problem, text, found, demand)
    if result.source is None:
        return result
    tests = "" if demand.tests_elsewhere else problem.tests
    return result._replace(source=mend_packages(result.source, tests, demand.language))


def _spoken(text: str) -> str:
    """The text without what the model only thought, and without the marks of its end."""
    if match := _THINKING.match(text) or _THOUGHT.match(text):
        text = text[match.end() :].lstrip("\n")
    end = _END_MARK.search(text)
    return text[: end.start()] if end else text


class _Snippet(NamedTuple):
    """A part of the text that may be the program, or continue the prompt."""

    code: str
    is_fenced: bool
    may_indent: bool
    """Whether a lost line break or indentation is put back."""
    may_close: bool
    """Whether a function that was not closed is."""
    runs_on: bool
    """Whether anything may stand behind the program."""


def _blocks(text: str) -> list[Block]:
    """The fenced blocks; a last one that is closed on a line of code ends there too."""
    found = blocks(text) or blocks(text, max_indent=_DEEP)
    return [block if block.is_closed else block._replace(code=_CLOSED_LATE.sub("", block.code)) for block in found]


def _look(text: str, found: list[Block], demand: Demand, *, is_cut: bool) -> Extraction | None:
    """The first way to see the text in which the function is complete."""
    before = text[: found[0].start] if found else text
    runs_on = is_cut or demand.name is not None
    plain = _Snippet(before, is_fenced=False, may_indent=not found, may_close=False, runs_on=runs_on)
    defining = [block for block in found if _defines(block.code, demand, with_body=True)]
    own = [block for block in defining if not demand.quotes(block.code)]
    chosen = _in_order(own or defining or found, demand.language.id)
    words_alone = bool(defining and demand.language.syntax.stub)  # can be an expression
    leads = words_alone or _leads(before, found, demand.prompt, demand.language)
    for is_strict in (True, False):
        if not leads and (result := _interpret(plain, demand, is_strict=is_strict)):
            return result
        for block in chosen:
            is_whole = block.is_closed or not is_cut
            snippet = _Snippet(block.code, is_fenced=True, may_indent=True, may_close=is_whole, runs_on=not is_whole)
            if result := _interpret(snippet, demand, is_strict=is_strict):
                if result.how == _WHOLE and (companions := _companions(block, found, demand)):
                    joined = snippet._replace(code=f"{companions}\n{block.code}")
                    result = _interpret(joined, demand, is_strict=is_strict) or result
                return result._replace(how=f"fenced {result.how}")
    return None


def _leads(before: str, found: list[Block], prompt: str, language: Language) -> bool:
    """Whether the text before the fences only leads to them, as all does where no prompt is there to be continued."""
    if not any(block.code.strip() for block in found):
        return is_prose(before)
    return is_talk(before) or (not prompt and any(block.language_id == language.id for block in found))


def _in_order(found: list[Block], language_id: str) -> list[Block]:
    """Blocks of the language first, then those that say nothing or something unknown, then those of other languages."""
    return sorted(
        found, key=lambda block: 0 if block.language_id == language_id else 1 if block.language_id is None else 2
    )


def _interpret(snippet: _Snippet, demand: Demand, *, is_strict: bool) -> Extraction | None:
    """See code as a continuation of the prompt, or as a program of its own."""
    looks = [_as_continuation, _as_program]
    for look in looks if demand.path or not snippet.is_fenced else reversed(looks):
        if result := look(snippet, demand, is_strict=is_strict):
            return result
    return None


def _as_continuation(snippet: _Snippet, demand: Demand, *, is_strict: bool) -> Extraction | None:
    if (snippet.is_fenced or demand.language.syntax.stub) and _starts_anew(snippet.code, demand):
        return None
    for how, variant in _continuations(snippet, demand) if demand.prompt else ():
        if reading := read(demand.prompt + variant, demand, at=len(demand.prompt), is_strict=is_strict):
            return Extraction(prune(reading, demand), how)
    return None


def _starts_anew(code: str, demand: Demand) -> bool:
    """Whether `code` begins a program with the function in it; many languages could read it on, inside the function."""
    program = Program(textwrap.dedent(code), demand.language)
    begins = program.items[:1] and program.items[0]
    stands = begins and (begins.kind is not Kind.STATEMENT or begins.node.type in program.syntax.first)
    return bool(stands and program.find(demand.name))


def _as_program(snippet: _Snippet, demand: Demand, *, is_strict: bool) -> Extraction | None:
    text = read_whole(_opened(snippet.code, demand), demand, is_strict=is_strict, runs_on=snippet.runs_on)
    return None if text is None else Extraction(text, _WHOLE)


def _continuations(snippet: _Snippet, demand: Demand) -> Iterator[tuple[str, str]]:
    """The code as it is, then with what models and their servers lose: line break, indentation, closing brace."""
    code = snippet.code
    yield _CONTINUATION, code
    if not snippet.may_indent or _defines(code, demand):
        return
    line_break = "" if demand.prompt.endswith("\n") else "\n"
    if line_break and not code.startswith("\n"):
        yield _CONTINUATION, line_break + code
    if not demand.path:
        return
    closer = demand.language.syntax.closer
    if not closer:
        body = code.strip("\n")
        first_line = line_break + demand.indent + body.lstrip(" \t")
        all_lines = line_break + textwrap.indent(textwrap.dedent(body), demand.indent)
        looks = [("continuation, its first line indented", first_line), ("continuation, indented", all_lines)]
        stands = not Program(textwrap.dedent(body), demand.language).faults
        yield from looks if not stands and _lost_only_first(body, len(demand.indent)) else reversed(looks)
    elif snippet.may_close:
        yield "continuation, closed", f"{line_break}{code.rstrip()}\n{closer}\n"


def _lost_only_first(body: str, width: int) -> bool:
    """Whether only the first line of a function's body lost its indentation, by that of the second."""
    first, *rest = [line for line in body.splitlines() if line.strip()][:2] or [""]
    indents = [len(line) - len(line.lstrip()) for line in rest]
    return all(indent > width if first.rstrip().endswith(":") else indent >= width for indent in indents)


def _defines(code: str, demand: Demand, *, with_body: bool = False) -> bool:
    """Whether `code` defines the function that is asked for."""
    program = Program(_opened(textwrap.dedent(code), demand), demand.language)
    path = program.find(demand.name)
    return bool(path) and is_function(path[-1].item.node) and (not with_body or program.has_body(path[-1].item))


def _opened(code: str, demand: Demand) -> str:
    """Code with what a file of its language must begin with."""
    opening = demand.language.syntax.opening
    return code if opening in code else f"{opening}\n{code}"


def _companions(block: Block, others: list[Block], demand: Demand) -> str:
    """Imports and definitions from other blocks of the same kind that `block` needs and does not hold."""
    program = Program(block.code, demand.language)
    words = program.words(program.root)
    defined = {name for item in program.items for name in item.names}
    parts: list[str] = []
    for other in sorted(others, key=lambda other: other.start):
        if other is block or other.language_id != block.language_id:
            continue
        source = Program(other.code, demand.language)
        if source.faults or source.find(demand.name):
            continue
        for item in _needed(source, words, defined, is_before=other.start < block.start):
            parts.append(source.text(item.start, item.end))
            words |= source.words(item.node)
            defined |= item.names
    return "\n\n".join(parts)


def _needed(source: Program, words: set[str], defined: set[str], *, is_before: bool) -> Iterator[Item]:
    brings = any(item.names & words - defined for item in source.items)
    for item in source.items:
        if (item.kind is Kind.IMPORT and (brings or is_before)) or (
            item.kind is Kind.DEFINITION and item.names & words and not item.names & defined
        ):
            yield item


def _as_written(problem: Problem, text: str, found: list[Block], demand: Demand, *, is_read: bool = True) -> Extraction:
    """A text in which the function is not complete, or that is not to be parsed, with as little done as possible."""
    chosen = _in_order(found, demand.language.id)
    naming = [block.code for block in chosen if demand.name and re.search(rf"\b{re.escape(demand.name)}\b", block.code)]
    code = (
        naming or [block.code for block in chosen if block.code.strip()] or [text[: found[0].start] if found else text]
    )[0]
    if is_prose(code):
        return Extraction(None, "no code")
    squeezed, prompt = "".join(code.split()), "".join(demand.prompt.split())
    if squeezed in prompt:
        return Extraction(None, "nothing but the prompt")
    last_line = "".join(demand.signature.split())
    if not prompt or (_defines(code, demand) if is_read else bool(naming)) or (last_line and last_line in squeezed):
        return Extraction(code, "as written, not complete")
    code = code if found else _cut(code, problem.stop)
    return Extraction(demand.prompt + code, "continuation as written, not complete")


def _cut(text: str, stop: tuple[str, ...]) -> str:
    """The text up to the first of the problem's stop strings."""
    return text[: min((at for mark in stop if (at := text.find(mark)) >= 0), default=len(text))]


def _by_text(problem: Problem, text: str, language: Language) -> Extraction:
    """The same by fences and patterns alone, for languages without a grammar."""
    found = _blocks(text)
    before = _cut(text[: found[0].start] if found else text, problem.stop)
    name = re.escape(problem.entry_point or "")
    definition = re.compile(language.syntax.definition_pattern.format(name=name) or r"(?!)")
    fenced = [block.code for block in _in_order(found, language.id) if block.code.strip()]
    defining = [code for code in fenced if definition.search(code)]
    prompt = problem.prompt if problem.prompt_is_code else problem.given
    code = (defining or ([] if _leads(before, found, prompt, language) else [before]) or fenced or [""])[0]
    if is_prose(code):
        return Extraction(None, "no code")
    how = "" if code is before else "fenced "
    if len(text) <= _LONGEST:
        code = _without_test_names(_unframed(code, definition, prompt, language), problem, language)
    if prompt and not _defines_first(code, definition, language):
        return Extraction(prompt + code, how + _CONTINUATION)
    match = definition.search(prompt)
    given = (prompt[: match.start()] if match else prompt).splitlines()
    lines = [line for line in given if line.strip() and not line.startswith(language.comment)]
    if match is None and lines and not any(line in code for line in lines):
        return Extraction(prompt + code, how + _CONTINUATION)  # of the module, say, that the prompt has opened
    missing = (f"{line}\n" for line in lines if match and line not in code)
    return Extraction("".join(missing) + code, how + _WHOLE)


def _unframed(code: str, definition: re.Pattern[str], prompt: str, language: Language) -> str:
    """The function in a program around it, where the prompt gives the function without one."""
    pattern = language.syntax.frame_pattern
    frame = re.search(pattern, code) if pattern and definition.search(prompt) else None
    return frame[1] if frame and definition.search(frame[1]) else code


def _without_test_names(code: str, problem: Problem, language: Language) -> str:
    """Code without the functions in braces that the tests define too."""
    pattern = language.syntax.definition_pattern
    if language.syntax.redefines or language.syntax.closer != "}" or not pattern:
        return code
    for match in re.finditer(pattern.format(name=r"(?P<name>\w+)"), problem.tests):
        if match["name"] != problem.entry_point:
            begin = pattern.format(name=re.escape(match["name"]))
            code = re.sub(rf"{begin}(?:.*\}}$|[\s\S]*?^\}}).*\n?", "", code, flags=re.MULTILINE)
    return code


def _defines_first(code: str, definition: re.Pattern[str], language: Language) -> bool:
    """Whether a function is defined in `code` before anything in it closes one that the prompt has begun."""
    match = definition.search(code)
    return match is not None and not _closes(code[: match.start()], language)


def _closes(code: str, language: Language) -> bool:
    """Whether code may close a function that was begun before it."""
    closer = language.syntax.closer
    if closer != ")":
        return bool(closer) and closer in code
    code = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(language.comment))
    return code.count(")") > code.count("(")
