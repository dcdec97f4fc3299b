from typing import Any

import pytest
import torch
from torch import nn

from codeglot.errors import ConfigError
from codeglot.optim.sign import Lion, Signum
from codeglot.optim.sophia import Sophia


def slow(kind: Any, value: float, gradients: Any, *, lr: float, decay: float, betas: Any) -> float:
    mean = 0.0
    for gradient in gradients:
        value *= 1 - lr * decay
        direction = betas[0] * mean + (1 - betas[0]) * gradient
        mean = direction if kind is Signum else betas[1] * mean + (1 - betas[1]) * gradient
        value -= lr * ((direction > 0) - (direction < 0))
    return value


@pytest.mark.parametrize("kind", [Signum, Lion])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_steps_are_those_of_the_papers(kind: Any, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(20, 6, generator=generator).to(dtype)
    p = nn.Parameter(torch.ones(6, dtype=dtype))
    optimizer = kind([{"params": [p], "weight_decay": 0.5}], lr=0.125, betas=(0.9, 0.99))

    for gradient in gradients:
        p.grad = gradient
        optimizer.step()

    rows = gradients.float().T.tolist()
    expected = [slow(kind, 1.0, row, lr=0.125, decay=0.5, betas=(0.9, 0.99)) for row in rows]
    tolerance = 1e-5 if dtype == torch.float32 else 0.05
    assert p.float().tolist() == pytest.approx(expected, abs=tolerance)
    assert optimizer.state[p]["exp_avg"].dtype == torch.float32


@pytest.mark.parametrize("kind", [Signum, Lion])
def test_float16_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigError, match="float16"):
        kind([nn.Parameter(torch.zeros(2, dtype=torch.float16))], lr=1.0)


def test_sophia_with_constant_curvature_and_much_momentum_is_signum() -> None:
    """What the released optimizer of FLeX is: its curvature is 1e-4 everywhere."""
    generator = torch.Generator().manual_seed(1)
    one, other = (nn.Parameter(torch.zeros(50)) for _ in range(2))
    signum = Signum([one], lr=0.1, betas=(0.965, 0.99))
    sophia = Sophia([other], lr=0.1, gamma=0.01, hessian_init="first", bias_correct_h=False)
    sophia.refresh({other: torch.full((50,), 1e-4)})
    for _ in range(10):
        one.grad = other.grad = 1e-2 * torch.randn(50, generator=generator)
        signum.step()
        sophia.step()
    torch.testing.assert_close(one, other, atol=1e-2, rtol=0)
