"""Estimates of the Hessian's diagonal for Sophia, from the language model's loss alone.

`sophia_g`, Gauss-Newton-Bartlett: labels drawn from the model itself at every position that is trained on; with B such
positions, B times the square of the gradient of their mean loss. The gradient is averaged over forward passes and
processes first, then squared. Never negative.

`sophia_h`, Hutchinson: u times (Hessian u) for a random u, with a second derivative; may be negative.

Both are made from examples of the step before; the authors' code draws fresh ones.

Whatever else is in the loss of a step (a regularizer, a balance loss) is in none of them. What is drawn follows from
the seed, the step and the place of an example in it, so it is the same however a step is cut into forward passes and
spread over processes, and a training that goes on draws what it would have drawn.

Source: Liu et al. 2024, arXiv:2305.14342, algorithms 1 and 2.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import clip_grad_norm_

from codeglot.errors import ConfigError, DivergedError
from codeglot.methods.base import Method
from codeglot.models.modes import modes_kept
from codeglot.optim.settings import Optim, Sophia
from codeglot.optim.sophia import Sophia as SophiaOptimizer
from codeglot.train import randomness
from codeglot.train.loss import language_model_loss, sampled_loss
from codeglot.train.portions import MicroBatch, Portion, Portions
from codeglot.train.processes import Processes
from codeglot.train.step import Stepper

_DRAWS, _VECTORS = 1, 2
"""What a seed is for."""


def refuse_float16(model: nn.Module, optim: Optim) -> None:
    """Stop where estimates would be made from gradients in which small numbers vanish.

    Raises:
        ConfigError: If curvature is needed and a parameter, trained or not, is float16.
    """
    if optim.needs_curvature and any(parameter.dtype == torch.float16 for parameter in model.parameters()):
        raise ConfigError(
            f"optim.name = '{optim.name}' squares gradients, and the base is in float16, in which small ones vanish. "
            "Set base.dtype = 'bfloat16' or 'float32'."
        )


class Curvature:
    """Refreshes the curvature of one training.

    Args:
        stepper: Makes forward passes.
        portions: The steps.
        optim: `sophia_g` or `sophia_h`.
        processes: Those that share the work.
        seed: Of the training.

    Raises:
        ConfigError: If a method brings a loss of its own, of which there is no such estimate.
    """

    def __init__(self, stepper: Stepper, portions: Portions, *, optim: Optim, processes: Processes, seed: int) -> None:
        if own := next((m.method for m in stepper.methods if type(m).loss is not Method.loss), None):
            raise ConfigError(
                f"optim.name = '{optim.name}' estimates the curvature of the language model's loss, and the method "
                f"'{own}' brings another. Set optim.name = 'adamw'."
            )
        self._stepper = stepper
        self._portions = portions
        self._processes = processes
        self._seed = seed
        self._is_gauss_newton = optim.name == "sophia_g"
        self._settings = optim.sophia or Sophia()

    def is_due(self, step: int) -> bool:
        """Whether an estimate follows a step, counted from 0: after 1, 1 + k, ...; in the official form k, 2k, ..."""
        offset = 1 if self._settings.form == "official" else 0
        return (step + offset) % self._settings.every == 0

    def refresh(self, optimizer: SophiaOptimizer, parameters: Sequence[nn.Parameter], step: int) -> None:
        """Make an estimate from examples of a step, and give it to the optimizer; no gradient stays.

        Raises:
            DivergedError: If it is not finite; the optimizer keeps what it had.
        """
        portion = self._portions.portion(
            step,
            process=self._processes.index,
            num_processes=self._processes.count,
            share=self._settings.rows_share,
        )
        with self._modes(), randomness.untouched():
            estimate = self._gauss_newton if self._is_gauss_newton else self._hutchinson
            estimates = estimate(portion, parameters, step)
        if not all(bool(value.isfinite().all()) for value in estimates if value is not None):
            raise DivergedError(
                f"The curvature after step {step + 1} is not finite, so no further step can be taken by it; "
                "checkpoints of earlier steps are kept, if there are any. Lower optim.lr, or take another "
                "train.precision or optim.name (sophia_g has no second derivative), and train into another folder."
            )
        optimizer.refresh(
            {p: value for p, value in zip(parameters, estimates, strict=True) if value is not None},
            portion.num_target_tokens if self._is_gauss_newton else 1,
        )

    @contextmanager
    def _modes(self) -> Iterator[None]:
        """No dropout unless asked for; layers that are computed twice to save memory still are.

        Those of a few architectures (OPT) then drop entries themselves, which this does not reach.
        """
        model = self._stepper.model
        with modes_kept(model):
            for module in model.modules():
                module.training = self._settings.dropout or bool(getattr(module, "gradient_checkpointing", False))
            yield

    def _gauss_newton(self, portion: Portion, parameters: Sequence[nn.Parameter], step: int) -> list[Tensor | None]:
        for micro_batch, batch in self._stepper.batches(portion, drops=False):
            draws_N = self._draws(micro_batch, step).to(batch.labels.device)
            with self._stepper.autocast():
                loss = sampled_loss(self._stepper.reader, batch, draws_N) / portion.num_target_tokens
            self._stepper.forget_forward_losses()
            loss.backward()
        self._processes.add_up_gradients(parameters)
        if self._settings.clips_at is not None:
            clip_grad_norm_(parameters, self._settings.clips_at)
        return self._taken(parameters, lambda gradient: gradient.square() * portion.num_target_tokens)

    def _draws(self, micro_batch: MicroBatch, step: int) -> Tensor:
        """A number from [0, 1) for each target, row by row."""
        pairs = zip(micro_batch.places, micro_batch.num_targets, strict=True)
        parts = [
            np.random.default_rng([_DRAWS, self._seed, step, place]).random(count, np.float32) for place, count in pairs
        ]
        return torch.from_numpy(np.concatenate(parts))

    def _hutchinson(self, portion: Portion, parameters: Sequence[nn.Parameter], step: int) -> list[Tensor | None]:
        vectors = self._vectors(parameters, step)
        # Fused attention has no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            for _, batch in self._stepper.batches(portion, drops=False):
                with self._stepper.autocast():
                    loss = language_model_loss(self._stepper.reader, batch, twice_differentiable=True).total
                self._stepper.forget_forward_losses()
                self._add_product(loss / portion.num_target_tokens, parameters, vectors)
        self._processes.add_up_gradients(parameters)
        products = self._taken(parameters, lambda product: product)
        return [None if h is None else u * h for u, h in zip(vectors, products, strict=True)]

    def _add_product(self, loss: Tensor, parameters: Sequence[nn.Parameter], vectors: Sequence[Tensor]) -> None:
        """Add the Hessian times the vectors to the places of the gradients."""
        gradients = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
        dots = [(g.float() * u).sum() for g, u in zip(gradients, vectors, strict=True) if g is not None]
        bent = [dot for dot in dots if dot.requires_grad]
        products = torch.autograd.grad(torch.stack(bent).sum(), parameters, allow_unused=True) if bent else None
        for p, product in zip(parameters, products or [None] * len(parameters), strict=True):
            if product is not None:
                p.grad = product.detach() if p.grad is None else p.grad + product.detach()

    def _vectors(self, parameters: Sequence[nn.Parameter], step: int) -> list[Tensor]:
        """The same on every process, whatever its accelerator draws: they are drawn on the CPU."""
        generator = torch.Generator()
        seeds = np.random.SeedSequence([_VECTORS, self._seed, step]).generate_state(2, np.uint32)
        generator.manual_seed(int(seeds[0]) << 31 | int(seeds[1]) >> 1)
        drawn = [torch.randn(p.shape, generator=generator) for p in parameters]
        if self._settings.probe == "rademacher":
            drawn = [torch.where(vector < 0, -1.0, 1.0) for vector in drawn]
        return [vector.to(p.device) for vector, p in zip(drawn, parameters, strict=True)]

    @staticmethod
    def _taken(parameters: Sequence[nn.Parameter], change: Callable[[Tensor], Tensor]) -> list[Tensor | None]:
        """What lies in the places of the gradients, in float32; they are empty afterwards."""
        found = [None if p.grad is None else change(p.grad.float()) for p in parameters]
        for p in parameters:
            p.grad = None
        return found
