"""Detectors of leaks find them, and nothing else."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codeglot.models.causality import TOLERANCE, batch_leak, future_leak, guessing, iid_loss
from tests.methods.little_training import VOCAB_SIZE, tiny

LENGTH = 21
ASKED: dict[str, Any] = {"vocab_size": VOCAB_SIZE, "length": LENGTH, "num_trials": 20, "seed": 0}


class Pooled(nn.Module):
    """A causal model beside what it pools over a segment of 8 tokens, or over the batch."""

    def __init__(self, over: str, strength: float = 1.0, vocab_size: int = VOCAB_SIZE) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 16)
        self.head = nn.Linear(16, vocab_size)
        self.over, self.strength = over, strength
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, ids_BL: Tensor) -> Tensor:
        x_BLH = self.embedding(ids_BL)
        if self.training:
            self.seen += 1
            x_BLH = x_BLH + 0.01 * self.seen.remainder(2)  # a count of its own is no leak
        if self.over == "later tokens":
            pooled = [part.amax(dim=1, keepdim=True).expand_as(part) for part in x_BLH.split(8, dim=1)]
            x_BLH = x_BLH + self.strength * torch.cat(pooled, dim=1)
        if self.over == "other rows":
            x_BLH = x_BLH + self.strength * x_BLH.mean(dim=0)
        logits: Tensor = self.head(nn.functional.dropout(x_BLH, 0.1, self.training))
        return logits


@pytest.mark.parametrize("is_training", [False, True])
@pytest.mark.parametrize("over", ["nothing", "later tokens", "other rows"])
def test_each_detector_finds_its_own_leak_alone(over: str, is_training: bool) -> None:
    torch.manual_seed(0)
    model = Pooled(over).train(is_training)
    before = torch.random.get_rng_state()

    future = future_leak(model, model, **ASKED)
    batch = batch_leak(model, model, **ASKED)

    assert (future.num_leaks > 10) == (over == "later tokens")
    assert (batch.num_leaks == 20) == (over == "other rows")
    assert (future.num_leaks == 0) == (over != "later tokens")
    assert (batch.num_leaks == 0) == (over != "other rows")
    assert model.training is is_training
    assert not model.seen
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_leak_is_told_with_its_place() -> None:
    torch.manual_seed(0)
    model = Pooled("later tokens").eval()

    leak = future_leak(model, model, **ASKED)

    assert leak.position < leak.changed_from
    assert leak.position // 8 == leak.changed_from // 8  # the segment whose later tokens it saw
    assert leak.largest > TOLERANCE


def test_what_is_no_number_leaks() -> None:
    def forward(ids_BL: Tensor) -> Tensor:
        return torch.full((*ids_BL.shape, 4), math.nan)

    assert future_leak(nn.Linear(1, 1), forward, **ASKED).num_leaks == 20


@pytest.mark.parametrize("is_training", [False, True])
def test_a_llama_has_no_leak(is_training: bool) -> None:
    model = tiny().train(is_training)

    def forward(ids_BL: Tensor) -> Tensor:
        logits: Tensor = model(input_ids=ids_BL, use_cache=False).logits
        return logits

    for detector in (future_leak, batch_leak):
        leak = detector(model, forward, **ASKED)
        assert (leak.num_trials, leak.num_leaks) == (20, 0)
        assert leak.largest < 0.01 * TOLERANCE


@pytest.mark.parametrize("over", ["nothing", "later tokens"])
def test_random_tokens_are_predicted_by_those_alone_that_see_them(over: str) -> None:
    torch.manual_seed(0)
    model = Pooled(over, vocab_size=16)

    nats = iid_loss(model, list(model.parameters()), length=24, num_steps=1000, seed=0)

    assert guessing() == pytest.approx(2.7726, abs=1e-4)
    assert (nats < guessing() - 0.05) == (over == "later tokens")
    assert over == "later tokens" or nats == pytest.approx(guessing(), abs=0.03)
