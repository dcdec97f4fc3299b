from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.errors import DataError
from codeglot.train.portions import Portions
from codeglot.train.settings import Train
from tests.train.scene import make_examples


def portions(examples: Any = None, *, seed: int = 0, order: Any = None, **settings: Any) -> Any:
    sizes = {"steps": 4, "batch_size": 4} | settings
    if "epochs" in sizes:
        del sizes["steps"]
    return Portions(examples or make_examples(10), Train(**sizes), seed=seed, pad_token_id=0, order=order)


@given(
    count=st.integers(1, 12),
    batch_size=st.integers(1, 7),
    micro_batch_size=st.integers(1, 4),
    num_processes=st.integers(1, 4),
    packing=st.booleans(),
    step=st.integers(0, 5),
)
@settings(deadline=None, max_examples=60)
def test_the_processes_share_the_examples_of_a_step(
    count: int, batch_size: int, micro_batch_size: int, num_processes: int, packing: bool, step: int
) -> None:
    examples = make_examples(count)
    made = portions(
        examples, steps=6, batch_size=batch_size, micro_batch_size=micro_batch_size, packing=packing, max_length=40
    )

    shared = [made.portion(step, process=index, num_processes=num_processes) for index in range(num_processes)]

    expected = [examples[index] for index in made.indices(step)]
    micro_batches = [micro_batch for part in shared for micro_batch in part.micro_batches]
    assert len(expected) == batch_size
    assert Counter(s for m in micro_batches for s in m.sources) == Counter(e.where for e in expected)
    assert all(len(m.batch.input_ids) <= micro_batch_size for m in micro_batches)
    assert {part.num_tokens for part in shared} == {sum(m.num_tokens for m in micro_batches)}
    assert {part.num_target_tokens for part in shared} == {sum(m.batch.num_targets for m in micro_batches)}


def test_every_epoch_has_each_example_once_in_an_order_of_its_own() -> None:
    made = portions(steps=5, batch_size=4)

    places = [place for step in range(5) for place in made.indices(step)]

    assert sorted(places[:10]) == sorted(places[10:]) == list(range(10))
    assert places[:10] != places[10:]


def test_a_step_is_the_same_whatever_was_asked_before() -> None:
    straight = portions(steps=9)
    expected = [straight.indices(step) for step in range(9)]

    made = portions(steps=9)

    assert [made.indices(step) for step in reversed(range(9))] == expected[::-1]


def test_the_seed_decides_the_order() -> None:
    assert portions(seed=1).indices(0) != portions(seed=2).indices(0)


def test_a_given_order_is_followed_over_and_over() -> None:
    made = portions(order=[3, 3, 1], steps=2)

    assert [made.indices(0), made.indices(1)] == [[3, 3, 1, 3], [3, 1, 3, 3]]


def test_epochs_end_where_they_end() -> None:
    made = portions(epochs=1.5, batch_size=4)

    assert made.num_steps == 4
    assert [len(made.indices(step)) for step in range(4)] == [4, 4, 4, 3]


def test_an_example_longer_than_a_row_is_named() -> None:
    examples = make_examples(3)
    long = max(len(example.input_ids) for example in examples)

    with pytest.raises(DataError, match=rf"longer than train.max_length = {long - 1} tokens: scene:\d"):
        portions(examples, max_length=long - 1)


def test_no_examples_are_an_error() -> None:
    with pytest.raises(DataError, match="no examples"):
        Portions([], Train(steps=1), seed=0, pad_token_id=0)


def test_the_digest_tells_trainings_apart() -> None:
    examples = make_examples(4)
    other = [*examples[:3], examples[3]._replace(labels=[-100, *examples[3].input_ids[1:]])]

    digests = [
        portions(examples).digest(),
        portions(other).digest(),
        portions(examples[::-1]).digest(),
        portions(examples, seed=1).digest(),
        portions(examples, order=[0, 1]).digest(),
    ]

    assert len(set(digests)) == 5
    assert portions(make_examples(4)).digest() == digests[0]
