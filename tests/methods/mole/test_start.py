"""Leading singular directions, against the whole decomposition."""

import pytest
import torch

from codeglot.methods.mole.experts import list_experts
from codeglot.methods.mole.start import leading_directions
from tests.methods.mole.plain import LANGUAGES, SIZES


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (30, 30)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_the_truncated_decomposition(shape: tuple[int, int], dtype: torch.dtype) -> None:
    weight_OI = torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    left, values, right = torch.linalg.svd(weight_OI.double(), full_matrices=False)

    start = leading_directions(weight_OI, 8)

    expected = left[:, :8] * values[:8] @ right[:8]
    torch.testing.assert_close((start.b_OK @ start.a_KI).double(), expected, rtol=0, atol=1e-5 * float(values[0]))
    torch.testing.assert_close(start.b_OK.square().sum(dim=0), values[:8].float())
    torch.testing.assert_close(start.a_KI.square().sum(dim=1), values[:8].float())
    rest = weight_OI.double() - (start.b_OK @ start.a_KI).double()
    assert torch.linalg.matrix_norm(left[:, :8].T @ rest) <= 1e-4 * torch.linalg.matrix_norm(weight_OI.double())


def test_directions_that_a_weight_lacks_are_nothing() -> None:
    weight_OI = torch.ones(6, 5)

    start = leading_directions(weight_OI, 3)

    torch.testing.assert_close(start.b_OK @ start.a_KI, weight_OI)
    assert torch.isfinite(start.a_KI).all()
    assert not leading_directions(torch.zeros(4, 4), 2).a_KI.any()


def test_equal_weights_give_equal_factors_and_signs_are_fixed() -> None:
    weight_OI = torch.randn(9, 12, generator=torch.Generator().manual_seed(3))

    first, second = leading_directions(weight_OI, 4), leading_directions(weight_OI.clone(), 4)

    assert torch.equal(first.a_KI, second.a_KI)
    largest = first.b_OK.gather(0, first.b_OK.abs().argmax(dim=0, keepdim=True))
    assert (largest > 0).all()


@pytest.mark.parametrize("init", ["shared_first", "shared_last"])
def test_what_a_token_meets_is_together_the_leading_part_of_the_weight(init: str) -> None:
    weight_OI = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(weight_OI, full_matrices=False)
    experts = {e.name: e for e in list_experts("other", init, SIZES, LANGUAGES)}  # type: ignore[arg-type]
    start = leading_directions(weight_OI, 6)

    def product(name: str) -> torch.Tensor:
        a_RI, b_OR = start.of(experts[name])
        return experts[name].scale * b_OR @ a_RI

    expected = left[:, :6] * values[:6] @ right[:6]
    torch.testing.assert_close(product("shared") + product("rust"), expected)
    torch.testing.assert_close(product("other"), expected)
    for name in ("java", "python"):
        assert torch.equal(start.of(experts[name])[0], start.of(experts["rust"])[0])
