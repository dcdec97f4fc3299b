"""The training loop, the only one; methods take part through their hooks.

What is minimised in one optimizer step, however it is cut into forward passes and spread over processes:

    sum of the negative log-likelihoods of all targets / number of these targets
    + each `forward_loss` term, averaged over the forward passes, weighted by their tokens without padding
    + each `step_loss` term
    + the regularizer, times its strength

The same seed and settings give the same steps; on a CPU, bit for bit, also where a training was killed and goes on.

Not promised: equal bits on accelerators, or with another number of processes; there, sums are rounded otherwise.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.optim import Optimizer

from codeglot.data.batch import EncodedExample
from codeglot.errors import ConfigError
from codeglot.methods.base import Method
from codeglot.methods.regularizing import choose
from codeglot.models.layers import embedding_tables
from codeglot.optim.build import build
from codeglot.optim.schedule import factor
from codeglot.optim.settings import Optim
from codeglot.optim.sophia import Sophia
from codeglot.regularizers.penalty import Penalty
from codeglot.regularizers.settings import Spectral
from codeglot.runs import CHECKPOINTS
from codeglot.train import identity, randomness, stages
from codeglot.train.books import nll_by_language, sum_terms
from codeglot.train.checkpoint import Checkpoints, Standing, Tensors
from codeglot.train.curvature import Curvature
from codeglot.train.journal import Journal, Progress
from codeglot.train.metrics import MetricsRow
from codeglot.train.modes import as_it_was, layers_recomputed
from codeglot.train.observed import curvature_rows, spectrum_rows
from codeglot.train.portions import Portions
from codeglot.train.processes import Processes
from codeglot.train.settings import Train
from codeglot.train.step import Made, Stepper, not_finite
from codeglot.train.trackers import check


class Validation(NamedTuple):
    """A measurement while training, by which the best step is found."""

    measure: Callable[[nn.Module, int], Mapping[str, float]]
    """From the model and the number of steps it was trained for, numbers by name."""
    metric: str
    """The one that decides; larger is better, and of equal ones the earlier."""
    every: int
    """Steps from one to the next; one always follows the last step."""


class TrainingResult(NamedTuple):
    """What a training took. The model has the weights of the best step, without validation those of the last."""

    num_steps: int
    num_tokens: int
    """Tokens that went through the model, prompts included, padding not."""
    num_target_tokens: int
    num_trainable: int
    """Parameters that some stage trained."""
    cpu_s: float
    """CPU seconds of the first process, without validation."""
    wall_s: float
    gpu_s: float
    """Seconds that accelerators were held, over all processes; 0 on CPUs."""
    best_step: int | None
    """Step that validation liked best; None without validation."""
    best_metric: float | None


def train(  # noqa: PLR0913 - everything a training is made of, each by its name
    model: nn.Module,
    methods: Sequence[Method],
    examples: Sequence[EncodedExample],
    *,
    train: Train,
    optim: Optim,
    languages: Sequence[str],
    seed: int,
    out: Path,
    pad_token_id: int,
    order: Sequence[int] | None = None,
    regularizer: Spectral | None = None,
    validate: Validation | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a model that methods are attached to, or go on where an earlier call for the same folder was stopped.

    Args:
        model: With the methods attached; one process alone trains it where it is.
        methods: In the order of their attachment.
        examples: What is trained on.
        train: Sizes, precision, what is kept.
        optim: Optimizer and schedule.
        languages: Names of `language_ids` 1, 2, ...
        seed: Decides the order of the data, and dropout.
        out: The run folder, for metrics.jsonl and checkpoints.
        pad_token_id: Any token.
        order: Places of the examples in the order they come, over and over; None: shuffled anew every epoch.
        regularizer: Of the factors of all methods; None: what a method brings along, if one does.
        validate: Measured while training.
        progress: Called after every step.

    Raises:
        ConfigError: If settings, methods and model do not fit together.
        DataError: If an example cannot be trained on.
        RunError: If the folder holds another training, cannot be written, or the loss is not a finite number.
    """
    check(train.trackers)
    portions = Portions(examples, train, seed=seed, pad_token_id=pad_token_id, order=order)
    run = _Run(model, methods, portions, train=train, optim=optim, validate=validate)
    run.open(examples, languages=languages, seed=seed, out=out, regularizer=regularizer, progress=progress)
    return run.run()


class _Run:
    """One training under way."""

    def __init__(
        self,
        model: nn.Module,
        methods: Sequence[Method],
        portions: Portions,
        *,
        train: Train,
        optim: Optim,
        validate: Validation | None,
    ) -> None:
        self._model = model
        self._methods = methods
        self._portions = portions
        self._train = train
        self._optim = optim
        self._validate = validate
        self._num_steps, self._stages = portions.num_steps, stages.plan(methods, portions.num_steps, optim)
        self._stage = -1
        self._trained: dict[str, nn.Parameter] = {}
        """Parameters of this and earlier stages, by name."""
        self._parameters: list[nn.Parameter] = []
        """Parameters of this stage."""
        self._untrained: dict[str, Tensor] = {}
        """What later stages began with: a best step of an earlier one has no values for it."""
        self._optimizer: Optimizer
        self._standing = Standing()
        self._penalty: Penalty | None = None
        self._curvature: Curvature | None = None
        self._losses: dict[str, Tensor] = {}
        """This process's part of each loss term, summed over the steps since the last logged one."""

    def open(
        self,
        examples: Sequence[EncodedExample],
        *,
        languages: Sequence[str],
        seed: int,
        out: Path,
        regularizer: Spectral | None,
        progress: Progress | None,
    ) -> None:
        """Get everything ready, and go to where an earlier call was stopped."""
        self._out = out
        self._languages = ("other", *languages)
        is_on_cpu = next(self._model.parameters()).device.type == "cpu"
        self._processes = Processes(self._train.trackers, str(out), on_cpu=is_on_cpu)
        self._device = self._processes.device(self._model)
        self._model.to(self._device)
        self._processes.copy_from_first([*self._model.parameters()])
        chosen = choose(self._methods, regularizer)
        parts = identity.of(self._model, self._methods, train=self._train, optim=self._optim, languages=languages)
        parts |= {
            "the regularizer": identity.hash_of(None if chosen is None else chosen.settings),
            "the examples, their order or the seed": self._portions.digest(),
            "the number of processes": str(self._processes.count),
        }
        identity.refuse_unlike(self._processes.gather(parts))
        self._checkpoints = Checkpoints(out, parts, keep=self._train.keep_checkpoints)
        settings = identity.flat(self._train, self._optim)
        self._journal = Journal(out, self._processes, settings=settings, num_steps=self._num_steps, progress=progress)
        if chosen is not None:
            self._penalty = Penalty(chosen.settings, num_steps=self._num_steps, lr=self._optim.lr)
        self._stepper = Stepper(
            self._model,
            self._methods,
            train=self._train,
            optim=self._optim,
            processes=self._processes,
            penalty=self._penalty,
            penalised=chosen.methods if chosen is not None else (),
        )
        self._stepper.open(examples)
        if self._optim.needs_curvature:
            self._curvature = Curvature(
                self._stepper, self._portions, optim=self._optim, processes=self._processes, seed=seed
            )
        set_seed(seed, device_specific=True)
        self._resume()

    def _resume(self) -> None:
        found = self._checkpoints.load()
        if found is None:
            return
        self._standing, tensors = found
        for stage in range(self._stage_of(self._standing.step - 1) + 1):
            self._begin_stage(stage)
        self._put_in(tensors.trained)
        self._optimizer.load_state_dict(tensors.optimizer)
        randomness.restore(tensors.random[self._processes.index])
        if self._penalty is not None:
            self._penalty.restore(self._standing.regularizer)
        if self._processes.is_first:
            self._losses = {
                name: torch.tensor(value, device=self._device) for name, value in self._standing.losses.items()
            }

    def run(self) -> TrainingResult:
        """Take the steps that are left."""
        with self._training_mode():
            self._journal.begin(self._standing.step, self._standing.num_tokens)
            try:
                for step in range(self._standing.step, self._num_steps):
                    if (stage := self._stage_of(step)) != self._stage:
                        self._begin_stage(stage)
                    self._take(step)
            finally:
                self._journal.close()
        standing = self._standing
        if standing.best_step is not None:
            self._put_in(self._checkpoints.load_best(standing.best_step))
        return TrainingResult(
            num_steps=standing.step,
            num_tokens=standing.num_tokens,
            num_target_tokens=standing.num_target_tokens,
            num_trainable=sum(parameter.numel() for parameter in self._trained.values()),
            cpu_s=standing.cpu_s,
            wall_s=standing.wall_s,
            gpu_s=0.0 if self._device.type == "cpu" else standing.wall_s * self._processes.count,
            best_step=standing.best_step,
            best_metric=standing.best_metric,
        )

    @contextmanager
    def _training_mode(self) -> Iterator[None]:
        """Dropout on; afterwards the model is in the mode of evaluation."""
        recomputing = layers_recomputed(self._model) if self._train.gradient_checkpointing else nullcontext()
        with recomputing:
            self._model.train()
            try:
                yield
            finally:
                self._model.zero_grad(set_to_none=True)
                self._model.eval()

    def _stage_of(self, step: int) -> int:
        return next(index for index, stage in enumerate(self._stages) if step < stage.first + stage.num_steps)

    def _begin_stage(self, index: int) -> None:
        """Make the optimizer of what the stage trains."""
        self._stage = index
        stage = self._stages[index].name
        for method in self._methods:
            method.begin_stage(self._model, stage)
        trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        if not trained:
            raise ConfigError(f"Nothing of the model is trained in the stage '{stage}'. Attach a method that trains.")
        if coarse := next((name for name, p in trained.items() if p.dtype == torch.float16), None):
            raise ConfigError(
                f"{coarse} would be trained in float16, where small gradients vanish. "
                "Set base.dtype = 'bfloat16' or 'float32'."
            )
        if index:
            fresh = trained.keys() - self._trained.keys()
            self._untrained |= {name: trained[name].detach().cpu().clone() for name in sorted(fresh)}
        self._trained |= trained
        self._parameters = list(trained.values())
        self._optimizer = build(self._optim, self._parameters, embedding_tables(self._model))

    def _take(self, step: int) -> None:
        """One optimizer step, and what follows it; `step` is counted from 0."""
        is_last = step + 1 == self._num_steps
        is_validated = self._validate is not None and ((step + 1) % self._validate.every == 0 or is_last)
        is_logged = step == 0 or (step + 1) % self._train.log_every == 0 or is_last or is_validated
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        portion = self._portions.portion(step, process=self._processes.index, num_processes=self._processes.count)
        made = self._stepper.accumulate(portion, by_language=is_logged)
        try:
            norm = self._stepper.update(self._optimizer, self._parameters, made, step=step, lr=self._lr(step))
        except FloatingPointError:
            has_checkpoints = (self._out / CHECKPOINTS).is_dir()
            raise not_finite(
                step + 1, portion, made, precision=self._train.precision, has_checkpoints=has_checkpoints
            ) from None
        if self._curvature is not None and self._curvature.is_due(step) and isinstance(self._optimizer, Sophia):
            self._curvature.refresh(self._optimizer, self._parameters, step)
        for name, value in made.terms.items():
            self._losses[name] = self._losses[name] + value if name in self._losses else value
        self._standing = self._standing.after(
            num_tokens=portion.num_tokens,
            num_target_tokens=portion.num_target_tokens,
            cpu_s=time.process_time() - cpu_s,
            wall_s=time.perf_counter() - wall_s,
        )
        row = self._row(step, made, float(norm)) if is_logged else None
        if row is not None and is_validated and self._validate is not None:
            row = row.model_copy(update={"validation": self._measure(self._validate)})
        self._journal.step(step + 1, row)
        if is_last or (self._train.save_every and (step + 1) % self._train.save_every == 0):
            self._save()

    def _lr(self, step: int) -> float:
        stage = self._stages[self._stage]
        return self._optim.lr * factor(self._optim, step - stage.first, stage.num_steps)

    def _row(self, step: int, made: Made, norm: float) -> MetricsRow:
        """A line about this step and those since the last line, over all processes."""
        now = self._standing
        losses = {name: value / now.num_logged_over for name, value in sum_terms(self._processes, self._losses).items()}
        self._losses = {}
        self._standing = now.model_copy(update={"num_logged_over": 0})
        return MetricsRow(
            step=now.step,
            stage=self._stages[self._stage].name,
            num_tokens=now.num_tokens,
            num_target_tokens=now.num_target_tokens,
            losses=losses,
            nll_by_language=nll_by_language(self._processes, made, self._languages),
            lr=self._lr(step),
            grad_norm=norm,
            tokens_per_s=self._journal.tokens_per_s(now.num_tokens),
            cpu_s=now.cpu_s,
            wall_s=now.wall_s,
            spectrum=spectrum_rows(self._penalty, self._stepper.factors),
            curvature=curvature_rows(self._optimizer, self._trained),
        )

    def _measure(self, validate: Validation) -> dict[str, float]:
        """Validate, keep the step if it is the best so far, and leave no other trace."""
        step, begun = self._standing.step, time.perf_counter()
        found: dict[str, float] = {}
        if self._processes.is_first:
            with as_it_was(self._model):
                self._model.eval()
                found = dict(validate.measure(self._model, step))
        found = self._processes.from_first(found)
        metric = found.get(validate.metric)
        if metric is None:
            raise ConfigError(
                f"Validation gave no '{validate.metric}', which decides about the best step; "
                f"it gave {', '.join(found) or 'nothing'}."
            )
        if self._standing.best_metric is None or metric > self._standing.best_metric:
            if self._processes.is_first:
                self._checkpoints.save_best(step, self._take_out())
            self._standing = self._standing.model_copy(update={"best_step": step, "best_metric": metric})
        self._journal.pause(time.perf_counter() - begun)
        return found

    def _save(self) -> None:
        """Write a checkpoint."""
        begun = time.perf_counter()
        states = self._processes.gather(randomness.capture())
        losses = sum_terms(self._processes, self._losses)
        if self._processes.is_first:
            standing = self._standing.model_copy(
                update={"losses": losses, "regularizer": self._penalty.state if self._penalty else {}}
            )
            self._checkpoints.save(standing, Tensors(self._take_out(), self._optimizer.state_dict(), states))
        self._processes.wait()
        self._journal.pause(time.perf_counter() - begun)

    def _take_out(self) -> dict[str, Tensor]:
        """The state that training changes, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self._kept().items()}

    def _put_in(self, tensors: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, tensor in self._kept().items():
                tensor.copy_(tensors[name] if name in tensors else self._untrained[name])

    def _kept(self) -> dict[str, Tensor]:
        """What was trained so far by its name, and the buffers that the model is saved with."""
        buffers = {
            f"{place}.{name}".lstrip("."): buffer
            for place, module in self._model.named_modules()
            for name, buffer in module.named_buffers(recurse=False)
            if name not in module._non_persistent_buffers_set
        }
        return self._trained | buffers
