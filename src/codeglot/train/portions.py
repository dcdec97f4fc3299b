"""What each optimizer step is made of: which examples, in which rows, in which forward passes, on which process.

All of it follows from the seed and the number of the step, so a training continues anywhere without having read what
came before.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import fields
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from codeglot.data.batch import Batch, EncodedExample
from codeglot.data.collate import collate, collate_packed, pack
from codeglot.errors import DataError
from codeglot.train.settings import Train

_SHOWN = 5
"""Rows named in one error."""


def place(batch: Batch, device: torch.device) -> Batch:
    """The same rows on the device of the model."""
    if device.type == "cpu":
        return batch
    moved: dict[str, Any] = {
        field.name: None if (value := getattr(batch, field.name)) is None else value.to(device, non_blocking=True)
        for field in fields(batch)
    }
    return Batch(**moved)


class MicroBatch(NamedTuple):
    """The rows of one forward pass."""

    batch: Batch
    """On the CPU."""
    num_tokens: int
    """Without padding."""
    sources: tuple[str, ...]
    """Where its examples come from."""
    places: tuple[int, ...]
    """Their places among the examples of the step, row by row."""
    num_targets: tuple[int, ...]
    """Positions trained on in each of them."""


class Portion(NamedTuple):
    """What one process does for one optimizer step."""

    micro_batches: list[MicroBatch]
    num_tokens: int
    """Tokens of the step over all processes, without padding."""
    num_target_tokens: int
    """Positions trained on in the step over all processes: what its loss is divided by."""


class Portions:
    """The steps of one training.

    Args:
        examples: What is trained on; `steps` or `epochs` of it.
        train: Sizes of batches and rows.
        seed: Decides the order.
        pad_token_id: Fills rows up.
        order: Places of the examples in the order they come, over and over; None: a new shuffled order every epoch.

    Raises:
        DataError: If there are no examples, one has nothing to train on, or one is longer than a row.
    """

    def __init__(
        self,
        examples: Sequence[EncodedExample],
        train: Train,
        *,
        seed: int,
        pad_token_id: int,
        order: Sequence[int] | None = None,
    ) -> None:
        if not examples or (order is not None and not len(order)):
            raise DataError("There are no examples to train on. Give data.sources that hold some.")
        self._examples = examples
        self._train = train
        self._seed = seed
        self._pad_token_id = pad_token_id
        self._num_targets = np.array([example.num_targets for example in examples])
        self._lengths = np.array([len(example.input_ids) for example in examples])
        self._max_length = train.max_length or int(self._lengths.max())
        self._check()
        self._order = None if order is None else np.asarray(order)
        self._num_places = len(examples if order is None else order)
        self._epoch: tuple[int, npt.NDArray[np.int64]] | None = None
        self._end = train.num_draws(len(examples))
        self.num_steps = train.num_steps(len(examples))

    def _check(self) -> None:
        """Refuse rows that cannot be trained on."""
        if len(empty := np.flatnonzero(self._num_targets == 0)):
            raise DataError(
                f"{len(empty)} example(s) have no token to train on: {self._name(empty)}. "
                "Leave them out, or give them a completion."
            )
        if len(long := np.flatnonzero(self._lengths > self._max_length)):
            raise DataError(
                f"{len(long)} example(s) are longer than train.max_length = {self._max_length} tokens: "
                f"{self._name(long)}. Raise it, or lower data.max_length with data.too_long = 'drop'."
            )

    def _name(self, places: npt.NDArray[np.intp]) -> str:
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        return ", ".join(self._examples[place].where for place in places[:_SHOWN]) + more

    def indices(self, step: int) -> list[int]:
        """Places of a step's examples, the step counted from 0."""
        first = step * self._train.batch_size
        return [self._at(place) for place in range(first, min(first + self._train.batch_size, self._end))]

    def _at(self, place: int) -> int:
        epoch, offset = divmod(place, self._num_places)
        if self._order is not None:
            return int(self._order[offset])
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, np.random.default_rng([self._seed, epoch]).permutation(self._num_places))
        return int(self._epoch[1][offset])

    def digest(self) -> str:
        """A hash of everything that is trained on, in its order."""
        sha = sha256(json.dumps([self._seed, self._end, self._max_length, self._pad_token_id]).encode())
        if self._order is not None:
            sha.update(self._order.astype("<i8").tobytes())
        for example in self._examples:
            for values in (example.input_ids, example.labels, example.language_ids):
                sha.update(np.asarray(values, dtype="<i4").tobytes())
        return sha.hexdigest()

    def portion(self, step: int, *, process: int = 0, num_processes: int = 1, share: float = 1.0) -> Portion:
        """Rows of a step for one process: every `num_processes`-th of all, longest first, so that all have alike.

        Args:
            step: Counted from 0.
            process: Which one.
            num_processes: How many there are.
            share: Only this part of the step's examples, the first, rounded up.
        """
        indices = self.indices(step)
        indices = indices[: math.ceil(share * len(indices))]
        lengths = self._lengths[indices].tolist()
        rows = pack(lengths, self._max_length) if self._train.packing else [[place] for place in range(len(indices))]
        rows = sorted(rows, key=lambda row: -sum(lengths[place] for place in row))
        mine = rows[process::num_processes]
        size = self._train.micro_batch_size
        return Portion(
            [self._micro_batch(indices, mine[start : start + size]) for start in range(0, len(mine), size)],
            int(self._lengths[indices].sum()),
            int(self._num_targets[indices].sum()),
        )

    def _micro_batch(self, indices: Sequence[int], rows: Sequence[Sequence[int]]) -> MicroBatch:
        """Rows of places among a step's examples, which lie at `indices`."""
        groups = [[self._examples[indices[place]] for place in row] for row in rows]
        examples = [example for group in groups for example in group]
        packed = self._train.packing
        return MicroBatch(
            collate_packed(groups, self._pad_token_id) if packed else collate(examples, self._pad_token_id),
            sum(len(example.input_ids) for example in examples),
            tuple(example.where for example in examples),
            tuple(place for row in rows for place in row),
            tuple(self._num_targets[[indices[place] for row in rows for place in row]].tolist()),
        )
