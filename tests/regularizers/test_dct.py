import pytest
import torch

from codeglot.regularizers.dct import dct, idct
from tests.regularizers.plain import cosines


@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 64])
def test_it_is_the_cosine_matrix(size: int) -> None:
    values = torch.randn(4, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    torch.testing.assert_close(dct(values), values @ cosines(size).T)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 64])
def test_the_inverse_gives_the_values_back(size: int) -> None:
    values = torch.randn(4, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    torch.testing.assert_close(idct(dct(values)), values)
