"""B positions trained on, V vocabulary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from codeglot.data.batch import IGNORED, Batch
from codeglot.errors import ConfigError, DivergedError
from codeglot.methods.lora import Lora
from codeglot.optim.settings import Optim, Sophia
from codeglot.regularizers.penalty import Penalty
from codeglot.regularizers.settings import Spectral
from codeglot.train import loss as room
from codeglot.train.curvature import Curvature
from codeglot.train.loss import Reader, sampled_loss
from codeglot.train.modes import layers_recomputed
from codeglot.train.portions import Portions
from codeglot.train.processes import Processes
from codeglot.train.settings import Train
from codeglot.train.step import Stepper
from tests.tiny_model import random_llama
from tests.train.scene import LANGUAGES, VOCABULARY, make_examples

SEED = 7


class Recorder:
    """Takes estimates in an optimizer's place."""

    def __init__(self) -> None:
        self.estimates: dict[nn.Parameter, Tensor] = {}
        self.num_predictions = 0.0

    def refresh(self, estimates: Any, num_predictions: float) -> None:
        self.estimates, self.num_predictions = dict(estimates), num_predictions


def scene(
    name: str = "sophia_g",
    *,
    sophia: Any = None,
    examples: Any = None,
    penalty: Any = None,
    dropout: float = 0.0,
    checkpointing: bool = False,
    **sizes: Any,
) -> Any:
    """A model whose B is not 0, what makes estimates, and its parameters."""
    method = Lora(r=2, lora_alpha=4.0, lora_dropout=dropout)
    torch.manual_seed(0)
    model = method.attach(random_llama(VOCABULARY), LANGUAGES)
    generator = torch.Generator().manual_seed(1)
    for key, p in model.named_parameters():
        if "lora_B" in key:
            p.data = 0.1 * torch.randn(p.shape, generator=generator)
    if checkpointing:
        layers_recomputed(model).__enter__()
    train = Train(**{"steps": 4, "batch_size": 6, "micro_batch_size": 6} | sizes)
    optim = Optim(name=name, lr=1e-2, sophia=None if sophia is None else Sophia(**sophia))
    examples = examples or make_examples(12)
    processes = Processes(on_cpu=True)
    stepper = Stepper(
        model, [method], train=train, optim=optim, processes=processes, penalty=penalty, penalised=[method]
    )
    stepper.open(examples)
    portions = Portions(examples, train, seed=SEED, pad_token_id=0)
    curvature = Curvature(stepper, portions, optim=optim, processes=processes, seed=SEED)
    return model.train(), curvature, [p for p in model.parameters() if p.requires_grad], portions


def estimate(*args: Any, step: int = 0, **settings: Any) -> list[Tensor]:
    model, curvature, parameters, _ = scene(*args, **settings)
    recorder = Recorder()
    curvature.refresh(recorder, parameters, step)
    assert all(p.grad is None for p in parameters)
    assert all(module.training for module in model.modules())
    return [recorder.estimates[p] for p in parameters]


def assert_alike(found: Sequence[Tensor], expected: Sequence[Tensor], part: float = 1e-3) -> None:
    for left, right in zip(found, expected, strict=True):
        torch.testing.assert_close(left, right, rtol=part, atol=part * float(right.abs().max()))


def slow_loss(model: Any, portions: Any, step: int, labels_of: Any) -> Any:
    """Mean loss of a step, one example after another, every logit at once."""
    losses: list[Tensor] = []
    for place, index in enumerate(portions.indices(step)):
        example = portions._examples[index]
        logits = model(input_ids=torch.tensor([example.input_ids])).logits[0, :-1]
        targets = torch.tensor(example.labels[1:])
        logits, targets = logits[targets != IGNORED], targets[targets != IGNORED]
        losses += functional.cross_entropy(logits, labels_of(place, logits, targets), reduction="none").unbind()
    return torch.stack(losses).mean(), len(losses)


def drawn(place: int, logits: Tensor, targets: Tensor) -> Tensor:
    numbers = np.random.default_rng([1, SEED, 0, place]).random(len(targets), np.float32)
    sums = logits.detach().softmax(-1).cumsum(-1)
    return torch.tensor([int((row <= number).sum()) for row, number in zip(sums, numbers, strict=True)])


def test_the_estimate_is_b_times_the_square_of_the_gradient_of_the_mean_loss_of_drawn_labels() -> None:
    model, _, parameters, portions = scene()
    loss, count = slow_loss(model.eval(), portions, 0, drawn)
    expected = [count * gradient**2 for gradient in torch.autograd.grad(loss, parameters)]

    assert_alike(estimate(), expected)


@pytest.mark.parametrize(
    "sizes",
    [{"micro_batch_size": 1}, {"micro_batch_size": 4}, {"packing": True, "max_length": 60}, {"checkpointing": True}],
    ids=str,
)
@pytest.mark.parametrize("name", ["sophia_g", "sophia_h"])
def test_how_a_step_is_cut_changes_nothing(name: str, sizes: Any) -> None:
    assert_alike(estimate(name, **sizes), estimate(name))


def test_padding_changes_neither_the_estimate_nor_its_count() -> None:
    model, curvature, parameters, portions = scene()
    recorder = Recorder()
    curvature.refresh(recorder, parameters, 0)
    (micro_batch,) = portions.portion(0).micro_batches
    wide: dict[str, Any] = {
        "input_ids": functional.pad(micro_batch.batch.input_ids, (0, 24)),
        "labels": functional.pad(micro_batch.batch.labels, (0, 24), value=IGNORED),
        "language_ids": functional.pad(micro_batch.batch.language_ids, (0, 24), value=-1),
        "attention_mask": functional.pad(micro_batch.batch.attention_mask, (0, 24)),
        "position_ids": None,
    }
    draws = curvature._draws(micro_batch, 0)
    reader = curvature._stepper.reader
    model.eval()
    loss = sampled_loss(reader, Batch(**wide), draws) / recorder.num_predictions

    assert recorder.num_predictions == sum(micro_batch.num_targets)
    found = [recorder.num_predictions * g**2 for g in torch.autograd.grad(loss, parameters)]
    assert_alike(found, [recorder.estimates[p] for p in parameters])


def test_another_step_draws_other_labels_and_the_same_step_the_same() -> None:
    first, again, other = estimate(), estimate(), estimate(step=1)
    assert all(torch.equal(left, right) for left, right in zip(first, again, strict=True))
    assert not all(torch.equal(left, right) for left, right in zip(first, other, strict=True))


def test_over_many_draws_it_is_the_gauss_newton_diagonal_and_true_labels_are_not() -> None:
    """Softmax regression, where the diagonal is known: the mean over positions of p (1 - p) x^2."""
    generator = torch.Generator().manual_seed(3)
    num_positions, width, vocabulary, num_draws = 5, 3, 4, 200_000
    x = torch.randn(num_positions, width, generator=generator)
    weight = torch.randn(vocabulary, width, generator=generator)
    p = (x @ weight.T).softmax(-1)
    analytic = torch.einsum("bv,bd->vd", p * (1 - p), x**2) / num_positions

    logits = (x @ weight.T).repeat(num_draws, 1)
    labels = room._draw(logits, torch.rand(len(logits), generator=generator)).view(num_draws, num_positions)
    rest = p - functional.one_hot(labels, vocabulary)
    gradients = torch.einsum("sbv,bd->svd", rest, x) / num_positions
    found = num_positions * (gradients**2).mean(dim=0)

    true = torch.tensor([0, 1, 2, 3, 0])
    once = torch.einsum("bv,bd->vd", p - functional.one_hot(true, vocabulary), x) / num_positions
    assert ((found - analytic).abs() / analytic).max() < 0.02
    assert ((num_positions * once**2 - analytic).abs() / analytic).max() > 0.5

    head = nn.Linear(width, vocabulary, bias=False)
    head.weight.data = weight.clone()
    hidden = torch.cat([x, torch.zeros(1, width)])[None]
    reader = Reader(lambda **_: type("Output", (), {"last_hidden_state": hidden}), head)
    ids = torch.zeros(1, num_positions + 1, dtype=torch.long)
    draws = torch.rand(num_positions, generator=generator)
    sampled_loss(reader, Batch(ids, ids, ids, None, None), draws).backward()
    one_draw = room._draw(x @ weight.T, draws)
    expected = torch.einsum("bv,bd->vd", p - functional.one_hot(one_draw, vocabulary), x)
    torch.testing.assert_close(head.weight.grad, expected, rtol=1e-4, atol=1e-5)


def test_small_gradients_are_squared_in_float32() -> None:
    p = nn.Parameter(torch.zeros(3, dtype=torch.float16))
    p.grad = torch.full((3,), 1e-4, dtype=torch.float16)
    assert not p.grad.square().any()

    (found,) = Curvature._taken([p], torch.square)

    torch.testing.assert_close(found, torch.full((3,), 1e-8), rtol=1e-2, atol=0)
    assert p.grad is None


def test_a_curvature_that_is_not_finite_ends_the_training() -> None:
    _, curvature, parameters, _ = scene()
    parameters[0].data[0] = torch.inf
    recorder = Recorder()
    with pytest.raises(DivergedError, match="The curvature after step 3 is not finite"):
        curvature.refresh(recorder, parameters, 2)
    assert not recorder.estimates


def test_drawn_tokens_are_as_frequent_as_they_are_likely() -> None:
    logits = torch.tensor([2.0, 0.0, -1.0, -torch.inf, 1.0])
    draws = torch.rand(100_000, generator=torch.Generator().manual_seed(4))
    counts = room._draw(logits.expand(len(draws), 5), draws).bincount(minlength=5) / len(draws)
    torch.testing.assert_close(counts, logits.softmax(-1), atol=5e-3, rtol=0)
    assert counts[3] == 0
    edges = room._draw(logits.expand(2, 5), torch.tensor([0.0, 1.0 - 2**-24]))
    assert edges.tolist() == [0, 4]


@pytest.mark.parametrize("probe", ["gaussian", "rademacher"])
def test_the_product_with_the_hessian_is_that_of_differences(probe: str) -> None:
    model, curvature, parameters, portions = scene("sophia_h", sophia={"probe": probe})
    vectors = [u.double() for u in curvature._vectors(parameters, 0)]
    model.double().eval()
    begin = [p.detach().clone() for p in parameters]

    def gradient_at(size: float) -> Any:
        for p, start, u in zip(parameters, begin, vectors, strict=True):
            p.data = start + size * u
        loss, _ = slow_loss(model, portions, 0, lambda place, logits, targets: targets)
        return torch.autograd.grad(loss, parameters)

    size = 1e-5
    differences = zip(gradient_at(size), gradient_at(-size), strict=True)
    expected = [u * (up - down) / (2 * size) for u, (up, down) in zip(vectors, differences, strict=True)]

    found = estimate("sophia_h", sophia={"probe": probe})
    assert_alike([value.double() for value in found], expected, 1e-2)  # the sums of the loss are float32
    assert any(bool((value < 0).any()) for value in found)


@pytest.mark.parametrize("probe", ["gaussian", "rademacher"])
def test_random_vectors_give_the_diagonal_in_the_mean(probe: str) -> None:
    _, curvature, _, _ = scene("sophia_h", sophia={"probe": probe})
    generator = torch.Generator().manual_seed(5)
    half = torch.randn(6, 6, generator=generator)
    hessian = half + half.T
    place = [nn.Parameter(torch.zeros(6))]
    drawn = torch.stack([curvature._vectors(place, step)[0] for step in range(20_000)])
    torch.testing.assert_close((drawn * (drawn @ hessian)).mean(0), hessian.diagonal(), atol=0.15, rtol=0)
    assert (set(drawn.unique().tolist()) == {-1.0, 1.0}) == (probe == "rademacher")


@pytest.mark.parametrize("name", ["sophia_g", "sophia_h"])
def test_a_regularizer_is_not_in_it(name: str) -> None:
    penalty = Penalty(Spectral(strength=100.0, warmup_share=0.0), num_steps=4, lr=1e-2)
    pairs = zip(estimate(name, penalty=penalty), estimate(name), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("name", ["sophia_g", "sophia_h"])
def test_dropout_is_off_unless_asked_for_and_what_training_draws_stays(name: str) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    without = estimate(name, dropout=0.5)

    _, curvature, parameters, _ = scene(name, dropout=0.5)
    torch.manual_seed(11)
    curvature.refresh(Recorder(), parameters, 0)
    assert torch.equal(torch.rand(3), expected)
    assert_alike(without, estimate(name))
    with_it = estimate(name, dropout=0.5, sophia={"dropout": True})
    assert not torch.allclose(with_it[0], without[0], rtol=1e-3)


def test_fewer_rows_are_the_first_of_the_step() -> None:
    model, _, parameters, portions = scene()
    part = portions.indices(0)[:3]
    loss, count = slow_loss(
        model.eval(), type("Some", (), {"indices": lambda _, __: part, "_examples": portions._examples})(), 0, drawn
    )
    expected = [count * gradient**2 for gradient in torch.autograd.grad(loss, parameters)]

    assert_alike(estimate(sophia={"rows_share": 0.5}), expected)


def test_the_gradient_of_the_estimate_is_cut_where_asked() -> None:
    whole, cut = estimate(), estimate(sophia={"clip_norm": 1e-3})
    official = estimate(sophia={"form": "official"})
    assert float(official[0].sum()) <= float(whole[0].sum())
    ratios = torch.cat([(left / right).flatten() for left, right in zip(cut, whole, strict=True)])
    ratios = ratios[ratios.isfinite()]
    assert float(ratios.max()) < 1
    torch.testing.assert_close(ratios, ratios.median().expand_as(ratios), rtol=1e-2, atol=0)


@pytest.mark.parametrize(("form", "due"), [("paper", [0, 3, 6, 9]), ("official", [2, 5, 8])])
def test_estimates_follow_the_steps_of_their_form(form: str, due: Any) -> None:
    _, curvature, _, _ = scene(sophia={"every": 3, "form": form})
    assert [step for step in range(10) if curvature.is_due(step)] == due


def test_a_loss_of_its_own_has_no_such_estimate() -> None:
    class Own(Lora):
        def loss(self, model: Any, batch: Any) -> Any:
            return torch.zeros(())

    _, curvature, _, portions = scene()
    stepper = curvature._stepper
    stepper.methods = [Own()]
    with pytest.raises(ConfigError, match="the method 'lora' brings another"):
        Curvature(stepper, portions, optim=Optim(name="sophia_g", lr=1), processes=Processes(on_cpu=True), seed=0)
