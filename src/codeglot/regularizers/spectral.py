"""How much of a low-rank update lies at which frequency, what the penalty of FLeX makes of it, and its decay.

    phi(k) = phi_low + (phi_high - phi_low) min(1, k / (n T))        rho(k) = 1 - phi(k)
    penalty(w) = sum over k of rho(k) |spectrum of w (k)|^2

Tensors of one shape go through the transform together. All of it is float32, and outside of autocast.

Two axes (`fft2`, `dct2`): the weight is 1 - u(k) v(l), with phi along each axis, over frequencies as parts of the
highest. Of a product s B A it is computed without the product, from two thin transforms, in O((I + O) R^2):

    sum of (1 - u(k) v(l)) |spectrum(k, l)|^2 = s^2 [ tr(B'B AA') - Re tr( (B^' diag(u) B^) (A^ diag(v) A^') ) ]

Frequency of a weight is frequency in the order of its indices, which has no meaning of its own: hidden units may be
renumbered freely. `weighting = "permuted"` is the control for that.

Source: Narasimhan 2026, FLeX, arXiv:2604.06253, equations 3 to 7; the forms on two axes and the decay are ours.

Shapes: G tensors of one shape, M rows, N numbers in a row, I in_features, O out_features, R rank.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from codeglot.regularizers.frequencies import Spectrum, axis_of, spectrum_of, squares
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral

_EPS = 1e-12
"""Energy below which a tensor has no spectrum, as B before the first step."""


class Penalties(NamedTuple):
    """Tensors of one shape."""

    names: tuple[str, ...]
    """Module and factor, as `layers.0.mlp.up_proj.A`; the module alone for a product."""
    values_G: Tensor
    """Penalty of each, differentiable."""
    energies_G: Tensor | None = None
    """Sum of squares of each, without gradient; None if not asked for."""
    low_G: Tensor | None = None
    """The part of that below the threshold; None if not asked for."""
    noise_low: float = 0.0
    """The same of white noise, as a part of its energy."""


def penalty(settings: Spectral, factors: Sequence[LowRank]) -> Tensor:
    """The penalty of a model, a scalar, without its strength."""
    groups = list(measure(settings, factors))
    total = torch.cat([group.values_G for group in groups]).sum()
    return total / sum(len(group.names) for group in groups) if settings.reduction == "mean" else total


def measure(settings: Spectral, factors: Sequence[LowRank], *, with_energy: bool = False) -> Iterator[Penalties]:
    """Penalties, one item per shape.

    Args:
        settings: Which spectrum, and its weights.
        factors: Of one or several methods.
        with_energy: Whether to tell the energy of each tensor, and how much of it lies below the threshold.
    """
    with _exact(factors):
        if settings.target == "delta_w":
            yield from (_of_products(settings, group, with_energy=with_energy) for group in _by_shape(factors))
        else:
            for group in _tensors(settings, factors):
                yield _of_tensors(settings, group, with_energy=with_energy)


def decay(settings: Spectral, factors: Sequence[LowRank], rates: Mapping[Tensor, float]) -> None:
    """Scale every frequency of every factor by 1 - rate x rho, in place.

    Args:
        settings: Which spectrum, and its weights.
        factors: Their tensors are parameters.
        rates: Of each tensor, lr x lambda.
    """
    with torch.no_grad(), _exact(factors):
        for group in _tensors(settings, factors):
            values_GMN = _laid_out(settings, group)
            own = torch.tensor([rates[tensor] for tensor in group.tensors], dtype=values_GMN.dtype)
            rates_G11 = own.to(values_GMN.device)[:, None, None]
            spectrum = spectrum_of(settings, values_GMN)
            new_GMN = spectrum.inverse(spectrum.forward(values_GMN) * (1 - rates_G11 * spectrum.rho))
            for tensor, new_MN in zip(group.tensors, new_GMN, strict=True):
                tensor.copy_((new_MN.T if group.is_turned else new_MN).reshape(tensor.shape))


@contextmanager
def _exact(factors: Sequence[LowRank]) -> Iterator[None]:
    """No 16 bits: transforms refuse them, or take only some sizes."""
    kind = factors[0].a_RI.device.type if factors else "cpu"
    with torch.autocast(kind, enabled=False):
        yield


class _Tensors(NamedTuple):
    """Factors of one shape."""

    names: tuple[str, ...]
    tensors: tuple[Tensor, ...]
    is_turned: bool
    """Whether their columns are what is transformed."""


def _tensors(settings: Spectral, factors: Sequence[LowRank]) -> Iterator[_Tensors]:
    """Factors by shape; flattened, all of one size are alike, elsewhere the axes of A and B mean something else."""
    groups: dict[tuple[bool, object, torch.device], list[tuple[str, Tensor]]] = {}
    is_flat = settings.layout == "flatten"
    for factor in factors:
        for letter, tensor in (("A", factor.a_RI), ("B", factor.b_OR)):
            is_turned = settings.layout == "feature_axis" and letter == "B"
            key = (is_turned, tensor.numel() if is_flat else tensor.shape, tensor.device)
            groups.setdefault(key, []).append((f"{factor.module}.{letter}", tensor))
    for (is_turned, _, _), group in groups.items():
        names, tensors = zip(*group, strict=True)
        yield _Tensors(names, tensors, is_turned)


def _laid_out(settings: Spectral, group: _Tensors) -> Tensor:
    """As rows that are transformed, shape (G, M, N)."""
    if settings.layout == "flatten":
        return _stacked([tensor.reshape(1, -1) for tensor in group.tensors])
    values = _stacked(group.tensors)
    return values.transpose(1, 2) if group.is_turned else values


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """In one tensor, without a copy where there is only one; in float32, unless they are finer."""
    stacked = tensors[0].unsqueeze(0) if len(tensors) == 1 else torch.stack(list(tensors))
    return stacked if stacked.dtype == torch.float64 else stacked.float()


def _of_tensors(settings: Spectral, group: _Tensors, *, with_energy: bool) -> Penalties:
    values_GMN = _laid_out(settings, group)
    spectrum = spectrum_of(settings, values_GMN)
    values_G: Tensor = _Quadratic.apply(values_GMN, spectrum)  # type: ignore[no-untyped-call]
    if settings.fft_norm == "backward":
        values_G = values_G * spectrum.size
    elif settings.fft_norm == "energy_ratio":
        values_G = _ratio(values_G, values_GMN.square().sum(dim=(1, 2)))
    if not with_energy:
        return Penalties(group.names, values_G)
    energies_G = values_GMN.detach().square().sum(dim=(1, 2))
    low_G = torch.mv(squares(spectrum.forward(values_GMN.detach())), spectrum.low_F)
    return Penalties(group.names, values_G, energies_G, low_G, spectrum.noise_low)


class _Quadratic(Function):
    """sum over k of weights(k) |spectrum(k)|^2 of each tensor, with its gradient in closed form: one transform back.

    The derivative of torch's own transform of real numbers is one over all frequencies, both of each pair.
    """

    @staticmethod
    def forward(ctx: Any, values_GMN: Tensor, spectrum: Spectrum) -> Tensor:
        made_GMK = spectrum.forward(values_GMN)
        ctx.save_for_backward(made_GMK)
        ctx.spectrum = spectrum
        return torch.mv(squares(made_GMK), spectrum.weights_F)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes_G: Tensor) -> tuple[Tensor, None]:
        (made_GMK,) = ctx.saved_tensors
        inner: Tensor = ctx.spectrum.inverse(made_GMK * ctx.spectrum.slope)
        return inner.mul_((2 * slopes_G)[:, None, None]), None


def _ratio(values_G: Tensor, energies_G: Tensor) -> Tensor:
    """Penalty by energy; where there is nothing, 0 without a gradient, and no division that would make one."""
    is_there = energies_G.detach() > _EPS
    return torch.where(is_there, values_G, 0.0) / torch.where(is_there, energies_G, 1.0)


def _by_shape(factors: Sequence[LowRank]) -> list[list[LowRank]]:
    groups: dict[tuple[object, ...], list[LowRank]] = {}
    for factor in factors:
        groups.setdefault((factor.a_RI.shape, factor.b_OR.shape, factor.a_RI.device), []).append(factor)
    return list(groups.values())


def _of_products(settings: Spectral, group: Sequence[LowRank], *, with_energy: bool) -> Penalties:
    a_GRI = _stacked([factor.a_RI for factor in group])
    b_GRO = _stacked([factor.b_OR for factor in group]).transpose(1, 2)
    scales_G = torch.tensor([factor.scale for factor in group]).to(a_GRI).square()
    on_b, on_a = axis_of(settings, b_GRO), axis_of(settings, a_GRI)
    of_b, of_a = on_b.transform(b_GRO), on_a.transform(a_GRI)

    def weighted(u_K: Tensor, v_K: Tensor) -> Tensor:
        """Energy of the products, each frequency times u(k) v(l), shape (G,)."""
        grams = _gram(of_b, on_b.counts_K * u_K) * _gram(of_a, on_a.counts_K * v_K)
        return scales_G * grams.sum(dim=(1, 2))

    energies_G = scales_G * (_gram(a_GRI) * _gram(b_GRO)).sum(dim=(1, 2))
    if settings.weighting == "uniform":
        values_G = energies_G * (1 - on_b.mean(on_b.phi_K) * on_a.mean(on_a.phi_K))
    else:
        values_G = energies_G - weighted(on_b.phi_K, on_a.phi_K)
    if settings.fft_norm == "backward":
        values_G = values_G * (a_GRI.shape[2] * b_GRO.shape[2])
    elif settings.fft_norm == "energy_ratio":
        values_G = _ratio(values_G, energies_G)
    names = tuple(factor.module for factor in group)
    if not with_energy:
        return Penalties(names, values_G)
    low_G = weighted(on_b.is_low_K, on_a.is_low_K).detach()
    noise_low = float(on_b.mean(on_b.is_low_K) * on_a.mean(on_a.is_low_K))
    return Penalties(names, values_G, energies_G.detach(), low_G, noise_low)


def _gram(rows_GRK: Tensor, weights_K: Tensor | None = None) -> Tensor:
    """Weighted inner products of rows, shape (G, R, R); frequencies in pairs leave no imaginary part."""
    weighted = rows_GRK if weights_K is None else rows_GRK * weights_K
    if not rows_GRK.is_complex():
        return weighted @ rows_GRK.transpose(1, 2)
    return weighted.real @ rows_GRK.real.transpose(1, 2) + weighted.imag @ rows_GRK.imag.transpose(1, 2)
