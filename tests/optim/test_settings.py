from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.optim.settings import Optim


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "lr: Field required"),
        ({"lr": 0}, "lr: Input should be greater than 0"),
        ({"lr": 1, "name": "adam"}, "Unknown optimizer 'adam'. Did you mean 'adamw'"),
        ({"lr": 1, "betas": [0.9, 1.0]}, r"betas: \[0.9, 1.0\] must lie in \[0, 1\)"),
        ({"lr": 1, "warmup_steps": 5, "warmup_share": 0.1}, "warmup_steps and warmup_share say the same thing"),
        ({"lr": 1, "schedule": "cosin"}, "schedule: Input should be"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Optim, settings, source="run.toml")
