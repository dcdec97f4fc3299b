"""Cells of an experiment that cost nothing: answers by the chance that an arm has in each language."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codeglot import runs
from codeglot.errors import DivergedError
from codeglot.jobs.cells import Cell
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.progress import Progress
from codeglot.train.metrics import MetricsRow
from codeglot.train.summary import TrainingSummary
from tests.report.fake_runs import answer, build_problems, write_run

LANGUAGES = ("python", "java", "ruby")
SKILL: Mapping[str, tuple[float, float, float]] = {
    "base": (0.7, 0.3, 0.1),
    "lora": (0.7, 0.5, 0.4),
    "java": (0.4, 0.6, 0.02),
    "same": (0.7, 0.3, 0.1),
}
TRAINED = {"lora": LANGUAGES, "java": ("java",), "same": ("python",)}
BASE_RUN: Mapping[str, Any] = {
    "base": {"model": "micro"},
    "data": {"sources": [{"dataset": "micro", "num_examples": 10}]},
    "methods": [{"method": "lora", "r": 4}],
    "optim": {"lr": 1e-3},
    "train": {"steps": 100},
    "generate": {"engine": "huggingface"},
    "evaluate": {"benchmarks": ["micro"], "split": "test", "num_problems": 1},
}


def experiment(**changes: Any) -> Experiment:
    tree: dict[str, Any] = {
        "base_run": BASE_RUN,
        "arms": [
            {"name": "base", "train": False},
            {"name": "lora"},
            {"name": "java", "set": {"data.sources.0.languages": ["java"]}},
            {"name": "same", "set": {"methods": [{"method": "lora", "r": 1}]}},
        ],
        "baseline": "base",
        "controls": ["same"],
        "seeds": [0, 1, 2],
        "budget": {"cpu_hours": 0.5},
    }
    return Experiment.model_validate({**tree, **changes})


class FakeCells:
    """Writes run folders, and remembers which."""

    def __init__(self, num_problems: int = 60, dies_at: int | None = None) -> None:
        self.ran: list[str] = []
        self.num_problems = num_problems
        self.dies_at = dies_at

    def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
        if len(self.ran) == self.dies_at:
            raise KeyboardInterrupt
        self.ran.append(cell.folder)
        rate = cell.training.optim.lr if cell.training else 0.0
        if rate > 1:
            raise DivergedError("The loss of step 3 is not a finite number.")
        skill = dict(zip(LANGUAGES, SKILL[cell.arm], strict=True))
        skill = {name: chance * (0.5 if 0 < rate < 1e-3 else 1.0) for name, chance in skill.items()}
        problems = build_problems(LANGUAGES, self.num_problems)
        seed = 100 * len(cell.arm) + (cell.seed or 0)
        write_run(
            folder, problems, *answer(problems, skill=skill, seed=seed), settings=cell.run.model_dump(mode="json")
        )
        if cell.training is not None:
            runs.write_json(folder / runs.TRAINING, training(cell))
            runs.write_rows(folder / runs.METRICS, metrics(cell))


def training(cell: Cell) -> TrainingSummary:
    amount = len(cell.arm)
    return TrainingSummary(
        num_trainable=1000 * amount, num_steps=100, num_tokens=5000, num_target_tokens=2000,
        cpu_s=2.5 * amount, wall_s=2.0 * amount, gpu_s=0.0, best_step=50, best_metric=0.4,
        languages=TRAINED[cell.arm], num_examples=30,
    )  # fmt: skip


def metrics(cell: Cell) -> list[MetricsRow]:
    return [
        MetricsRow(
            step=step, stage="train", num_tokens=50 * step, num_target_tokens=20 * step,
            losses={"nll": 2.0 / step + 0.1 * (cell.seed or 0) + 0.05 * len(cell.arm)}, nll_by_language={}, lr=1e-3,
            grad_norm=1.0, tokens_per_s=1.0, cpu_s=0.1 * step, wall_s=0.1 * step,
            validation={"pass_at_1": step / 300, "java": 0.0} if step in {50, 100} else None,
        )
        for step in (1, 10, 50, 100)
    ]  # fmt: skip
