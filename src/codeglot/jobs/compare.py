"""Arms x seeds -> paired statistics -> a page. Each cell is a run folder, so a killed experiment goes on cell by cell.

experiment.toml -> tune/<arm>/trial-<n>/seed-<s>/ -> <arm>/seed-<s>/ -> comparison.json -> report.md, report.html
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from codeglot import runs
from codeglot.errors import RunError
from codeglot.evaluate.experiment import Comparison, Trial, compare_arms
from codeglot.jobs.cells import Cell, collect
from codeglot.jobs.compare_report import write_report
from codeglot.jobs.experiment import Experiment
from codeglot.jobs.folder import refuse_unwritable
from codeglot.jobs.progress import Progress, Silent
from codeglot.jobs.read_cells import facts, outcome, read_cell, refuse_other_problems
from codeglot.jobs.run_cells import (
    RunCell,
    is_finished,
    keep_to_budget,
    refuse_changed,
    run_one,
    spent_cpu_hours,
    spent_on,
    train_and_evaluate,
)
from codeglot.jobs.selection import Selection, cell_makers, select
from codeglot.jobs.tune import Chosen, choose, chosen_lines, first_settings, is_settled, settings_of, trial_makers

COMPARISON = "comparison.json"
EXPERIMENT = "experiment.json"


def check(experiment: Experiment, out: Path, selection: Selection | None = None) -> list[Cell]:
    """Validate the run file of every cell and every trial, selected or not, and hold them against what `out` holds.

    Everything of the selected, unfinished ones that costs little is done: models, data, layers for methods, problems.

    Returns:
        The selected cells of the result; where settings are tuned, with the first of each grid.

    Raises:
        ConfigError: With the mistakes of all of them.
        RunError: If folders hold results of other settings.
    """
    _refuse_foreign(out)
    whole = select(experiment, None, None)
    arms, seeds = selection or whole
    stand_in = first_settings(experiment)
    trials = list(trial_makers(experiment, whole.arms))
    cells = collect([*trials, *cell_makers(experiment, whole, stand_in, out)])
    tried, final = cells[: len(trials)], cells[len(trials) :]
    refuse_changed([*tried, *(cell for cell in final if not settings_of(experiment, cell.arm, stand_in))], out)
    selected = [cell for cell in final if cell.arm in arms and cell.seed in {None, *seeds}]
    ahead = [*collect(trial_makers(experiment, arms)), *selected]
    if unfinished := [cell for cell in ahead if not is_finished(cell, out)]:
        check_cells = import_module("codeglot.jobs.check_cells").check_cells  # needs torch
        check_cells(unfinished, {cell.folder: cell.training for cell in final if cell.training}, out)
    return selected


def compare(
    experiment: Experiment,
    out: Path,
    progress: Progress | None = None,
    *,
    selection: Selection | None = None,
    run_cell: RunCell = train_and_evaluate,
) -> Comparison:
    """Run what is missing, compare what is finished, and leave everything in `out`.

    Raises:
        CodeglotError: With value, place and remedy; finished cells stay, and the same command goes on.
    """
    progress = progress or Silent()
    selection = selection or select(experiment, None, None)
    check(experiment, out, selection)
    runs.write_json(out / EXPERIMENT, experiment)

    def work(cells: Sequence[Cell]) -> None:
        missing = [cell for cell in cells if not is_finished(cell, out)]
        for number, cell in enumerate(missing, start=1):
            if is_finished(cell, out):  # by another start, meanwhile
                continue
            keep_to_budget(experiment.budget.max_cpu_hours, out)
            progress.say(f"{cell.folder}: {number} of {len(missing)} to run, {len(cells)} in all")
            run_one(cell, out, progress, run_cell)

    progress.say(
        f"The experiment is stated to take {experiment.budget.cpu_hours:g} CPU hours; "
        f"{spent_cpu_hours(out):.2f} are spent on finished cells."
    )
    work(collect(trial_makers(experiment, selection.arms)))
    trials, chosen = choose(experiment, out)
    for line in chosen_lines(experiment, trials):
        progress.say(line)
    cells = collect(cell_makers(experiment, selection, chosen, out))
    refuse_changed(cells, out)
    work(cells)
    return _write(experiment, out, trials, chosen)


def _refuse_foreign(out: Path) -> None:
    """Stop where something else lies, so that its report is not replaced."""
    refuse_unwritable(out)
    if out.exists() and not (out / EXPERIMENT).is_file() and any(out.iterdir()):
        raise RunError(
            f"{out} is no folder of an experiment: it holds something, but no {EXPERIMENT}. Name an empty or a new "
            "one with --out."
        )


def _write(experiment: Experiment, out: Path, trials: Sequence[Trial], chosen: Chosen) -> Comparison:
    """Compare all that is finished, whichever start did it, and write the result."""
    settled = [arm.name for arm in experiment.arms if is_settled(experiment, arm.name, chosen)]
    cells = collect(cell_makers(experiment, Selection(tuple(settled), experiment.seeds), chosen, out))
    ended = [cell for cell in cells if is_finished(cell, out)]
    refuse_changed(ended, out)  # tuned ones of other starts: only now it is known what was chosen
    broken_off = {cell.folder: failure for cell in ended if (failure := spent_on(cell, out).failure)}
    finished = [cell for cell in ended if cell.folder not in broken_off]
    lost = [cell.folder for cell in ended if cell.arm == experiment.baseline and cell.folder in broken_off]
    if lost and not any(cell.arm == experiment.baseline for cell in finished):
        raise RunError(
            f"Every training of the baseline '{experiment.baseline}' broke off, so there is nothing to compare with: "
            f"{broken_off[lost[0]]} Remove {', '.join(str(out / folder) for folder in lost)} and change its settings."
        )
    found = [(cell, read_cell(cell, out)) for cell in finished]
    refuse_other_problems(found)
    outcomes = [outcome(cell, run, out) for cell, run in found]
    results = compare_arms(outcomes, experiment.baseline)
    comparison = Comparison(
        arms=tuple(dict.fromkeys(cell.arm for cell in finished)),
        baseline=experiment.baseline,
        controls=experiment.controls,
        **results._asdict(),
        cells=tuple(facts(cell, answers, out) for cell, answers in zip(finished, outcomes, strict=True)),
        trials=tuple(trials),
        set_by_arm={arm.name: arm.changes for arm in experiment.arms if arm.changes},
        chosen_by_arm={name: dict(own) for name in settled if (own := settings_of(experiment, name, chosen))},
        unfinished=(
            *(cell.folder for cell in cells if cell not in ended),
            *(arm.name for arm in experiment.arms if arm.name not in settled),
        ),
        broken_off=broken_off,
    )
    runs.write_json(out / COMPARISON, comparison)
    write_report(comparison, found, out, spent_cpu_hours(out))
    return comparison
