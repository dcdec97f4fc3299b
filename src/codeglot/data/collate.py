"""Rows of a batch: one example each and padding, or several examples each that do not see one another.

Packed rows go without an attention mask: transformers keeps examples apart by `position_ids` that begin again, and
does so only where there is no mask and no cache. Padding behind packed examples begins again too, so it is one more
segment that nothing looks at.
"""

from collections.abc import Sequence

import torch

from codeglot.data.batch import IGNORED, PADDING_LANGUAGE, Batch, EncodedExample


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Spread examples over rows, first-fit decreasing: no example is split, no row holds more than `capacity`.

    Args:
        lengths: Tokens of each example.
        capacity: Tokens of a row.

    Returns:
        Places of the examples of each row, in the order of `lengths`; the same for the same lengths.

    Raises:
        ValueError: If an example is longer than a row.
    """
    if too_long := [length for length in lengths if length > capacity]:
        raise ValueError(f"{len(too_long)} example(s) are longer than a row of {capacity} tokens: {max(too_long)}")
    rows: list[list[int]] = []
    room: list[int] = []
    first: dict[int, int] = {}  # rows before this one have no room for such a length, and never will
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        length = lengths[place]
        row = first.get(length, 0)
        while row < len(rows) and room[row] < length:
            row += 1
        if row == len(rows):
            rows.append([])
            room.append(capacity)
        first[length] = row
        rows[row].append(place)
        room[row] -= length
    return sorted(sorted(row) for row in rows)


def collate(examples: Sequence[EncodedExample], pad_token_id: int) -> Batch:
    """A batch of one example per row, padded on the right.

    Args:
        examples: At least one.
        pad_token_id: Any token; it is masked.
    """
    width = max(len(example.input_ids) for example in examples)
    columns = [_padded([example], width, pad_token_id) for example in examples]
    mask = [[1] * len(example.input_ids) + [0] * (width - len(example.input_ids)) for example in examples]
    ids, labels, languages, _ = (torch.tensor(rows) for rows in zip(*columns, strict=True))
    return Batch(ids, labels, languages, attention_mask=torch.tensor(mask), position_ids=None)


def collate_packed(rows: Sequence[Sequence[EncodedExample]], pad_token_id: int) -> Batch:
    """A batch of several examples per row, which their `position_ids` keep apart.

    Args:
        rows: The examples of each row; at least one row, and at least one example in each.
        pad_token_id: Any token; nothing looks at it.
    """
    width = max(sum(len(example.input_ids) for example in row) for row in rows)
    columns = [_padded(row, width, pad_token_id) for row in rows]
    ids, labels, languages, positions = (torch.tensor(rows) for rows in zip(*columns, strict=True))
    return Batch(ids, labels, languages, attention_mask=None, position_ids=positions)


def _padded(
    examples: Sequence[EncodedExample], width: int, pad_token_id: int
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Token ids, labels, languages and positions of one row."""
    ids: list[int] = []
    labels: list[int] = []
    languages: list[int] = []
    positions: list[int] = []
    for example in examples:
        ids += example.input_ids
        labels += [IGNORED, *example.labels[1:]]  # nothing in its own example predicts the first token
        languages += example.language_ids
        positions += range(len(example.input_ids))
    rest = width - len(ids)
    return (
        ids + [pad_token_id] * rest,
        labels + [IGNORED] * rest,
        languages + [PADDING_LANGUAGE] * rest,
        [*positions, *range(rest)],
    )
