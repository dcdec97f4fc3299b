"""The update since a start other than nothing."""

import torch

from codeglot.regularizers.low_rank import difference


def test_the_difference_of_two_products_survives_16_bits() -> None:
    generator = torch.Generator().manual_seed(0)
    start_a_RI, start_b_OR, move_a_RI, move_b_OR = (
        torch.randn(shape, generator=generator) for shape in ((4, 32), (24, 4)) * 2
    )
    now = start_a_RI + 1e-3 * move_a_RI, start_b_OR + 1e-3 * move_b_OR
    expected = now[1] @ now[0] - start_b_OR @ start_a_RI

    a_RI, b_OR = difference(now, (start_a_RI, start_b_OR))

    assert (a_RI.shape, b_OR.shape) == ((8, 32), (24, 8))
    torch.testing.assert_close(b_OR @ a_RI, expected, rtol=1e-3, atol=1e-5)
    rounded = b_OR.bfloat16().float() @ a_RI.bfloat16().float()
    assert (rounded - expected).norm() < 0.01 * expected.norm()
    side_by_side = torch.cat([now[1], -start_b_OR], dim=1).bfloat16(), torch.cat([now[0], start_a_RI]).bfloat16()
    assert (side_by_side[0].float() @ side_by_side[1].float() - expected).norm() > 0.5 * expected.norm()
