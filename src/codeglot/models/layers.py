"""Where an architecture keeps its linear layers: found by structure, so that no list of architectures is needed.

Decoder layers are the largest list of modules. Inside a layer, what lies in a module that calls itself attention is
`attention`; every other linear is `mlp`. Embeddings and the head lie outside, so no preset reaches them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from peft import PeftModel
from torch import nn
from transformers.pytorch_utils import Conv1D

from codeglot.errors import ConfigError

PRESETS = ("attention", "mlp", "all")
"""Names of groups of linears, in every architecture."""


class Linear(NamedTuple):
    """A linear layer of the base model."""

    name: str
    """As in `named_modules` of the base model."""
    in_features: int
    out_features: int
    is_transposed: bool
    """Whether its weight has shape (in, out), as GPT-2 keeps it."""
    group: str
    """`attention` or `mlp`."""


def plain_model(model: nn.Module) -> Any:
    """The base model inside whatever PEFT has put around it; its modules keep their names."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def decoder_layers(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """The list of decoder layers, and its name in the base model.

    Raises:
        ConfigError: If the model has no list of layers with linears.
    """
    base = plain_model(model)
    lists = [
        (name, module)
        for name, module in base.named_modules()
        if isinstance(module, nn.ModuleList) and next(_leaves(module, ""), None)
    ]
    if not lists:
        raise ConfigError(
            f"{type(base).__name__} keeps no linear layers in a list of decoder layers, so there is nothing to adapt. "
            "Take a decoder-only language model of transformers."
        )
    return max(lists, key=lambda item: sum(parameter.numel() for parameter in item[1].parameters()))


def embedding_tables(model: nn.Module) -> list[nn.Parameter]:
    """Matrices whose rows stand for tokens or positions: those of embeddings, and that of the output layer."""
    base = plain_model(model)
    head = base.get_output_embeddings() if hasattr(base, "get_output_embeddings") else None
    modules: list[nn.Module] = [module for module in base.modules() if isinstance(module, nn.Embedding)]
    modules += [] if head is None else [head]
    return [parameter for module in modules for parameter in module.parameters() if parameter.ndim == 2]


def list_linears(model: nn.Module) -> list[Linear]:
    """Every linear inside the decoder layers, in the order of the model.

    Raises:
        ConfigError: If there is none.
    """
    prefix, layers = decoder_layers(model)
    return [_describe(f"{prefix}.{path}", linear, _words(layers, path)) for path, linear in _leaves(layers, "")]


def known_targets(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """A setting of targets, if it can be one.

    Raises:
        ValueError: If it is no preset and no list of names.
    """
    names = () if isinstance(value, str) else value
    if value not in PRESETS and not (names and all(names)):
        raise ValueError(f"it is one of the presets {', '.join(PRESETS)}, or a list of names of modules, not {value!r}")
    return value


def select_linears(model: nn.Module, target_modules: str | Sequence[str]) -> list[Linear]:
    """The linears that a setting names.

    Args:
        model: A base model, with or without adapters.
        target_modules: One of `PRESETS`; or names, each the end of a module's name (`q_proj`, `mlp.c_proj`).

    Raises:
        ConfigError: If a name matches no linear of a decoder layer, or a preset cannot reach what it promises.
    """
    linears = list_linears(model)
    if not isinstance(target_modules, str):
        _refuse_without_match(target_modules, [linear.name for linear in linears], type(plain_model(model)).__name__)
        return [linear for linear in linears if any(ends_with(linear.name, target) for target in target_modules)]
    if target_modules != "attention":
        _refuse_fused_experts(model, target_modules)
    found = [linear for linear in linears if target_modules in {"all", linear.group}]
    if not found:
        raise ConfigError(
            f"target_modules = '{target_modules}' matches nothing in {type(plain_model(model)).__name__}. "
            f"Its linears are: {', '.join(short_names(model, linears))}."
        )
    return found


def refuse_adapted(model: nn.Module, linears: Sequence[Linear], allowed: tuple[type, ...] = ()) -> None:
    """Refuse linears that an earlier method has put something around.

    Args:
        model: A base model, with or without adapters.
        linears: Those that a method is about to adapt.
        allowed: Kinds of layers that it can adapt once more.

    Raises:
        ConfigError: Naming the first of them.
    """
    for linear in linears:
        module = plain_model(model).get_submodule(linear.name)
        if hasattr(module, "get_base_layer") and not isinstance(module, allowed):
            raise ConfigError(
                f"{linear.name} carries what an earlier method of this run put on it, and these two cannot share a "
                "linear. Give them different target_modules."
            )


def short_names(model: nn.Module, linears: Collection[Linear]) -> list[str]:
    """The shortest ends of names that match these linears and no other module of the model.

    Adapter files hold these, and serving engines know the usual ones: `q_proj`, not `model.layers.0.self_attn.q_proj`.
    """
    everywhere = Counter(end for name, _ in plain_model(model).named_modules() for end in _ends(name))
    wanted = Counter(end for linear in linears for end in _ends(linear.name))
    short = {next(end for end in _ends(linear.name) if everywhere[end] == wanted[end]) for linear in linears}
    return sorted(short)


def ends_with(name: str, end: str) -> bool:
    """Whether `end` is `name` or its last parts."""
    return name == end or name.endswith(f".{end}")


def _ends(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def _leaves(module: nn.Module, path: str) -> Iterator[tuple[str, Any]]:
    """Linears below a module with their paths; one that carries an adapter counts as the one it was."""
    for name, child in module.named_children():
        below = f"{path}.{name}".lstrip(".")
        get_base_layer: Any = getattr(child, "get_base_layer", None)
        inner = child if get_base_layer is None else get_base_layer()
        if isinstance(inner, nn.Linear | Conv1D):
            yield below, inner
        elif inner is child:
            yield from _leaves(child, below)


def _words(layers: nn.ModuleList, path: str) -> str:
    """What the modules between a layer and a linear call themselves, by name and by class."""
    parts = path.split(".")[:-1]
    owners = [layers.get_submodule(".".join(parts[:end])) for end in range(2, len(parts) + 1)]
    return " ".join([*parts[1:], *(type(owner).__name__ for owner in owners)]).lower()


def _describe(name: str, linear: Any, words: str) -> Linear:
    is_transposed = isinstance(linear, Conv1D)
    num_in, num_out = (linear.nx, linear.nf) if is_transposed else (linear.in_features, linear.out_features)
    is_attention = "attn" in words or "attention" in words
    return Linear(name, num_in, num_out, is_transposed, "attention" if is_attention else "mlp")


def _refuse_without_match(targets: Sequence[str], names: Collection[str], kind: str) -> None:
    unmatched = [target for target in targets if not any(ends_with(name, target) for name in names)]
    if not unmatched:
        return
    known = sorted({name.rpartition(".")[2] for name in names})
    hints = [close[0] for target in unmatched if (close := get_close_matches(target, known, n=1))]
    hint = f" Did you mean {', '.join(dict.fromkeys(hints))}?" if hints else ""
    raise ConfigError(
        f"target_modules: {', '.join(unmatched)} match(es) no linear in the decoder layers of {kind}.{hint} "
        f"These do: {', '.join(known)}; or one of the presets {', '.join(PRESETS)}."
    )


def _refuse_fused_experts(model: nn.Module, preset: str) -> None:
    _, layers = decoder_layers(model)
    for name, module in layers.named_modules():
        fused = [key for key, value in module.named_parameters(recurse=False) if value.ndim == 3]
        if fused and not isinstance(module, nn.Conv1d):
            raise ConfigError(
                f"target_modules = '{preset}' does not reach the experts of {type(plain_model(model)).__name__}: they "
                f"are fused ({name}.{fused[0]}), not linears. Set target_modules = 'attention', or name linears."
            )
