import logging
from typing import Any

import pytest
import torch
from torch import nn

from codeglot.errors import ConfigError
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.penalty import TERM, Penalty
from codeglot.regularizers.settings import Spectral
from codeglot.regularizers.spectral import penalty
from tests.regularizers.plain import worth

NUM_STEPS = 100


def scene(*, b: float = 1.0) -> Any:
    generator = torch.Generator().manual_seed(0)
    a_RI = nn.Parameter(torch.randn(2, 6, generator=generator))
    b_OR = nn.Parameter(b * torch.randn(5, 2, generator=generator))
    return [LowRank("layer", a_RI, b_OR, 2.0)], [a_RI, b_OR]


def with_task(parameters: Any, size: float = 1.0) -> None:
    for p in parameters:
        p.grad = torch.full_like(p, size)


def begun(settings: Spectral, **changes: Any) -> Penalty:
    return Penalty(settings, **{"num_steps": NUM_STEPS, "lr": 1e-2} | changes)


def test_its_gradient_joins_that_of_the_task_times_its_strength() -> None:
    factors, parameters = scene()
    settings = Spectral(strength=0.25, warmup_share=0.0)
    expected = torch.autograd.grad(penalty(settings, factors), parameters)
    with_task(parameters)

    terms = begun(settings).add_gradient(factors, parameters, 0)

    for p, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(p.grad, 1 + 0.25 * gradient)
    assert float(terms[TERM]) == pytest.approx(0.25 * worth(penalty(settings, factors)))


def test_parameters_without_a_gradient_get_one_and_foreign_ones_stay() -> None:
    factors, parameters = scene()
    foreign = nn.Parameter(torch.ones(3))

    begun(Spectral()).add_gradient(factors, [*parameters, foreign], 0)

    assert all(p.grad is not None for p in parameters)
    assert foreign.grad is None


def test_the_strength_rises_in_equal_parts_and_then_stays() -> None:
    factors, parameters = scene()
    whole = worth(penalty(Spectral(), factors))
    regularizer = begun(Spectral(strength=1.0, warmup_share=0.04))

    found = [float(regularizer.add_gradient(factors, parameters, step)[TERM]) / whole for step in range(6)]

    assert found == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


def test_every_third_step_is_three_times_as_strong() -> None:
    factors, parameters = scene()
    whole = worth(penalty(Spectral(), factors))
    regularizer = begun(Spectral(strength=1.0, warmup_share=0.0, every=3))

    found = [regularizer.add_gradient(factors, parameters, step) for step in range(4)]

    assert [float(terms[TERM]) / whole if terms else None for terms in found] == [
        pytest.approx(3.0),
        None,
        None,
        pytest.approx(3.0),
    ]


def test_an_automatic_strength_waits_for_b_then_keeps_its_part_of_the_task() -> None:
    factors, parameters = scene(b=0.0)
    regularizer = begun(Spectral(auto_ratio=0.05, warmup_share=0.0))
    with_task(parameters)
    assert float(regularizer.add_gradient(factors, parameters, 0)[TERM]) == 0

    factors, parameters = scene()
    with_task(parameters, 3.0)
    regularizer.add_gradient(factors, parameters, 1)
    added = torch.cat([(p.grad - 3.0).flatten() for p in parameters])
    task = 3.0 * sum(p.numel() for p in parameters) ** 0.5
    assert float(added.norm()) == pytest.approx(0.05 * task, rel=1e-4)

    for step in range(2, 21):
        with_task(parameters, 3.0)
        regularizer.add_gradient(factors, parameters, step)
    before = dict(regularizer.state)
    with_task(parameters, 1000.0)
    regularizer.add_gradient(factors, parameters, 21)
    assert regularizer.state == before
    assert before["num_measured"] == 20


def test_an_automatic_strength_is_that_of_all_steps_together_not_of_the_first() -> None:
    generator = torch.Generator().manual_seed(3)
    a_RI, b_OR = (nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 32), (24, 4)))
    whole_OR = b_OR.detach().clone()
    regularizer = begun(Spectral(target="delta_w", layout="fft2", auto_ratio=0.05, warmup_share=0.0))
    task, own = 0.0, 0.0

    for step in range(20):
        b_OR.data = whole_OR * (step + 1) / 20
        with_task([a_RI, b_OR], 3.0)
        regularizer.add_gradient([LowRank("q", a_RI, b_OR, 1.0)], [a_RI, b_OR], step)
        strength = 0.05 * regularizer.state["task_sum"] / regularizer.state["own_sum"]
        added = torch.cat([(p.grad - 3.0).flatten() for p in (a_RI, b_OR) if p.grad is not None])
        task, own = task + 3.0 * (a_RI.numel() + b_OR.numel()) ** 0.5, own + float(added.norm()) / strength

    assert strength == pytest.approx(0.05 * task / own, rel=1e-3)
    assert 0.05 < float(added.norm()) / (3.0 * (a_RI.numel() + b_OR.numel()) ** 0.5) < 0.2


def test_what_updates_share_counts_once_and_what_is_frozen_stays() -> None:
    generator = torch.Generator().manual_seed(4)
    a_RI, *b = (nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 32), (24, 4), (24, 4)))
    shared = [LowRank("q", a_RI, b_OR, 1.0, expert) for expert, b_OR in zip(("one", "two"), b, strict=True)]
    settings = Spectral(strength=1.0)
    apart = [low_rank._replace(a_RI=a_RI.clone()) for low_rank in shared]
    once = worth(penalty(settings, [LowRank("q", a_RI, torch.zeros(24, 4), 1.0)]))

    assert worth(penalty(settings, shared)) == pytest.approx(worth(penalty(settings, apart)) - once, rel=1e-5)

    a_RI.requires_grad = False
    before, moved = a_RI.clone(), b[0].detach().clone()
    regularizer = begun(Spectral(mode="decoupled", warmup_share=0.0))
    regularizer.decay(shared, dict.fromkeys(b, 0.1), 0)
    assert torch.equal(a_RI, before)
    assert float(b[0].detach().norm()) < 0.99 * float(moved.norm())


def test_an_automatic_strength_goes_on_where_it_was() -> None:
    factors, parameters = scene()
    first, second = (begun(Spectral(auto_ratio=0.05)) for _ in range(2))
    with_task(parameters)
    first.add_gradient(factors, parameters, 0)

    second.restore(first.state)

    terms = []
    for regularizer in (first, second):
        with_task(parameters, 2.0)
        terms.append(float(regularizer.add_gradient(factors, parameters, 1)[TERM]))
    assert terms[0] == terms[1] > 0
    assert first.state == second.state


def test_as_released_has_a_value_no_gradient_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    factors, parameters = scene()
    settings = Spectral(mode="as_released", strength=0.5, warmup_share=0.0)
    with caplog.at_level(logging.WARNING):
        regularizer = begun(settings)

    terms = regularizer.add_gradient(factors, parameters, 0)

    assert "'as_released' has no gradient" in caplog.text
    assert float(terms[TERM]) == pytest.approx(0.5 * worth(penalty(settings, factors)))
    assert [p.grad for p in parameters] == [None, None]


def test_a_penalty_that_reaches_nothing_is_refused() -> None:
    factors, parameters = scene()
    for p in parameters:
        p.requires_grad = False
    with pytest.raises(ConfigError, match="none of the low-rank factors is trained"):
        begun(Spectral()).add_gradient(factors, parameters, 0)


def test_a_decay_beyond_0_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"\[regularizer\]: mode = 'decoupled' takes lr 0.5 x strength 2.5 x max"):
        begun(Spectral(mode="decoupled", strength=2.5), lr=0.5)


def test_the_decay_takes_the_rate_of_each_parameter_and_only_after_the_step() -> None:
    factors, (a_RI, b_OR) = scene()
    before = a_RI.detach().clone(), b_OR.detach().clone()
    regularizer = begun(Spectral(mode="decoupled", strength=10.0, warmup_share=0.0))

    assert regularizer.add_gradient(factors, [a_RI, b_OR], 0) == {}
    assert a_RI.grad is None
    regularizer.decay(factors, {a_RI: 0.01, b_OR: 0.0}, 0)

    assert not torch.equal(a_RI, before[0])
    torch.testing.assert_close(b_OR.detach(), before[1])


def test_no_other_mode_decays() -> None:
    factors, (a_RI, b_OR) = scene()
    before = a_RI.detach().clone()
    begun(Spectral()).decay(factors, {a_RI: 0.01, b_OR: 0.01}, 0)
    assert torch.equal(a_RI, before)


def test_factors_that_are_computed_cannot_decay() -> None:
    factors, (a_RI, b_OR) = scene()
    computed = [factors[0]._replace(a_RI=2 * a_RI)]
    with pytest.raises(ConfigError, match="Set mode = 'loss'"):
        begun(Spectral(mode="decoupled")).decay(computed, {a_RI: 0.01, b_OR: 0.01}, 0)


def test_where_the_energy_lies_is_told_by_tensor() -> None:
    factors, (a_RI, b_OR) = scene(b=0.0)
    with torch.no_grad():
        a_RI.fill_(2.0)

    found = begun(Spectral()).shares(factors)

    assert found["layer.A"].energy == pytest.approx(48)
    assert found["layer.A"].low == pytest.approx(1.0)
    assert found["layer.B"] == (0.0, 0.0, found["layer.B"].noise_low)
    assert 0 < found["layer.B"].noise_low < 1
    assert not b_OR.any()
