"""All ways to compute the update of a linear agree with the obvious one, forward and backward."""

from typing import get_args

import pytest
import torch

from codeglot.methods.mole.experts import ExpertType, Init
from codeglot.methods.mole.kernels import LIVE, READY, Live, Ready
from codeglot.methods.mole.routes import make_plan
from tests.methods.mole.plain import NUM_IN, NUM_OUT, Case, updates

KINDS: tuple[ExpertType, ...] = get_args(ExpertType)
INITS: tuple[Init, ...] = ("shared_first_exact", "std_zero")
LABELS = {
    "mixed": [2, 0, 1, 1, -1, 3, 0, 2, 2, 1],
    "sorted": [0, 0, 1, 1, 2, 3],
    "padded on the left": [-1, -1, 0, 1, 1],
    "one language": [2, 2, 2],
    "text alone": [0, 0],
    "one token": [3],
    "one language and padding": [-1, 2, -1, 2],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIVE)
def test_live_kernels_equal_the_obvious_form(name: str, kind: ExpertType, init: Init, labels: list[int]) -> None:
    case = Case(kind, init)
    x_TI = case.random(len(labels), NUM_IN).requires_grad_()
    leaves = [x_TI, *(factor.requires_grad_() for factor in (*case.a, *case.b))]
    weights = case.random(len(labels), NUM_OUT)
    expected = updates(case, x_TI, labels)
    slopes = torch.autograd.grad((expected * weights).sum(), leaves, allow_unused=True)

    found = LIVE[name](x_TI, make_plan(torch.tensor(labels)), case.sets, Live(case.experts, case.a, case.b, case.start))
    found_slopes = torch.autograd.grad((found * weights).sum(), leaves, allow_unused=True)

    torch.testing.assert_close(found, expected)
    for slope, found_slope in zip(slopes, found_slopes, strict=True):
        assert (slope is None) == (found_slope is None)  # an expert that no token meets has no gradient at all
        if slope is not None:
            torch.testing.assert_close(found_slope, slope)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READY)
def test_ready_kernels_equal_the_obvious_form(name: str, kind: ExpertType, init: Init, labels: list[int]) -> None:
    case = Case(kind, init, dtype=torch.float32)
    x_TI = case.random(len(labels), NUM_IN)

    ready = Ready(case.experts, case.a, case.b, case.start, case.sets)
    found = READY[name](x_TI, make_plan(torch.tensor(labels)), ready)

    torch.testing.assert_close(found, updates(case, x_TI, labels), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", READY)
def test_experts_that_have_not_moved_are_left_out(name: str) -> None:
    case = Case("other", "shared_first_exact", dtype=torch.float32)
    assert case.start is not None
    case.a, case.b = (list(factors) for factors in zip(*map(case.start.of, case.experts), strict=True))
    plan = make_plan(torch.tensor([0, 1, 2, 3]))

    assert READY[name](case.random(4, NUM_IN), plan, Ready(case.experts, case.a, case.b, case.start, case.sets)) is None

    case.b[1] = case.b[1] + 1
    x_TI = case.random(4, NUM_IN)
    found = READY[name](x_TI, plan, Ready(case.experts, case.a, case.b, case.start, case.sets))
    torch.testing.assert_close(found, updates(case, x_TI, [0, 1, 2, 3]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIVE)
def test_live_kernels_are_differentiable_twice(name: str, kind: ExpertType) -> None:
    case = Case(kind, "shared_first_exact")
    leaves = [factor.requires_grad_() for factor in (*case.a, *case.b)]
    x_TI = case.random(4, NUM_IN).requires_grad_()
    plan = make_plan(torch.tensor([2, 0, 1, 2]))

    def loss(x_TI: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
        half = len(factors) // 2
        found: torch.Tensor = LIVE[name](
            x_TI, plan, case.sets, Live(case.experts, factors[:half], factors[half:], case.start)
        )
        return found.sin().sum()

    assert torch.autograd.gradgradcheck(loss, (x_TI, *leaves))


@pytest.mark.parametrize("name", LIVE)
def test_at_the_start_the_exact_form_adds_exactly_nothing_in_any_number_format(name: str) -> None:
    case = Case("other", "shared_first_exact", dtype=torch.float32)
    assert case.start is not None
    a, b = (list(factors) for factors in zip(*map(case.start.of, case.experts), strict=True))
    x_TI = case.random(6, NUM_IN)
    plan = make_plan(torch.tensor([0, 1, 2, 3, 1, 0]))

    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            found = LIVE[name](x_TI, plan, case.sets, Live(case.experts, a, b, case.start))
        assert not found.any()


@pytest.mark.parametrize("name", LIVE)
def test_kernels_agree_in_bfloat16(name: str) -> None:
    case = Case("other", "shared_first_exact", dtype=torch.float32)
    x_TI = case.random(50, NUM_IN)
    labels = torch.randint(-1, 4, (50,), generator=torch.Generator().manual_seed(1))
    expected = updates(case, x_TI, labels.tolist())

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = LIVE[name](x_TI, make_plan(labels), case.sets, Live(case.experts, case.a, case.b, case.start))

    assert (found - expected).abs().max() <= 2e-2 * expected.abs().max()
