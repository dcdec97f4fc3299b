"""Transforms of tensors of one shape and the weight of each frequency, made once per shape.

Every transform keeps lengths (Parseval): the sum of squares of a tensor is that of its spectrum, each frequency taken
as often as it counts. Of real numbers, frequencies come in pairs, and `rfft` gives one of each pair.

Shapes: G tensors, M rows, N numbers in a row, K frequencies of a row, F parts of frequencies (real and imaginary)
of a tensor.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from codeglot.regularizers.dct import dct, idct
from codeglot.regularizers.settings import Spectral

_PERMUTATION = 20_260_406
"""Seed of the shuffled places: the same in every training."""


def phi(settings: Spectral, part: Tensor) -> Tensor:
    """What is left free at frequencies given as parts of the highest."""
    return settings.phi_low + (settings.phi_high - settings.phi_low) * (part / settings.threshold).clamp(max=1.0)


def rho(settings: Spectral, size: int) -> Tensor:
    """Weight of each frequency of a row of `size` numbers, shape (size // 2 + 1,), float64; without the controls."""
    return 1 - phi(settings, _parts_of_row(size))


def _parts_of_row(size: int) -> Tensor:
    """Frequencies of a row as FLeX counts them: k / n, of n = size // 2 + 1."""
    num_frequencies = size // 2 + 1
    return torch.arange(num_frequencies, dtype=torch.float64) / num_frequencies


def _counts(size: int) -> Tensor:
    """How many frequencies each that `rfft` gives stands for, shape (size // 2 + 1,)."""
    counts = torch.full((size // 2 + 1,), 2.0, dtype=torch.float64)
    counts[0] = 1.0
    if size % 2 == 0:
        counts[-1] = 1.0
    return counts


def _order(settings: Spectral, size: int, device: torch.device) -> Tensor | None:
    """Where the entries of an axis are taken from; None: where they are."""
    if settings.weighting != "permuted":
        return None
    return torch.randperm(size, generator=torch.Generator().manual_seed(_PERMUTATION)).to(device)


class Spectrum(NamedTuple):
    """Of tensors of one shape (M, N), transformed row by row or over both axes."""

    forward: Callable[[Tensor], Tensor]
    """(G, M, N) -> spectrum, (G, M, K)."""
    inverse: Callable[[Tensor], Tensor]
    """The way back."""
    rho: Tensor
    """Of each frequency, (K,) or (M, K)."""
    slope: Tensor
    """rho as the penalty's gradient has it: halved where a pair counts once, same shape."""
    weights_F: Tensor
    """rho, times how often the penalty counts the frequency."""
    low_F: Tensor
    """How often a frequency below the threshold counts; 0 for others."""
    noise_low: float
    """Part of the energy of white noise that lies below the threshold."""
    size: int
    """Numbers of one transform."""


def squares(spectrum_GMK: Tensor) -> Tensor:
    """Squares, shape (G, F); those of the two parts of a complex number stand side by side."""
    parts = torch.view_as_real(spectrum_GMK) if spectrum_GMK.is_complex() else spectrum_GMK
    return parts.flatten(1).square()


def spectrum_of(settings: Spectral, values_GMN: Tensor) -> Spectrum:
    """The spectrum that these tensors need."""
    _, num_rows, size = values_GMN.shape
    make = _of_rows if settings.layout in {"flatten", "feature_axis"} else _of_both_axes
    found: Spectrum = make(settings, num_rows, size, values_GMN.device, values_GMN.dtype)
    return found


@lru_cache(maxsize=256)
def _of_rows(settings: Spectral, num_rows: int, size: int, device: torch.device, dtype: torch.dtype) -> Spectrum:
    full = _counts(size)
    is_low = (_parts_of_row(size) < settings.threshold).double()
    counts = full if settings.spectrum == "two_sided" else torch.ones_like(full)
    weight = _weighted(settings, rho(settings, size), counts)
    order = _order(settings, size, device)
    return Spectrum(
        lambda values_GMN: torch.fft.rfft(_taken(values_GMN, order), norm="ortho"),
        lambda spectrum_GMK: _put_back(torch.fft.irfft(spectrum_GMK, n=size, norm="ortho"), order),
        weight.to(device, dtype),
        (weight * counts / full).to(device, dtype),
        _of_both_parts(weight * counts).to(device, dtype).repeat(num_rows),
        _of_both_parts(is_low * full).to(device, dtype).repeat(num_rows),
        float((is_low * full).sum() / full.sum()),
        size,
    )


@lru_cache(maxsize=256)
def _of_both_axes(settings: Spectral, num_rows: int, size: int, device: torch.device, dtype: torch.dtype) -> Spectrum:
    rows, columns = (_axis(settings, length, device, dtype) for length in (num_rows, size))
    weight = 1 - rows.phi_K[:, None] * columns.phi_K
    counts = rows.counts_K[:, None] * columns.counts_K
    if settings.weighting == "uniform":
        weight = torch.full_like(weight, float((weight * counts).sum() / counts.sum()))
    is_low = rows.is_low_K[:, None] * columns.is_low_K
    is_cosine = settings.layout == "dct2"
    # Of real numbers, `rfft2` gives one frequency of each pair on the last axis alone.
    on_last = columns.counts_K.expand(num_rows, -1)
    if not is_cosine:
        weight, is_low = (_unfolded(values, num_rows) for values in (weight, is_low))

    counted, low = (weight * on_last).flatten(), (is_low * on_last).flatten()

    def shuffled(values_GMN: Tensor) -> Tensor:
        return _taken(_taken(values_GMN, columns.order).transpose(1, 2), rows.order).transpose(1, 2)

    def forward(values_GMN: Tensor) -> Tensor:
        values = shuffled(values_GMN)
        return _dct2(values, dct) if is_cosine else torch.fft.rfft2(values, norm="ortho")

    def inverse(spectrum_GMK: Tensor) -> Tensor:
        if is_cosine:
            values = _dct2(spectrum_GMK, idct)
        else:
            values = torch.fft.irfft2(spectrum_GMK, s=(num_rows, size), norm="ortho")
        return _put_back(_put_back(values, columns.order).transpose(1, 2), rows.order).transpose(1, 2)

    return Spectrum(
        forward,
        inverse,
        weight,
        weight,
        counted if is_cosine else _of_both_parts(counted),
        low if is_cosine else _of_both_parts(low),
        float(low.sum() / on_last.sum()),
        num_rows * size,
    )


class Axis(NamedTuple):
    """One axis of a transform over two; each of its frequencies stands for `counts_K`."""

    filtered: Callable[[Tensor, Tensor], Tensor]
    """(..., N) with each frequency times its weight, (K,) -> (..., N); symmetric, as a matrix."""
    counts_K: Tensor
    phi_K: Tensor
    is_low_K: Tensor
    """1 below the threshold, else 0."""
    order: Tensor | None

    def mean(self, values_K: Tensor) -> Tensor:
        """Mean over all frequencies."""
        return (self.counts_K * values_K).sum() / self.counts_K.sum()


def axis_of(settings: Spectral, values: Tensor) -> Axis:
    """What the last axis of a tensor needs."""
    found: Axis = _axis(settings, values.shape[-1], values.device, values.dtype)
    return found


@lru_cache(maxsize=256)
def _axis(settings: Spectral, size: int, device: torch.device, dtype: torch.dtype) -> Axis:
    if settings.layout == "dct2":
        part, counts = torch.arange(size, dtype=torch.float64) / size, torch.ones(size, dtype=torch.float64)
    else:
        part, counts = torch.arange(size // 2 + 1, dtype=torch.float64) / (size / 2), _counts(size)
    order = _order(settings, size, device)

    def filtered(values: Tensor, weights_K: Tensor) -> Tensor:
        taken = _taken(values, order)
        if settings.layout == "dct2":
            return _put_back(idct(dct(taken) * weights_K), order)
        return _put_back(torch.fft.irfft(torch.fft.rfft(taken, norm="ortho") * weights_K, n=size, norm="ortho"), order)

    free, is_low = phi(settings, part), (part < settings.threshold).double()
    free = free.flip(0) if settings.weighting == "low" else free
    counts_K, phi_K, is_low_K = (row.to(device, dtype) for row in (counts, free, is_low))
    return Axis(filtered, counts_K, phi_K, is_low_K, order)


def _weighted(settings: Spectral, weight_K: Tensor, counts_K: Tensor) -> Tensor:
    """Rho as the controls have it."""
    if settings.weighting == "uniform":
        return torch.full_like(weight_K, float((weight_K * counts_K).sum() / counts_K.sum()))
    return weight_K.flip(0) if settings.weighting == "low" else weight_K


def _of_both_parts(values_K: Tensor) -> Tensor:
    """What holds for a frequency, for its real and its imaginary part."""
    return values_K.repeat_interleave(2)


def _unfolded(values_KL: Tensor, num_rows: int) -> Tensor:
    """From one frequency of each pair on the first axis to all `num_rows` of them."""
    place = torch.arange(num_rows, device=values_KL.device)
    return values_KL[torch.minimum(place, num_rows - place)]


def _dct2(values: Tensor, one_axis: Callable[[Tensor], Tensor]) -> Tensor:
    return one_axis(one_axis(values).transpose(1, 2)).transpose(1, 2)


def _taken(values: Tensor, order: Tensor | None) -> Tensor:
    """The last axis in another order."""
    return values if order is None else values[..., order]


def _put_back(values: Tensor, order: Tensor | None) -> Tensor:
    """The inverse of `_taken`."""
    return values if order is None else values[..., order.argsort()]
