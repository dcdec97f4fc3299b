"""In what a run differs from the one that the results in a folder rest on."""

from collections.abc import Mapping
from pathlib import Path

from codeglot import runs
from codeglot.config import build, read_tree, shorten
from codeglot.jobs.runfile import RunFile
from codeglot.train.settings import CHANGES_NOTHING

TRAINING_ONLY = {"data", "methods", "extends", "regularizer", "optim", "train", "validation"}
"""Sections of the run file that judging has no use for."""
TRAINED = {"seed", "base"} | TRAINING_ONLY
"""Those that a training rests on."""
_JUDGED = TRAINED | {"generate", "evaluate"}
"""Those that completions and verdicts rest on."""
WHERE_JUDGED = ("sandbox", "warm", "cluster", "slots", "reuse")
"""Settings of a judging that change no verdict; the isolation level is written into each."""
SPEED_ONLY = frozenset(
    {
        "generate.batch_size",
        *(f"generate.openai.{key}" for key in ("concurrency", "timeout_s", "max_retries", "api_key_env")),
        "evaluate.k",  # of samples that are there, how they are counted
        *(f"{section}.{key}" for section in ("evaluate", "validation") for key in (*WHERE_JUDGED, "data")),
        *(f"train.{key}" for key in CHANGES_NOTHING),
    }
)
"""Settings that change no completion and no verdict, so a run may be continued with others."""
_SHOWN = 5
"""Changed settings named in one error."""


def changed_settings(out: Path, run: RunFile) -> list[str]:
    """In what `run` differs from the run file that the results in `out` rest on, for people; none without results."""
    sections = TRAINED if _has_rows(out / runs.METRICS) else set()
    if sections and run.validation is not None and not (out / runs.TRAINING).exists():
        sections = sections | {"generate"}  # validation asks as it says, and is not over
    sections = _JUDGED if _has_rows(out / runs.COMPLETIONS) else sections
    if not sections:
        return []
    config = out / runs.CONFIG
    found = differences(build(RunFile, read_tree(config), source=str(config)), run)
    changed = [
        f"{key} was {_shown(old)}, is {_shown(new)}"
        for key, (old, new) in found.items()
        if key.partition(".")[0] in sections
    ]
    return changed if len(changed) <= _SHOWN else [*changed[:_SHOWN], f"and {len(changed) - _SHOWN} more"]


def differences(old: RunFile, new: RunFile) -> dict[str, tuple[object, object]]:
    """Settings in which two runs would give other results: old and new value by dotted key, None where unset."""
    before, after = (flat(run.model_dump(mode="json")) for run in (old, new))
    keys = sorted((before.keys() | after.keys()) - SPEED_ONLY)
    pairs = {key: (before.get(key), after.get(key)) for key in keys}
    return {key: (old_value, new_value) for key, (old_value, new_value) in pairs.items() if old_value != new_value}


def flat(tree: object, prefix: str = "") -> dict[str, object]:
    """The values of nested tables, and of lists of tables, by dotted key."""
    if isinstance(tree, list) and tree and all(isinstance(node, Mapping) for node in tree):
        tree = dict(enumerate(tree))
    if not isinstance(tree, Mapping):
        return {prefix: tree}
    return {k: v for key, node in tree.items() for k, v in flat(node, f"{prefix}.{key}".lstrip(".")).items()}


def _shown(value: object) -> str:
    return "unset" if value is None else shorten(value)


def _has_rows(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
