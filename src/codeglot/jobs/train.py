"""Train what the methods of a run file put on its base.

    examples -> tokens -> the base with its methods -> the loop -> adapter/, metrics.jsonl, checkpoints/, training.json

A killed training goes on from its last checkpoint; the same command on a finished folder only reads it.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import cast

from codeglot import runs
from codeglot.config import load
from codeglot.data.batch import EncodedExample
from codeglot.jobs.encoding import prepare
from codeglot.jobs.folder import claim
from codeglot.jobs.progress import Progress, Silent, steps_shown
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.validation import validator
from codeglot.methods.adapter import Attached, attach_methods, check_adapter, save_methods
from codeglot.methods.base import Method
from codeglot.models.load import LoadedBase, load_base
from codeglot.train import loop, trackers
from codeglot.train.processes import is_first_process
from codeglot.train.randomness import seeded
from codeglot.train.summary import TrainingSummary


def train(run: TrainingRun, out: Path, progress: Progress | None = None) -> TrainingSummary:
    """Do what the run file says and leave everything in `out`.

    Raises:
        CodeglotError: With value, place and remedy; a later call continues from the last checkpoint.
    """
    progress = (progress if is_first_process() else None) or Silent()
    with claim(out, run) if is_first_process() else nullcontext():
        summary = out / runs.TRAINING
        if summary.exists() and (out / runs.ADAPTER).is_dir():
            return load(TrainingSummary, summary)
        return _work(run, out, progress)


def check(run: TrainingRun, progress: Progress) -> None:
    """Do everything of a training that costs little: data, tokens, methods on the base, the size of it all.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    trackers.check(run.train.trackers)
    base = load_base(run.base)
    prepared = prepare(run, base, progress)
    attached = _attach(run, base, prepared.languages)
    num_trainable = sum(p.numel() for p in attached.model.parameters() if p.requires_grad)
    progress.say(f"{num_trainable:,} parameters would be trained on {len(prepared.examples)} examples.")


def _work(run: TrainingRun, out: Path, progress: Progress) -> TrainingSummary:
    trackers.check(run.train.trackers)
    base = load_base(run.base)
    prepared = prepare(run, base, progress)
    attached = _attach(run, base, prepared.languages)
    if is_first_process():
        where = runs.environment(device=str(base.device), toolchains={}, sandbox_level="none")
        runs.write_json(out / runs.ENVIRONMENT, where)
    with validator(run, base, progress) as validate, steps_shown(progress) as advance:
        result = loop.train(
            attached.model,
            attached.methods,
            prepared.examples,
            train=run.train,
            optim=run.optim,
            languages=prepared.languages,
            seed=run.seed,
            out=out,
            order=prepared.order,
            validate=validate,
            progress=advance,
            pad_token_id=base.tokenizer.pad_token_id or 0,
        )
    summary = TrainingSummary(num_examples=len(prepared.examples), languages=prepared.languages, **result._asdict())
    if is_first_process():
        _keep(run, attached, base, prepared.examples[0], out)
        runs.write_json(out / runs.TRAINING, summary)
    return summary


def _attach(run: TrainingRun, base: LoadedBase, languages: Sequence[str]) -> Attached:
    methods = cast("tuple[Method, ...]", run.methods)
    with seeded(run.seed):
        return attach_methods(base.model, methods, languages)


def _keep(run: TrainingRun, attached: Attached, base: LoadedBase, example: EncodedExample, out: Path) -> None:
    """Write the adapter, load it again and compare it with the model in memory."""
    save_methods(attached, out / runs.ADAPTER, base.tokenizer)
    check_adapter(lambda: load_base(run.base).model, out / runs.ADAPTER, attached.model, example.input_ids)
