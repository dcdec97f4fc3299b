"""The penalties in their obvious form: one tensor after another, whole transforms, no grouping."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codeglot.regularizers.frequencies import rho
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral


def draw(*shapes: tuple[int, int, int], seed: int = 0, scale: float = 2.0, dtype: Any = torch.float64) -> Any:
    """Random updates; each shape is (outputs, inputs, rank)."""
    generator = torch.Generator().manual_seed(seed)
    return [
        LowRank(
            f"layer{index}",
            torch.randn(r, i, generator=generator, dtype=dtype),
            torch.randn(o, r, generator=generator, dtype=dtype),
            scale,
        )
        for index, (o, i, r) in enumerate(shapes)
    ]


def one(tensor: Any) -> Any:
    """An update whose A is this tensor, and whose B is 0."""
    tensor = torch.as_tensor(tensor, dtype=torch.float64)
    tensor = tensor[None] if tensor.ndim == 1 else tensor
    return [LowRank("layer", tensor, torch.zeros(3, tensor.shape[0], dtype=tensor.dtype), 1.0)]


def worth(value: Tensor) -> float:
    """A value without its gradient."""
    return float(value.detach())


def slow_penalty(settings: Spectral, factors: Sequence[LowRank]) -> Tensor:
    """What `penalty` should give; of the controls, for `uniform` and `low` over two axes."""
    if settings.target == "delta_w":
        values = [on_two_axes(settings, f.scale * f.b_OR @ f.a_RI) for f in factors]
    elif settings.layout in {"fft2", "dct2"}:
        values = [on_two_axes(settings, tensor) for f in factors for tensor in (f.a_RI, f.b_OR)]
    else:
        values = [on_rows(settings, rows) for f in factors for rows in rows_of(settings, f)]
    total = torch.stack(values).sum()
    return total / len(values) if settings.reduction == "mean" else total


def rows_of(settings: Spectral, factor: LowRank) -> Any:
    if settings.layout == "flatten":
        return [[factor.a_RI.flatten()], [factor.b_OR.flatten()]]
    return [list(factor.a_RI), list(factor.b_OR.T)]


def on_rows(settings: Spectral, rows: Any) -> Tensor:
    value, energy = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for row in rows:
        size = len(row)
        spectrum = torch.fft.fft(row)
        for k in range(size if settings.spectrum == "two_sided" else size // 2 + 1):
            weight = rho(settings, size)[min(k, size - k)]
            value = value + weight * spectrum[k].abs() ** 2 / (1 if settings.fft_norm == "backward" else size)
        energy = energy + (row**2).sum()
    return value / energy if settings.fft_norm == "energy_ratio" else value


def on_two_axes(settings: Spectral, matrix: Tensor) -> Tensor:
    height, width = matrix.shape

    def mirrored(k: int, last: int) -> int:
        return last - k if settings.weighting == "low" else k

    if settings.layout == "dct2":
        squares = (cosines(height) @ matrix @ cosines(width).T) ** 2
        parts = [
            torch.tensor([mirrored(k, size - 1) / size for k in range(size)], dtype=torch.float64)
            for size in matrix.shape
        ]
    else:
        squares = torch.fft.fft2(matrix, norm="ortho").abs() ** 2
        parts = [
            torch.tensor([mirrored(min(k, size - k), size // 2) / (size / 2) for k in range(size)], dtype=torch.float64)
            for size in matrix.shape
        ]
    u, v = (
        settings.phi_low + (settings.phi_high - settings.phi_low) * (part / settings.threshold).clamp(max=1)
        for part in parts
    )
    weights = 1 - u[:, None] * v
    value = ((weights.mean() if settings.weighting == "uniform" else weights) * squares).sum()
    if settings.fft_norm == "backward":
        return value * height * width
    return value / (matrix**2).sum() if settings.fft_norm == "energy_ratio" else value


def cosines(size: int) -> Tensor:
    """The orthonormal matrix of the cosine transform."""
    k, place = torch.arange(size, dtype=torch.float64)[:, None], torch.arange(size, dtype=torch.float64)
    rows = torch.cos(math.pi * k * (2 * place + 1) / (2 * size)) * math.sqrt(2 / size)
    rows[0] = math.sqrt(1 / size)
    return rows
