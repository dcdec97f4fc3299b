"""Sections of the experiment file: what is compared, what is tuned, and what it may cost."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from pydantic import Field, field_validator

from codeglot.config import StrictModel

FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Arm(StrictModel):
    """`[[arms]]`: one thing that is compared."""

    name: str = Field(pattern=FOLDER_NAME)
    """Also the name of its folder."""
    set: dict[str, Any] = Field(default_factory=dict)
    """What it changes in the base run: tables, or dotted keys as `"optim.lr" = 1e-3` (`"methods.0.r"` in a list)."""
    train: bool = True
    """False: the base as it is; run once, and set beside every seed of the others."""
    tuned_as: str | None = None
    """Takes the settings that were chosen for this tuned arm; None: its own, where `[tune]` has some."""
    extends: str | None = None
    """Goes on from what this arm trained with the same seed, as `codeglot train --extend` does; that arm stands before
    it, and its own data is in new languages. None: from the base."""

    @property
    def changes(self) -> dict[str, Any]:
        """In what it differs from the base run."""
        return self.set if self.extends is None else {"extends": self.extends, **self.set}


class Tune(StrictModel):
    """`[tune]`: settings that are chosen on validation problems, before any arm meets the problems of the result."""

    grid: dict[str, dict[str, list[Any]]] = Field(min_length=1)
    """Per arm, values to try by dotted key; all combinations are tried, and as many for each tuned arm."""
    split: str = "validation"
    """Part of the benchmarks that trials are judged on; never the one of `[evaluate]`."""
    seeds: tuple[int, ...] = Field(min_length=1)
    """Seeds of the trials; none of the experiment's."""
    set: dict[str, Any] = Field(default_factory=dict)
    """What else differs in trials, for instance fewer problems."""

    @field_validator("grid")
    @classmethod
    def _has_values(cls, grid: dict[str, dict[str, list[Any]]]) -> dict[str, dict[str, list[Any]]]:
        if empty := [arm for arm, keys in grid.items() if not keys or not all(keys.values())]:
            raise ValueError(f"{', '.join(empty)}: give keys with one or more values each")
        for arm, keys in grid.items():
            if repeated := [key for key, values in keys.items() if len(set(map(repr, values))) < len(values)]:
                raise ValueError(f"{arm}: values of {', '.join(repeated)} stand there more than once; name each once")
        return grid


class Budget(StrictModel):
    """`[budget]`: what the experiment costs."""

    cpu_hours: float = Field(gt=0)
    """What it is expected to take, in CPU hours: stated before it begins."""
    max_cpu_hours: float | None = Field(default=None, gt=0)
    """No further cell is begun once so much is spent; None: no limit."""


def combinations(keys: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """All settings of a grid, by dotted key; the last key changes fastest."""
    return [dict(zip(keys, values, strict=True)) for values in product(*keys.values())]
