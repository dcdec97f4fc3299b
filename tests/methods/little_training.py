"""A few steps of training on the tiny model, as small as they can be, for tests of methods."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from codeglot.methods.adapter import Attached, attach_methods, save_methods
from codeglot.methods.base import Method
from tests.tiny_model import random_llama

VOCAB_SIZE = 300
IDS = torch.arange(5, 29).reshape(2, 12)
LANGUAGES = ("python", "java")
TEXT = [0] * IDS.shape[1]
"""Language ids of a row without code."""


def tiny(seed: int = 0) -> LlamaForCausalLM:
    return random_llama(VOCAB_SIZE, seed=seed)


def logits(model: nn.Module, ids: Tensor = IDS) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(input_ids=ids).logits
    return found


def train_a_little(model: Any, *, lr: float = 0.02, num_steps: int = 2) -> float:
    """Take steps on everything that is trainable and return the first loss."""
    optimizer = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=lr)
    losses: list[float] = []
    for _ in range(num_steps):
        loss = model(input_ids=IDS, labels=IDS).loss
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return losses[0]


def trained(*methods: Method, base: Callable[[], nn.Module] = tiny) -> Attached:
    torch.manual_seed(1)
    attached = attach_methods(base(), methods, LANGUAGES)
    train_a_little(attached.model)
    return attached


def trained_folder(folder: Path, *methods: Method) -> Attached:
    attached = trained(*methods)
    save_methods(attached, folder)
    return attached
