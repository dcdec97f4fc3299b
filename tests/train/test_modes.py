import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from codeglot.errors import ConfigError
from codeglot.train.modes import as_it_was, layers_recomputed
from codeglot.train.randomness import capture, restore, seeded, untouched
from tests.tiny_model import random_llama


def draw() -> Any:
    return (random.random(), random.gauss(0, 1), float(np.random.normal()), float(torch.rand(())))


def test_what_is_drawn_inside_is_drawn_again_outside() -> None:
    random.seed(1)
    random.gauss(0, 1)  # leaves half a pair behind
    with untouched():
        expected = draw()
    assert draw() == expected


def test_a_state_survives_the_format_of_checkpoints(tmp_path: Path) -> None:
    torch.save(capture(), tmp_path / "state.pt")
    expected = draw()

    restore(torch.load(tmp_path / "state.pt", weights_only=True))

    assert draw() == expected


def test_a_seed_decides_what_is_drawn_inside_alone() -> None:
    state = capture()
    outside = draw()
    restore(state)
    with seeded(3):
        first = draw()
    assert draw() == outside
    with seeded(3):
        assert draw() == first


def test_modes_and_settings_come_back_after_an_error_too() -> None:
    model = random_llama(32).eval()
    model.model.layers[0].train()
    model.lm_head.weight.requires_grad_(requires_grad=False)
    before = [(m.training) for m in model.modules()], [p.requires_grad for p in model.parameters()]
    generation_config = model.generation_config

    def change() -> None:
        with as_it_was(model):
            model.train().requires_grad_(requires_grad=True)
            model.config.use_cache = False
            model.generation_config = None
            raise KeyError

    with pytest.raises(KeyError):
        change()

    assert ([m.training for m in model.modules()], [p.requires_grad for p in model.parameters()]) == before
    assert model.config.use_cache
    assert model.generation_config is generation_config


class Older(nn.Module):
    """Names its switches as all releases of transformers do."""

    supports_gradient_checkpointing = True
    settings: object = None

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: Any) -> None:
        self.settings = gradient_checkpointing_kwargs

    def gradient_checkpointing_disable(self) -> None:
        self.settings = None


def test_layers_are_recomputed_by_the_older_name_too() -> None:
    model = Older()
    with layers_recomputed(model):
        assert model.settings == {"use_reentrant": False}
    assert model.settings is None


def test_a_model_that_cannot_recompute_is_refused() -> None:
    with pytest.raises(ConfigError, match="Linear does not support it"), layers_recomputed(nn.Linear(1, 1)):
        pass
