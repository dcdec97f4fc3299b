"""Recipes that make no model are refused before anything is trained."""

from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.micro.recipe import Recipe, read_recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_attention_heads": 5}, "hidden_size = 128 cannot be divided by num_attention_heads = 5"),
        ({"num_attention_heads": 128}, "into heads of an even width"),
        ({"max_length": 2048}, "max_length = 2048 is above max_position_embeddings = 1024"),
        ({"warmup_steps": 1801}, "warmup_steps = 1801 is above steps = 1800"),
        ({"seed": -1}, "seed: Input should be greater"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers: Input should be less than"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Recipe, read_recipe("nano").model_dump() | changes, source="the recipe of nano")
