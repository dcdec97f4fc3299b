"""Which tokens meet which experts in the forward pass that is being made? Decided once, for all layers.

Shapes: B rows, L positions, T = B L tokens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from codeglot.data.batch import OTHER_LANGUAGE, PADDING_LANGUAGE
from codeglot.errors import EngineError


class Group(NamedTuple):
    """Tokens of one label, next to each other when sorted."""

    label: int
    start: int
    end: int


class Plan(NamedTuple):
    """Tokens sorted by label."""

    labels_T: Tensor
    """Of each token, unsorted; -1 on padding."""
    groups: tuple[Group, ...]
    """Without padding, which meets no expert."""
    order_T: Tensor | None
    """Place of each sorted token among the unsorted; None where they are sorted, or of one label."""
    inverse_T: Tensor | None
    """Place of each unsorted token among the sorted; None likewise."""


class Routes:
    """The labels of the tokens in the model, and what follows from them.

    All are equal: a method holds one beside its settings, which alone tell two methods apart.
    """

    def __init__(self) -> None:
        self._labels_BL: Tensor | None = None
        self._plan: Plan | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Routes)

    __hash__ = None  # type: ignore[assignment] # it changes

    def __deepcopy__(self, memo: object) -> "Routes":
        return self  # a copied model is routed by the method that routes the model

    @contextmanager
    def opened(self, language_ids_BL: Tensor) -> Iterator[None]:
        """Route by these labels until closed; what was open before is open again then."""
        before = self._labels_BL, self._plan
        self._labels_BL, self._plan = language_ids_BL, None
        try:
            yield
        finally:
            self._labels_BL, self._plan = before

    def plan(self, num_tokens: int, device: torch.device) -> Plan:
        """The plan for a forward pass; without labels, all tokens are other text.

        Raises:
            EngineError: If there is not one label for each token.
        """
        if self._labels_BL is None:
            labels_T = torch.full((num_tokens,), OTHER_LANGUAGE, device=device)
            return Plan(labels_T, (Group(OTHER_LANGUAGE, 0, num_tokens),), None, None)
        if self._labels_BL.numel() != num_tokens:
            raise EngineError(
                f"There are {self._labels_BL.numel()} language ids, shape {tuple(self._labels_BL.shape)}, for "
                f"{num_tokens} tokens. Give `route` one for each position of the input."
            )
        if self._plan is None:
            self._plan = make_plan(self._labels_BL.reshape(-1).to(device))
        return self._plan


def make_plan(labels_T: Tensor) -> Plan:
    """Sort tokens by label, in their own order within one."""
    counts = torch.bincount(labels_T - PADDING_LANGUAGE).tolist()
    groups, end = [], 0
    for label, count in enumerate(counts, start=PADDING_LANGUAGE):
        start, end = end, end + count
        if count and label != PADDING_LANGUAGE:
            groups.append(Group(label, start, end))
    if max(counts, default=0) == len(labels_T) or bool((labels_T[1:] >= labels_T[:-1]).all()):
        return Plan(labels_T, tuple(groups), None, None)
    order_T = labels_T.argsort(stable=True)
    inverse_T = torch.empty_like(order_T)
    inverse_T[order_T] = torch.arange(len(order_T), device=order_T.device)
    return Plan(labels_T, tuple(groups), order_T, inverse_T)
