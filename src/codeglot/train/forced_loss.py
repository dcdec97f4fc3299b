"""How well does a model predict texts when all their tokens are said to be in one language after another?

Shapes: B rows, L positions, N positions with a target.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codeglot.data.batch import IGNORED, Batch, EncodedExample
from codeglot.data.collate import collate
from codeglot.models.modes import in_evaluation
from codeglot.train.loss import split
from codeglot.train.portions import place

_ROWS = 16


def forced_losses(
    model: nn.Module,
    route: Callable[[Tensor], AbstractContextManager[Any]],
    examples: Sequence[EncodedExample],
    labels: Sequence[int],
) -> list[list[float]]:
    """Sum of the negative log-likelihoods of each example's targets, in nats: a row for each label.

    Args:
        model: Routed by language; its modes stay as they are.
        route: What must be open around a forward pass on tokens of these languages, shape (B, L).
        examples: Their own languages do not count.
        labels: Indices into the model's languages, 0 for other text.
    """
    device = next(model.parameters()).device
    # Neighbours in length need little padding.
    order = sorted(range(len(examples)), key=lambda number: len(examples[number].input_ids))
    found = [[0.0] * len(examples) for _ in labels]
    with in_evaluation(model), torch.no_grad():
        for start in range(0, len(order), _ROWS):
            numbers = order[start : start + _ROWS]
            batch = place(collate([examples[number] for number in numbers], 0), device)
            for row, label in zip(found, labels, strict=True):
                with route(torch.where(batch.language_ids < 0, batch.language_ids, label)):
                    sums = _by_row(model, batch).tolist()
                for number, value in zip(numbers, sums, strict=True):
                    row[number] = value
    return found


def _by_row(model: nn.Module, batch: Batch) -> Tensor:
    """Sum over the targets of each row, shape (B,)."""
    reader = split(model)
    is_target_BL = batch.labels[:, 1:] != IGNORED
    logits_NV = reader.logits(reader.hidden(batch)[:, :-1][is_target_BL])
    losses_N = functional.cross_entropy(logits_NV.float(), batch.labels[:, 1:][is_target_BL], reduction="none")
    rows_N = is_target_BL.nonzero()[:, 0]
    return losses_N.new_zeros(len(batch.labels)).index_add(0, rows_N, losses_N)
