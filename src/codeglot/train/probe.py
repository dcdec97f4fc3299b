"""Does the model do what the loop takes for granted? Tried on two short texts before the first step.

Architectures differ in what they do to their logits and in whether they keep packed examples apart. Lists of names
go stale; a forward pass does not.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from codeglot.data.batch import Batch, EncodedExample
from codeglot.data.collate import collate, collate_packed
from codeglot.errors import ConfigError
from codeglot.train.loss import Reader, split, whole
from codeglot.train.modes import as_it_was
from codeglot.train.portions import place

_LENGTH = 12
"""Tokens of each text; its rows are cheap in any model."""
_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-6}
"""Largest difference in parts of the largest logit; in 16 bits a few units of the last place."""
_LOOSE = 5e-2

log = logging.getLogger(__name__)


Around = Callable[[Batch], AbstractContextManager[Any]]
"""What must be open while a batch is in the model."""


def probe(
    model: nn.Module, examples: Sequence[EncodedExample], *, packing: bool, device: torch.device, around: Around
) -> Reader:
    """Take a model apart, make sure that its parts give its logits, and that it keeps packed examples apart.

    Args:
        model: A causal language model; it is left as it was.
        examples: The first two are used.
        packing: Whether rows will hold several examples.
        device: Where the model is.
        around: What must be open while a batch is in the model.

    Raises:
        ConfigError: If rows are to be packed and the model lets packed examples see each other.
    """
    short = [_shorten(example) for example in (*examples[:2], examples[0])][:2]
    batch = place(collate(short, 0), device)
    reader = split(model)
    with as_it_was(model), torch.no_grad():
        model.eval()
        own = _logits(whole(model), batch, around)
        if reader.head is not None and not _is_close(_logits(reader, batch, around), own):
            log.info("The logits of %s are not its head's alone; they are made whole.", type(model).__name__)
            reader = whole(model)
        if packing:
            _check_packing(reader, short, device, around)
    return reader


def _check_packing(reader: Reader, examples: Sequence[EncodedExample], device: torch.device, around: Around) -> None:
    apart = [_logits(reader, place(collate([example], 0), device), around) for example in examples]
    try:
        packed = _logits(reader, place(collate_packed([examples], 0), device), around)
    except TypeError as error:  # a forward without position_ids
        raise _unpackable() from error
    if not _is_close(packed, torch.cat(apart)):
        raise _unpackable()


def _unpackable() -> ConfigError:
    return ConfigError(
        "train.packing = true, but in this model the examples of a packed row see each other, so it would learn from "
        "neighbours that are not there when it is used. Set train.packing = false."
    )


def _logits(reader: Reader, batch: Batch, around: Around) -> Tensor:
    """Logits of everything but padding, one row each."""
    with around(batch):
        hidden_BLD = reader.hidden(batch)
    is_token = torch.ones_like(batch.input_ids) if batch.attention_mask is None else batch.attention_mask
    return reader.logits(hidden_BLD[is_token.bool()])


def _is_close(found: Tensor, expected: Tensor) -> bool:
    tolerance = _TOLERANCE.get(expected.dtype, _LOOSE)
    difference = (found.double() - expected.double()).abs().max()
    return bool(difference <= tolerance * expected.double().abs().max())


def _shorten(example: EncodedExample) -> EncodedExample:
    ids, labels, languages, where = example
    return EncodedExample(ids[:_LENGTH], labels[:_LENGTH], languages[:_LENGTH], where)
