"""How is a problem put to a model? As text to be continued, or as a message to be answered."""

import re
from enum import StrEnum
from typing import Literal, NamedTuple

from codeglot.config import StrictModel
from codeglot.languages.fences import blocks
from codeglot.languages.spec import Language
from codeglot.records import Example, Problem


class PromptStyle(StrEnum):
    """What a model is asked to do."""

    COMPLETION = "completion"
    """Continue the prompt: base models."""
    CHAT = "chat"
    """Answer a message with the whole program: models that follow instructions."""


class Message(StrictModel):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prompt(NamedTuple):
    """What is sent to a model; one of the two is empty."""

    text: str
    """Text to be continued."""
    messages: tuple[Message, ...]
    """Chat to be answered."""


def build_prompt(problem: Problem, style: PromptStyle, language: Language) -> Prompt:
    """Put a problem in words; its own prompt is in there unchanged."""
    if style is PromptStyle.COMPLETION:
        return Prompt(problem.prompt, ())
    return Prompt("", (Message(role="user", content=_instruction(problem, language)),))


def build_turns(example: Example, language: Language) -> tuple[Message, Message]:
    """Put an example as a message and its answer, the message as `build_prompt` puts a problem with tests.

    The answer is the whole program in a fenced block. A completion of prose that holds a fenced block is an answer
    already: it stays as it is, and so does its prompt.
    """
    if example.prompt_is_code:
        question = "\n\n".join([*_task(example.prompt, language, is_code=True), _NO_TESTS])
        answer = fenced(example.prompt + example.completion, language.id)
    elif blocks(example.completion):
        question, answer = example.prompt, example.completion
    else:
        question = "\n\n".join(_task(example.prompt, language, is_code=False))
        answer = fenced(example.completion, language.id)
    return Message(role="user", content=question), Message(role="assistant", content=answer)


_NO_TESTS = "Leave out tests and example calls."


def _task(prompt: str, language: Language, *, is_code: bool) -> tuple[str, str]:
    """The paragraphs that say what to write, and in what form."""
    answer = f"in one fenced code block tagged `{language.id}`"
    if not is_code:
        return prompt, f"Answer with a complete {language.name} program {answer}."
    return (
        f"Complete this {language.name} code. Answer with the complete program, the given code included, {answer}.",
        fenced(prompt, language.id),
    )


def _instruction(problem: Problem, language: Language) -> str:
    task = _task(problem.prompt, language, is_code=problem.prompt_is_code)
    rules = []
    if problem.entry_point and problem.entry_point not in problem.prompt:
        rules.append(f"Tests will call `{problem.entry_point}`.")
    if problem.tests:
        rules.append(_NO_TESTS)
    elif problem.stdin is not None:
        rules.append("The program reads standard input and writes standard output.")
    return "\n\n".join([*task, " ".join(rules)] if rules else task)


def fenced(code: str, tag: str) -> str:
    """`code` in a Markdown block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{tag}\n{code}{'' if code.endswith(chr(10)) else chr(10)}{fence}"
