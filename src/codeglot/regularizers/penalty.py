"""A regularizer over a training: how strong it is at each step, its gradient, its decay, and what is logged of it."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from codeglot.errors import ConfigError
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral
from codeglot.regularizers.spectral import decay, measure, penalty

TERM = "spectral"
"""Name of its term of the loss."""
_MEASURED_STEPS = 20
"""Steps over which `auto_ratio` compares gradients."""

log = logging.getLogger(__name__)


class Shares(NamedTuple):
    """Where the energy of one tensor lies."""

    energy: float
    """Sum of squares."""
    low: float
    """The part of it below the threshold, 0 to 1; 0 where there is no energy."""
    noise_low: float
    """The same part of white noise: what is low is low only above it."""


class Penalty:
    """The regularizer of one training.

    Its gradient joins that of the task once per optimizer step, after accumulation and the sum over processes, and
    before clipping; every process computes the same.

    Args:
        settings: `[regularizer]`, or what a method brings along.
        num_steps: Optimizer steps of the training.
        lr: Largest rate of the training.

    Raises:
        ConfigError: If the decay of one step would take a frequency beyond 0.
    """

    def __init__(self, settings: Spectral, *, num_steps: int, lr: float) -> None:
        try:
            settings.check_rate(lr)
        except ValueError as error:
            raise ConfigError(f"[regularizer]: {error}.") from None
        self._settings = settings
        self._num_warmup = math.ceil(settings.warmup_share * num_steps)
        self._task_sum, self._own_sum, self._num_measured = 0.0, 0.0, 0
        if settings.mode == "as_released":
            log.warning(
                "The regularizer's mode 'as_released' has no gradient: what is trained is the method without it. "
                "It is there to audit FLeX's published code."
            )

    @property
    def state(self) -> dict[str, float]:
        """What a training that goes on needs."""
        return {"task_sum": self._task_sum, "own_sum": self._own_sum, "num_measured": self._num_measured}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        self._task_sum, self._own_sum = state["task_sum"], state["own_sum"]
        self._num_measured = int(state["num_measured"])

    def add_gradient(
        self, factors: Sequence[LowRank], parameters: Sequence[nn.Parameter], step: int
    ) -> dict[str, Tensor]:
        """Add the gradient of the penalty to that of the task.

        Args:
            factors: What is penalised.
            parameters: What is trained; they hold the task's gradient, over all processes.
            step: Counted from 0.

        Returns:
            The value of the term of the loss, by name; nothing where the penalty is none.

        Raises:
            ConfigError: If nothing that is penalised is trained.
        """
        settings = self._settings
        if settings.mode == "decoupled" or step % settings.every:
            return {}
        if settings.mode == "as_released":
            with torch.no_grad():
                return {TERM: penalty(settings, factors) * self._strength(step)}
        value = penalty(settings, factors)
        if not value.requires_grad:
            raise ConfigError(
                "[regularizer] has no gradient: none of the low-rank factors is trained. Train them, or leave it out."
            )
        gradients = torch.autograd.grad(value, parameters, allow_unused=True)
        mine = [(p, gradient) for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None]
        if settings.auto_ratio is not None:
            self._compare(factors, mine)
        strength = self._strength(step)
        _add(mine, strength)
        return {TERM: value.detach() * strength}

    def _strength(self, step: int) -> float:
        """Lambda of a step."""
        rise = min(1.0, (step + 1) / self._num_warmup) if self._num_warmup else 1.0
        full = self._settings.full_strength
        if self._settings.auto_ratio is not None:
            # Not a mean of ratios: the penalty of a product is nearly flat at first, and would decide all of it.
            full = self._settings.auto_ratio * self._task_sum / self._own_sum if self._own_sum else 0.0
        return full * rise * self._settings.every

    def _compare(self, factors: Sequence[LowRank], gradients: Sequence[tuple[nn.Parameter, Tensor]]) -> None:
        """Add the norms of both gradients to their sums, while these are still made."""
        if self._num_measured == _MEASURED_STEPS or not any(bool(factor.b_OR.any()) for factor in factors):
            return
        task = float(get_total_norm([p.grad for p, _ in gradients if p.grad is not None]))
        own = float(get_total_norm([gradient for _, gradient in gradients]))
        if own > 0 and math.isfinite(task):
            self._task_sum += task
            self._own_sum += own
            self._num_measured += 1

    def decay(self, factors: Sequence[LowRank], lr_by_parameter: Mapping[nn.Parameter, float], step: int) -> None:
        """After the optimizer's step: let each frequency of the factors shrink, where the mode is `decoupled`.

        Raises:
            ConfigError: If a factor is not what is trained itself.
        """
        if self._settings.mode != "decoupled" or step % self._settings.every:
            return
        strength = self._strength(step)
        rates: dict[Tensor, float] = {parameter: lr * strength for parameter, lr in lr_by_parameter.items()}
        tensors = [tensor for factor in factors for tensor in (factor.a_RI, factor.b_OR) if tensor.requires_grad]
        if any(tensor not in rates for tensor in tensors):
            raise ConfigError(
                "[regularizer] mode = 'decoupled' decays factors that are trained themselves, and some are computed "
                "from others. Set mode = 'loss'."
            )
        decay(self._settings, factors, rates)

    def shares(self, factors: Sequence[LowRank]) -> dict[str, Shares]:
        """Where the energy of each tensor lies, beside white noise."""
        return {
            name: Shares(energy, low / energy if energy > 0 else 0.0, group.noise_low)
            for group in measure(self._settings, factors)
            for name, energy, low in zip(group.names, group.energies_G.tolist(), group.low_G.tolist(), strict=True)
        }


def _add(pairs: Sequence[tuple[nn.Parameter, Tensor]], strength: float) -> None:
    """Add gradients times a number to those that are there."""
    with torch.no_grad():
        for parameter, gradient in pairs:
            if parameter.grad is None:
                parameter.grad = gradient * strength
            else:
                parameter.grad.add_(gradient, alpha=strength)
