"""Which base model is this? An adapter is only valid on the one that it was trained on.

Names and shapes alone do not tell two trainings of one architecture apart, so a few values of every tensor count too.
The configuration does not: its keys change with the version of transformers, and what it decides shows in the weights.
"""

import hashlib

import torch
from torch import nn

from codeglot.config import StrictModel

_NUM_VALUES = 16
_FORMATS = {torch.float32: ("bfloat16", "float16"), torch.bfloat16: ("bfloat16",), torch.float16: ("float16",)}
"""What weights of a number format can be rounded to and still be compared with the others."""


class Fingerprint(StrictModel):
    """What tells a base model from others."""

    structure: str
    """Digest of the names and shapes of its parameters."""
    values: dict[str, str]
    """Digest of some values of every parameter, by the number format that they were rounded to."""

    def matches(self, other: "Fingerprint") -> bool:
        """Whether both are of one model, whatever the number format each was loaded in.

        Between float16 and bfloat16, which round differently, only the structure can be compared.
        """
        shared = self.values.keys() & other.values.keys()
        return self.structure == other.structure and all(self.values[key] == other.values[key] for key in shared)


def fingerprint(model: nn.Module, *, frozen_only: bool = False) -> Fingerprint:
    """Take the fingerprint of a base model, before anything is attached to it.

    Args:
        model: The base; or what methods made of it.
        frozen_only: Whether to leave out the values (not the names) of what is trained, and of what is not in memory.
    """
    parameters = sorted(model.named_parameters())
    structure = hashlib.sha256()
    for name, parameter in parameters:
        structure.update(f"{name} {tuple(parameter.shape)}\n".encode())
    samples = [_sample(p) for _, p in parameters if not (frozen_only and (p.requires_grad or p.is_meta))]
    floats = {sample.dtype for sample in samples if sample.is_floating_point()}
    formats = set.intersection(*(set(_FORMATS.get(dtype, ())) for dtype in floats)) if floats else set[str]()
    values = {name: _digest(samples, getattr(torch, name)) for name in sorted(formats)}
    return Fingerprint(structure=structure.hexdigest()[:32], values=values)


def _sample(parameter: nn.Parameter) -> torch.Tensor:
    """Values from all over a tensor, on the CPU."""
    flat = parameter.detach().reshape(-1)
    return flat[:: max(1, len(flat) // _NUM_VALUES)].cpu()


def _digest(samples: list[torch.Tensor], dtype: torch.dtype) -> str:
    digest = hashlib.sha256()
    for sample in samples:
        rounded = sample.to(dtype) if sample.is_floating_point() else sample
        digest.update(rounded.contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:32]
