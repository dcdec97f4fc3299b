"""Numbers are those of the specification's part 11, computed there in float64."""

import math
from itertools import pairwise, product
from typing import Any

import pytest
import torch

from codeglot.regularizers.frequencies import rho
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral
from codeglot.regularizers.spectral import decay, measure, penalty
from tests.regularizers.plain import draw, one, slow_penalty, worth

PAPER = Spectral(fft_norm="backward", spectrum="one_sided")
ORTHO = Spectral()
ONE_TO_8 = torch.arange(1, 9, dtype=torch.float64)
SHAPES = [(12, 9, 2), (7, 9, 2), (12, 9, 2), (5, 5, 3), (9, 7, 2), (6, 10, 1)]
WHERE: Any = [
    *product(["factors"], ["flatten", "feature_axis", "fft2", "dct2"]),
    *product(["delta_w"], ["fft2", "dct2"]),
]
ALL = [
    Spectral(target=target, layout=layout, fft_norm=norm, spectrum=sides, reduction=reduction, threshold=t)
    for target, layout in WHERE
    for norm in ("ortho", "backward", "energy_ratio")
    for sides in ("two_sided", "one_sided")
    for reduction, t in (("sum", 0.5), ("mean", 0.7))
    if not (layout in {"fft2", "dct2"} and sides == "one_sided")
]
ALL += [
    Spectral(target="delta_w", layout=layout, fft_norm=norm, weighting=way, threshold=1.0, phi_low=0.8, phi_high=0.3)
    for layout in ("fft2", "dct2")
    for norm in ("ortho", "backward", "energy_ratio")
    for way in ("uniform", "low")
    if (norm, way) != ("energy_ratio", "uniform")  # a constant
]


def value(settings: Spectral, tensor: Any) -> Any:
    return worth(penalty(settings, one(tensor)))


def hessian_of(settings: Spectral) -> Any:
    """Of a quadratic form, the gradients at the unit vectors."""
    columns = []
    for w in torch.eye(8, dtype=torch.float64):
        w.requires_grad_()
        columns += torch.autograd.grad(penalty(settings, [LowRank("layer", w[None], torch.zeros(1, 1), 1.0)]), w)
    return torch.stack(columns)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, [0, 0.36, 0.72, 0.9, 0.9]),
        (0.3, [0, 0.6, 0.9, 0.9, 0.9]),
        (0.7, [0, 0.257142857, 0.514285714, 0.771428571, 0.9]),
    ],
)
def test_weights_rise_to_the_threshold(threshold: float, expected: Any) -> None:
    found = rho(Spectral(threshold=threshold), 8)
    assert found.tolist() == pytest.approx(expected)
    assert all(left <= right for left, right in pairwise(found))


def test_what_is_refused_would_have_no_lower_bound() -> None:
    unsafe = Spectral.model_construct(**PAPER.model_dump() | {"phi_low": 2.0, "phi_high": 0.05})
    assert value(unsafe, torch.ones(8)) == pytest.approx(-64)


def test_the_published_normalisation_of_known_signals() -> None:
    places = torch.arange(8, dtype=torch.float64)
    waves = [value(PAPER, torch.cos(2 * math.pi * k * places / 8)) for k in range(5)]
    impulses = [value(PAPER, torch.eye(8)[place]) for place in range(8)]

    assert value(PAPER, torch.ones(8)) == pytest.approx(0)
    assert value(PAPER, (-1.0) ** places) == pytest.approx(57.6)
    assert impulses == pytest.approx([2.88] * 8)
    assert waves == pytest.approx([0, 5.76, 11.52, 14.4, 57.6], abs=1e-12)


@pytest.mark.parametrize("size", [37, 64])
def test_the_published_gradient_is_the_closed_form(size: int) -> None:
    w = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)

    def paper(values: Any) -> Any:
        return penalty(PAPER, [LowRank("layer", values[None], torch.zeros(1, 1, dtype=values.dtype), 1.0)])

    (gradient,) = torch.autograd.grad(paper(w), w)
    counts = torch.ones(size // 2 + 1, dtype=torch.float64)
    counts[0] = 2
    if size % 2 == 0:
        counts[-1] = 2
    closed = size * torch.fft.irfft(rho(PAPER, size) * counts * torch.fft.rfft(w.detach()), n=size)

    torch.testing.assert_close(gradient, closed, rtol=1e-13, atol=1e-12)
    assert torch.autograd.gradcheck(paper, (w,))
    assert worth(paper(3 * w)) == pytest.approx(9 * worth(paper(w)))
    zero = torch.zeros(size, dtype=torch.float64, requires_grad=True)
    assert torch.equal(torch.autograd.grad(paper(zero), zero)[0], torch.zeros(size))


def test_flattening_goes_row_by_row_and_the_order_of_indices_matters() -> None:
    rows = ONE_TO_8.reshape(2, 4)
    assert value(PAPER, ONE_TO_8) == pytest.approx(93.64238964219294)
    assert value(PAPER, rows) == pytest.approx(93.64238964219294)
    assert value(PAPER, rows.T.contiguous()) == pytest.approx(250.21059741054822)
    assert value(PAPER, rows.T) == pytest.approx(250.21059741054822)


def test_the_published_curvature_is_one_number() -> None:
    assert hessian_of(PAPER).diagonal().tolist() == pytest.approx([5.76] * 8)


@pytest.mark.parametrize("size", [8, 37])
def test_without_frequencies_it_is_the_ridge(size: int) -> None:
    w = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert value(Spectral(phi_low=0.0, phi_high=0.0), w) == pytest.approx(float((w**2).sum()))


def test_the_orthonormal_curvature_has_each_frequency_twice() -> None:
    assert value(ORTHO, ONE_TO_8) == pytest.approx(21.610597410548227)
    expected = sorted(2 * weight for weight in [0, 0.36, 0.36, 0.72, 0.72, 0.9, 0.9, 0.9])
    assert torch.linalg.eigvalsh(hessian_of(ORTHO)).tolist() == pytest.approx(expected, abs=1e-10)


def test_smooth_tensors_are_almost_free_and_noise_is_not() -> None:
    places = torch.arange(4096, dtype=torch.float64)
    shares = []
    for k in (1, 2):
        wave = torch.cos(2 * math.pi * k * places / 4096)
        shares.append(value(ORTHO, wave) / float((wave**2).sum()))
    assert shares == pytest.approx([0.000878477, 0.001756955], rel=1e-5)

    noise = torch.randn(2**18, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert value(ORTHO, noise) / float((noise**2).sum()) == pytest.approx(0.675, abs=3e-3)


def test_cutting_off_high_frequencies_never_costs_and_the_penalty_is_bounded() -> None:
    w = torch.randn(100, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    spectrum = torch.fft.rfft(w)
    cut = [value(ORTHO, torch.fft.irfft(torch.where(torch.arange(51) > top, 0, spectrum), n=100)) for top in range(51)]
    assert cut == sorted(cut)
    assert cut[-1] <= 0.9 * float((w**2).sum())


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_shapes_together_are_one_tensor_after_another(settings: Spectral) -> None:
    factors = draw(*SHAPES)
    expected = float(slow_penalty(settings, factors))

    assert worth(penalty(settings, factors)) == pytest.approx(expected, rel=1e-10)
    single = [factor._replace(a_RI=factor.a_RI.float(), b_OR=factor.b_OR.float()) for factor in factors]
    found = penalty(settings, single)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("settings", ALL, ids=str)
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_the_gradient_is_that_of_the_slow_form(settings: Spectral, dtype: torch.dtype, rtol: float) -> None:
    drawn = draw(*SHAPES)
    gradients = []
    for form, kind in ((penalty, dtype), (slow_penalty, torch.float64)):
        factors = [factor._replace(a_RI=factor.a_RI.to(kind), b_OR=factor.b_OR.to(kind)) for factor in drawn]
        tensors = [tensor.requires_grad_() for factor in factors for tensor in (factor.a_RI, factor.b_OR)]
        gradients.append(torch.autograd.grad(form(settings, factors), tensors))
    for found, expected in zip(*gradients, strict=True):
        assert found.dtype == dtype
        size = max(float(expected.abs().max()), 1e-3)  # that of a ridge divided by its energy is 0
        torch.testing.assert_close(found.double(), expected, rtol=rtol, atol=rtol * size)


@pytest.mark.parametrize("layout", ["fft2", "dct2"])
@pytest.mark.parametrize(
    ("norm", "weighting"),
    [
        pair
        for pair in product(("ortho", "backward", "energy_ratio"), ("high", "uniform", "low", "permuted"))
        if pair != ("energy_ratio", "uniform")  # a constant
    ],
)
def test_the_gradient_of_a_product_is_its_slope(layout: Any, norm: Any, weighting: Any) -> None:
    settings = Spectral(target="delta_w", layout=layout, fft_norm=norm, weighting=weighting)
    ((_, a_RI, b_OR, scale, _),) = draw((7, 6, 2))

    def of_factors(a: Any, b: Any) -> Any:
        return penalty(settings, [LowRank("layer", a, b, scale)])

    assert torch.autograd.gradcheck(of_factors, (a_RI.requires_grad_(), b_OR.requires_grad_()))


def test_the_mean_is_over_all_factors() -> None:
    factors = draw(*SHAPES)
    total, mean = (worth(penalty(Spectral(reduction=way), factors)) for way in ("sum", "mean"))
    assert total / mean == pytest.approx(2 * len(SHAPES))


@pytest.mark.parametrize(("inputs", "expected"), [(4096, 2.95e4), (11008, 7.93e4)])
def test_the_published_penalty_of_a_fresh_adapter_is_huge(inputs: int, expected: float) -> None:
    generator = torch.Generator().manual_seed(5)
    fresh = (torch.rand(8, inputs, generator=generator, dtype=torch.float64) * 2 - 1) / math.sqrt(inputs)
    # A uniform number in +-1/sqrt(in) has the variance 1/(3 in), so the sum over N = 8 x in numbers tends to this.
    assert 0.45 * 0.75 * 8 * inputs * 8 / 3 == pytest.approx(expected, rel=0.03)
    assert value(PAPER, fresh) == pytest.approx(expected, rel=0.03)


def test_the_product_does_not_depend_on_how_it_is_factored_and_the_factors_do() -> None:
    product_of, (factor,) = Spectral(target="delta_w", layout="fft2"), draw((12, 9, 3))
    scaled = factor._replace(a_RI=2 * factor.a_RI, b_OR=factor.b_OR / 2)
    turned = factor._replace(a_RI=factor.a_RI[[2, 0, 1]], b_OR=factor.b_OR[:, [2, 0, 1]])

    for other in (scaled, turned):
        assert worth(penalty(product_of, [other])) == pytest.approx(worth(penalty(product_of, [factor])))
        assert worth(penalty(ORTHO, [other])) != pytest.approx(worth(penalty(ORTHO, [factor])), rel=1e-3)


def test_a_small_product_by_hand() -> None:
    b = torch.tensor([[1, 0], [2, 1], [0, 1], [1, 1]], dtype=torch.float64)
    a = torch.tensor([[1, 2, 0, 1, 1, 0], [0, 1, 1, 0, 2, 1]], dtype=torch.float64)
    settings = Spectral(target="delta_w", layout="fft2", phi_high=0.0)
    factors = [LowRank("layer", a, b, 1.0)]
    (found,) = measure(settings, factors)

    assert float(found.energies_G) == pytest.approx(87)
    assert float(penalty(settings, factors)) == pytest.approx(35.930555555555564)
    assert float(slow_penalty(settings, factors)) == pytest.approx(35.930555555555564)


@pytest.mark.parametrize("layout", ["flatten", "feature_axis", "fft2", "dct2"])
@pytest.mark.parametrize("weighting", ["high", "uniform", "low", "permuted"])
def test_the_decay_is_a_step_down_the_orthonormal_penalty(layout: Any, weighting: Any) -> None:
    """Its gradient is 2 x (each frequency x rho), so a step of rate/2 along it is the decay of rate; exactly."""
    settings = Spectral(mode="decoupled", layout=layout, weighting=weighting)
    stepped, decayed = draw(*SHAPES), draw(*SHAPES)
    tensors = [tensor.requires_grad_() for factor in stepped for tensor in (factor.a_RI, factor.b_OR)]
    gradients = torch.autograd.grad(penalty(settings, stepped), tensors)

    rates = {tensor: 0.3 for factor in decayed for tensor in (factor.a_RI, factor.b_OR)}
    decay(settings, decayed, rates)

    found = [tensor for factor in decayed for tensor in (factor.a_RI, factor.b_OR)]
    for tensor, gradient, new in zip(tensors, gradients, found, strict=True):
        torch.testing.assert_close(new, tensor.detach() - 0.15 * gradient)


def test_the_decay_scales_each_frequency_and_leaves_the_mean() -> None:
    w = torch.randn(1, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    before, mean, energy = torch.fft.rfft(w[0]), float(w.mean()), float((w**2).sum())

    decay(ORTHO, [LowRank("layer", w, b := torch.zeros(1, 1), 1.0)], {w: 0.5, b: 0.5})

    torch.testing.assert_close(torch.fft.rfft(w[0]), before * (1 - 0.5 * rho(ORTHO, 64)))
    assert float(w.mean()) == pytest.approx(mean)
    assert float((w**2).sum()) < energy


@pytest.mark.parametrize(("target", "layout"), WHERE)
def test_the_controls_cost_noise_the_same(target: Any, layout: Any) -> None:
    factors = draw((96, 80, 48), seed=7) + draw((96, 80, 48), seed=8)
    found = {
        way: worth(penalty(Spectral(layout=layout, target=target, weighting=way), factors))
        for way in ("high", "uniform", "low", "permuted")
    }
    assert found["uniform"] == pytest.approx(found["high"], rel=0.02)
    assert found["permuted"] == pytest.approx(found["high"], rel=0.02)
    assert found["low"] == pytest.approx(found["high"], rel=0.02)
    assert len(set(found.values())) == 4


def test_the_mirror_spares_what_the_penalty_takes() -> None:
    fast = (-1.0) ** torch.arange(64, dtype=torch.float64)
    slow = torch.ones(64)
    mirror = Spectral(weighting="low")
    assert value(mirror, fast) == pytest.approx(0, abs=1e-9)
    assert value(mirror, slow) == pytest.approx(0.9 * 64)


def test_shuffled_places_make_the_order_meaningless() -> None:
    wave = torch.cos(2 * math.pi * torch.arange(4096, dtype=torch.float64) / 4096)
    settings = Spectral(weighting="permuted")
    assert value(settings, wave) / float((wave**2).sum()) == pytest.approx(0.675, abs=0.05)
    assert value(settings, wave) == value(settings, wave)


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_what_is_low_is_measured_beside_noise(settings: Spectral) -> None:
    noise, flat = draw((64, 48, 32)), draw((64, 48, 32))
    flat[0].a_RI.fill_(1.0)
    flat[0].b_OR.fill_(1.0)

    for group in measure(settings, noise):
        shares = (group.low_G / group.energies_G).tolist()
        assert shares == pytest.approx([group.noise_low] * len(shares), abs=0.08)
    for group in measure(settings, flat):
        assert (group.low_G / group.energies_G).tolist() == pytest.approx([1.0] * len(group.names))


def test_nothing_has_no_spectrum_and_no_gradient() -> None:
    a, b = torch.ones(2, 4, requires_grad=True), torch.zeros(5, 2, requires_grad=True)
    places: Any = [("factors", "flatten"), ("delta_w", "fft2")]
    norms: Any = ["ortho", "backward", "energy_ratio"]
    for (target, layout), norm in product(places, norms):
        settings = Spectral(target=target, layout=layout, fft_norm=norm)
        found = penalty(settings, [LowRank("layer", a, b, 1.0)])
        gradients = torch.autograd.grad(found, [a, b])
        assert torch.equal(gradients[1], torch.zeros(5, 2))
        assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_sixteen_bits_are_made_thirty_two_even_under_autocast() -> None:
    factors = draw((12, 9, 2), dtype=torch.float32)
    coarse = [f._replace(a_RI=f.a_RI.bfloat16(), b_OR=f.b_OR.bfloat16()) for f in factors]
    for settings in (ORTHO, Spectral(target="delta_w", layout="fft2")):
        expected = penalty(settings, [f._replace(a_RI=f.a_RI.float(), b_OR=f.b_OR.float()) for f in coarse])
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(penalty(settings, coarse), expected)
