"""The language-model loss, as a sum over the positions that are trained on.

Positions without a target are dropped before the projection to the vocabulary, and the rest goes through it in
chunks, so the logits of a batch never exist at once. Where torch has a chunked `linear_cross_entropy`, and the model
does nothing to its logits that a linear layer does not, that does the work; else the logits of a chunk are made twice,
once on the way back. The second way calls the model's own head, so it takes heads that carry an adapter, and it can be
differentiated twice.

torch's adds up in the number format of the logits. In 16 bits the value of a loss is then as coarse as these (three
digits), its gradient no coarser than logits in 16 bits make it anyway. So the steps that are logged, by language, take
the second way there, which adds up in float32; the steps between logged lines do not.

A model whose logits cannot be had this way (found by trying, once) gives them whole, which takes more memory.

Shapes: B rows, L positions, N positions with a target, D model width, V vocabulary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from codeglot.data.batch import IGNORED, OTHER_LANGUAGE, Batch

_CHUNK = 256
"""Positions whose logits exist at once."""
_Options: Any = getattr(torch.nn, "LinearCrossEntropyOptions", None)
"""What asks torch for its chunked loss, from 2.13 on."""
_FACTORS = ("logit_scale", "lm_head_multiplier", "output_multiplier")
_DIVISORS = ("logits_scaling",)
"""Names under which architectures keep what their logits are multiplied with or divided by."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Where a model keeps its hidden states, and how they become logits."""

    decoder: Callable[..., Any]
    """Everything below the projection; or the whole model, with `head` None."""
    head: nn.Module | None
    scale: float = 1.0
    softcap: float | None = None

    def hidden(self, batch: Batch) -> Tensor:
        """Last hidden states, shape (B, L, D); of a reader without head the logits, (B, L, V)."""
        inputs: dict[str, Tensor] = {}
        if batch.position_ids is not None:
            # Without a mask and a cache, models keep apart what starts at position 0 anew.
            inputs["position_ids"] = batch.position_ids
        # Padding stands behind the text, where a causal model does not look: no mask is faster and changes nothing.
        output = self.decoder(input_ids=batch.input_ids, use_cache=False, **inputs)
        hidden: Tensor = output.last_hidden_state if self.head is not None else output.logits
        return hidden

    def logits(self, hidden_ND: Tensor) -> Tensor:
        """Logits as the model gives them, shape (N, V)."""
        if self.head is None:
            return hidden_ND
        logits_NV: Tensor = self.head(hidden_ND)
        if self.scale != 1.0:
            logits_NV = logits_NV * self.scale
        if self.softcap is not None:
            logits_NV = torch.tanh(logits_NV / self.softcap) * self.softcap
        return logits_NV

    @property
    def is_linear(self) -> bool:
        """Whether the head is one matrix and nothing else happens to its logits."""
        head: Any = self.head
        is_bare = type(head) is nn.Linear and not head._forward_hooks and not head._forward_pre_hooks
        return is_bare and self.softcap is None and (self.scale == 1.0 or head.bias is None)


def split(model: nn.Module) -> Reader:
    """Find decoder and head of a causal language model, one that PEFT wraps too."""
    get_base_model = getattr(model, "get_base_model", None)
    causal: Any = get_base_model() if callable(get_base_model) else model
    get_head = getattr(causal, "get_output_embeddings", None)
    head = get_head() if callable(get_head) else None
    decoder = getattr(causal, "base_model", causal)
    if head is None or decoder is causal:
        return whole(model)
    config = causal.config.get_text_config()
    factors = [getattr(config, name, None) or 1.0 for name in _FACTORS]
    factors += [1 / (getattr(config, name, None) or 1.0) for name in _DIVISORS]
    scale = 1.0
    for part in factors:
        scale *= part
    return Reader(decoder, head, scale, getattr(config, "final_logit_softcapping", None))


def whole(model: nn.Module) -> Reader:
    """Take the logits from the model itself."""
    return Reader(model, None)


@dataclass(frozen=True, slots=True)
class Loss:
    """Negative log-likelihood of the targets of one forward pass, in nats."""

    total: Tensor
    """Sum over all targets, a scalar, differentiable."""
    by_language: Mapping[int, tuple[Tensor, int]]
    """For each language id its part of that sum, without gradient, and its number of targets; empty if not asked."""


def language_model_loss(
    reader: Reader, batch: Batch, *, by_language: bool = False, twice_differentiable: bool = False
) -> Loss:
    """Sum of the negative log-likelihoods of a batch's targets.

    Args:
        reader: The model, taken apart.
        batch: Rows, not shifted; a label is predicted from the position before it.
        by_language: Whether to give the sum of each language too; costs little, but not nothing.
        twice_differentiable: Whether second derivatives will be taken; costs one more projection.
    """
    hidden_BLD = reader.hidden(batch)
    labels_BT = batch.labels[:, 1:]
    is_target_BT = labels_BT != IGNORED
    hidden_ND = hidden_BLD[:, :-1][is_target_BT]
    targets_N = labels_BT[is_target_BT]
    if not by_language:
        return Loss(nll_sum(reader, hidden_ND, targets_N, twice_differentiable=twice_differentiable), {})
    # Every language's positions go through the projection by themselves: one pass, and no work twice.
    languages_N = batch.language_ids[:, 1:][is_target_BT].clamp(min=OTHER_LANGUAGE)
    order_N = languages_N.argsort(stable=True)
    ids, counts = languages_N.unique(return_counts=True)
    parts = zip(hidden_ND[order_N].split(counts.tolist()), targets_N[order_N].split(counts.tolist()), strict=True)
    # What is logged by language is summed in float32, see above.
    in_float = twice_differentiable or (reader.is_linear and _format(reader, hidden_ND) != torch.float32)
    sums = [nll_sum(reader, hidden, targets, twice_differentiable=in_float) for hidden, targets in parts]
    named = zip(ids.tolist(), sums, counts.tolist(), strict=True)
    total = torch.stack(sums).sum() if sums else hidden_ND.sum() * 0.0
    return Loss(total, {language: (part.detach(), count) for language, part, count in named})


def sampled_loss(reader: Reader, batch: Batch, draws_N: Tensor) -> Tensor:
    """Sum of the negative log-likelihoods of labels that the model itself drew, at every position with a target.

    The inputs stay the real tokens: at t a label is drawn for t + 1, and only the loss sees it. Its gradient, squared,
    is the Gauss-Newton-Bartlett estimate (`curvature.py`).

    Args:
        reader: The model, taken apart.
        batch: Rows, not shifted.
        draws_N: A number from [0, 1) per target, row by row.
    """
    hidden_BLD = reader.hidden(batch)
    hidden_ND = hidden_BLD[:, :-1][batch.labels[:, 1:] != IGNORED]
    with torch.no_grad():
        parts = zip(hidden_ND.split(_CHUNK), draws_N.split(_CHUNK), strict=True)
        drawn = [_draw(reader.logits(hidden).float(), draws) for hidden, draws in parts]
    return nll_sum(reader, hidden_ND, torch.cat(drawn) if drawn else batch.labels.new_zeros(0))


def _draw(logits_NV: Tensor, draws_N: Tensor) -> Tensor:
    """Tokens drawn from the softmax of logits, shape (N,): where a uniform number falls in its running sum."""
    sums_NV = logits_NV.softmax(dim=-1).cumsum(dim=-1)
    places_N1 = draws_N[:, None] * sums_NV[:, -1:]  # the sum is 1 but for rounding
    tokens_N1 = torch.searchsorted(sums_NV, places_N1, right=True)
    return tokens_N1.squeeze(1).clamp(max=logits_NV.shape[1] - 1)


def nll_sum(reader: Reader, hidden_ND: Tensor, targets_N: Tensor, *, twice_differentiable: bool = False) -> Tensor:
    """Sum of negative log-likelihoods, a float32 scalar.

    Args:
        reader: Its head is used.
        hidden_ND: Hidden states of the positions before the targets, shape (N, D).
        targets_N: Token ids, shape (N,).
        twice_differentiable: Whether second derivatives will be taken.
    """
    if not len(targets_N):
        return hidden_ND.sum().float() * 0.0
    if reader.is_linear and _Options is not None and not twice_differentiable:
        return _native(reader, hidden_ND, targets_N)
    return _chunked(reader, hidden_ND, targets_N)


def _native(reader: Reader, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """By torch's chunked loss, which makes the gradient on the way forward."""
    head: Any = reader.head
    if reader.scale != 1.0:
        hidden_ND = hidden_ND * reader.scale
    kind, dtype = hidden_ND.device.type, _format(reader, hidden_ND)
    bias = None if head.bias is None else head.bias.to(dtype)
    with torch.autocast(kind, enabled=False):
        loss: Tensor = functional.linear_cross_entropy(
            hidden_ND.to(dtype),
            head.weight.to(dtype),
            targets_N,
            linear_bias=bias,
            reduction="sum",
            options=_Options(batch_chunk_size=_CHUNK),
        )
    return loss.float()


def _format(reader: Reader, hidden_ND: Tensor) -> torch.dtype:
    """Number format that a linear head's logits have."""
    kind = hidden_ND.device.type
    head: Any = reader.head
    dtype: torch.dtype = head.weight.dtype
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else dtype


def _chunked(reader: Reader, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """By making each chunk's logits again on the way back."""

    def part(hidden: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(reader.logits(hidden).float(), targets, reduction="sum")

    chunks = zip(hidden_ND.split(_CHUNK), targets_N.split(_CHUNK), strict=True)
    # A head with dropout must drop the same entries both times, hence the default preserve_rng_state.
    return torch.stack([checkpoint(part, *chunk, use_reentrant=False) for chunk in chunks]).sum()
