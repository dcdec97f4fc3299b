"""Losses with every token said to be in one language, against the model's own loss, example by example."""

import pytest
import torch

from codeglot.data.batch import EncodedExample
from codeglot.methods.adapter import attach_methods
from codeglot.methods.mole.method import Mole
from codeglot.train.forced_loss import forced_losses
from tests.methods.little_training import VOCAB_SIZE, tiny


def examples(count: int) -> list[EncodedExample]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for number in range(count):
        ids = torch.randint(VOCAB_SIZE, (4 + number % 7,), generator=generator).tolist()
        labels = [-100, -100, *ids[2:]]
        found.append(EncodedExample(ids, labels, [1] * len(ids), f"example {number}"))
    return found


def test_they_equal_the_models_own_loss() -> None:
    attached = attach_methods(tiny(), [Mole(r=2, shared_r=4)], ("python", "java"))
    for parameter in attached.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1
    some = examples(20)

    found = forced_losses(attached.model.train(), attached.route, some, [1, 2, 0])

    assert attached.model.training
    for row, label in zip(found, (1, 2, 0), strict=True):
        for value, example in zip(row, some, strict=True):
            ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
            with torch.no_grad(), attached.route(torch.full_like(ids, label)):
                expected = attached.model(input_ids=ids, labels=labels).loss * example.num_targets
            assert value == pytest.approx(float(expected), rel=1e-4)
    assert found[0] != found[2]
