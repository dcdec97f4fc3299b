"""Evaluation mode for a while, also in the middle of a training."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """Put every module back into its own mode, training or evaluation, whatever happens inside."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, is_training in modes:
            module.training = is_training


@contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """The whole model in evaluation mode; afterwards every module is in its own again."""
    with modes_kept(model):
        model.eval()
        yield
