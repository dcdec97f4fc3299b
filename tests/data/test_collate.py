"""Rows of a batch: nothing lost, nothing split, nothing that sees its neighbor."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.data.batch import IGNORED, PADDING_LANGUAGE, Batch, EncodedExample
from codeglot.data.collate import collate, collate_packed, pack
from tests.tiny_model import random_llama

PAD = 3
TOKENS = st.lists(st.tuples(st.integers(0, 99), st.booleans(), st.integers(0, 3)), min_size=1, max_size=12)


def build(tokens: list[tuple[int, bool, int]]) -> EncodedExample:
    ids = [token_id for token_id, _, _ in tokens]
    labels = [token_id if place and is_target else IGNORED for place, (token_id, is_target, _) in enumerate(tokens)]
    return EncodedExample(ids, labels, [language for _, _, language in tokens], "somewhere")


EXAMPLES = st.lists(TOKENS.map(build), min_size=1, max_size=8)


def unpack(batch: Batch) -> list[EncodedExample]:
    """The examples of a packed batch, found the obvious way: where a position is 0, one begins."""
    assert batch.position_ids is not None
    found: list[EncodedExample] = []
    for row in range(len(batch.input_ids)):
        for column in range(batch.input_ids.shape[1]):
            language = int(batch.language_ids[row, column])
            if language == PADDING_LANGUAGE:
                break
            if batch.position_ids[row, column] == 0:
                found.append(EncodedExample([], [], [], "somewhere"))
            found[-1].input_ids.append(int(batch.input_ids[row, column]))
            found[-1].labels.append(int(batch.labels[row, column]))
            found[-1].language_ids.append(language)
    return found


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(1, 50), max_size=40), st.integers(50, 120))
def test_every_example_is_in_one_row_and_no_row_is_too_full(lengths: list[int], capacity: int) -> None:
    rows = pack(lengths, capacity)
    assert sorted(place for row in rows for place in row) == list(range(len(lengths)))
    assert all(sum(lengths[place] for place in row) <= capacity for row in rows)
    assert all(row == sorted(row) for row in rows)
    assert rows == pack(lengths, capacity)


def first_fit_decreasing(lengths: list[int], capacity: int) -> list[list[int]]:
    """The textbook form."""
    rows: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        for row in rows:
            if sum(lengths[other] for other in row) + lengths[place] <= capacity:
                row.append(place)
                break
        else:
            rows.append([place])
    return sorted(sorted(row) for row in rows)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(1, 20), max_size=40), st.integers(20, 60))
def test_rows_are_those_of_the_textbook(lengths: list[int], capacity: int) -> None:
    assert pack(lengths, capacity) == first_fit_decreasing(lengths, capacity)


def test_an_example_that_fits_in_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a row of 9 tokens: 10"):
        pack([3, 10], 9)


@settings(deadline=None, max_examples=200)
@given(EXAMPLES, st.integers(12, 40))
def test_what_was_packed_comes_out_as_it_went_in(examples: list[EncodedExample], capacity: int) -> None:
    rows = pack([len(example.input_ids) for example in examples], capacity)
    batch = collate_packed([[examples[place] for place in row] for row in rows], PAD)
    assert unpack(batch) == [examples[place] for row in rows for place in row]
    assert batch.attention_mask is None
    assert batch.num_targets == sum(example.num_targets for example in examples)
    padding = batch.language_ids == PADDING_LANGUAGE
    assert (batch.input_ids[padding] == PAD).all()
    assert (batch.labels[padding] == IGNORED).all()
    assert {tensor.dtype for tensor in (batch.input_ids, batch.labels, batch.language_ids)} == {torch.int64}


@settings(deadline=None, max_examples=200)
@given(EXAMPLES)
def test_padded_rows_hold_their_example_and_padding_behind_it(examples: list[EncodedExample]) -> None:
    batch = collate(examples, PAD)
    width = max(len(example.input_ids) for example in examples)
    assert batch.attention_mask is not None
    assert batch.position_ids is None
    for row, example in enumerate(examples):
        rest = width - len(example.input_ids)
        assert batch.input_ids[row].tolist() == example.input_ids + [PAD] * rest
        assert batch.labels[row].tolist() == example.labels + [IGNORED] * rest
        assert batch.language_ids[row].tolist() == example.language_ids + [PADDING_LANGUAGE] * rest
        assert batch.attention_mask[row].tolist() == [1] * len(example.input_ids) + [0] * rest


def test_the_first_token_of_an_example_is_never_a_target() -> None:
    example = EncodedExample([5, 6], [5, 6], [1, 1], "somewhere")
    assert collate([example], PAD).labels.tolist() == [[IGNORED, 6]]
    assert collate_packed([[example, example]], PAD).labels.tolist() == [[IGNORED, 6, IGNORED, 6]]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_model_gives_packed_padded_and_single_examples_the_same_logits(attention: str) -> None:
    lengths = (5, 9, 1, 7)
    generator = torch.Generator().manual_seed(0)
    ids = [torch.randint(0, 50, (length,), generator=generator).tolist() for length in lengths]
    examples = [EncodedExample(row, row, [1] * len(row), "somewhere") for row in ids]
    model = random_llama(50)
    model.set_attn_implementation(attention)
    rows = [[examples[0], examples[1]], [examples[2], examples[3]]]
    packed, padded = collate_packed(rows, PAD), collate(examples, PAD)
    with torch.no_grad():
        packed_logits = model(packed.input_ids, position_ids=packed.position_ids, use_cache=False).logits
        padded_logits = model(padded.input_ids, attention_mask=padded.attention_mask, use_cache=False).logits
        alone = [model(torch.tensor([row]), use_cache=False).logits[0] for row in ids]
    starts = {0: (0, 0), 1: (0, 5), 2: (1, 0), 3: (1, 1)}
    for number, logits in enumerate(alone):
        row, start = starts[number]
        torch.testing.assert_close(packed_logits[row, start : start + lengths[number]], logits, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(padded_logits[number, : lengths[number]], logits, atol=1e-5, rtol=1e-5)
