"""Run file -> the engine that writes the completions."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from codeglot.generate.engine import Engine
from codeglot.generate.names import EngineName
from codeglot.jobs.runfile import EvaluationRun
from codeglot.records import Problem

CANONICAL: tuple[EngineName, ...] = ("reference", "mutated")
"""Engines that answer only problems with a canonical solution."""

RECALLING: tuple[EngineName, ...] = (*CANONICAL, "completions")
"""Engines that know all answers at once, so that those of an earlier start can be compared with them."""

_Builder = Callable[[Any, EvaluationRun, Sequence[Problem]], Engine]

_ENGINES: dict[EngineName, tuple[str, _Builder]] = {
    "reference": ("reference_engine", lambda module, _run, problems: module.ReferenceEngine(problems)),
    "mutated": ("reference_engine", lambda module, _run, problems: module.MutatedEngine(problems)),
    "completions": (
        "completions_file",
        lambda module, run, problems: module.CompletionsFile(
            run.generate.completions, problems, run.generate.num_samples
        ),
    ),
    "openai": ("openai_engine", lambda module, run, _problems: module.OpenAIEngine(run.generate.openai)),
    "huggingface": (
        "hf_engine",
        lambda module, run, _problems: module.HuggingFaceEngine(run.base, run.generate.batch_size),
    ),
}
"""Module of `codeglot.generate`, imported only when chosen (one of them needs torch), and how to build it."""


def build_engine(run: EvaluationRun, problems: Sequence[Problem]) -> Engine:
    """The engine that `[generate]` names.

    Raises:
        EngineError: If the model or its server is not there.
        DataError: If the file of completions, or a canonical solution, is.
    """
    module, build = _ENGINES[run.generate.engine]
    return build(import_module(f"codeglot.generate.{module}"), run, problems)
