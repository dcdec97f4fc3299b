from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from codeglot.optim.build import build, lr_by_parameter, set_lr
from codeglot.optim.registry import OPTIMIZERS
from codeglot.optim.settings import Optim


def parameters() -> Any:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(()))]


@pytest.fixture(params=OPTIMIZERS)
def settings(request: pytest.FixtureRequest) -> Any:
    return Optim(name=request.param, lr=0.1, weight_decay=0.5)


def test_only_matrices_decay(settings: Any) -> None:
    matrix, vector, scalar = parameters()
    before = [p.detach().clone() for p in (matrix, vector, scalar)]
    optimizer = build(settings, [matrix, vector, scalar])
    for parameter in (matrix, vector, scalar):
        parameter.grad = torch.zeros_like(parameter)

    optimizer.step()

    torch.testing.assert_close(matrix.detach(), before[0] * (1 - 0.1 * 0.5))
    assert torch.equal(vector.detach(), before[1])
    assert torch.equal(scalar.detach(), before[2])


def test_a_state_put_into_a_new_optimizer_goes_on_bit_for_bit(settings: Any) -> None:
    def step(optimizer: Any, values: Any, seed: int) -> None:
        torch.manual_seed(seed)
        for parameter in values:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()

    first = parameters()
    optimizer = build(settings, first)
    step(optimizer, first, 1)
    second = [nn.Parameter(p.detach().clone()) for p in first]
    again = build(settings, second)
    again.load_state_dict(deepcopy(optimizer.state_dict()))

    step(optimizer, first, 2)
    step(again, second, 2)

    assert all(torch.equal(left, right) for left, right in zip(first, second, strict=True))


def test_a_state_holds_only_what_torch_knows(settings: Any) -> None:
    state = build(settings, parameters()).state_dict()
    groups = [group for part in state.get("parts", [state]) for group in part["param_groups"]]
    known = torch.optim.AdamW([torch.zeros(1)]).param_groups[0] | torch.optim.Muon([torch.zeros(1, 1)]).param_groups[0]
    assert {key for group in groups for key in group} <= known.keys()


def test_a_rate_holds_for_every_parameter(settings: Any) -> None:
    values = parameters()
    optimizer = build(settings, values)

    set_lr(optimizer, 0.25)

    rates = lr_by_parameter(optimizer)
    assert [rates[parameter] for parameter in values] == [0.25] * 3


def test_one_step_of_adamw_is_the_published_one() -> None:
    value = nn.Parameter(torch.tensor([[2.0, -1.0]]))
    value.grad = torch.tensor([[0.5, -0.25]])
    optimizer = build(Optim(name="adamw", lr=0.1, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.1), [value])

    optimizer.step()

    # In the first step the corrected means are the gradient and its square.
    expected = torch.tensor([[2.0, -1.0]]) * (1 - 0.1 * 0.1) - 0.1 * torch.tensor([[0.5 / (0.5 + 1e-6), -1.0]])
    torch.testing.assert_close(value.detach(), expected, rtol=1e-5, atol=1e-5)


def test_one_step_of_muon_follows_the_gradient_with_singular_values_near_1() -> None:
    """The five iterations of its author leave them between about 0.7 and 1.2."""
    torch.manual_seed(0)
    matrix = nn.Parameter(torch.randn(6, 4))
    matrix.grad = torch.randn_like(matrix)
    before, lr = matrix.detach().clone(), 0.1

    build(Optim(name="muon", lr=lr), [matrix]).step()

    like_adamw = 0.2 * max(matrix.shape) ** 0.5  # the published factor to the size of a step of AdamW
    step = (before - matrix.detach()) / (lr * like_adamw)
    sizes = torch.linalg.svdvals(step)
    assert 0.6 < float(sizes.min()) <= float(sizes.max()) < 1.3
    left, _, right = torch.linalg.svd(matrix.grad, full_matrices=False)
    assert float((step * (left @ right)).sum() / (step.norm() * 4**0.5)) > 0.95


def test_tables_and_vectors_move_under_muon_as_under_adamw() -> None:
    torch.manual_seed(0)
    mine = [nn.Parameter(torch.randn(size)) for size in ((9, 4), (4,))]
    theirs = [nn.Parameter(p.detach().clone()) for p in mine]
    for one, other in zip(mine, theirs, strict=True):
        one.grad = other.grad = torch.randn_like(one)

    build(Optim(name="muon", lr=0.1), mine, tables=mine[:1]).step()
    build(Optim(name="adamw", lr=0.1), theirs).step()

    assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))


def test_muon_leaves_stacks_of_matrices_to_adamw() -> None:
    stack = nn.Parameter(torch.zeros(2, 3, 3))
    stack.grad = torch.ones_like(stack)

    build(Optim(name="muon", lr=0.1), [stack]).step()

    torch.testing.assert_close(stack.detach(), torch.full((2, 3, 3), -0.1))
