"""Does the training data hold what the evaluation asks for?

Three kinds of overlap, from certain to likely: the same task (in any language and benchmark whose rows name their
`origin`), the same answer, a long run of words in common. The last two are evidence, not proof; and what is worded anew
or translated is not found by them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from codeglot.languages import spec
from codeglot.records import Example, Problem

NUM_WORDS = 13
"""Words in a row that count as copied. Source: Brown et al. 2020, arXiv:2005.14165, appendix C."""
MOST_PROBLEMS = 10
"""Problems of one language in which a run of words may stand; one in more of them is boilerplate. Source: as above."""

_WORD = re.compile(r"\w+|[^\w\s]")


class OverlapKind(StrEnum):
    """How an example and a problem are alike."""

    TASK = "task"
    """The example was made from that very problem, or from a form of it in another language or benchmark."""
    SOLUTION = "solution"
    """Completion and canonical solution agree in language and, but for comments and white space, in text."""
    PROMPT = "prompt"
    """Their prompts share a long run of words."""


class Overlap(NamedTuple):
    """An example that holds something of a problem."""

    kind: OverlapKind
    task_id: str
    example: int
    """Place of the example in the list that was given."""
    source: str
    """Where it came from."""


def find_overlaps(
    examples: Sequence[Example], problems: Sequence[Problem], *, num_words: int = NUM_WORDS
) -> list[Overlap]:
    """Every pair of example and problem that overlaps, the strongest kind of each, in the order of the examples.

    Args:
        examples: Training data.
        problems: What is to be evaluated.
        num_words: Words in a row that two prompts must share; shorter prompts count where they are equal.
    """
    tasks: dict[str | None, set[str]] = {}
    for problem in problems:
        tasks.setdefault(problem.root, set()).add(problem.task_id)
    solutions: dict[tuple[str, str], set[str]] = {}
    for problem in problems:
        if solution := normalized(problem.canonical_solution or "", problem.language_id):
            solutions.setdefault((problem.language_id, solution), set()).add(problem.task_id)
    runs = _telling_runs(problems, num_words)
    found: list[Overlap] = []
    for place, example in enumerate(examples):
        kinds: dict[str, OverlapKind] = {}
        for run in word_runs(example.prompt, num_words):
            kinds.update(dict.fromkeys(runs.get(run, ()), OverlapKind.PROMPT))
        key = (example.language_id, normalized(example.completion, example.language_id))
        kinds.update(dict.fromkeys(solutions.get(key, ()), OverlapKind.SOLUTION))
        kinds.update(dict.fromkeys(tasks.get(example.origin, ()), OverlapKind.TASK))
        found += [Overlap(kind, task_id, place, example.source) for task_id, kind in sorted(kinds.items())]
    return found


def _telling_runs(problems: Iterable[Problem], num_words: int) -> dict[tuple[str, ...], set[str]]:
    """Task ids by the runs of words of their prompts, without boilerplate such as includes."""
    runs: dict[tuple[str, ...], set[str]] = {}
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for problem in problems:
        for run in set(word_runs(problem.prompt, num_words)):
            runs.setdefault(run, set()).add(problem.task_id)
            counts[problem.language_id, run] += 1
    for (_, run), count in counts.items():
        if count > MOST_PROBLEMS:
            runs.pop(run, None)
    return runs


def normalized(code: str, language_id: str) -> str:
    """Code without white space and lines that are comments alone; empty where nothing is left."""
    mark = spec.get(language_id).comment.strip()
    lines = (line.strip() for line in code.splitlines())
    return "".join("".join(line.split()) for line in lines if not line.startswith(mark))


def word_runs(text: str, num_words: int) -> Iterator[tuple[str, ...]]:
    """Every run of `num_words` words and signs in lower case; the whole of a shorter text, nothing of an empty one."""
    words = _WORD.findall(text.lower())
    for start in range(max(len(words) - num_words, 0) + 1):
        if run := tuple(words[start : start + num_words]):
            yield run
