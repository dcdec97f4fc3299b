from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BloomConfig, BloomForCausalLM, LlamaForCausalLM, MambaConfig, MambaForCausalLM

from codeglot.data.collate import collate, collate_packed
from codeglot.errors import ConfigError
from codeglot.methods.full import Full
from codeglot.train.loss import language_model_loss, split
from codeglot.train.probe import probe
from tests.tiny_model import random_llama
from tests.train.scene import VOCABULARY, make_examples, run

CPU = torch.device("cpu")


def try_out(model: Any, *, packing: bool = False) -> Any:
    return probe(model, make_examples(3), packing=packing, device=CPU, around=lambda _: nullcontext())


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_rows_have_the_logits_the_loss_and_the_gradients_of_rows_of_their_own(attention: str) -> None:
    model = random_llama(VOCABULARY)
    model.set_attn_implementation(attention)
    examples, reader = make_examples(6), split(model)
    rows = [examples[:3], examples[3:5], examples[5:]]

    found = [
        part
        for row in rows
        for part in reader.logits(reader.hidden(collate_packed([row], 0)))[0].split([len(e.input_ids) for e in row])
    ]
    expected = [model(torch.tensor([example.input_ids])).logits[0] for example in examples]
    for left, right in zip(found, expected, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)

    losses, gradients = [], []
    for batch in (collate(examples, 0), collate_packed(rows, 0)):
        model.zero_grad()
        loss = language_model_loss(reader, batch).total
        loss.backward()
        losses.append(loss.detach())
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(losses[0], losses[1])
    for left, right in zip(*gradients, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-4)


def test_a_model_that_keeps_packed_examples_apart_passes() -> None:
    assert try_out(random_llama(VOCABULARY), packing=True).head is not None


@pytest.mark.parametrize(
    "model",
    [
        BloomForCausalLM(
            BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=1, n_head=2, initializer_range=0.4)
        ),
        MambaForCausalLM(MambaConfig(vocab_size=VOCABULARY, hidden_size=16, state_size=4, num_hidden_layers=2)),
    ],
    ids=["without positions", "recurrent"],
)
def test_a_model_that_does_not_is_refused_for_packing(model: Any) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4)

    with pytest.raises(ConfigError, match="see each other"):
        try_out(model, packing=True)
    try_out(model)


class OwnLoss(Full):
    """Brings its own loss, so the loop's is never computed."""

    def loss(self, model: Any, batch: Any) -> Any:
        return model(input_ids=batch.input_ids).logits.float().square().sum()


def test_packing_is_tried_for_a_method_with_a_loss_of_its_own_too(tmp_path: Path) -> None:
    config = BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=1, n_head=2, initializer_range=0.4)

    with pytest.raises(ConfigError, match="see each other"):
        run(BloomForCausalLM(config), [OwnLoss()], tmp_path / "a", packing=True, max_length=48)
    assert run(BloomForCausalLM(config), [OwnLoss()], tmp_path / "b", steps=1).num_steps == 1


class Doubled(LlamaForCausalLM):
    """Does something to its logits that nobody knows of."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output = super().forward(*args, **kwargs)
        output.logits = output.logits * 2
        return output


def test_logits_that_are_not_the_heads_alone_are_taken_from_the_model() -> None:
    model = Doubled(random_llama(VOCABULARY).config)

    assert try_out(model).head is None


def test_the_model_and_the_random_numbers_are_left_as_they_were() -> None:
    model = random_llama(VOCABULARY).train()
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)

    try_out(model, packing=True)

    assert torch.equal(torch.rand(2), expected)
    assert model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
