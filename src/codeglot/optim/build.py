"""Settings and parameters -> an optimizer of torch."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from torch import nn
from torch.optim import Optimizer

from codeglot.optim.registry import OPTIMIZERS
from codeglot.optim.settings import Optim


def build(settings: Optim, parameters: Iterable[nn.Parameter], tables: Iterable[nn.Parameter] = ()) -> Optimizer:
    """The optimizer that `settings` name, over `parameters`.

    Matrices decay by `weight_decay`; vectors and scalars (biases, norms, gates) do not.

    Args:
        settings: Which optimizer, and its numbers.
        parameters: What it changes; their order is that of the optimizer's state.
        tables: Those whose rows stand for tokens or positions, which some optimizers treat apart.
    """
    parameters = list(parameters)
    apart = {id(table) for table in tables}
    matrices = [p for p in parameters if p.ndim >= 2]
    decay = settings.weight_decay
    hidden = [{"params": [p for p in matrices if id(p) not in apart], "weight_decay": decay}]
    others = [
        {"params": [p for p in matrices if id(p) in apart], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    module = import_module(f"codeglot.optim.{OPTIMIZERS[settings.name]}")
    groups = ([group for group in some if group["params"]] for some in (hidden, others))
    optimizer: Optimizer = module.build(*groups, settings)
    return optimizer


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Take the next steps with this rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def lr_by_parameter(optimizer: Optimizer) -> Mapping[nn.Parameter, float]:
    """Rate with which each parameter is changed."""
    groups: list[dict[str, Any]] = optimizer.param_groups
    return {parameter: float(group["lr"]) for group in groups for parameter in group["params"]}
