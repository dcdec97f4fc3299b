"""Where do experts begin? At slices of the singular value decomposition of the weight, or at nothing.

With W = U S V', the leading K directions are kept as two factors, `start_b_OK = U sqrt(S)` and
`start_a_KI = sqrt(S) V'`. An expert of scale s that takes the directions F begins at `A = start_a[F] / sqrt(s)` and
`B = start_b[:, F] / sqrt(s)`, so that s B A is that part of the weight.

Source: Meng et al. 2024, PiSSA, arXiv:2404.02948; for the slices Zong et al. 2025, MoLE, arXiv:2506.18923.

Shapes: I in_features, O out_features, K leading directions, R rank.
"""

from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from codeglot.methods.mole.experts import Expert

_STD = 0.02
"""Of s A where nothing is taken from the weight."""


class Start(NamedTuple):
    """The leading directions of a weight."""

    a_KI: Tensor
    b_OK: Tensor

    def of(self, expert: Expert) -> tuple[Tensor, Tensor]:
        """A and B that an expert begins at."""
        own, weight = slice(expert.first, expert.first + expert.r), 1 / sqrt(expert.scale)
        return self.a_KI[own] * weight, self.b_OK[:, own] * weight


def leading_directions(weight_OI: Tensor, num_directions: int) -> Start:
    """The K largest singular directions of a weight, in decreasing order, float32.

    They come from the eigenvectors of its smaller Gram matrix in double precision, which is exact enough (about 1e-8 of
    the largest singular value) and several times as fast as the whole decomposition. Signs are fixed, so that equal
    weights give equal factors.

    Args:
        weight_OI: Of a linear, any floating-point format.
        num_directions: K, at most the smaller size of the weight.
    """
    wide_SL = weight_OI.double() if weight_OI.shape[0] <= weight_OI.shape[1] else weight_OI.double().T
    # From the smallest eigenvalue to the largest.
    squares_S, vectors_SS = torch.linalg.eigh(wide_SL @ wide_SL.T)
    small_SK = vectors_SS[:, -num_directions:].flip(1)
    signs_K = small_SK.gather(0, small_SK.abs().argmax(dim=0, keepdim=True)).sign()
    small_SK = small_SK * torch.where(signs_K == 0, 1.0, signs_K)
    roots_K = squares_S[-num_directions:].flip(0).clamp(min=0).sqrt().sqrt()
    # U' W = S V': the other side needs no division, unless to give it half of S.
    other_KL = small_SK.T @ wide_SL
    other_KL = torch.where(roots_K[:, None] > 0, other_KL / roots_K[:, None].clamp(min=1e-300), 0.0)
    a_KI, b_OK = (
        (other_KL, small_SK * roots_K) if wide_SL.shape == weight_OI.shape else ((small_SK * roots_K).T, other_KL.T)
    )
    return Start(a_KI.float().contiguous(), b_OK.float().contiguous())


def begin_at_nothing(expert: Expert, num_in: int, num_out: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """A and B of an expert that takes nothing from the weight: A random, B zero."""
    a_RI = torch.randn(expert.r, num_in, device=device) * (_STD / expert.scale)
    return a_RI, torch.zeros(num_out, expert.r, device=device)
