"""One optimizer step: forward and backward passes over its micro-batches, then the change of the weights."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from codeglot.data.batch import Batch, EncodedExample
from codeglot.errors import ConfigError, DivergedError
from codeglot.methods.base import Method
from codeglot.optim.build import lr_by_parameter, set_lr
from codeglot.optim.settings import Optim
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.penalty import TERM, Penalty
from codeglot.train.loss import Loss, Reader, language_model_loss
from codeglot.train.portions import MicroBatch, Portion, place
from codeglot.train.probe import probe
from codeglot.train.processes import Processes
from codeglot.train.settings import Train

NLL = "nll"
"""Name of the language model's term of the loss."""
_SHOWN = 8
"""Sources named in one error."""


class Made(NamedTuple):
    """What the backward passes of one process left behind, besides the gradients."""

    terms: dict[str, Tensor]
    """This process's part of each term of the loss, without gradient."""
    nll_by_language: dict[int, tuple[Tensor, int]]
    """For each language id its sum and number of targets; empty if not asked."""
    parts: list[Tensor]
    """The part of each micro-batch in the loss, without gradient."""


class Stepper:
    """Makes gradients and steps; knows the hooks of methods, and nothing of the run folder.

    Args:
        model: With the methods attached, on the device.
        methods: In the order of their attachment.
        train: Precision and packing.
        optim: Clipping.
        processes: Those that share the work.
        penalty: A regularizer of low-rank factors, if there is one.
        penalised: The methods whose factors those are.
    """

    def __init__(  # noqa: PLR0913 - everything that takes part in a step, each by its name
        self,
        model: nn.Module,
        methods: Sequence[Method],
        *,
        train: Train,
        optim: Optim,
        processes: Processes,
        penalty: Penalty | None = None,
        penalised: Sequence[Method] = (),
    ) -> None:
        self.model = model
        self.methods = methods
        self.reader: Reader
        """Decoder and head, from `open` on."""
        self._train = train
        self._max_grad_norm = optim.max_grad_norm
        self._processes = processes
        self._device = processes.device(model)
        self._penalty = penalty
        self._penalised = penalised

    def open(self, examples: Sequence[EncodedExample]) -> None:
        """Take the model apart, and try it on the first examples.

        Raises:
            ConfigError: If the model cannot be trained as the settings want it.
        """
        self.reader = probe(self.model, examples, packing=self._train.packing, device=self._device, around=self._routes)

    def accumulate(self, portion: Portion, *, by_language: bool) -> Made:
        """Add the gradients of a step's loss to the parameters, up to the sum over processes.

        Args:
            portion: This process's part of the step.
            by_language: Whether to give the loss of each language too.
        """
        made = Made({}, {}, [])
        for micro_batch, batch in self.batches(portion):
            self._pass(batch, micro_batch, portion, made, by_language=by_language)
        if self._processes.is_first:  # once over all processes, whose gradients are added up
            self._add(self._step_losses(), made)
        return made

    def batches(self, portion: Portion, *, drops: bool = True) -> Iterator[tuple[MicroBatch, Batch]]:
        """What the model is given, one forward pass at a time; its routes are open while it is worked on.

        Args:
            portion: This process's part of the step.
            drops: Whether methods drop of a batch what they drop at random.
        """
        for micro_batch in portion.micro_batches:
            batch = place(micro_batch.batch, self._device)
            for method in self.methods:
                batch = method.prepare(batch, drops=drops)
            # Layers that are computed again on the way back must find the same routes.
            with self._routes(batch):
                yield micro_batch, batch

    def forget_forward_losses(self) -> None:
        """Clear what methods left behind in a forward pass that is not part of the training."""
        for method in self.methods:
            method.forward_loss(self.model)

    @property
    def factors(self) -> list[LowRank]:
        """The low-rank factors that are penalised: those of which something is trained."""
        found = (factor for method in self._penalised for factor in method.factors(self.model))
        return [factor for factor in found if factor.a_RI.requires_grad or factor.b_OR.requires_grad]

    def _pass(self, batch: Batch, micro_batch: MicroBatch, portion: Portion, made: Made, *, by_language: bool) -> None:
        """Forward and backward pass of one micro-batch."""
        with self.autocast():
            loss = self._loss(batch, by_language=by_language)
            terms = {NLL: loss.total / portion.num_target_tokens}
            weight = micro_batch.num_tokens / portion.num_tokens
            for method in self.methods:
                for name, term in method.forward_loss(self.model).items():
                    terms[name] = term * weight
        made.parts.append(self._add(terms, made))
        for language, (part, count) in loss.by_language.items():
            before, num_before = made.nll_by_language.get(language, (0.0, 0))
            made.nll_by_language[language] = (part + before, count + num_before)

    def _add(self, terms: Mapping[str, Tensor], made: Made) -> Tensor:
        """Backward pass of the sum of some terms, and their values into the books; returns that sum's value."""
        if not terms:
            return torch.zeros((), device=self._device)
        total = torch.stack([term.float() for term in terms.values()]).sum()
        if total.requires_grad:  # a regularizer may have nothing to say about what this stage trains
            total.backward()
        for name, term in terms.items():
            value = term.detach().float()
            made.terms[name] = made.terms[name] + value if name in made.terms else value
        return total.detach()

    def _loss(self, batch: Batch, *, by_language: bool) -> Loss:
        """A method's own loss, else the language model's."""
        own = [loss for method in self.methods if (loss := method.loss(self.model, batch)) is not None]
        if len(own) > 1:
            raise ConfigError("Two methods of this run bring a loss of their own; only one can. Train them apart.")
        return Loss(own[0], {}) if own else language_model_loss(self.reader, batch, by_language=by_language)

    def _step_losses(self) -> dict[str, Tensor]:
        return {name: term for method in self.methods for name, term in method.step_loss(self.model).items()}

    def update(
        self, optimizer: Optimizer, parameters: Sequence[nn.Parameter], made: Made, *, step: int, lr: float
    ) -> Tensor:
        """Change the weights and forget the gradients; returns the gradient's norm before clipping.

        Raises:
            FloatingPointError: If the loss or its gradient is not finite; then no weight has changed.
        """
        self._processes.add_up_gradients(parameters)
        factors = self.factors
        if self._penalty is not None:
            for name, value in self._penalty.add_gradient(factors, parameters, step).items():
                # Every process has added the same gradient, and the books add up over processes.
                made.terms[name] = value if self._processes.is_first else torch.zeros_like(value)
        for method in self.methods:
            method.before_step(self.model)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = get_total_norm(gradients)
        # The one time in a step that the processor waits for the accelerator.
        if not math.isfinite(float(norm + sum(made.terms.values()))):
            raise FloatingPointError
        if self._max_grad_norm is not None:
            clip_grads_with_norm_(parameters, self._max_grad_norm, norm)
        set_lr(optimizer, lr)
        optimizer.step()
        if any(type(method).after_step is not Method.after_step for method in self.methods):
            rates = lr_by_parameter(optimizer)
            for method in self.methods:
                method.after_step(self.model, rates)
        if self._penalty is not None:
            self._penalty.decay(factors, lr_by_parameter(optimizer), step)
        optimizer.zero_grad(set_to_none=True)
        return norm

    def autocast(self) -> AbstractContextManager[Any]:
        """The number format of forward passes."""
        if self._train.precision == "float32":
            return nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16)

    def _routes(self, batch: Batch) -> AbstractContextManager[Any]:
        """The routes of all methods that need one."""
        routed = [method for method in self.methods if method.routes_by_language]
        if not routed:
            return nullcontext()
        stack = ExitStack()
        for method in routed:
            stack.enter_context(method.route(batch.language_ids))
        return stack


def not_finite(step: int, portion: Portion, made: Made, *, precision: str, has_checkpoints: bool) -> DivergedError:
    """What to say when the loss of a step is no number.

    Args:
        step: Counted from 1.
        portion: Where its rows come from.
        made: Which of its micro-batches were not finite.
        precision: `train.precision`.
        has_checkpoints: Whether states of earlier steps are kept.
    """
    pairs = zip(portion.micro_batches, made.parts, strict=True)
    bad = [micro_batch for micro_batch, part in pairs if not math.isfinite(float(part))]
    sources = [source for micro_batch in bad or portion.micro_batches for source in micro_batch.sources]
    more = f" and {len(sources) - _SHOWN} more" if len(sources) > _SHOWN else ""
    terms = [name for name, value in made.terms.items() if not math.isfinite(float(value))]
    what = f"loss ({', '.join(terms)})" if terms else "gradient"
    kept = "; checkpoints of earlier steps are kept" if has_checkpoints else ""
    exact = "" if precision == "float32" else ", or set train.precision = 'float32'"
    penalty = ", the regularizer's strength" if TERM in made.terms else ""
    return DivergedError(
        f"The {what} of step {step} is not a finite number, with these examples: "
        f"{', '.join(sources[:_SHOWN])}{more}. No weight was changed by it{kept}. Lower optim.lr{penalty} or lengthen "
        f"the warm-up{exact}, and train into another folder."
    )
