"""What a training leaves behind, as a folder: saved in one piece, loaded only on the base that it belongs to.

One method: its own files and `codeglot.json`, so a LoRA is a plain PEFT adapter and a full training a plain model.
Several: `codeglot.json`, and one such folder each, numbered in the order in which they were attached.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from codeglot.config import StrictModel, explain
from codeglot.errors import ConfigError, EngineError, RunError
from codeglot.methods.base import Method
from codeglot.methods.registry import parse
from codeglot.models.fingerprint import Fingerprint, fingerprint
from codeglot.models.load import LoadedBase, load_base
from codeglot.models.modes import in_evaluation
from codeglot.models.settings import Base
from codeglot.runs import replacing_folder

CARD = "codeglot.json"
"""File that says what an adapter folder holds."""
_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-4}
"""Largest difference of logits between an adapter in memory and reloaded, relative to the largest logit."""
_TOLERANCE_16_BIT = 0.05


class Card(StrictModel):
    """`codeglot.json`: what was trained, and on what."""

    version: Literal[1] = 1
    """Format of the folder."""
    methods: tuple[dict[str, Any], ...]
    """Settings of each method, in the order in which they were attached."""
    languages: tuple[str, ...]
    """Programming languages by their number in `language_ids`, from 1."""
    base: Fingerprint
    """The model without them."""


class Attached(NamedTuple):
    """A model with methods on it, and what saving it needs."""

    model: nn.Module
    methods: tuple[Method, ...]
    languages: tuple[str, ...]
    base: Fingerprint


def attach_methods(model: nn.Module, methods: Sequence[Method], languages: Sequence[str]) -> Attached:
    """Put methods on a base model, in their order; what each of them added is trained.

    Args:
        model: The base, nothing attached.
        methods: As `registry.parse` gives them.
        languages: Ids of programming languages in the order of `language_ids` 1, 2, ...

    Raises:
        ConfigError: If settings do not fit the model.
    """
    base = fingerprint(model)
    trained: list[nn.Parameter] = []
    for method in methods:
        model = method.attach(model, languages)
        for parameter in trained:  # the next method takes them for a part of its base, and freezes them
            parameter.requires_grad = True
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return Attached(model, tuple(methods), tuple(languages), base)


def save_methods(attached: Attached, folder: Path, tokenizer: PreTrainedTokenizerBase | None = None) -> None:
    """Write the adapter folder beside its place, then move it there: it is whole, or it is the one before.

    Args:
        attached: What `attach_methods` gave, trained.
        folder: Where to; replaced if it exists.
        tokenizer: Written along where the base itself was trained, so that the folder is a model by itself.

    Raises:
        RunError: If it cannot be written.
    """
    methods = [method.model_dump(mode="json") for method in attached.methods]
    card = Card(methods=tuple(methods), languages=attached.languages, base=attached.base)
    with replacing_folder(folder, also=(SafetensorError,)) as new:
        for method, place in zip(attached.methods, _places(new, attached.methods), strict=True):
            method.save(attached.model, place)
            if tokenizer is not None and not method.adds_parameters:
                tokenizer.save_pretrained(place)
        (new / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_methods(base: nn.Module, folder: Path) -> Attached:
    """Put what `save_methods` wrote on a fresh base, frozen and in evaluation mode.

    Raises:
        EngineError: If files are missing or damaged, or the base is another one than it was trained on.
    """
    card = _read_card(folder)
    own = fingerprint(base)
    if not card.base.matches(own):
        what = "other values" if card.base.structure == own.structure else "other layers"
        raise EngineError(
            f"{folder} was trained on another base model: the one given has {what}. "
            "Set base.model (and base.revision) to the model that it was trained on."
        )
    try:
        methods = parse(card.methods, source=str(folder / CARD))
    except ConfigError as error:
        raise EngineError(f"{error} It may come from a newer version of codeglot.") from error
    model = base
    for method, place in zip(methods, _places(folder, methods), strict=True):
        model = method.load(model, place, card.languages)
    model.requires_grad_(requires_grad=False)
    return Attached(model.eval(), methods, card.languages, card.base)


def load_adapted(base: Base) -> LoadedBase:
    """Load `[base]` with its adapter: one of a run of codeglot, or any other of PEFT.

    Raises:
        ConfigError: If a setting cannot hold on this machine.
        EngineError: If a part is missing, unsafe or incomplete, or the adapter belongs to another base.
    """
    folder = base.adapter.expanduser() if base.adapter else None
    if folder is None or not (folder / CARD).is_file():
        return load_base(base)
    _read_card(folder)  # before the model, which takes longer
    loaded = load_base(base.model_copy(update={"adapter": None}))
    model: Any = load_methods(loaded.model, folder).model
    return loaded._replace(model=model)


def check_adapter(load: Callable[[], nn.Module], folder: Path, model: nn.Module, prompt_ids: Sequence[int]) -> float:
    """Load a saved adapter on a fresh base and compare it with the model in memory.

    Args:
        load: Gives the base, in the number format that `model` was trained on.
        folder: What `save_methods` wrote.
        model: The trained model; its modes stay as they are.
        prompt_ids: Tokens of some text.

    Returns:
        The largest difference of logits, relative to the largest logit.

    Raises:
        RunError: If the two differ, or the adapter changes nothing at all.
    """
    expected = _logits(model, prompt_ids)
    base = load()
    plain = _logits(base, prompt_ids)
    found = _logits(load_methods(base, folder).model, prompt_ids)
    scale = max(1.0, float(expected.abs().max()))
    difference = float((found - expected).abs().max()) / scale
    formats = {parameter.dtype for parameter in (*model.parameters(), *base.parameters())}
    if not difference <= max(_TOLERANCE.get(dtype, _TOLERANCE_16_BIT) for dtype in formats):  # NaN fails too
        raise RunError(
            f"{folder}, loaded again, does not compute what was trained: logits differ by {difference:.2g} of the "
            "largest. The checkpoints hold the trained weights; this is a fault of codeglot worth reporting."
        )
    if torch.equal(plain, found):
        raise RunError(
            f"{folder} changes no logit of the base model: nothing was trained. Raise optim.lr or train.steps."
        )
    return difference


def _logits(model: nn.Module, prompt_ids: Sequence[int]) -> Tensor:
    with in_evaluation(model), torch.no_grad():
        device = next(model.parameters()).device
        logits: Tensor = model(input_ids=torch.tensor([list(prompt_ids)], device=device)).logits.float().cpu()
    return logits


def _places(folder: Path, methods: Sequence[Method]) -> list[Path]:
    """The folder of each method in an adapter folder."""
    if len(methods) == 1:
        return [folder]
    return [folder / f"{number}_{method.method}" for number, method in enumerate(methods)]


def _read_card(folder: Path) -> Card:
    path = folder / CARD
    try:
        return Card.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise EngineError(f"{explain(error, str(path))}\nIt may come from a newer version of codeglot.") from None
    except (OSError, ValueError) as error:
        raise EngineError(
            f"{path} cannot be read: {error}. Give the adapter folder that a run of codeglot wrote."
        ) from error
