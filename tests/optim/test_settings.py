from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.optim.registry import OPTIMIZERS
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
        ({"lr": 1, "sophia": {}}, "sophia has no effect on name = 'adamw'"),
        (
            {"lr": 1, "name": "sophia_g", "eps": 1e-8, "sophia": {"form": "official"}},
            "eps has no effect on sophia.form = 'official'",
        ),
        ({"lr": 1e300}, "lr: Input should be less than or equal to 1000"),
        ({"lr": 1, "weight_decay": 1e300}, "weight_decay: Input should be less than or equal to 1000"),
        ({"lr": 1, "name": ["adamw"]}, "name: Input should be a valid string"),
        ({"lr": 1, "name": "sophia_g", "eps": 1e-40}, "eps: Input should be greater than or equal to"),
        ({"lr": 1, "eps": 1e300}, "eps: Input should be less than or equal to 1"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"gamma": 1e300}}, "gamma: Input should be less than or equal to"),
        ({"lr": 1, "name": "signum", "betas": [0.9, 0.5]}, "betas: 0.5 has no effect on name = 'signum'"),
        ({"lr": 1, "name": "lion", "eps": 1e-6}, "eps has no effect on name = 'lion'"),
        ({"lr": 1, "name": "sophia_h", "sophia": {"form": "official"}}, "its authors released no sophia_h"),
        ({"lr": 1, "name": "sophia_h", "sophia": {"clip_norm": 1}}, "sophia.clip_norm has no effect on name"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"probe": "rademacher"}}, "sophia.probe has no effect on name"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"gamma": 0}}, "sophia.gamma: Input should be greater than 0"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"every": 0}}, "sophia.every: Input should be greater than"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"rows_share": 1.5}}, "sophia.rows_share: Input should be less"),
        ({"lr": 1, "name": "sophia_g", "sophia": {"rho": 0.04}}, "sophia.rho: unknown key"),
        (
            {"lr": 1, "name": "sophia_g", "sophia": {"form": "official", "bias_correct_h": True}},
            "form = 'official' corrects nothing",
        ),
        (
            {"lr": 1, "name": "sophia_g", "sophia": {"hessian_init": "first", "bias_correct_h": True}},
            "hessian_init = 'first' leaves nothing to correct",
        ),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Optim, settings, source="run.toml")


def test_what_is_left_out_is_what_its_authors_take_and_is_written_down() -> None:
    left_out, given = Optim(lr=1, name="sophia_g"), Optim(lr=1, name="sophia_g", betas=(0.5, 0.6))
    assert (left_out.betas, left_out.eps) == ((0.965, 0.99), 1e-12)
    assert given.betas == (0.5, 0.6)
    assert Optim(lr=1).betas == (0.9, 0.999)
    for name in OPTIMIZERS:
        settings = Optim(lr=1, name=name)
        assert Optim.model_validate(settings.model_dump(mode="json")) == settings
