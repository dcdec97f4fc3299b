"""Train what the methods of a run file put on its base.

    examples -> tokens -> the base with its methods -> the loop -> adapter/, metrics.jsonl, checkpoints/, training.json

A killed training goes on from its last checkpoint; the same command on a finished folder only reads it.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple, cast

from codeglot import runs
from codeglot.config import load
from codeglot.data.batch import EncodedExample
from codeglot.jobs.encoding import Prepared, prepare
from codeglot.jobs.evaluate import check as check_judging
from codeglot.jobs.folder import check_folder, claim
from codeglot.jobs.progress import Progress, Silent, steps_shown
from codeglot.jobs.runfile import TrainingRun
from codeglot.jobs.trained import trained_adapter
from codeglot.jobs.validation import judgings, validator
from codeglot.methods.adapter import (
    Attached,
    attach_methods,
    check_adapter,
    extend_methods,
    read_languages,
    save_methods,
)
from codeglot.methods.base import Method
from codeglot.models.load import LoadedBase, load_base
from codeglot.train import loop, stages, trackers
from codeglot.train.curvature import refuse_float16
from codeglot.train.portions import Portions
from codeglot.train.processes import is_first_process
from codeglot.train.randomness import seeded
from codeglot.train.summary import TrainingSummary


class Ready(NamedTuple):
    """What a training begins with."""

    base: LoadedBase
    prepared: Prepared
    attached: Attached
    """The base with the run's methods; what they drew follows from its seed."""


def train(run: TrainingRun, out: Path, progress: Progress | None = None) -> TrainingSummary:
    """Do what the run file says and leave everything in `out`.

    Raises:
        CodeglotError: With value, place and remedy; a later call continues from the last checkpoint.
    """
    progress = (progress if is_first_process() else None) or Silent()
    with claim(out, run) if is_first_process() else nullcontext():
        if _is_finished(out):
            progress.say(f"{out} holds this training, finished already; nothing is trained again.")
            return load(TrainingSummary, out / runs.TRAINING)
        return _work(run, out, progress)


def check(run: TrainingRun, out: Path, progress: Progress) -> None:
    """Do everything of a training that costs little: data, tokens, methods on the base, what it will be asked.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    check_folder(out, run)
    if _is_finished(out):
        progress.say(f"{out} holds this training, finished already; nothing would be trained.")
        return
    _, prepared, attached = get_ready(run, progress)
    num_trainable = sum(p.numel() for p in attached.model.parameters() if p.requires_grad)
    progress.say(f"{num_trainable:,} parameters would be trained on {len(prepared.examples)} examples.")


def _is_finished(out: Path) -> bool:
    return (out / runs.TRAINING).exists() and (out / runs.ADAPTER).is_dir()


def get_ready(run: TrainingRun, progress: Progress, adapter: Path | None = None) -> Ready:
    """Everything that the first step needs; what cannot be trained, or not be judged afterwards, is refused.

    Args:
        run: What is trained.
        progress: Is told what there is.
        adapter: What the run extends; None: what its file says.

    Raises:
        CodeglotError: With value, place and remedy.
    """
    trackers.check(run.train.trackers)
    base = load_base(run.base)
    if adapter is None and run.extends is not None:
        adapter = trained_adapter(run.extends)
    prepared = prepare(run, base, progress, () if adapter is None else read_languages(adapter))
    portions = Portions(prepared.examples, run.train, seed=run.seed, pad_token_id=0, order=prepared.order)
    methods = cast("tuple[Method, ...]", run.methods)
    stages.plan(methods, portions.num_steps, run.optim)
    refuse_float16(base.model, run.optim)
    for judging in judgings(run):
        check_judging(judging, progress, base)
    with seeded(run.seed):
        if adapter is not None:
            return Ready(base, prepared, extend_methods(base.model, methods, adapter, prepared.languages))
        return Ready(base, prepared, attach_methods(base.model, methods, prepared.languages))


def _work(run: TrainingRun, out: Path, progress: Progress) -> TrainingSummary:
    base, prepared, attached = get_ready(run, progress)
    base = base._replace(routing=attached.routing)
    with validator(run, base, progress) as validate, steps_shown(progress) as advance:
        if is_first_process():
            where = runs.environment(device=str(base.device), toolchains={}, sandbox_level="none")
            runs.write_json(out / runs.ENVIRONMENT, where)
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
            regularizer=run.regularizer,
            validate=validate,
            progress=advance,
            pad_token_id=base.tokenizer.pad_token_id or 0,
        )
    summary = TrainingSummary(num_examples=len(prepared.examples), languages=prepared.languages, **result._asdict())
    if is_first_process():
        _keep(run, attached, base, prepared.examples[0], out)
        runs.write_json(out / runs.TRAINING, summary)
    return summary


def _keep(run: TrainingRun, attached: Attached, base: LoadedBase, example: EncodedExample, out: Path) -> None:
    """Write the adapter, load it again and compare it with the model in memory."""
    save_methods(attached, out / runs.ADAPTER, base.tokenizer)
    check_adapter(
        lambda: load_base(run.base).model, out / runs.ADAPTER, attached, example.input_ids, example.language_ids
    )
