"""The experiment file: arms x seeds over one base run, what is tuned, and what it may cost."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from codeglot.config import StrictModel, apply, build, read_tree
from codeglot.errors import ConfigError, UnknownNameError
from codeglot.jobs.changes import SPEED_ONLY, TRAINING_ONLY, flat
from codeglot.jobs.experiment_sections import Arm, Budget, Tune, combinations
from codeglot.jobs.paths import resolve_changes, resolve_paths
from codeglot.jobs.runfile import SEEDS


class Experiment(StrictModel):
    """One comparison."""

    base_run: dict[str, Any]
    """Path of a run file (relative to this file), or its tables."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    """What is compared."""
    baseline: str
    """The arm that all others are compared with."""
    seeds: tuple[int, ...] = Field(min_length=1)
    """Each trained arm is run once with each."""
    controls: tuple[str, ...] = ()
    """Arms that are controls: every claim stands next to them."""
    tune: Tune | None = None
    """None: settings are taken as they stand."""
    budget: Budget

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if mistakes := [*self._wrong_names(), *self._wrong_changes(), *self._wrong_extensions(), *self._wrong_tuning()]:
            raise ValueError("; ".join(mistakes))
        return self

    def arm(self, name: str) -> Arm:
        """The arm of this name."""
        return next(arm for arm in self.arms if arm.name == name)

    def _wrong_names(self) -> list[str]:
        names = [arm.name for arm in self.arms]
        lists = {"arms": names, "seeds": self.seeds, "controls": self.controls}
        found = [f"{key}: some stand there more than once" for key, row in lists.items() if len(set(row)) < len(row)]
        asked = {
            "baseline": [self.baseline],
            "controls": self.controls,
            "tune.grid": self.tune.grid if self.tune else (),
        }
        for key, wanted in asked.items():
            found += [f"{key}: {_unknown('arm', name, names)}" for name in wanted if name not in names]
        for key, seeds in {"seeds": self.seeds, "tune.seeds": self.tune.seeds if self.tune else ()}.items():
            if wrong := [seed for seed in seeds if seed not in SEEDS]:
                found.append(f"{key}: {wrong} cannot be seeds; those are whole numbers from 0 to {SEEDS[-1]}")
        if "tune" in names:
            found.append("arms: 'tune' is the folder of the trials; choose another name")
        return found

    def _wrong_changes(self) -> list[str]:
        """What arms may not set: how all are judged, and what is put over it."""
        found = []
        for arm in self.arms:
            keys = flat(arm.set)
            if judged := [key for key in keys if key.split(".")[0] == "evaluate" and key not in SPEED_ONLY]:
                found.append(
                    f"arms.{arm.name}.set: {', '.join(judged)} would give it other problems, or another judge, than "
                    "the other arms; set it in base_run"
                )
            if arm.train and "seed" in keys:
                found.append(f"arms.{arm.name}.set: seed has no effect; trained arms are run with each of seeds")
            if not arm.train and (idle := [key for key in keys if key.split(".")[0] in TRAINING_ONLY]):
                found.append(f"arms.{arm.name}.set: {', '.join(idle)} has no effect, since the arm is not trained")
            grid = self.tune.grid.get(arm.tuned_as or arm.name, {}) if self.tune else {}
            if tuned := sorted(keys.keys() & {key for settings in combinations(grid) for key in flat(settings)}):
                found.append(
                    f"arms.{arm.name}.set: {', '.join(tuned)} has no effect, since "
                    f"tune.grid.{arm.tuned_as or arm.name} tunes it; leave it out of one of them"
                )
        return found

    def _wrong_extensions(self) -> list[str]:
        found = []
        before: list[str] = []
        for arm in self.arms:
            if arm.extends is not None and not arm.train:
                found.append(f"arms.{arm.name}.extends: has no effect, since the arm is not trained")
            elif arm.extends is not None and arm.extends not in before:
                found.append(f"arms.{arm.name}.extends: '{arm.extends}' is no trained arm that stands before it")
            if arm.extends is not None and "extends" in {**self.base_run, **arm.set}:
                found.append(f"arms.{arm.name}.extends: base_run or set says already what is extended; say it once")
            if arm.extends is not None and self.tune and arm.name in self.tune.grid:
                found.append(f"tune.grid.{arm.name}: a trial has nothing to extend; tune it as another arm")
            before += [arm.name] if arm.train else []
        return found

    def _wrong_tuning(self) -> list[str]:
        grid = self.tune.grid if self.tune else {}
        found = []
        for arm in self.arms:
            if arm.name in grid and (not arm.train or arm.tuned_as):
                found.append(f"tune.grid.{arm.name}: an arm that is not trained, or tuned as another, has no grid")
            if arm.tuned_as is not None and arm.tuned_as not in grid:
                found.append(f"arms.{arm.name}.tuned_as: '{arm.tuned_as}' has no grid in [tune]")
        sizes = {name: len(combinations(keys)) for name, keys in grid.items()}
        if len(set(sizes.values())) > 1:
            counts = ", ".join(f"{name} {size}" for name, size in sizes.items())
            found.append(f"tune.grid: each tuned arm needs as many trials as the others, not {counts}")
        if self.tune and (shared := sorted(set(self.tune.seeds) & set(self.seeds))):
            found.append(f"tune.seeds: {shared} are seeds of the result; trials need their own")
        for name, keys in grid.items():
            if wrong := [key for key in keys if key.split(".")[0] in {"seed", "evaluate", "generate", "validation"}]:
                found.append(
                    f"tune.grid.{name}: {', '.join(wrong)} would change how arms are judged, not what they are"
                )
        return found


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    return str(UnknownNameError(kind, name, known)).removesuffix(".")


def read_experiment(path: Path, overrides: tuple[str, ...] = ()) -> Experiment:
    """Read an experiment file; overrides may also reach into the base run, as `base_run.train.steps=10`.

    Raises:
        ConfigError: With every mistake of the file in one message. `compare.check` finds those of its cells.
    """
    tree = read_tree(path)
    base = tree.get("base_run")
    if isinstance(base, str):
        file = path.parent / base
        try:
            tree["base_run"] = resolve_paths(read_tree(file), file.parent)
        except ConfigError as error:
            raise ConfigError(f"{path}, base_run = '{base}': {error}") from None
    elif isinstance(base, dict):
        tree["base_run"] = resolve_paths(base, path.parent)
    else:
        raise ConfigError(f"{path}: base_run must be the path of a run file, or its tables.")
    arms = tree.get("arms")
    for table in (tree.get("tune"), *(arms if isinstance(arms, list) else ())):
        if isinstance(table, dict) and isinstance(table.get("set"), dict):
            table["set"] = resolve_changes(table["set"], path.parent)
    return build(Experiment, apply(tree, overrides), source=str(path))
