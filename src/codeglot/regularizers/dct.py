"""The orthonormal cosine transform (DCT-II) along the last axis and its inverse, by one FFT of the same length.

Source: Makhoul 1980, "A fast cosine transform in one and two dimensions", doi:10.1109/TASSP.1980.1163351.
"""

import math

import torch
from torch import Tensor


def dct(values: Tensor) -> Tensor:
    """Coefficients of real values, shape (..., N) -> (..., N); the sum of squares stays."""
    size = values.shape[-1]
    shuffled = torch.cat([values[..., ::2], values[..., 1::2].flip(-1)], dim=-1)
    turned: Tensor = torch.fft.fft(shuffled) * _turn(size, values)
    return turned.real * _scale(size, values)


def idct(coefficients: Tensor) -> Tensor:
    """Values of coefficients, shape (..., N) -> (..., N)."""
    size = coefficients.shape[-1]
    plain = coefficients / _scale(size, coefficients)
    mirrored = torch.cat([torch.zeros_like(plain[..., :1]), plain[..., 1:].flip(-1)], dim=-1)
    shuffled = torch.fft.ifft(torch.complex(plain, -mirrored) / _turn(size, plain)).real
    values = torch.empty_like(coefficients)
    half = (size + 1) // 2
    values[..., ::2] = shuffled[..., :half]
    values[..., 1::2] = shuffled[..., half:].flip(-1)
    return values


def _turn(size: int, like: Tensor) -> Tensor:
    angles = -math.pi / (2 * size) * torch.arange(size, device=like.device, dtype=like.dtype)
    return torch.polar(torch.ones_like(angles), angles)


def _scale(size: int, like: Tensor) -> Tensor:
    scale = torch.full((size,), math.sqrt(2 / size), device=like.device, dtype=like.dtype)
    scale[0] = math.sqrt(1 / size)
    return scale
