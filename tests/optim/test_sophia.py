"""Numbers are those of the specification's part 11, checks 17 to 20 and 24 to 26."""

import math
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from codeglot.errors import ConfigError
from codeglot.optim.sophia import Sophia


def points(*values: float, **settings: Any) -> Any:
    p = nn.Parameter(torch.tensor(values, dtype=torch.float64).float())
    given: dict[str, Any] = {"lr": 1.0, "betas": (0.0, 0.99), "gamma": 1.0, "bias_correct_h": False} | settings
    return p, Sophia([{"params": [p], "weight_decay": given.pop("weight_decay", 0.0)}], **given)


def take(p: Any, optimizer: Any, *gradient: float) -> Any:
    p.grad = torch.tensor(gradient)
    optimizer.step()
    return p.detach().tolist()


@pytest.mark.parametrize(("start", "end"), [((0.5, 0.5, 0.5), (0.0, 0.0, 0.0)), ((3.0, -3.0, 0.2), (2.0, -2.0, 0.0))])
def test_with_exact_curvature_one_step_ends_at_the_origin_or_is_clipped(start: Any, end: Any) -> None:
    curvature = (100.0, 1.0, 0.01)
    p, optimizer = points(*start, hessian_init="first")
    optimizer.refresh({p: torch.tensor(curvature)})

    found = take(p, optimizer, *(h * x for h, x in zip(curvature, start, strict=True)))

    assert found == pytest.approx(end, abs=1e-6)


def test_without_or_with_negative_curvature_a_step_is_a_sign() -> None:
    p, optimizer = points(1.0, 1.0, lr=0.1, hessian_init="first")
    optimizer.refresh({p: torch.tensor([-5.0, 0.0])})
    assert take(p, optimizer, -0.3, 0.2) == pytest.approx([1.1, 0.9])


def test_nothing_by_nothing_is_nothing() -> None:
    p, optimizer = points(1.0)
    assert take(p, optimizer, 0.0) == [1.0]


def test_the_official_form_takes_the_published_steps() -> None:
    p, optimizer = points(1.0, lr=0.01, betas=(0.965, 0.99), gamma=0.04, form="official", weight_decay=0.1)
    found = [take(p, optimizer, gradient)[0] for gradient in (0.2, 0.1)]
    optimizer.refresh({p: torch.tensor([2 * 0.5**2])}, 2)
    assert float(optimizer.state[p]["hessian"]) == pytest.approx(0.0025)
    found += take(p, optimizer, -0.4)
    assert float(optimizer.state[p]["exp_avg"]) == pytest.approx(-0.004103925)
    optimizer.state[p]["hessian"].fill_(5.0)
    found += take(p, optimizer, 0.3)

    assert found == pytest.approx([0.989, 0.978011, 0.987032989, 0.9858824632], abs=2e-7)
    assert float(optimizer.state[p]["exp_avg"]) == pytest.approx(0.006539712375)


def test_both_forms_are_one_where_their_curvature_is() -> None:
    torch.manual_seed(0)
    values, sizes = torch.randn(6, 5), (0.05, 12)
    found = []
    for form in ("paper", "official"):
        p = nn.Parameter(values.clone())
        optimizer = Sophia([p], lr=0.1, gamma=sizes[0], form=form, bias_correct_h=False)
        generator = torch.Generator().manual_seed(1)
        for step in range(12):
            p.grad = torch.randn(6, 5, generator=generator)
            optimizer.step()
            if step % 3 == 0:
                optimizer.refresh({p: torch.rand(6, 5, generator=generator) * sizes[1]}, sizes[1])
        found.append(p.detach())
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("count", "part"), [(1, 0.01), (10, 0.0956), (28, 0.2453)])
def test_the_mean_of_the_curvature_is_corrected_for_beginning_at_0(count: int, part: float) -> None:
    norms = {}
    for is_corrected in (True, False):
        p, optimizer = points(1.0, betas=(0.9, 0.99), bias_correct_h=is_corrected)
        for _ in range(count):
            optimizer.refresh({p: torch.tensor([7.0])})
        take(p, optimizer, 1.0)
        norms[is_corrected] = optimizer.uses([p])[0].hessian_norm
    assert norms == {True: pytest.approx(7.0), False: pytest.approx(7.0 * part, rel=1e-3)}


def test_the_mean_of_the_gradient_is_corrected_where_asked() -> None:
    p, optimizer = points(0.0, betas=(0.9, 0.99), bias_correct_m=True, hessian_init="first")
    optimizer.refresh({p: torch.tensor([1.0])})
    assert take(p, optimizer, 0.5) == pytest.approx([-0.5])  # uncorrected it would be a tenth


def test_a_first_estimate_may_be_the_beginning() -> None:
    p, optimizer = points(0.0, hessian_init="first")
    for estimate in (4.0, 8.0):
        optimizer.refresh({p: torch.tensor([estimate])})
    assert float(optimizer.state[p]["hessian"]) == pytest.approx(0.99 * 4 + 0.01 * 8)


def slow_step(state: Any, value: Any, gradient: Any, settings: Any) -> Any:
    """One coordinate after another, as the paper writes it."""
    new = []
    for index, (x, g) in enumerate(zip(value, gradient, strict=True)):
        state["m"][index] = settings["b1"] * state["m"][index] + (1 - settings["b1"]) * g
        h = state["h"][index] / (1 - settings["b2"] ** state["count"]) if state["count"] else state["h"][index]
        ratio = state["m"][index] / max(settings["gamma"] * h, settings["eps"])
        kept = x - settings["lr"] * settings["decay"] * x
        new.append(kept - settings["lr"] * max(-1.0, min(1.0, ratio)))
    return new


def test_all_at_once_is_one_coordinate_after_another() -> None:
    settings = {"b1": 0.965, "b2": 0.99, "gamma": 0.05, "eps": 1e-12, "lr": 0.03, "decay": 0.1}
    generator = torch.Generator().manual_seed(2)
    shapes = [(3, 4), (5,), (2, 2, 2)]
    parameters = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    optimizer = Sophia([{"params": parameters, "weight_decay": 0.1}], lr=0.03)
    plain = [p.detach().flatten().tolist() for p in parameters]
    states: Any = [{"m": [0.0] * len(row), "h": [0.0] * len(row), "count": 0} for row in plain]

    for step in range(25):
        for index, p in enumerate(parameters):
            p.grad = torch.randn(p.shape, generator=generator)
            plain[index] = slow_step(states[index], plain[index], p.grad.flatten().tolist(), settings)
        optimizer.step()
        if step % 4 == 0:
            estimates = {p: torch.randn(p.shape, generator=generator) + 0.5 for p in parameters}
            optimizer.refresh(estimates)
            for state, estimate in zip(states, estimates.values(), strict=True):
                state["count"] += 1
                pairs = zip(state["h"], estimate.flatten().tolist(), strict=True)
                state["h"] = [0.99 * h + 0.01 * e for h, e in pairs]

    for p, row in zip(parameters, plain, strict=True):
        assert p.detach().flatten().tolist() == pytest.approx(row, abs=1e-5)


def test_small_gradients_leave_a_curvature_in_sixteen_bits_too() -> None:
    p = nn.Parameter(torch.zeros(4, dtype=torch.bfloat16))
    optimizer = Sophia([p], lr=1.0)
    optimizer.refresh({p: torch.full((4,), 1e-4).square()})
    assert optimizer.state[p]["hessian"].dtype == torch.float32
    p.grad = torch.full((4,), 1e-4, dtype=torch.bfloat16)
    optimizer.step()
    assert optimizer.uses([p])[0].hessian_norm == pytest.approx(2e-8)


def test_float16_is_refused() -> None:
    with pytest.raises(ConfigError, match="the square of a gradient of 1e-4"):
        Sophia([nn.Parameter(torch.zeros(2, dtype=torch.float16))], lr=1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_state_goes_on_bit_for_bit_in_float32(dtype: torch.dtype) -> None:
    def advance(p: Any, optimizer: Any, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for _ in range(3):
            p.grad = torch.randn(7, generator=generator).to(dtype)
            optimizer.step()
            optimizer.refresh({p: torch.rand(7, generator=generator)}, 3)

    first = nn.Parameter(torch.ones(7, dtype=dtype))
    optimizer = Sophia([first], lr=0.1)
    advance(first, optimizer, 1)
    second = nn.Parameter(first.detach().clone())
    again = Sophia([second], lr=0.1)
    again.load_state_dict(deepcopy(optimizer.state_dict()))

    advance(first, optimizer, 2)
    advance(second, again, 2)

    assert torch.equal(first, second)
    assert again.state[second]["hessian"].dtype == torch.float32


def test_it_goes_up_where_asked() -> None:
    down, up = points(1.0), points(1.0, maximize=True)
    assert take(*down, 0.5) == [0.0]
    assert take(*up, 0.5) == [2.0]


def test_groups_keep_their_own_rate_and_decay() -> None:
    values = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [values[0]], "weight_decay": 0.5}, {"params": [values[1]], "lr": 0.25}]
    optimizer = Sophia(groups, lr=0.1)
    for p in values:
        p.grad = torch.ones(2)
    optimizer.step()
    assert values[0].tolist() == pytest.approx([1 * (1 - 0.1 * 0.5) - 0.1] * 2)
    assert values[1].tolist() == pytest.approx([0.75] * 2)


def test_a_closure_makes_the_gradients_anew() -> None:
    p, optimizer = points(1.0, lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = 2 * p.sum()
        loss.backward()
        return loss.detach()

    assert float(optimizer.step(closure)) == 2.0
    assert p.tolist() == pytest.approx([0.9])


def test_parameters_without_gradient_or_estimate_stay() -> None:
    moved, left = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = Sophia([moved, left], lr=0.1)
    moved.grad = torch.ones(2)
    optimizer.step()
    optimizer.refresh({moved: torch.ones(2)})
    optimizer.refresh({})
    assert left.tolist() == [1.0, 1.0]
    assert optimizer.uses([left])[0] == (0.0, 0.0, 1.0)


def test_the_win_rate_counts_what_curvature_decided() -> None:
    p, optimizer = points(0.0, 0.0, 0.0, 0.0, hessian_init="first")
    optimizer.refresh({p: torch.tensor([10.0, 1.0, 0.0, 0.0])})
    take(p, optimizer, 5.0, 5.0, 5.0, 0.0)
    (use,) = optimizer.uses([p])
    assert use.win_rate == 0.25
    assert use.zero_share == 0.5
    assert use.hessian_norm == pytest.approx(math.sqrt(101))
