"""A small training that every test of this room can run: a tiny Llama, and examples made by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from codeglot.data.batch import IGNORED, EncodedExample
from codeglot.methods.base import Method
from codeglot.methods.registry import get
from codeglot.optim.settings import Optim
from codeglot.train.loop import TrainingResult, train
from codeglot.train.settings import Train
from tests.tiny_model import random_llama

VOCABULARY = 96
LANGUAGES = ("one", "two")
"""Names of languages; the loop does not ask what they are."""


def tiny(seed: int = 0, method: str = "lora", **settings: Any) -> tuple[Any, list[Method]]:
    """A model with a method attached."""
    if method == "lora":
        settings = {"r": 2, "lora_alpha": 4.0} | settings
    chosen = get(method)(method=method, **settings)
    torch.manual_seed(seed)
    return chosen.attach(random_llama(VOCABULARY, seed=seed), LANGUAGES), [chosen]


def make_examples(count: int = 12, *, seed: int = 0, longest: int = 24) -> list[EncodedExample]:
    """Examples of many lengths, in two languages and none."""
    generator = torch.Generator().manual_seed(seed)
    examples = []
    for index in range(count):
        prompt, completion = (int(torch.randint(1, longest // 2, (), generator=generator)) for _ in range(2))
        ids = torch.randint(0, VOCABULARY, (prompt + completion,), generator=generator).tolist()
        labels = [IGNORED] * prompt + ids[prompt:]
        examples.append(EncodedExample(ids, labels, [index % 3] * len(ids), f"scene:{index}"))
    return examples


def run(
    model: nn.Module, methods: Sequence[Method], out: Path, *, steps: Any = 4, seed: Any = 0, **settings: Any
) -> TrainingResult:
    """Train with small numbers; `settings` go to `train` or, by their names, into its sections."""
    own = {key: settings.pop(key) for key in list(settings) if key in Train.model_fields}
    optim = {key: settings.pop(key) for key in list(settings) if key in Optim.model_fields}
    sizes = {"batch_size": 4, "micro_batch_size": 2, "log_every": 1} | own
    return train(
        model,
        methods,
        settings.pop("examples", None) or make_examples(),
        train=Train(**({"steps": steps} if "epochs" not in sizes else {}), **sizes),
        optim=Optim(**({"lr": 1e-2, "schedule": "constant", "warmup_steps": 0} | optim)),
        languages=LANGUAGES,
        seed=seed,
        out=out,
        pad_token_id=0,
        **settings,
    )


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of what is trained."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
