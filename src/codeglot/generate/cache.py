"""The keys and values of past tokens, in room that is made ahead.

The library's own cache copies everything for every token. Here a token is written into its place, and all is copied
only when the room is used up; what attention sees is the same numbers.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Positions by which a layer grows."""


class GrowingLayer(DynamicLayer):
    """One layer's keys and values, shape (rows, heads, positions, width of a head)."""

    def __init__(self) -> None:
        super().__init__()
        self._room: tuple[Tensor, Tensor] | None = None
        self._seen: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Add positions; return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        # Whatever else changes the layer (taking rows out, cropping) puts other tensors there.
        is_own = self._seen is not None and self.keys is self._seen[0] and self.values is self._seen[1]
        room = self._room if is_own else None
        if room is None or end > room[0].shape[-2]:
            room = (_grown(self.keys, key_states, end), _grown(self.values, value_states, end))
        room[0][..., start:end, :] = key_states
        room[1][..., start:end, :] = value_states
        self._room = room
        self._seen = self.keys, self.values = room[0][..., :end, :], room[1][..., :end, :]
        return self._seen


def _grown(old: Tensor | None, new: Tensor, end: int) -> Tensor:
    room = torch.empty(*new.shape[:-2], end + _ROOM, new.shape[-1], dtype=new.dtype, device=new.device)
    if old is not None and old.numel():
        room[..., : old.shape[-2], :] = old
    return room


def growing_cache(model: Any) -> DynamicCache | None:
    """An empty cache for a model; None where the model keeps its past in another form, or takes no cache from outside.

    Args:
        model: A model of transformers, without adapters around it.
    """
    takes_one = getattr(model, "_supports_default_dynamic_cache", None)
    if takes_one is None or not takes_one():
        return None
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    if not cache.layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    cache.layers = [GrowingLayer() for _ in cache.layers]
    return cache
