"""Drawing tokens so that a completion depends on its own seed alone.

The noise is put on the logits and the largest one is taken: argmax(log p + Gumbel) is an exact draw from p. Each
row has its own generator and takes one vector of noise per token, so its draws are the same alone or in any batch.

Not promised: the same draws on another kind of device, or bitwise equal logits in batches of another shape. In
float32 that rounding is about 1e-6 and practically never changes a token; in 16 bits it can, and a batch of one
is then the exact way.

Shapes: B batch, V vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import LogitsProcessor


class SeededSampler(LogitsProcessor):
    """Perturbs the logits of each row so that greedy decoding samples from them.

    Args:
        seeds: One per row.
        temperature: Above 0.
        top_p: Probability mass that is drawn from, 0 < top_p <= 1.
        device: Where the logits are.
    """

    def __init__(self, seeds: Sequence[int], *, temperature: float, top_p: float, device: torch.device) -> None:
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self._temperature = temperature
        self._top_p = top_p

    def keep(self, places: Sequence[int]) -> None:
        """Forget all rows but these, whose draws go on where they are."""
        self._generators = [self._generators[place] for place in places]

    def __call__(self, _input_ids: Tensor, logits_BV: Tensor) -> Tensor:
        """Return perturbed logits, float64, shape (B, V)."""
        # 53 random bits: with 24, the tail of a large vocabulary would be drawn wrongly.
        logits_BV = nucleus(logits_BV.double() / self._temperature, self._top_p)
        return logits_BV + torch.stack([_gumbel(logits_BV.shape[1], generator) for generator in self._generators])


def nucleus(logits_BV: Tensor, top_p: float) -> Tensor:
    """Set to -inf all but the fewest tokens whose probability reaches `top_p`.

    Args:
        logits_BV: Shape (B, V).
        top_p: 0 < top_p <= 1; 1 keeps everything.
    """
    if top_p >= 1:
        return logits_BV
    sorted_BV, order_BV = logits_BV.sort(dim=-1, descending=True, stable=True)
    probability_BV = sorted_BV.softmax(dim=-1)
    before_BV = probability_BV.cumsum(dim=-1) - probability_BV
    is_outside = torch.zeros_like(before_BV, dtype=torch.bool).scatter(-1, order_BV, before_BV >= top_p)
    return logits_BV.masked_fill(is_outside, float("-inf"))


def _gumbel(size: int, generator: torch.Generator) -> Tensor:
    # u = 0 gives -inf, a token that is not drawn; u = 1 does not occur.
    u = torch.rand(size, generator=generator, dtype=torch.float64, device=generator.device)
    return u.log_().neg_().log_().neg_()
