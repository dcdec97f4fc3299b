"""The learning rate over a training, as a part of its largest value."""

import math

from codeglot.errors import ConfigError
from codeglot.optim.settings import Optim


def check_warmup(settings: Optim, num_steps: int) -> None:
    """Refuse a warm-up that the training would end in.

    Raises:
        ConfigError: If `warmup_steps` are more than `num_steps`.
    """
    if settings.warmup_steps is not None and settings.warmup_steps > num_steps:
        raise ConfigError(
            f"optim.warmup_steps = {settings.warmup_steps}, but the training has {num_steps} step(s), so the rate "
            "would never reach optim.lr. Warm up for fewer steps, give optim.warmup_share instead, or train longer."
        )


def num_warmup_steps(settings: Optim, num_steps: int) -> int:
    """Steps of the warm-up, at most all of them."""
    if settings.warmup_steps is not None:
        return min(settings.warmup_steps, num_steps)
    return min(math.ceil(settings.warmup_share * num_steps), num_steps)


def factor(settings: Optim, step: int, num_steps: int) -> float:
    """Part of `lr` that a step is taken with.

    The warm-up rises in equal parts and its last step has the full rate; the last step of all has `min_lr_share`.
    A constant schedule keeps the full rate.

    Args:
        settings: Warm-up, schedule and its end.
        step: 0 for the first step.
        num_steps: Steps of the whole schedule, above `step`.

    Returns:
        A number from 0 to 1, never 0 in the warm-up.
    """
    warmup = num_warmup_steps(settings, num_steps)
    if step < warmup:
        return (step + 1) / warmup
    if settings.schedule == "constant":
        return 1.0
    # A warm-up has had the full rate in its last step, so the way down begins one step further.
    first = max(warmup - 1, 0)
    way = (step - first) / max(num_steps - 1 - first, 1)
    height = 1 - way if settings.schedule == "linear" else (1 + math.cos(math.pi * way)) / 2
    return settings.min_lr_share + (1 - settings.min_lr_share) * height
