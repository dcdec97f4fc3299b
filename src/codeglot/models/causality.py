"""Does a model see what it must not: later tokens, or the other rows of its batch?

Three detectors, since none of them finds every leak. Two change what must not matter and look for outputs that move; a
leak too rare to be met in some tens of trials escapes them. The third trains on tokens that nothing can predict, where
a loss below that of guessing comes from the future; a faint leak escapes it.

Shapes: B rows, L positions, V vocabulary.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Forward = Callable[[Tensor], Tensor]
"""Token ids (B, L) -> logits (B, L, V); all of a batch's rows are whole, without padding."""
TOLERANCE = 1e-4
"""Change of an output, over the largest output, that counts: products of other sizes round by less, in float32."""
MARGIN = 0.005
"""Nats below guessing that count: what a loss over some hundred batches may be off by chance."""
_NUM_ROWS = 3
_LR = 3e-3
_NUM_SYMBOLS = 16
"""Tokens that the third detector draws from; guessing among them costs `ln 16 = 2.7726` nats."""


class Leak(NamedTuple):
    """What moved that must not."""

    num_trials: int
    num_leaks: int
    """Trials in which an output moved by more than `TOLERANCE`."""
    largest: float
    """Change of an output, over the largest output of the trial."""
    position: int
    """Where that was."""
    changed_from: int
    """What was changed then: the first later position, or the first other row."""


def future_leak(
    model: nn.Module, forward: Forward, *, vocab_size: int, length: int, num_trials: int, seed: int
) -> Leak:
    """Replace all tokens from a random position on, and look at the outputs before it.

    Args:
        model: In the mode, training or evaluation, that is to be tested; it is left as it was.
        forward: Its forward pass.
        vocab_size: Ids are drawn from all of it.
        length: Positions; several times that of what a model may pool or route together, and no multiple of it.
        num_trials: Each with texts and a position of its own.
        seed: Of these.
    """
    generator = torch.Generator().manual_seed(seed)

    def trial() -> tuple[float, int, int]:
        ids_BL, others_BL = _draw(vocab_size, length, generator), _draw(vocab_size, length, generator)
        first = int(torch.randint(1, length, (), generator=generator))
        others_BL[:, :first] = ids_BL[:, :first]
        change_BL = _change(model, forward, ids_BL, others_BL, seed)[:, :first]
        return float(change_BL.max()), int(change_BL.amax(dim=0).argmax()), first

    return _collect(trial() for _ in range(num_trials))


def batch_leak(model: nn.Module, forward: Forward, *, vocab_size: int, length: int, num_trials: int, seed: int) -> Leak:
    """Replace all rows of a batch but its first, and look at the outputs of that one.

    Args:
        model: In the mode, training or evaluation, that is to be tested; it is left as it was.
        forward: Its forward pass.
        vocab_size: Ids are drawn from all of it.
        length: Positions.
        num_trials: Each with texts of its own.
        seed: Of these.
    """
    generator = torch.Generator().manual_seed(seed)

    def trial() -> tuple[float, int, int]:
        ids_BL, others_BL = _draw(vocab_size, length, generator), _draw(vocab_size, length, generator)
        others_BL[0] = ids_BL[0]
        change_L = _change(model, forward, ids_BL, others_BL, seed)[0]
        return float(change_L.max()), int(change_L.argmax()), 1

    return _collect(trial() for _ in range(num_trials))


def guessing(num_symbols: int = _NUM_SYMBOLS) -> float:
    """Nats per token of what knows how often each token comes, and nothing else."""
    return math.log(num_symbols)


def iid_loss(
    forward: Forward,
    parameters: Sequence[nn.Parameter],
    *,
    length: int,
    num_steps: int,
    seed: int,
    after_step: Callable[[], None] = lambda: None,
) -> float:
    """Train on uniformly random tokens, each batch new, and give the mean loss of the last steps, in nats per token.

    What sees no later token cannot get below `guessing()`. The parameters are changed: give those of a copy.

    Args:
        forward: Forward pass in training mode.
        parameters: What is trained.
        length: Positions of each of 16 rows.
        num_steps: Of AdamW; a thousand and more find leaks that must be learned. The last fifth counts.
        seed: Of the tokens.
        after_step: What the model needs after each step.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(parameters, lr=_LR, weight_decay=0.0)
    losses = []
    for _ in range(num_steps):
        ids_BL = torch.randint(_NUM_SYMBOLS, (16, length), generator=generator)
        logits_BLV = forward(ids_BL)[:, :-1]
        loss = functional.cross_entropy(logits_BLV.flatten(0, 1).float(), ids_BL[:, 1:].flatten().to(logits_BLV.device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        after_step()
        losses.append(float(loss.detach()))
    last = losses[-max(1, num_steps // 5) :]
    return sum(last) / len(last)


def _draw(vocab_size: int, length: int, generator: torch.Generator) -> Tensor:
    return torch.randint(vocab_size, (_NUM_ROWS, length), generator=generator)


def _change(model: nn.Module, forward: Forward, ids_BL: Tensor, others_BL: Tensor, seed: int) -> Tensor:
    """Largest change of an output at each position, over the largest output; (B, L)."""
    with torch.set_grad_enabled(model.training):
        before_BLV, after_BLV = (_alone(model, forward, ids, seed) for ids in (ids_BL, others_BL))
    return ((before_BLV - after_BLV).abs().amax(dim=-1) / before_BLV.abs().max()).cpu()


def _alone(model: nn.Module, forward: Forward, ids_BL: Tensor, seed: int) -> Tensor:
    """A forward pass with the same random numbers as any other, which leaves no trace in the model."""
    with torch.random.fork_rng(), _buffers_kept(model):
        torch.manual_seed(seed)
        return forward(ids_BL).detach().float()


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Undo what a forward pass in training mode may count."""
    kept = [(buffer, buffer.clone()) for buffer in model.buffers()] if model.training else []
    try:
        yield
    finally:
        for buffer, value in kept:
            buffer.copy_(value)


def _collect(trials: Iterator[tuple[float, int, int]]) -> Leak:
    found = list(trials)
    # What is no number any more has moved, too.
    change, position, changed_from = max(found, key=lambda trial: (math.isnan(trial[0]), trial[0]))
    return Leak(len(found), sum(not trial[0] <= TOLERANCE for trial in found), change, position, changed_from)
