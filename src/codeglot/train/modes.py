"""Leaving a model, and everything random, as it was found."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from codeglot.errors import ConfigError
from codeglot.models.modes import modes_kept
from codeglot.train import randomness


@contextmanager
def as_it_was(model: nn.Module) -> Iterator[None]:
    """Whatever happens inside to modes, `requires_grad`, the cache setting and random generators is undone.

    Parameters and their gradients are not copied; changing them is not undone.
    """
    requires_grad = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    config: Any = getattr(model, "config", None)
    use_cache = getattr(config, "use_cache", None)
    generation_config = getattr(model, "generation_config", None)
    try:
        with modes_kept(model), randomness.untouched(), torch.set_grad_enabled(torch.is_grad_enabled()):
            yield
    finally:
        for parameter, value in requires_grad:
            parameter.requires_grad_(value)
        if use_cache is not None:
            config.use_cache = use_cache
        if generation_config is not None:
            model.generation_config = generation_config


@contextmanager
def layers_recomputed(model: nn.Module) -> Iterator[None]:
    """Keep only what enters each layer, and compute the rest again on the way back.

    Raises:
        ConfigError: If the model cannot.
    """
    # The name that newer releases of transformers have, and the one that all have.
    name = "activation" if hasattr(model, "activation_checkpointing_enable") else "gradient"
    enable: Any = getattr(model, f"{name}_checkpointing_enable", None)
    disable: Any = getattr(model, f"{name}_checkpointing_disable", None)
    if enable is None or not getattr(model, "supports_gradient_checkpointing", True):
        raise ConfigError(
            f"train.gradient_checkpointing = true, but {type(model).__name__} does not support it. Set it to false, "
            "and train.micro_batch_size lower to save memory."
        )
    # The reentrant kind needs inputs with a gradient, which a frozen embedding does not give.
    enable(**{f"{name}_checkpointing_kwargs": {"use_reentrant": False}})
    try:
        yield
    finally:
        disable()
