"""Does the model of a trained run see later tokens, or other rows of its batch?

RUN/adapter/ -> causality.json in OUT
"""

from pathlib import Path

from codeglot import runs
from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.trained import trained_run
from codeglot.methods.adapter import load_methods
from codeglot.models.load import load_base
from codeglot.train.leaks import Causality, find_leaks

_FILE = "causality.json"


def causality(
    run: Path, out: Path | None = None, *, length: int = 200, num_trials: int = 50, iid_steps: int = 0, seed: int = 0
) -> Causality:
    """Look for leaks in what a run trained, in float32, and write what was found.

    Args:
        run: Folder of a finished training.
        out: Folder for the file; None: that of the run.
        length: Tokens of each text.
        num_trials: Of each detector, in evaluation and in training mode.
        iid_steps: Steps of training a copy of the model, all its weights, on tokens that nothing can predict; 0: none.
        seed: Of all texts.

    Raises:
        CodeglotError: If the run cannot be loaded, or its base has fewer positions.
    """
    settings = build(TrainingRun, trained_run(run, None), source=str(run / runs.CONFIG))
    base = load_base(settings.base.model_copy(update={"dtype": "float32"}))
    if base.num_positions is not None and length > base.num_positions:
        raise ConfigError(
            f"{settings.base.model} has {base.num_positions} positions, so texts of {length} tokens do not fit. Give "
            f"--length {base.num_positions}, or less."
        )
    attached = load_methods(base.model, run / runs.ADAPTER)
    found = find_leaks(attached, length=length, num_trials=num_trials, iid_steps=iid_steps, seed=seed)
    runs.write_json((out or run) / _FILE, found)
    return found
