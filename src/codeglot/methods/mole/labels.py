"""What training does to the languages of tokens before the experts see them.

Shapes: B rows, L positions.
"""

from itertools import pairwise

import torch
from torch import Tensor

from codeglot.data.batch import OTHER_LANGUAGE


def spread(ids_BL: Tensor, position_ids_BL: Tensor | None) -> Tensor:
    """Give other text the language that most of the code of its example is in; an example without code stays.

    Args:
        ids_BL: Index into the languages, 0 for other text, -1 on padding.
        position_ids_BL: From 0 within each example; None for rows of one example each.
    """
    found_BL = ids_BL.clone()
    for row, places in _examples(ids_BL, position_ids_BL):
        own = found_BL[row, places]
        code = own[own > OTHER_LANGUAGE]
        if len(code):
            own[own == OTHER_LANGUAGE] = torch.bincount(code).argmax()
    return found_BL


def drop(ids_BL: Tensor, position_ids_BL: Tensor | None, share: float) -> Tensor:
    """Take each block of code, as a whole, for other text with this probability.

    A block is a run of one language within an example.
    """
    found_BL = ids_BL.clone()
    for row, places in _examples(ids_BL, position_ids_BL):
        own = found_BL[row, places]
        ends = [0, *((own[1:] != own[:-1]).nonzero()[:, 0] + 1).tolist(), len(own)]
        for start, end in pairwise(ends):
            if own[start] > OTHER_LANGUAGE and torch.rand(()) < share:
                own[start:end] = OTHER_LANGUAGE
    return found_BL


def _examples(ids_BL: Tensor, position_ids_BL: Tensor | None) -> list[tuple[int, slice]]:
    """Row and places of each example."""
    num_rows, length = ids_BL.shape
    if position_ids_BL is None:
        return [(row, slice(0, length)) for row in range(num_rows)]
    found = []
    for row in range(num_rows):
        starts = [*(position_ids_BL[row] == 0).nonzero()[:, 0].tolist(), length]
        found += [(row, slice(start, end)) for start, end in pairwise(starts)]
    return found
