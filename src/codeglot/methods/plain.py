"""What was trained, as software that knows no methods loads it: a plain LoRA of PEFT, or merged weights.

Shapes: I in_features, O out_features, R rank.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from codeglot.models.layers import list_linears, plain_model, short_names
from codeglot.regularizers.low_rank import LowRank


class Update(NamedTuple):
    """The change `B A` of one weight."""

    a_RI: Tensor
    b_OR: Tensor


def sum_up(factors: Iterable[LowRank]) -> dict[str, Update]:
    """One update for each linear, side by side: the rank is the sum of all ranks, the same everywhere.

    Where a linear has less, zeros fill it up, since adapters have one rank.
    """
    found: dict[str, list[LowRank]] = {}
    for factor in factors:
        found.setdefault(factor.module, []).append(factor)
    rank = max(sum(len(part.a_RI) for part in parts) for parts in found.values())
    updates = {}
    for module, parts in found.items():
        a_RI = torch.cat([part.a_RI.detach() for part in parts])
        b_OR = torch.cat([part.scale * part.b_OR.detach() for part in parts], dim=1)
        lacking = rank - len(a_RI)
        updates[module] = Update(nn.functional.pad(a_RI, (0, 0, 0, lacking)), nn.functional.pad(b_OR, (0, lacking)))
    return updates


def write_lora(updates: Mapping[str, Update], base: nn.Module, name: str, folder: Path) -> None:
    """Write a plain adapter of PEFT.

    Args:
        updates: By the name of the linear.
        base: The model that they are for.
        name: What the adapter calls it.
        folder: Made where it is missing.
    """
    linears = [linear for linear in list_linears(base) if linear.name in updates]
    rank = len(next(iter(updates.values())).a_RI)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": name,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "target_modules": short_names(base, linears),
        "fan_in_fan_out": any(linear.is_transposed for linear in linears),
        "bias": "none",
    }
    tensors = {
        f"base_model.model.{module}.lora_{letter}.weight": factor.cpu().contiguous()
        for module, update in updates.items()
        for letter, factor in zip("AB", update, strict=True)
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def merge(updates: Mapping[str, Update], base: nn.Module) -> None:
    """Add updates to the weights of a base model, in float32, rounded once."""
    transposed = {linear.name for linear in list_linears(base) if linear.is_transposed}
    with torch.no_grad():
        for module, (a_RI, b_OR) in updates.items():
            linear: Any = plain_model(base).get_submodule(module)
            change_OI = (b_OR @ a_RI).to(linear.weight.device)
            change = change_OI.T if module in transposed else change_OI
            linear.weight.copy_(linear.weight.float() + change)
