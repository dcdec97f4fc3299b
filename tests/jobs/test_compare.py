"""Cells are run once, go on after a kill, and only validation decides on settings."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.errors import DataError, RunError, UnknownNameError
from codeglot.jobs.cells import Cell, build_cell
from codeglot.jobs.compare import COMPARISON, compare
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.run_cells import train_and_evaluate
from codeglot.jobs.selection import select
from codeglot.records import Execution, Problem, Verdict
from tests.jobs.fake_cells import BASE_RUN, FakeCells, experiment, metrics

TUNE = {
    "grid": {"lora": {"optim.lr": [1e-4, 1e-3, 5.0]}, "java": {"optim.lr": [1e-4, 2e-3, 1e-3]}},
    "seeds": [90, 91],
}
FINAL = ["base/once", *(f"{arm}/seed-{seed}" for arm in ("lora", "java", "same") for seed in (0, 1, 2))]


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def test_each_arm_is_run_with_each_seed_and_the_untrained_base_once(tmp_path: Path) -> None:
    cells = FakeCells(12)
    result = compare(experiment(), tmp_path, run_cell=cells)
    assert cells.ran == FINAL
    assert [cell.folder for cell in result.cells] == FINAL
    assert result.unfinished == ()
    assert json.loads((tmp_path / COMPARISON).read_text())["baseline"] == "base"
    for page in (runs.REPORT_MARKDOWN, runs.REPORT_HTML):
        assert "lora" in (tmp_path / page).read_text()


def test_an_untrained_arm_has_no_training_sections_and_trained_ones_their_seed(tmp_path: Path) -> None:
    seen: list[Cell] = []

    class Watching(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            seen.append(cell)
            super().__call__(cell, folder, progress)

    compare(experiment(), tmp_path, run_cell=Watching(5))
    assert seen[0].training is None
    assert seen[0].run.methods == ()
    assert seen[0].run.train is None
    assert [cell.run.seed for cell in seen[1:4]] == [0, 1, 2]
    assert all(cell.training and cell.training.seed == cell.seed for cell in seen[1:])


def test_an_experiment_killed_at_any_cell_continues_to_the_same_result(tmp_path: Path) -> None:
    compare(experiment(tune=TUNE), tmp_path / "whole", run_cell=FakeCells(12))
    total = len(FINAL) + 12
    for dies_at in random.Random(3).sample(range(1, total), 2):
        out = tmp_path / str(dies_at)
        first, second = FakeCells(12, dies_at=dies_at), FakeCells(12)
        with pytest.raises(KeyboardInterrupt):
            compare(experiment(tune=TUNE), out, run_cell=first)
        compare(experiment(tune=TUNE), out, run_cell=second)
        assert not set(first.ran) & set(second.ran)
        assert len(first.ran) + len(second.ran) == total
        assert _results(out) == _results(tmp_path / "whole")


def _results(out: Path) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads((out / COMPARISON).read_text())
    return {key: tree[key] for key in ("figures", "changes", "transfer", "trials")}


def test_a_finished_experiment_is_only_read(tmp_path: Path) -> None:
    first = compare(experiment(), tmp_path, run_cell=FakeCells(12))
    again = FakeCells(12)
    assert compare(experiment(), tmp_path, run_cell=again) == first
    assert again.ran == []


def test_a_cell_begun_with_other_settings_is_refused_before_anything_runs(tmp_path: Path) -> None:
    compare(experiment(), tmp_path, run_cell=FakeCells(5))
    changed = experiment(base_run={**BASE_RUN, "train": {"steps": 99}})
    cells = FakeCells(5)
    with pytest.raises(RunError, match=r"lora/seed-0: train\.steps"):
        compare(changed, tmp_path, run_cell=cells)
    assert cells.ran == []


def test_cells_of_arms_that_are_not_run_now_must_have_the_same_settings_too(tmp_path: Path) -> None:
    compare(experiment(), tmp_path, run_cell=FakeCells(5))
    shutil.rmtree(tmp_path / "lora")
    changed = experiment(base_run={**BASE_RUN, "train": {"steps": 99}})
    cells = FakeCells(5)
    with pytest.raises(RunError, match=r"java/seed-0: train\.steps"):
        compare(changed, tmp_path, selection=select(changed, ("lora",), None), run_cell=cells)
    assert cells.ran == []


def test_a_tuned_cell_of_another_start_must_have_what_is_chosen_now(tmp_path: Path) -> None:
    """What is chosen for an arm shows only when its trials are read, after the check of all settings."""
    tune = {"grid": {"lora": {"optim.lr": [1e-3, 2e-3]}}, "seeds": [90]}
    whole = experiment(tune=tune)
    compare(whole, tmp_path, run_cell=FakeCells(5))
    config = tmp_path / "lora" / "seed-0" / runs.CONFIG
    tree = json.loads(config.read_text())
    tree["optim"]["lr"] = 0.5
    runs.write_json(config, tree)
    with pytest.raises(RunError, match=r"lora/seed-0: optim\.lr"):
        compare(whole, tmp_path, selection=select(whole, ("java",), None), run_cell=FakeCells(5))


def test_a_cell_that_another_start_finished_meanwhile_is_not_run_again(tmp_path: Path) -> None:
    whole = experiment()
    other = FakeCells(5)

    class First(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            super().__call__(cell, folder, progress)
            if cell.folder == "lora/seed-0":
                compare(whole, tmp_path, selection=select(whole, ("java",), None), run_cell=other)

    first = First(5)
    compare(whole, tmp_path, run_cell=first)
    assert other.ran == ["java/seed-0", "java/seed-1", "java/seed-2"]
    assert not set(first.ran) & set(other.ran)


def test_arms_and_seeds_may_be_added_later(tmp_path: Path) -> None:
    compare(experiment(seeds=[0], controls=[], arms=_arms("base", "lora")), tmp_path, run_cell=FakeCells(5))
    cells = FakeCells(5)
    compare(experiment(), tmp_path, run_cell=cells)
    assert cells.ran == [folder for folder in FINAL if folder not in {"base/once", "lora/seed-0"}]


def _arms(*names: str) -> list[dict[str, Any]]:
    return [arm.model_dump() for arm in experiment().arms if arm.name in names]


def test_parts_of_an_experiment_meet_in_one_result(tmp_path: Path) -> None:
    for arms, seeds in ((("base", "lora"), (0, 1)), (("java",), None)):
        whole = experiment()
        result = compare(whole, tmp_path, selection=select(whole, arms, seeds), run_cell=FakeCells(5))
    assert result.arms == ("base", "lora", "java")
    assert result.unfinished == ("lora/seed-2", "same/seed-0", "same/seed-1", "same/seed-2")


def test_an_arm_whose_trials_are_left_to_another_start_is_unfinished(tmp_path: Path) -> None:
    whole = experiment(tune=TUNE)
    result = compare(whole, tmp_path, selection=select(whole, ("base", "same"), None), run_cell=FakeCells(5))
    assert result.unfinished == ("lora", "java")


@pytest.mark.parametrize(("arms", "seeds", "named"), [(("nobody",), None, "nobody"), (None, (9,), "9")])
def test_arms_and_seeds_that_do_not_exist_are_named(arms: Any, seeds: Any, named: str) -> None:
    with pytest.raises(UnknownNameError, match=named):
        select(experiment(), arms, seeds)


def test_the_best_trial_on_validation_decides_and_every_trial_is_shown(tmp_path: Path) -> None:
    splits: dict[str, Any] = {}
    rates: dict[str, float] = {}

    class Watching(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            splits[cell.folder] = cell.run.evaluate.split
            rates[cell.folder] = cell.training.optim.lr if cell.training else 0.0
            super().__call__(cell, folder, progress)

    result = compare(experiment(tune=TUNE), tmp_path, run_cell=Watching(30))
    assert {split for folder, split in splits.items() if folder.startswith("tune/")} == {"validation"}
    assert {split for folder, split in splits.items() if not folder.startswith("tune/")} == {"test"}
    assert len(result.trials) == 6
    assert [(row.arm, row.settings["optim.lr"]) for row in result.trials if row.is_chosen] == [
        ("lora", 1e-3),
        ("java", 2e-3),  # equal to the third, which comes later
    ]
    assert (rates["lora/seed-2"], rates["java/seed-0"]) == (1e-3, 2e-3)
    assert rates["same/seed-0"] == 1e-3  # not tuned: as the base run has it


def test_an_arm_may_take_what_was_chosen_for_another(tmp_path: Path) -> None:
    arms = [*_arms("base", "lora"), {"name": "java", "tuned_as": "lora"}]
    tune = {"grid": {"lora": {"optim.lr": [1e-4, 2e-3]}}, "seeds": [90]}
    rates: dict[str, float] = {}

    class Watching(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            rates[cell.folder] = cell.training.optim.lr if cell.training else 0.0
            super().__call__(cell, folder, progress)

    compare(experiment(arms=arms, controls=[], tune=tune), tmp_path, run_cell=Watching(30))
    assert rates["java/seed-0"] == 2e-3


def test_a_trial_that_diverges_is_a_result_and_is_not_run_again(tmp_path: Path) -> None:
    result = compare(experiment(tune=TUNE), tmp_path, run_cell=FakeCells(12))
    (broken,) = (row for row in result.trials if row.mean is None)
    assert (broken.arm, broken.settings) == ("lora", {"optim.lr": 5.0})
    assert "not a finite number" in broken.failure
    assert "not a finite number" in (tmp_path / runs.REPORT_MARKDOWN).read_text()
    again = FakeCells(12)
    compare(experiment(tune=TUNE), tmp_path, run_cell=again)
    assert again.ran == []


def test_what_was_chosen_is_said_with_the_score_that_decided(tmp_path: Path) -> None:
    notes = Notes()
    result = compare(experiment(tune=TUNE), tmp_path, notes, run_cell=FakeCells(12))
    (best,) = (row for row in result.trials if row.is_chosen and row.arm == "lora")
    line = (
        f"lora: optim.lr = 0.001 is chosen out of 3 trials, by a mean pass@1 of {best.mean:.1%} on validation problems."
    )
    assert notes.said.count(line) == 1
    assert notes.said.index(line) < next(index for index, said in enumerate(notes.said) if said.startswith("base/once"))


def test_trials_that_all_diverge_stop_the_experiment(tmp_path: Path) -> None:
    tune = {"grid": {"lora": {"optim.lr": [5.0, 6.0]}}, "seeds": [90]}
    with pytest.raises(RunError, match="All trials of arm 'lora' broke off"):
        compare(experiment(tune=tune), tmp_path, run_cell=FakeCells(5))


def test_a_final_cell_that_diverges_is_named_and_the_others_are_compared(tmp_path: Path) -> None:
    arms = [{"name": "base", "train": False}, {"name": "lora"}, {"name": "java", "set": {"optim.lr": 5.0}}]
    cells = FakeCells(5)
    result = compare(experiment(arms=arms, controls=[]), tmp_path, run_cell=cells)
    assert result.arms == ("base", "lora")
    assert set(result.broken_off) == {f"java/seed-{seed}" for seed in (0, 1, 2)}
    assert set(result.broken_off.values()) == {"The loss of step 3 is not a finite number."}
    assert not result.unfinished
    page = (tmp_path / runs.REPORT_MARKDOWN).read_text()
    assert "java/seed-1: The loss of step 3 is not a finite number." in page
    assert "java: every seed broke off, so the arm is missing" in page
    again = FakeCells(5)
    compare(experiment(arms=arms, controls=[]), tmp_path, run_cell=again)
    assert again.ran == []


def test_a_baseline_that_breaks_off_is_said_with_its_reason_and_the_remedy(tmp_path: Path) -> None:
    arms = [{"name": "base", "set": {"optim.lr": 5.0}}, {"name": "lora"}]
    with pytest.raises(RunError, match=r"baseline 'base' broke off.* not a finite number.* Remove .*base/seed-0"):
        compare(experiment(arms=arms, controls=[]), tmp_path, run_cell=FakeCells(5))


def test_a_trial_may_keep_its_best_state_by_the_problems_it_is_judged_on(tmp_path: Path) -> None:
    """`[validation]` and the trial use the same problems; the problems of the result stay unseen."""
    base = {**BASE_RUN, "validation": {"benchmarks": ["micro"], "num_problems": 1, "every": 50}}
    seen: list[Cell] = []

    class Watching(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            seen.append(cell)
            super().__call__(cell, folder, progress)

    compare(experiment(base_run=base, tune=TUNE), tmp_path, run_cell=Watching(5))
    trial, final = seen[0].training, seen[-1].training
    assert trial is not None
    assert trial.validation is not None
    assert trial.evaluate is not None
    assert trial.evaluate.split == "validation"  # held against the training data
    assert final is not None
    assert final.evaluate is not None


def test_programs_without_a_verdict_keep_a_cell_unfinished(tmp_path: Path) -> None:
    class Failing(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            super().__call__(cell, folder, progress)
            scores = json.loads((folder / runs.SCORES).read_text())
            rows = runs.read_rows(folder / runs.EXECUTIONS, Execution)
            rows[0] = rows[0].model_copy(update={"verdict": Verdict.INFRA_ERROR})
            runs.write_rows(folder / runs.EXECUTIONS, rows)
            scores["scores"][0]["incomplete"] = 1
            runs.write_json(folder / runs.SCORES, scores)

    with pytest.raises(RunError, match=r"base/once: 1 programs have no verdict"):
        compare(experiment(), tmp_path, run_cell=Failing(5))
    cells = FakeCells(5)
    compare(experiment(), tmp_path, run_cell=cells)
    assert cells.ran[0] == "base/once"


def test_cells_that_are_older_than_origins_are_compared_with_newer_ones(tmp_path: Path) -> None:
    before = compare(experiment(seeds=[0]), tmp_path, run_cell=FakeCells(9))
    for index, place in enumerate(sorted(tmp_path.rglob(runs.PROBLEMS))):
        problems = runs.read_rows(place, Problem)
        named = [row.model_copy(update={"origin": f"m/{row.task_id.rpartition('/')[2]}"}) for row in problems]
        runs.write_rows(place, named if index == 1 else problems)
    after = compare(experiment(seeds=[0]), tmp_path, run_cell=FakeCells(9))
    for old, new in zip(before.changes, after.changes, strict=True):
        assert (old.interval == new.interval) == (old.language_id is not None)


def test_cells_on_other_problems_are_not_compared(tmp_path: Path) -> None:
    compare(experiment(seeds=[0]), tmp_path, run_cell=FakeCells(5))
    with pytest.raises(RunError, match="answered different problems"):
        compare(experiment(seeds=[0, 1]), tmp_path, run_cell=FakeCells(6))


def test_the_budget_stops_before_a_further_cell_and_says_what_was_spent(tmp_path: Path) -> None:
    notes = Notes()
    cells = FakeCells(5)
    limited = experiment(budget={"cpu_hours": 1e-9, "max_cpu_hours": 1e-9})
    with pytest.raises(RunError, match=r"budget\.max_cpu_hours"):
        compare(limited, tmp_path, notes, run_cell=cells)
    assert cells.ran == ["base/once"]
    assert "stated to take 1e-09 CPU hours" in notes.said[0]
    compare(experiment(), tmp_path, notes, run_cell=cells)
    assert cells.ran == FINAL


def test_what_killed_starts_have_trained_belongs_to_the_cost_of_a_cell(tmp_path: Path) -> None:
    class DiesAfterTraining(FakeCells):
        def __call__(self, cell: Cell, folder: Path, progress: Progress) -> None:
            runs.write_json(folder / runs.CONFIG, cell.run)
            runs.write_rows(folder / runs.METRICS, metrics(cell))
            raise KeyboardInterrupt

    small = experiment(seeds=[0], arms=_arms("base", "lora"), controls=[])
    alone = select(small, ("lora",), None)
    with pytest.raises(KeyboardInterrupt):
        compare(small, tmp_path, selection=alone, run_cell=DiesAfterTraining(5))
    spent = {cell.arm: cell for cell in compare(small, tmp_path, run_cell=FakeCells(5)).cells}
    assert spent["lora"].cpu_s > 10 > spent["base"].cpu_s
    assert spent["lora"].wall_s > 10 > spent["base"].wall_s


def test_a_finished_training_is_not_begun_again(tmp_path: Path) -> None:
    """A kill between training and judging loses nothing: what is asked for next is the judging."""
    whole = experiment(base_run={**BASE_RUN, "evaluate": {"benchmarks": ["problems"], "data": "/nowhere.jsonl"}})
    (tmp_path / runs.ADAPTER).mkdir()
    runs.write_json(tmp_path / runs.TRAINING, {})
    with pytest.raises(DataError, match=r"nowhere\.jsonl"):  # the data of the judging, not the model of the training
        train_and_evaluate(build_cell(whole, whole.arm("lora"), 0, {}, tmp_path), tmp_path, Silent())


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_place_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    held = out if kind == "file" else out / runs.REPORT_MARKDOWN
    held.parent.mkdir(exist_ok=True)
    held.write_text("mine")
    with pytest.raises(RunError, match="is no folder"):
        compare(experiment(), out, run_cell=FakeCells(5))
    assert held.read_text() == "mine"
    assert kind == "file" or [path.name for path in out.iterdir()] == [held.name]
