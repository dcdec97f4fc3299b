"""What our own optimizers share: parameters that have a gradient, and running means in float32."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codeglot.errors import ConfigError


class MeanOptimizer(Optimizer):
    """An optimizer with running means of what it is given, kept in float32 whatever the parameters are in.

    Args:
        params: Parameters, or groups with `weight_decay`.
        lr: Learning rate.
        maximize: Whether to go up the gradient.

    Raises:
        ConfigError: If a parameter is float16, in which small numbers vanish.
    """

    def __init__(self, params: Iterable[Any], *, lr: float, maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": 0.0, "maximize": maximize})
        if any(p.dtype == torch.float16 for group in self.param_groups for p in group["params"]):
            raise ConfigError(
                "A parameter is float16, in which small numbers vanish: the square of a gradient of 1e-4, and "
                "its curvature, is 0. Set base.dtype = 'bfloat16' or 'float32'."
            )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the weights.

        Args:
            closure: Computes loss and gradients anew, where given.

        Returns:
            What the closure gave.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                gradients = [p.grad.float() for p in parameters]
                self._take(group, parameters, torch._foreach_neg(gradients) if group["maximize"] else gradients)
        return loss

    @abstractmethod
    def _take(self, group: dict[str, Any], parameters: list[nn.Parameter], gradients: Sequence[Tensor]) -> None:
        """One step of a group; gradients are float32."""

    def means(self, parameters: Iterable[nn.Parameter], name: str) -> list[Tensor]:
        """A running mean of each parameter, 0 where there is none yet."""
        for p in parameters:
            if name not in self.state[p]:
                self.state[p][name] = torch.zeros_like(p, dtype=torch.float32, memory_format=torch.preserve_format)
        return [self.state[p][name] for p in parameters]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state that `state_dict` gave; means stay float32, where torch would cast them."""
        super().load_state_dict(state_dict)
        own = [p for group in self.param_groups for p in group["params"]]
        saved = [number for group in state_dict["param_groups"] for number in group["params"]]
        for p, number in zip(own, saved, strict=True):
            for key, value in state_dict["state"].get(number, {}).items():
                if isinstance(value, Tensor):
                    self.state[p][key] = value.to(p.device, copy=True)


def shrink(parameters: list[nn.Parameter], lr: float, weight_decay: float) -> None:
    """Decoupled weight decay, in place."""
    if weight_decay:
        torch._foreach_mul_([*parameters], 1 - lr * weight_decay)


def move(parameters: list[nn.Parameter], steps: Sequence[Tensor], lr: float) -> None:
    """Go against the steps, in place; both may have formats of their own."""
    if all(p.dtype == step.dtype for p, step in zip(parameters, steps, strict=True)):
        torch._foreach_add_([*parameters], list(steps), alpha=-lr)
        return
    for p, step in zip(parameters, steps, strict=True):
        p.add_(step.to(p.dtype), alpha=-lr)
