"""The tables of an experiment's page, once for Markdown and HTML."""

from collections.abc import Mapping, Sequence

from codeglot.evaluate.experiment import Change, Comparison, Facts, Figure
from codeglot.report.experiment_words import family_of
from codeglot.report.tables import Cell, Table
from codeglot.report.words import NBSP, flat_settings, in_words, letter, p_value, percent, percent_range, points
from codeglot.train.metrics import MetricsRow

Names = Mapping[str, str]

NLL = "nll"
"""The language model's own term of the loss in metrics.jsonl."""
METRIC = "pass_at_1"
"""Mean over languages of pass@1 on the validation problems, in metrics.jsonl."""


def arm_table(comparison: Comparison) -> Table:
    """What each arm changes in the base run."""
    trained = {cell.arm for cell in comparison.cells if cell.seed is not None}
    rows = []
    for index, arm in enumerate(comparison.arms):
        own = comparison.set_by_arm.get(arm)
        parts = [*([] if arm in trained else ["no training"]), *([in_words(flat_settings(own))] if own else [])]
        chosen = in_words(comparison.chosen_by_arm.get(arm, {})) or "\u2013"
        rows.append((f"{letter(index)}: {arm_name(arm, comparison)}", "; ".join(parts) or "nothing", chosen))
    return Table("What each arm changes in the base run", ("Arm", "By itself", "Chosen by tuning"), tuple(rows), 3)


def figure_table(figures: Sequence[Figure], comparison: Comparison, names: Names) -> Table:
    """Scores with intervals, each seed, and the spread between seeds."""
    rows = [
        (
            label(row.language_id, names),
            arm_name(row.arm, comparison),
            percent(row.pass_at_1),
            percent_range(row.interval),
            " ".join(f"{100 * value:.1f}" for value in row.by_seed),
            "" if row.sd is None else f"{100 * row.sd:.1f}",
            "" if row.largest_gap is None else f"{100 * row.largest_gap:.1f}",
            f"{row.num_problems:,}",
        )
        for row in sorted(figures, key=lambda row: _order(row, figures))
    ]
    header = (
        "Language", "Arm", "pass@1", f"95{NBSP}% interval", "Each seed", "Noise floor (sd)", "Two seeds at most",
        "Problems",
    )  # fmt: skip
    return Table(f"Scores on {family_of(figures[0], comparison)}", header, tuple(rows), 2)


def _order(row: Figure, figures: Sequence[Figure]) -> int:
    """Languages together, as they come first."""
    return list(dict.fromkeys(figure.language_id for figure in figures)).index(row.language_id)


def change_table(changes: Sequence[Change], comparison: Comparison, names: Names) -> Table:
    """Changes from the baseline; controls stand in the same rows as claims."""
    languages = list(dict.fromkeys(row.language_id for row in changes))
    rows = [
        (
            label(row.language_id, names),
            arm_name(row.arm, comparison),
            points(row.mean),
            f"{points(row.interval[0])} to {points(row.interval[1])}",
            " ".join(map(points, row.by_seed)),
            p_value(row.p),
            p_value(row.adjusted_p),
        )
        for row in sorted(changes, key=lambda row: languages.index(row.language_id))
    ]
    header = ("Language", "Arm", "Points", f"95{NBSP}% interval", "Each seed", "p", "p (Holm)")
    caption = (
        f"Changes from {comparison.baseline} on {family_of(changes[0], comparison)}, in percentage points of pass@1"
    )
    return Table(caption, header, tuple(rows), 2)


def transfer_table(comparison: Comparison) -> Table:
    """Changes on the languages trained on, and on the others."""
    rows = []
    for row in comparison.transfer:
        sides = [
            "\u2013" if mean is None or interval is None
            else f"{points(mean)} ({points(interval[0])} to {points(interval[1])})"
            for mean, interval in (
                (row.on_trained, row.on_trained_interval), (row.on_others, row.on_others_interval)
            )
        ]  # fmt: skip
        cells = (arm_name(row.arm, comparison), family_of(row, comparison), ", ".join(row.trained) or "none of them")
        rows.append((*cells, *sides))
    header = ("Arm", "Problems", "Trained on", "Change there, points", "Change on the other languages, points")
    return Table("Transfer and forgetting", header, tuple(rows), 3)


def cost_table(cells: Sequence[Facts]) -> Table:
    """What each cell took, and where it lies."""
    rows: list[tuple[Cell, ...]] = []
    for cell in cells:
        training = cell.training
        numbers = [
            f"{training[key]:,}" if training.get(key) is not None else "\u2013"
            for key in ("num_trainable", "num_steps", "best_step", "num_tokens", "num_target_tokens")
        ]
        seconds = [
            f"{training[key]:,.1f}" if training.get(key) is not None else "\u2013"
            for key in ("cpu_s", "wall_s", "gpu_s")
        ]
        rows.append((cell.folder, percent(cell.mean), *numbers, *seconds, f"{cell.cpu_s:,.1f}", f"{cell.wall_s:,.1f}"))
    header = (
        "Run folder", "Mean pass@1", "Trainable parameters", "Steps", "Best step", "Tokens", "Target tokens",
        "Training CPU s", "wall s", "accelerator s", "Whole cell CPU s", "wall s",
    )  # fmt: skip
    return Table("Cost of each cell", header, tuple(rows))


def curve_table(metrics: Mapping[str, Sequence[MetricsRow]]) -> Table:
    """Where each training began and ended."""
    rows = []
    for folder, found in metrics.items():
        losses = [row.losses[NLL] for row in found if NLL in row.losses]
        tried = [(row.validation[METRIC], row.step) for row in found if row.validation and METRIC in row.validation]
        best = max(tried, key=lambda pair: (pair[0], -pair[1]), default=None)
        ends = (f"{losses[0]:.3f}", f"{losses[-1]:.3f}") if losses else ("\u2013", "\u2013")
        rows.append((folder, *ends, *((percent(best[0]), f"{best[1]:,}") if best else ("\u2013", "\u2013"))))
    header = ("Run folder", "First loss", "Last loss", "Best pass@1 on validation", "At step")
    return Table("Loss in nats per target token, and validation", header, tuple(rows))


def trial_table(comparison: Comparison) -> Table:
    """Every trial, the chosen ones marked."""
    rows = []
    for trial in comparison.trials:
        result = percent(trial.mean) if trial.mean is not None else "broke off"
        seeds = " ".join(f"{100 * value:.1f}" for value in trial.by_seed)
        state = "chosen" if trial.is_chosen else trial.failure
        rows.append((trial.arm, in_words(trial.settings), state, result, seeds))
    header = ("Arm", "Settings", "", "Mean pass@1 on validation", "Each seed")
    return Table("Every trial", header, tuple(rows), 3)


def arm_name(arm: str, comparison: Comparison) -> str:
    """An arm, and what it is in the comparison."""
    if arm == comparison.baseline:
        return f"{arm} (baseline)"
    return f"{arm} (control)" if arm in comparison.controls else arm


def label(language_id: str | None, names: Names) -> str:
    """A language, or the mean over them."""
    return "Mean over languages" if language_id is None else names.get(language_id, language_id)
