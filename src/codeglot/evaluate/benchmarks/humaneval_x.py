"""HumanEval-X: HumanEval translated by hand into six languages.

Source: Zheng et al. 2023, arXiv:2303.17568; data github.com/THUDM/CodeGeeX. The copy on the hub has no Rust.
"""

import re

from codeglot.data.sources import Row, Source
from codeglot.evaluate.benchmarks import humaneval
from codeglot.evaluate.benchmarks.benchmark import Benchmark
from codeglot.generate.preamble import mend_packages
from codeglot.languages import spec
from codeglot.records import Problem

NAME = "humaneval_x"

_UPSTREAM_NAMES = {"python": "python", "java": "java", "javascript": "js", "cpp": "cpp", "go": "go", "rust": "rust"}
_NOT_ON_THE_HUB = ("rust",)
_GO_TEST_SETUP = 'package main\n\nimport (\n\t"testing"\n\t"github.com/stretchr/testify/assert"\n)\n'


def _problem(language_id: str, row: Row) -> Problem:
    task_id, prompt, tests = row.text("task_id"), row.text("prompt"), row.text("test")
    if language_id == "go":
        imports = row.optional("import") or ""
        missing = "" if imports.strip() in prompt else f"{imports.strip()}\n"
        package = "" if prompt.lstrip().startswith("package ") else "package main\n\n"
        prompt = f"{package}{missing}{prompt}"
        # The tests are a file of their own here; upstream keeps one list of imports for them and the answer.
        tests = mend_packages(f"{row.optional('test_setup') or _GO_TEST_SETUP}\n{tests}", "", spec.get(language_id))
    elif language_id == "rust":
        prompt += row.text("declaration")
    return Problem(
        task_id=task_id,
        benchmark=NAME,
        language_id=language_id,
        prompt=prompt,
        entry_point=_entry_point(row.optional("declaration") or prompt),
        tests=tests,
        canonical_solution=row.optional("canonical_solution"),
        stop=spec.get(language_id).stop,
        origin=f"{humaneval.NAME}/{task_id.rpartition('/')[2]}",
    )


def _entry_point(declaration: str) -> str | None:
    """Name of the last function that is declared: the one to be completed."""
    after_keyword: list[str] = re.findall(r"\b(?:def|func|fn|const)\s+(\w+)", declaration)
    before_parameters: list[str] = re.findall(r"(?m)^[^(\n]*?\b(?!for|if|while|switch)(\w+)\s*\(.*\{\s*$", declaration)
    names = after_keyword or before_parameters
    return names[-1] if names else None


def _source(language_id: str, upstream: str) -> Source:
    is_on_hub = language_id not in _NOT_ON_THE_HUB
    return Source(
        files=(f"humaneval_{upstream}.jsonl", f"{upstream}/data/humaneval_{upstream}.jsonl"),
        hub="zai-org/humaneval-x" if is_on_hub else None,
        hub_files=(f"data/{upstream}/data/humaneval.jsonl",) if is_on_hub else (),
    )


BENCHMARK = Benchmark(
    name=NAME,
    sources={language_id: _source(language_id, upstream) for language_id, upstream in _UPSTREAM_NAMES.items()},
    problem=_problem,
    license="Apache-2.0",
    citation="Zheng et al. 2023, CodeGeeX: A Pre-Trained Model for Code Generation with Multilingual Benchmarking on "
    "HumanEval-X, arXiv:2303.17568",
)
