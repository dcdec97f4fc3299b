"""Regularizers and Sophia in whole trainings."""

from pathlib import Path
from typing import Any

import pytest
import torch

from codeglot.errors import ConfigError, DivergedError
from codeglot.methods.registry import get
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.penalty import Penalty
from codeglot.regularizers.settings import Spectral
from codeglot.runs import METRICS, read_rows
from codeglot.train.metrics import MetricsRow
from codeglot.train.observed import spectrum_rows
from tests.train.scene import make_examples, run, tiny, weights
from tests.train.test_processes import finish, free_port, start

PRESETS = ["flex", "flex_paper", "flex_dw", "flex_decoupled"]
OPTIMIZERS = ["sophia_g", "sophia_h", "lion", "signum"]


def trained(out: Path, method: str = "lora", attach: Any = None, **settings: Any) -> Any:
    model, methods = tiny(method=method, **({"r": 2, "lora_alpha": 4.0} | (attach or {})))
    run(model, methods, out, **settings)
    return weights(model), read_rows(out / METRICS, MetricsRow)


def are_equal(left: Any, right: Any) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


def test_as_released_is_plain_lora_bit_for_bit_and_its_value_is_logged(tmp_path: Path) -> None:
    plain, _ = trained(tmp_path / "a")
    released, rows = trained(tmp_path / "b", "flex_as_released")

    assert are_equal(plain, released)
    assert all(row.losses["spectral"] > 0 for row in rows)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_other_preset_changes_the_training(tmp_path: Path, preset: str) -> None:
    plain, _ = trained(tmp_path / "a")
    penalised, rows = trained(tmp_path / "b", preset, {"regularizer": {"strength": 0.5}})

    assert not are_equal(plain, penalised)
    assert all(("spectral" in row.losses) == (preset != "flex_decoupled") for row in rows)


@pytest.mark.parametrize("preset", PRESETS)
def test_without_strength_nothing_changes(tmp_path: Path, preset: str) -> None:
    plain, _ = trained(tmp_path / "a")
    same, _ = trained(tmp_path / "b", preset, {"regularizer": {"strength": 0.0}})

    for name in plain:  # a decay by 1 goes through a transform and back
        torch.testing.assert_close(same[name], plain[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["loss", "decoupled"])
def test_a_section_of_the_run_does_what_a_preset_does(tmp_path: Path, mode: Any) -> None:
    settings = Spectral(mode=mode, strength=0.3)
    expected, _ = trained(tmp_path / "a", "flex", {"regularizer": settings})
    found, _ = trained(tmp_path / "b", regularizer=settings)

    assert are_equal(expected, found)


def test_the_penalty_drains_high_frequencies(tmp_path: Path) -> None:
    settings = {"steps": 40, "lr": 1e-2}
    _, plain = trained(tmp_path / "a", "flex", {"regularizer": {"strength": 0.0}}, **settings)
    _, drained = trained(tmp_path / "b", "flex", {"regularizer": {"strength": 0.5}}, **settings)

    for name, shares in drained[-1].spectrum.items():
        before = plain[-1].spectrum[name]
        assert shares.low > before.low
        assert 0 < shares.noise_low < 1


def test_every_tensor_is_logged_with_what_noise_would_have(tmp_path: Path) -> None:
    _, rows = trained(tmp_path / "a", "flex")
    _, of_products = trained(tmp_path / "b", "flex_dw")
    _, without = trained(tmp_path / "c")

    assert {name.rsplit(".", 1)[1] for name in rows[0].spectrum} == {"A", "B"}
    assert len(rows[0].spectrum) == 2 * len(of_products[0].spectrum) == 2 * 14
    assert without[0].spectrum is None


@pytest.mark.parametrize("name", ["sophia_g", "sophia_h"])
def test_the_win_rate_is_logged_by_kind_of_tensor(tmp_path: Path, name: str) -> None:
    _, rows = trained(tmp_path, name=name, steps=8, sophia={"every": 3})

    kinds = rows[-1].curvature
    assert len(kinds) == 2 * 7
    assert all("layers.*." in kind for kind in kinds)
    assert all(0 <= row.win_rate <= 1 and row.hessian_norm > 0 for row in kinds.values())
    assert all(row.zero_share < 1 for row in rows[0].curvature.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("preset", ["flex", "flex_decoupled"])
def test_a_training_that_stops_and_goes_on_is_the_one_that_did_not(tmp_path: Path, name: str, preset: str) -> None:
    own: dict[str, Any] = {"steps": 7, "save_every": 3, "log_every": 4, "name": name, "precision": "bfloat16"}
    own |= {"sophia": {"every": 2}} if name.startswith("sophia") else {}
    attach: Any = {"lora_dropout": 0.3}
    attach["regularizer"] = {"auto_ratio": 0.1} if preset == "flex" else {"strength": 5.0}
    expected, rows = trained(tmp_path / "a", preset, attach, **own)

    class StopError(Exception):
        pass

    def stop(step: int, *_: Any) -> None:
        if step == 5:
            raise StopError

    with pytest.raises(StopError):
        trained(tmp_path / "b", preset, attach, **own, progress=stop)
    found, again = trained(tmp_path / "b", preset, attach, **own)

    assert are_equal(found, expected)
    assert [row.losses for row in again] == [row.losses for row in rows]
    assert [row.spectrum for row in again] == [row.spectrum for row in rows]
    assert [row.curvature for row in again] == [row.curvature for row in rows]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rows_and_forward_passes_change_nothing(tmp_path: Path, name: str) -> None:
    """But for what is noise over noise: signs of gradients that are nearly 0."""
    own: dict[str, Any] = {"steps": 1, "batch_size": 6, "name": name, "lr": 1e-2}
    own |= {"steps": 3, "sophia": {"every": 1, "gamma": 10.0}} if name.startswith("sophia") else {}
    expected, _ = trained(tmp_path / "a", micro_batch_size=6, **own)
    found, _ = trained(tmp_path / "b", micro_batch_size=1, **own)

    differs = torch.cat([(found[key] - expected[key]).abs().flatten() > 1e-4 for key in expected])
    assert float(differs.float().mean()) < 0.01


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(tmp_path: Path, name: str) -> None:
    examples = make_examples(4)
    _, rows = trained(tmp_path, name=name, steps=40, lr=1e-2, examples=examples)
    assert rows[-1].losses["nll"] < 0.8 * rows[0].losses["nll"]


@pytest.mark.parametrize(
    ("method", "regularizer", "message"),
    [
        ("full", Spectral(), "is for low-rank updates, and full has none"),
        ("flex", Spectral(), "bring a regularizer each, and a run has one"),
        ("lora", Spectral(mode="decoupled", strength=200.0), "it must be below 1"),
        ("pissa", Spectral(mode="decoupled"), "those of 'lora' begin at parts of the weight"),
    ],
)
def test_what_cannot_be_regularized_is_refused_before_anything_is_written(
    tmp_path: Path, method: str, regularizer: Any, message: str
) -> None:
    model, methods = tiny(init="pissa") if method == "pissa" else tiny(method=method)
    with pytest.raises(ConfigError, match=message):
        run(model, methods, tmp_path, regularizer=regularizer)
    assert not any(tmp_path.iterdir())


def test_weights_beyond_measure_are_told_with_a_reason() -> None:
    penalty = Penalty(Spectral(), num_steps=1, lr=1.0)
    factors = [LowRank("layer", torch.full((2, 4), 1e30), torch.zeros(4, 2), 1.0)]
    with pytest.raises(DivergedError, match=r"The weights of layer.* have grown so large.* Lower optim\.lr"):
        spectrum_rows(penalty, factors)


def test_two_presets_bring_one_regularizer_too_many(tmp_path: Path) -> None:
    first, second = get("flex")(name="one"), get("flex_dw")(name="two")  # type: ignore[call-arg]
    model, _ = tiny()
    with pytest.raises(ConfigError, match="'flex' and 'flex_dw' bring a regularizer each"):
        run(model, [first, second], tmp_path)


def test_a_checkpoint_of_another_regularizer_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, regularizer=Spectral())
    with pytest.raises(Exception, match="the regularizer differ from this one's"):
        trained(tmp_path, regularizer=Spectral(strength=0.5))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sophia_g", "sophia_h", "signum"])
def test_two_processes_take_the_steps_of_one(tmp_path: Path, name: str) -> None:
    settings = ["steps=3", "batch_size=4", "micro_batch_size=1", f'name="{name}"', "lr=1e-3"]
    settings += ['sophia={"every": 1, "gamma": 1.0}'] if name != "signum" else []
    settings += ['regularizer={"auto_ratio": 0.1}']
    finish(start(tmp_path / "one", tmp_path / "one.pt", *settings))
    port = free_port()
    finish(*[start(tmp_path / "two", tmp_path / "two.pt", *settings, rank=r, count=2, port=port) for r in (0, 1)])

    expected, found = torch.load(tmp_path / "one.pt"), torch.load(tmp_path / "two.pt")
    differs = torch.cat([(found[key] - expected[key]).abs().flatten() > 1e-4 for key in expected])
    assert float(differs.float().mean()) < 0.02
    one, two = (read_rows(tmp_path / folder / METRICS, MetricsRow) for folder in ("one", "two"))
    for left, right in zip(one, two, strict=True):
        assert left.losses == pytest.approx(right.losses, rel=1e-3)
        for kind, use in (left.curvature or {}).items():
            assert right.curvature is not None
            assert use.hessian_norm == pytest.approx(right.curvature[kind].hessian_norm, rel=0.02)
