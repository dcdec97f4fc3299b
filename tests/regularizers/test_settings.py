from typing import Any

import pytest

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.regularizers.settings import Spectral


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"phi_low": 2.0, "phi_high": 0.05}, r"phi_low = 2 makes rho negative at frequency 0 \(-1\)"),
        ({"phi_high": 1.1}, r"phi_high = 1.1 is above phi_low = 1"),
        ({"threshold": 0}, "threshold: Input should be greater than 0"),
        ({"threshold": 1.2}, "threshold: Input should be less than or equal to 1"),
        ({"strength": -1}, "strength: Input should be greater than or equal to 0"),
        ({"strength": float("inf")}, "strength: Input should be a finite number"),
        ({"target": "delta_w"}, "target = 'delta_w' has no low-rank form in layout = 'flatten'"),
        ({"layout": "fft2", "spectrum": "one_sided"}, "'one_sided' is not defined for layout = 'fft2'"),
        ({"mode": "decoupled", "target": "delta_w", "layout": "fft2"}, "decays factors, and delta_w is none"),
        ({"mode": "decoupled", "fft_norm": "backward"}, "fft_norm = 'backward' has no effect on mode = 'decoupled'"),
        ({"mode": "decoupled", "auto_ratio": 0.05}, "auto_ratio chooses the strength of mode = 'loss'"),
        ({"auto_ratio": 0.05, "strength": 0.1}, "give it alone, without strength"),
        ({"strength": 1e30}, "strength: Input should be less than or equal to 1000000000"),
        ({"strength": True}, "strength: a number is needed, not true or false"),
        ({"phi_high": 1.0}, "phi_low = 1 and phi_high = 1 leave nothing to penalise"),
        ({"fft_norm": "energy_ratio", "weighting": "uniform"}, "make a constant of the penalty"),
        ({"every": 0}, "every: Input should be greater than or equal to 1"),
        ({"lambda": 0.02}, "unknown key"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Spectral, settings, source="run.toml")


@pytest.mark.parametrize(
    ("strength", "every", "layout"),
    [(1 / 0.9, 1, "flatten"), (0.4, 3, "flatten"), (1e9, 1, "flatten"), (1.05, 1, "fft2")],
)
def test_a_decay_beyond_0_is_refused(strength: float, every: int, layout: Any) -> None:
    settings = Spectral(mode="decoupled", strength=strength, every=every, layout=layout)
    with pytest.raises(ValueError, match=r"of a frequency in one step; it must be below 1"):
        settings.check_rate(1.0)


def test_a_decay_that_leaves_something_is_taken_and_so_is_any_loss() -> None:
    Spectral(mode="decoupled", strength=1.11).check_rate(1.0)
    Spectral(strength=1e9).check_rate(1.0)


def test_settings_written_down_are_the_same_when_read() -> None:
    settings = Spectral(auto_ratio=0.05)
    assert Spectral.model_validate(settings.model_dump(mode="json")) == settings
