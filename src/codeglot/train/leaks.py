"""What does the model of a trained run see that it must not? Every detector, in both modes.

Shapes: B rows, L positions, V vocabulary.
"""

import math
from copy import deepcopy

import torch
from torch import Tensor, nn

from codeglot.config import StrictModel
from codeglot.methods.adapter import Attached
from codeglot.models.causality import MARGIN, Forward, Leak, batch_leak, future_leak, guessing, iid_loss
from codeglot.models.layers import plain_model
from codeglot.train.modes import as_it_was

_LABEL_RUN = 24
"""Positions of one language in the texts, where a model is routed by language."""


class Finding(StrictModel):
    """One detector in one mode."""

    detector: str
    mode: str
    num_trials: int
    num_leaks: int
    largest: float | None
    """Change of an output, over the largest output; None: it became no number."""
    position: int
    """Where that was."""
    changed_from: int
    """The first later position that was changed then, or the first other row."""


class Causality(StrictModel):
    """`causality.json`."""

    length: int
    """Tokens of each text."""
    findings: tuple[Finding, ...]
    iid_nats: float | None
    """Loss after training on tokens that nothing can predict; None: it was not trained."""
    guessing_nats: float
    """What guessing costs there."""

    @property
    def leaks(self) -> list[str]:
        """In words, what the model sees that it must not; empty: nothing was found."""
        found = [
            f"{finding.detector} ({finding.mode}): {finding.num_leaks} of {finding.num_trials} trials"
            for finding in self.findings
            if finding.num_leaks
        ]
        if self.iid_nats is not None and not self.iid_nats >= self.guessing_nats - MARGIN:
            found.append(f"a loss of {self.iid_nats:.4f} nats where guessing costs {self.guessing_nats:.4f}")
        return found


def find_leaks(attached: Attached, *, length: int, num_trials: int, iid_steps: int, seed: int) -> Causality:
    """Run all detectors.

    Args:
        attached: A model and its methods; it is left as it was.
        length: Tokens of each text.
        num_trials: Of each detector in each mode.
        iid_steps: Steps of training a copy on tokens that nothing can predict; 0: no such training.
        seed: Of all texts.
    """
    vocab_size = plain_model(attached.model).get_input_embeddings().num_embeddings
    findings = []
    for is_training in (False, True):
        mode = "training" if is_training else "evaluation"
        for name, detector in {"later tokens": future_leak, "other rows": batch_leak}.items():
            with as_it_was(attached.model):
                attached.model.train(is_training)
                forward = _forward(attached, attached.model)
                leak = detector(
                    attached.model, forward, vocab_size=vocab_size, length=length, num_trials=num_trials, seed=seed
                )
            findings.append(_told(name, mode, leak))
    nats = _iid_nats(attached, length, iid_steps, seed) if iid_steps else None
    return Causality(length=length, findings=tuple(findings), iid_nats=nats, guessing_nats=guessing())


def _forward(attached: Attached, model: nn.Module) -> Forward:
    device = next(model.parameters()).device

    def forward(ids_BL: Tensor) -> Tensor:
        labels_L = torch.arange(ids_BL.shape[1]) // _LABEL_RUN % (len(attached.languages) + 1)
        with attached.route(labels_L.expand_as(ids_BL).to(device)):
            logits: Tensor = model(input_ids=ids_BL.to(device), use_cache=False).logits
        for method in attached.methods:
            method.forward_loss(model)  # not left for a training
        return logits

    return forward


def _told(detector: str, mode: str, leak: Leak) -> Finding:
    largest = None if math.isnan(leak.largest) else leak.largest
    return Finding(detector=detector, mode=mode, **leak._replace(largest=largest)._asdict())  # type: ignore[arg-type]


def _iid_nats(attached: Attached, length: int, num_steps: int, seed: int) -> float:
    copied = deepcopy(attached.model).train()
    parameters = [parameter for parameter in copied.parameters() if parameter.is_floating_point()]
    for parameter in parameters:
        parameter.requires_grad_()

    def after_step() -> None:
        for method in attached.methods:
            method.after_step(copied, {})

    forward = _forward(attached, copied)
    return iid_loss(forward, parameters, length=length, num_steps=num_steps, seed=seed, after_step=after_step)
