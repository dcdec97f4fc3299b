"""The whole story in minutes: a base, the same with a LoRA on every language, both judged, side by side."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from codeglot.config import apply, build
from codeglot.evaluate.score import Scores
from codeglot.jobs.evaluate import evaluate
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.report import ReportFiles, report
from codeglot.jobs.runfile import EvaluationRun, TrainingRun
from codeglot.jobs.train import train

_SETTINGS = (
    "evaluate.num_problems=60",
    'methods=[{method="lora", r=16, lora_alpha=32, target_modules="all"}]',
)
"""What the demonstration adds to the settings that `codeglot init` begins with."""


class Demonstration(NamedTuple):
    """What it showed."""

    base: Scores
    adapted: Scores
    pages: ReportFiles


def demonstrate(out: Path, overrides: Sequence[str] = (), progress: Progress | None = None) -> Demonstration:
    """Judge the bundled base, train a LoRA on it, judge that, and write the report.

    Args:
        out: Folder of the two run folders, `base` and `lora`; a killed demonstration goes on.
        overrides: `key.sub=value`, on top of the demonstration's settings.
        progress: Shows how far it is.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    progress = progress or Silent()
    start = tomllib.loads((resources.files(__package__) / "start.toml").read_text(encoding="utf-8"))
    tree = apply(start, (*_SETTINGS, *overrides))
    adapted_run = build(TrainingRun, tree, source="the demonstration")
    judged = build(EvaluationRun, tree, source="the demonstration")
    bare = {key: tree[key] for key in ("seed", "base", "generate", "evaluate")}
    progress.say("1 of 4: the bundled base writes programs, and they are run")
    base = evaluate(build(EvaluationRun, bare, source="the demonstration"), out / "base", progress)
    progress.say("2 of 4: a LoRA is trained on every language")
    train(adapted_run, out / "lora", progress)
    progress.say("3 of 4: the adapted model writes programs, and they are run")
    adapted = evaluate(judged, out / "lora", progress)
    progress.say("4 of 4: the report")
    return Demonstration(base, adapted, report([out / "base", out / "lora"], out, progress))
