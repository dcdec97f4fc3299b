"""How much of a low-rank update lies at which frequency, what the penalty of FLeX makes of it, and its decay.

    phi(k) = phi_low + (phi_high - phi_low) min(1, k / (n T))        rho(k) = 1 - phi(k)
    penalty(w) = sum over k of rho(k) |spectrum of w (k)|^2

Tensors of one shape go through the transform together. All of it is float32, and outside of autocast.

Two axes (`fft2`, `dct2`): the weight is 1 - u(k) v(l), with phi along each axis, over frequencies as parts of the
highest. Of a product s B A it is computed without the product, in O((I + O) R^2), with the filters U and V that leave
of each frequency the part u(k) and v(l):

    sum of (1 - u(k) v(l)) |spectrum(k, l)|^2 = s^2 [ tr(B'B AA') - tr(B'UB AVA') ]

Frequency of a weight is frequency in the order of its indices, which has no meaning of its own: hidden units may be
renumbered freely. `weighting = "permuted"` is the control for that.

Source: Narasimhan 2026, FLeX, arXiv:2604.06253, equations 3 to 7; the forms on two axes and the decay are ours.

Shapes: G tensors of one shape, M rows, N numbers in a row, K frequencies, I in_features, O out_features, R rank.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from codeglot.regularizers.frequencies import Axis, Spectrum, axis_of, spectrum_of, squares
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral

_EPS = 1e-12
"""Energy below which a tensor has no spectrum, as B before the first step."""


class Energies(NamedTuple):
    """Where the energy of tensors of one shape lies."""

    names: tuple[str, ...]
    """Module and factor, as `layers.0.mlp.up_proj.A`; the module alone for a product."""
    energies_G: Tensor
    """Sum of squares of each."""
    low_G: Tensor
    """The part of that below the threshold."""
    noise_low: float
    """The same of white noise, as a part of its energy."""


def penalty(settings: Spectral, factors: Sequence[LowRank]) -> Tensor:
    """The penalty of a model, a scalar, differentiable, without its strength."""
    with _exact(factors):
        if settings.target == "delta_w":
            values = [_penalties_of_products(settings, group) for group in _products(settings, factors)]
        else:
            values = [_penalties_of_tensors(settings, group) for group in _tensors(settings, factors)]
        each = torch.cat(values)
    return each.mean() if settings.reduction == "mean" else each.sum()


def measure(settings: Spectral, factors: Sequence[LowRank]) -> list[Energies]:
    """Where the energy lies, one item per shape, without gradient."""
    with torch.no_grad(), _exact(factors):
        if settings.target == "delta_w":
            return [_energies_of_products(group) for group in _products(settings, factors)]
        return [_energies_of_tensors(settings, group) for group in _tensors(settings, factors)]


def decay(settings: Spectral, factors: Sequence[LowRank], rates: Mapping[Tensor, float]) -> None:
    """Scale every frequency of every factor by 1 - rate x rho, in place.

    Args:
        settings: Which spectrum, and its weights.
        factors: Their tensors are parameters.
        rates: Of each tensor, lr x lambda; those that have none stay.
    """
    with torch.no_grad(), _exact(factors):
        for group in _tensors(settings, factors):
            values_GMN = _laid_out(settings, group)
            own = torch.tensor([rates.get(tensor, 0.0) for tensor in group.tensors], dtype=values_GMN.dtype)
            rates_G11 = own.to(values_GMN.device)[:, None, None]
            spectrum = spectrum_of(settings, values_GMN)
            new_GMN = spectrum.inverse(spectrum.forward(values_GMN) * (1 - rates_G11 * spectrum.rho))
            for tensor, new_MN in zip(group.tensors, new_GMN, strict=True):
                if tensor in rates:
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
    """Factors by shape; flattened, all of one size are alike, elsewhere the axes of A and B mean something else.

    One that several updates share counts once.
    """
    groups: dict[tuple[bool, object, torch.device], list[tuple[str, Tensor]]] = {}
    seen: set[int] = set()
    is_flat = settings.layout == "flatten"
    for factor in factors:
        for letter, tensor in (("A", factor.a_RI), ("B", factor.b_OR)):
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            is_turned = settings.layout == "feature_axis" and letter == "B"
            key = (is_turned, tensor.numel() if is_flat else tensor.shape, tensor.device)
            groups.setdefault(key, []).append((f"{factor.name}.{letter}", tensor))
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


def _penalties_of_tensors(settings: Spectral, group: _Tensors) -> Tensor:
    """Of each, shape (G,)."""
    values_GMN = _laid_out(settings, group)
    spectrum = spectrum_of(settings, values_GMN)
    penalties_G: Tensor = _Quadratic.apply(values_GMN, spectrum)  # type: ignore[no-untyped-call]
    if settings.fft_norm == "backward":
        return penalties_G * spectrum.size
    if settings.fft_norm == "energy_ratio":
        return _ratio(penalties_G, values_GMN.square().sum(dim=(1, 2)))
    return penalties_G


def _energies_of_tensors(settings: Spectral, group: _Tensors) -> Energies:
    values_GMN = _laid_out(settings, group)
    spectrum = spectrum_of(settings, values_GMN)
    low_G = torch.mv(squares(spectrum.forward(values_GMN)), spectrum.low_F)
    return Energies(group.names, values_GMN.square().sum(dim=(1, 2)), low_G, spectrum.noise_low)


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


def _ratio(penalties_G: Tensor, energies_G: Tensor) -> Tensor:
    """Penalty by energy; where there is nothing, 0 without a gradient, and no division that would make one."""
    is_there = energies_G.detach() > _EPS
    return torch.where(is_there, penalties_G, 0.0) / torch.where(is_there, energies_G, 1.0)


class _Products(NamedTuple):
    """Products of one shape."""

    names: tuple[str, ...]
    a_GRI: Tensor
    b_GRO: Tensor
    squared_scales_G: Tensor
    on_a: Axis
    on_b: Axis

    def energies(self) -> Tensor:
        """Sum of squares of each, shape (G,)."""
        return self._between(self.a_GRI, self.b_GRO)

    def filtered_energies(self, u_K: Tensor, v_K: Tensor) -> Tensor:
        """The same with each frequency times u(k) v(l)."""
        with torch.no_grad():
            filtered = self.on_a.filtered(self.a_GRI, v_K), self.on_b.filtered(self.b_GRO, u_K)
        return self._between(*filtered)

    def _between(self, filtered_a_GRI: Tensor, filtered_b_GRO: Tensor) -> Tensor:
        factors = self.a_GRI, filtered_a_GRI, self.b_GRO, filtered_b_GRO
        energies_G: Tensor = _FilteredEnergy.apply(*factors)  # type: ignore[no-untyped-call]
        return self.squared_scales_G * energies_G


class _FilteredEnergy(Function):
    """tr(B'UB AVA') of each, from A, AV, B' and B'U.

    The filters U and V are symmetric, so the gradient is made of their results: no transform back. What is filtered
    takes none of its own.
    """

    @staticmethod
    def forward(ctx: Any, a_GRI: Tensor, filtered_a_GRI: Tensor, b_GRO: Tensor, filtered_b_GRO: Tensor) -> Tensor:
        of_a_GRR, of_b_GRR = a_GRI @ filtered_a_GRI.mT, b_GRO @ filtered_b_GRO.mT
        ctx.save_for_backward(of_a_GRR, filtered_a_GRI, of_b_GRR, filtered_b_GRO)
        return (of_a_GRR * of_b_GRR).sum(dim=(1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes_G: Tensor) -> tuple[Tensor, None, Tensor, None]:
        of_a_GRR, filtered_a_GRI, of_b_GRR, filtered_b_GRO = ctx.saved_tensors
        twice_G11 = (2 * slopes_G)[:, None, None]
        return twice_G11 * of_b_GRR @ filtered_a_GRI, None, twice_G11 * of_a_GRR @ filtered_b_GRO, None


def _products(settings: Spectral, factors: Sequence[LowRank]) -> Iterator[_Products]:
    """Products by shape."""
    groups: dict[tuple[object, ...], list[LowRank]] = {}
    for factor in factors:
        groups.setdefault((factor.a_RI.shape, factor.b_OR.shape, factor.a_RI.device), []).append(factor)
    for group in groups.values():
        a_GRI = _stacked([factor.a_RI for factor in group])
        b_GRO = _stacked([factor.b_OR for factor in group]).mT
        squared_scales_G = a_GRI.new_tensor([factor.scale**2 for factor in group])
        names = tuple(factor.name for factor in group)
        yield _Products(names, a_GRI, b_GRO, squared_scales_G, axis_of(settings, a_GRI), axis_of(settings, b_GRO))


def _penalties_of_products(settings: Spectral, group: _Products) -> Tensor:
    """Of each, shape (G,)."""
    energies_G, on_a, on_b = group.energies(), group.on_a, group.on_b
    if settings.weighting == "uniform":
        penalties_G = energies_G * (1 - on_b.mean(on_b.phi_K) * on_a.mean(on_a.phi_K))
    else:
        penalties_G = energies_G - group.filtered_energies(on_b.phi_K, on_a.phi_K)
    if settings.fft_norm == "backward":
        return penalties_G * (group.a_GRI.shape[2] * group.b_GRO.shape[2])
    return _ratio(penalties_G, energies_G) if settings.fft_norm == "energy_ratio" else penalties_G


def _energies_of_products(group: _Products) -> Energies:
    on_a, on_b = group.on_a, group.on_b
    noise_low = float(on_b.mean(on_b.is_low_K) * on_a.mean(on_a.is_low_K))
    low_G = group.filtered_energies(on_b.is_low_K, on_a.is_low_K)
    return Energies(group.names, group.energies(), low_G, noise_low)
