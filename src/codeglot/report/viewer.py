"""The programs that the page lets one look at, packed so that ten thousand of them stay usable."""

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from codeglot.evaluate.taxonomy import ENDINGS
from codeglot.records import Completion, Problem
from codeglot.report.html import Markup, element
from codeglot.report.source import Key, Run
from codeglot.report.words import counted, letter

ProgramOf = Callable[[Problem, Completion], str | None]
"""The program that was taken out of a completion; None where there was none."""

MAX_PROGRAMS = 20_000
"""Programs in one page; failures are taken first."""
MAX_BYTES = 12_000_000
"""Size of the data in the page, as text; longer texts are cut until it fits."""
_CUTS = (16_384, 4_096, 1_024, 256)
"""Longest text of one field, in characters, tried in this order."""
_PLAIN_BYTES = 200_000
"""Below this the data is put into the page as it is, so that older browsers can read it too."""


class Packed(NamedTuple):
    """Data of the viewer, ready for the page."""

    text: str
    """JSON, or gzip of it in base64; holds no character that means something in HTML."""
    is_compressed: bool
    notes: tuple[str, ...]
    """What was left out or cut."""


def pack(runs: Sequence[Run], program_of: ProgramOf, names: Mapping[str, str]) -> Packed:
    """Collect problems, completions, programs and results of all runs."""
    picked = _pick(runs)
    total = sum(len(run.completions) for run in runs)
    notes = []
    if len(picked) < total:
        notes.append(
            f"The page shows {len(picked):,} of {counted(total, 'program')}, failures first; the run folders hold all."
        )
    tree = _tree(runs, picked, program_of, names)
    for longest in _CUTS:
        text = json.dumps(
            _cut(tree, longest), separators=(",", ":")
        )  # ASCII: lone surrogates and NUL arrive as escapes
        compressed = len(text) > _PLAIN_BYTES
        packed = (
            base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)).decode()
            if compressed
            else _harmless(text)
        )
        if len(packed) <= MAX_BYTES:
            break
    if longest != _CUTS[0]:
        notes.append(
            f"Texts above {longest:,} characters are cut to keep the page small; the run folders hold them whole."
        )
    return Packed(packed, compressed, tuple(notes))


def _pick(runs: Sequence[Run]) -> list[tuple[int, Key]]:
    """The programs to show, in the order of problems; where there are too many, failures before passes."""
    every = [(index, key) for index, run in enumerate(runs) for key in sorted(run.completions, key=_by_problem(run))]
    if len(every) <= MAX_PROGRAMS:
        return every
    failures_first = sorted(every, key=lambda pair: runs[pair[0]].verdict(pair[1]) == "pass")
    kept = set(failures_first[:MAX_PROGRAMS])
    return [pair for pair in every if pair in kept]


def _by_problem(run: Run) -> Callable[[Key], tuple[int, int]]:
    place = {problem.task_id: index for index, problem in enumerate(run.problems)}
    return lambda key: (place[key[0]], key[1])


def _tree(
    runs: Sequence[Run], picked: Sequence[tuple[int, Key]], program_of: ProgramOf, names: Mapping[str, str]
) -> dict[str, Any]:
    """What `viewer.js` reads; problems that several programs answer are stored once."""
    by_id = [{problem.task_id: problem for problem in run.problems} for run in runs]
    place_of: dict[str, int] = {}
    rows = []
    stored: list[dict[str, Any]] = []
    for index, key in picked:
        problem = by_id[index][key[0]]
        mark = problem.as_asked.model_dump_json()
        if mark not in place_of:
            place_of[mark] = len(stored)
            stored.append(_problem(problem))
        rows.append(
            _program(runs[index], index, key, place_of[mark], program_of(problem, runs[index].completions[key]))
        )
    return {
        "runs": [[letter(index), run.name] for index, run in enumerate(runs)],
        "languages": {problem["language"]: names.get(problem["language"], problem["language"]) for problem in stored},
        "verdicts": {str(verdict): [ending.label, ending.explanation] for verdict, ending in ENDINGS.items()},
        "problems": stored,
        "programs": rows,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "id": problem.task_id,
        "benchmark": problem.benchmark,
        "language": problem.language_id,
        "natural": problem.natural_language,
        "prompt": problem.prompt,
        "tests": problem.tests,
        "stdin": problem.stdin,
        "expected": problem.expected_output,
        "canonical": problem.canonical_solution,
    }


def _program(run: Run, index: int, key: Key, place: int, program: str | None) -> dict[str, Any]:
    completion = run.completions[key]
    row: dict[str, Any] = {
        "run": index,
        "problem": place,
        "sample": key[1],
        "completion": completion.text,
        "program": program,
        "finish": completion.finish_reason.value,
        "tokens": completion.num_tokens,
    }
    if (execution := run.executions.get(key)) is None:
        return row | {"verdict": None}
    return row | {
        "verdict": str(execution.verdict),
        "detail": execution.detail,
        "stdout": execution.stdout,
        "stderr": execution.stderr,
        "cpu": round(execution.cpu_s, 3),
        "wall": round(execution.wall_s, 3),
        "memory": round(execution.memory_mib, 1),
        "attempts": execution.attempts,
        "level": execution.level,
    }


def _cut(node: Any, longest: int) -> Any:
    """The same tree with long texts reduced to their head and tail."""
    if isinstance(node, dict):
        return {key: _cut(child, longest) for key, child in node.items()}
    if isinstance(node, list):
        return [_cut(child, longest) for child in node]
    if isinstance(node, str) and len(node) > longest:
        head, tail = longest * 3 // 4, longest // 4
        return f"{node[:head]}\n[... {len(node) - head - tail:,} characters left out ...]\n{node[-tail:]}"
    return node


def _harmless(text: str) -> str:
    """JSON that no HTML parser can take for a tag, a comment or an entity."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def viewer_html(runs: Sequence[Run], packed: Packed, names: Mapping[str, str]) -> Markup:
    """The form and the empty places that `viewer.js` fills."""
    problems = [problem for run in runs for problem in run.problems]
    verdicts = {run.verdict(key) for run in runs for key in run.completions}
    selects = [
        _select("run", "Run", [(str(index), f"{letter(index)}: {run.name}") for index, run in enumerate(runs)]),
        _select("benchmark", "Benchmark", _options(problem.benchmark for problem in problems)),
        _select(
            "language", "Language", [(id_, names.get(id_, id_)) for id_, _ in _options(p.language_id for p in problems)]
        ),
        _select("natural", "Prompts in", _options(problem.natural_language for problem in problems)),
        _select(
            "verdict",
            "Ending",
            [("failed", "every failure")]
            + [(str(verdict), ending.label) for verdict, ending in ENDINGS.items() if verdict in verdicts]
            + ([("none", "not run")] if None in verdicts else []),
        ),
    ]
    search = element(
        "label",
        "Search",
        element("input", type="search", id="search", placeholder="task, program, message", autocomplete="off"),
    )
    move = element(
        "div",
        element("button", "\u2190 Previous", type="button", id="previous", aria_keyshortcuts="k ArrowLeft"),
        element("span", id="position", aria_live="polite"),
        element("button", "Next \u2192", type="button", id="next", aria_keyshortcuts="j ArrowRight"),
        class_="move",
    )
    return element(
        "div",
        element("p", "Loading the programs needs JavaScript. They are all in the run folder as well.", id="fallback"),
        element(
            "div",
            element("div", selects, search, class_="filters", role="search"),
            move,
            element("p", "Keys: j or \u2192 next, k or \u2190 previous, / search.", class_="hint"),
            element(
                "div", element("ol", id="list", aria_label="Programs"), element("article", id="program"), class_="panes"
            ),
            id="viewer",
            hidden=True,
        ),
        element(
            "script",
            Markup(packed.text),
            type="application/json",
            id="data",
            data_encoding="gzip" if packed.is_compressed else "plain",
        ),
    )


def _options(values: Any) -> list[tuple[str, str]]:
    return [(value, value) for value in dict.fromkeys(values)]


def _select(name: str, label: str, options: Sequence[tuple[str, str]]) -> Markup:
    """A filter; hidden where there is nothing to choose from."""
    choices = [element("option", "all", value="")] + [element("option", text, value=value) for value, text in options]
    return element("label", label, element("select", choices, id=f"by-{name}"), hidden=len(options) < 2)
