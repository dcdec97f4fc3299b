"""What a training leaves behind, as a folder: saved in one piece, loaded only on the base that it belongs to.

One method: its own files and `codeglot.json`, so a LoRA is a plain PEFT adapter and a full training a plain model.
Several: `codeglot.json`, and one such folder each, numbered in the order in which they were attached.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from codeglot.config import StrictModel, explain
from codeglot.data.batch import OTHER_LANGUAGE
from codeglot.errors import ConfigError, EngineError, RunError
from codeglot.methods.base import Method
from codeglot.methods.registry import parse
from codeglot.models.fingerprint import Fingerprint, fingerprint
from codeglot.models.load import LoadedBase, Routing, load_base
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

    @property
    def routing(self) -> Routing | None:
        """How generation tells the languages of tokens; None: no method asks."""
        routed = [method for method in self.methods if method.routes_by_language]
        if not routed:
            return None
        return Routing(self.languages, self.route, any(method.text_is_code for method in routed))

    @contextmanager
    def route(self, language_ids: Tensor) -> Iterator[None]:
        """What must be open around a forward pass on tokens of these languages, shape (B, L)."""
        with ExitStack() as stack:
            for method in self.methods:
                stack.enter_context(method.route(language_ids))
            yield


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
    _refuse_another_base(card, base, folder)
    methods = _methods_of(card, folder)
    model = base
    for method, place in zip(methods, _places(folder, methods), strict=True):
        model = method.load(model, place, card.languages)
    model.requires_grad_(requires_grad=False)
    return Attached(model.eval(), methods, card.languages, card.base)


def extend_methods(base: nn.Module, methods: Sequence[Method], folder: Path, languages: Sequence[str]) -> Attached:
    """Put what `save_methods` wrote on a fresh base, with parts for further languages, which alone are trained.

    Args:
        base: Nothing attached.
        methods: Those of the folder, in their order.
        folder: That `save_methods` wrote.
        languages: Those of the folder, in their order, then the new ones.

    Raises:
        ConfigError: If the methods differ from those of the folder, or cannot be extended.
        EngineError: If files are missing or damaged, or the base is another one than it was trained on.
    """
    card = _read_card(folder)
    _refuse_another_base(card, base, folder)
    before = _methods_of(card, folder)
    if len(methods) != len(before):
        names = " and ".join(method.method for method in before)
        raise ConfigError(f"The run in {folder} was trained by {names}. Give [[methods]] as its config.json has them.")
    model = base
    for method, old, place in zip(methods, before, _places(folder, before), strict=True):
        model = method.extend(model, place, old, (card.languages, tuple(languages)))
    return Attached(model, tuple(methods), tuple(languages), card.base)


def read_methods(folder: Path) -> tuple[Method, ...]:
    """Methods of a saved adapter, in the order in which they were attached.

    Raises:
        EngineError: If its card is missing, damaged or newer than this version.
    """
    return _methods_of(_read_card(folder), folder)


def read_languages(folder: Path) -> tuple[str, ...]:
    """Languages of a saved adapter, by their numbers from 1.

    Raises:
        EngineError: If its card is missing or damaged.
    """
    return _read_card(folder).languages


def _refuse_another_base(card: Card, base: nn.Module, folder: Path) -> None:
    own = fingerprint(base)
    if not card.base.matches(own):
        what = "other values" if card.base.structure == own.structure else "other layers"
        raise EngineError(
            f"{folder} was trained on another base model: the one given has {what}. "
            "Set base.model (and base.revision) to the model that it was trained on."
        )


def _methods_of(card: Card, folder: Path) -> tuple[Method, ...]:
    try:
        return parse(card.methods, source=str(folder / CARD))
    except ConfigError as error:
        raise EngineError(f"{error} It may come from a newer version of codeglot.") from error


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
    attached = load_methods(loaded.model, folder)
    model: Any = attached.model
    return loaded._replace(model=model, routing=attached.routing)


def check_adapter(
    load: Callable[[], nn.Module],
    folder: Path,
    trained: Attached,
    input_ids: Sequence[int],
    language_ids: Sequence[int],
) -> float:
    """Load a saved adapter on a fresh base and compare it with the model in memory.

    Args:
        load: Gives the base, in the number format that was trained on.
        folder: What `save_methods` wrote.
        trained: What was saved; the model's modes stay as they are.
        input_ids: Tokens of an example.
        language_ids: Their languages.

    Returns:
        The largest difference of logits, relative to the largest logit.

    Raises:
        RunError: If the two differ, or the adapter changes nothing at all.
    """
    labels = torch.tensor([list(language_ids)])
    with trained.route(labels):
        expected = _logits(trained.model, input_ids)
    base = load()
    plain = _logits(base, input_ids)
    loaded = load_methods(base, folder)
    with loaded.route(labels):
        found = _logits(loaded.model, input_ids)
    scale = max(1.0, float(expected.abs().max()))
    difference = float((found - expected).abs().max()) / scale
    formats = {parameter.dtype for parameter in (*trained.model.parameters(), *base.parameters())}
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


def check_export(trained: Attached, exported: nn.Module, input_ids: Sequence[int], language: str) -> float:
    """Compare a model that needs no methods with the one that it was made of.

    Args:
        trained: What was exported.
        exported: What came of it, loaded again.
        input_ids: Tokens of some text.
        language: That all of them are taken to be in; one outside the list: other text.

    Returns:
        The largest difference of logits, relative to the largest logit.

    Raises:
        RunError: If the two differ.
    """
    number = trained.languages.index(language) + 1 if language in trained.languages else OTHER_LANGUAGE
    with trained.route(torch.full((1, len(input_ids)), number)):
        expected = _logits(trained.model, input_ids)
    difference = float((_logits(exported, input_ids) - expected).abs().max()) / max(1.0, float(expected.abs().max()))
    formats = {parameter.dtype for parameter in (*trained.model.parameters(), *exported.parameters())}
    if not difference <= max(_TOLERANCE.get(dtype, _TOLERANCE_16_BIT) for dtype in formats):  # NaN fails too
        raise RunError(
            f"The export for '{language or 'all languages'}' does not compute what the run does: logits differ by "
            f"{difference:.2g} of the largest. Nothing was written; this is a fault of codeglot worth reporting."
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
