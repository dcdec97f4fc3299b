"""Which experts did each token of an answer meet? Told from the text of a run, without its model."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from codeglot import runs
from codeglot.config import build, read_tree
from codeglot.data.token_languages import TokenLanguages
from codeglot.errors import ConfigError, RunError
from codeglot.generate.prompt_tokens import prompt_tokens
from codeglot.generate.routing import Labeler
from codeglot.jobs.generate import build_requests
from codeglot.jobs.runfile import EvaluationRun
from codeglot.methods.adapter import read_languages, read_methods
from codeglot.models.load import load_tokenizer
from codeglot.records import Completion, Problem


class Piece(NamedTuple):
    """Tokens in a row that met the same experts."""

    is_prompt: bool
    language: str
    """Id, or `other` for text in none of the run's languages."""
    experts: tuple[str, ...]
    tokens: tuple[str, ...]


def expert_trace(run: Path, task_id: str, sample: int = 0) -> list[Piece]:
    """Take the prompt and an answer of an evaluated run apart by what their tokens met.

    The answer is cut into tokens anew, which may differ from how the model wrote it; labels follow the text.

    Args:
        run: Folder that `codeglot evaluate` filled.
        task_id: Of the problem.
        sample: Of its completions.

    Raises:
        CodeglotError: If the folder holds no such answer, or nothing in it is routed by language.
    """
    problem, answer = _find(run, task_id, sample)
    settings = build(EvaluationRun, read_tree(run / runs.CONFIG), source=str(run / runs.CONFIG))
    if settings.base is None:
        raise ConfigError(f"The answers in {run} are not of a model on this machine, so no expert wrote them.")
    adapter = settings.base.adapter or run / runs.ADAPTER
    languages = read_languages(adapter)
    routed = [method for method in read_methods(adapter) if method.routes_by_language]
    if not routed:
        raise ConfigError(f"Nothing in {run} is routed by language, so there is nothing to trace.")
    tokenizer = load_tokenizer(settings.base)
    asked = next(request for request in build_requests(settings, [problem]) if request.sample == sample)
    prompt_ids = prompt_tokens(tokenizer, asked, name=settings.base.model)
    labeler = Labeler(
        asked,
        prompt_ids,
        TokenLanguages(tokenizer, languages),
        text_is_code=any(method.text_is_code for method in routed),
    )
    answer_ids = tokenizer.encode(answer.text, add_special_tokens=False)
    names = ("other", *languages)
    met = [
        tuple(name for method in routed for name in method.experts_met(languages)[label]) for label in range(len(names))
    ]

    def pieces(ids: list[int], labels: list[int], *, is_prompt: bool) -> Iterator[Piece]:
        for label, pairs in groupby(zip(ids, labels, strict=True), key=lambda pair: pair[1]):
            texts = tuple(str(tokenizer.decode([token_id])) for token_id, _ in pairs)
            yield Piece(is_prompt, names[label], met[label], texts)

    return [
        *pieces(prompt_ids, labeler.prompt, is_prompt=True),
        *pieces(answer_ids, labeler.answer(answer_ids, len(answer_ids)), is_prompt=False),
    ]


def _find(run: Path, task_id: str, sample: int) -> tuple[Problem, Completion]:
    for name in (runs.PROBLEMS, runs.COMPLETIONS):
        if not (run / name).is_file():
            raise RunError(f"{run} holds no {name}. Name a folder that `codeglot evaluate` filled.")
    problems = {row.task_id: row for row in runs.iter_rows(run / runs.PROBLEMS, Problem)}
    answers = {row.key: row for row in runs.iter_rows(run / runs.COMPLETIONS, Completion)}
    if (task_id, sample) not in answers or task_id not in problems:
        some = ", ".join(sorted(problems)[:3])
        raise RunError(f"{run} holds no answer {sample} to '{task_id}'. It holds some to {some}, for instance.")
    return problems[task_id], answers[task_id, sample]
