from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.train.settings import Train


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either steps or epochs"),
        ({"steps": 1, "epochs": 1.5}, "steps = 1 and epochs = 1.5 both say how long to train; take one of them out"),
        ({"steps": 10**12}, "steps: Input should be less than"),
        ({"epochs": 1e300}, "epochs: Input should be less than"),
        ({"steps": 10**7, "batch_size": 1000}, "draw more than 100,000,000 examples; give fewer"),
        ({"steps": 1, "batch_size": 10**30}, "batch_size: Input should be less than"),
        ({"steps": 1, "max_length": 10**30}, "max_length: Input should be less than"),
        ({"steps": 1, "trackers": ["wandb", "wandb"]}, "wandb stands there more than once"),
        ({"steps": 1, "trackers": ["comet"]}, "trackers.0: Input should be"),
        ({"steps": 1, "precision": "float16"}, "precision: Input should be"),
        ({"steps": 1, "batchsize": 4}, "unknown key; did you mean 'batch_size'"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Train, settings, source="run.toml")


def test_epochs_that_draw_more_examples_than_memory_holds_are_refused_when_their_number_is_known() -> None:
    train = Train(epochs=1e6, batch_size=3)
    assert (train.num_draws(10), train.num_steps(10)) == (10**7, 3_333_334)
    with pytest.raises(ConfigError, match=r"train.epochs = 1e\+06 of 101 examples draw more than 100,000,000"):
        train.num_draws(101)
