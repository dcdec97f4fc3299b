from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.train.settings import Train


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either steps or epochs"),
        ({"steps": 1, "epochs": 1.0}, "give either steps or epochs"),
        ({"steps": 1, "trackers": ["wandb", "wandb"]}, "wandb stands there more than once"),
        ({"steps": 1, "trackers": ["comet"]}, "trackers.0: Input should be"),
        ({"steps": 1, "precision": "float16"}, "precision: Input should be"),
        ({"steps": 1, "batchsize": 4}, "unknown key; did you mean 'batch_size'"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Train, settings, source="run.toml")
