"""What the spectral penalty costs: beside a LoRA step, and beside a loop over tensors.

    python benchmarks/flex/regularizer.py [--rounds 9]

Writes benchmarks/flex/regularizer.md. One thread, CPU seconds, in turns. About two minutes.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from scene import in_turns, make, ratios, spread
from torch import nn

from codeglot.regularizers.frequencies import rho
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.penalty import Penalty
from codeglot.regularizers.settings import Spectral
from codeglot.regularizers.spectral import penalty

MODES = {
    "flex": Spectral(),
    "flex_paper": Spectral(spectrum="one_sided", fft_norm="backward", reduction="mean"),
    "flex_as_released": Spectral(mode="as_released", spectrum="one_sided", fft_norm="backward", reduction="mean"),
    "flex_dw": Spectral(target="delta_w", layout="fft2"),
    "flex_decoupled": Spectral(mode="decoupled"),
    "feature_axis": Spectral(layout="feature_axis"),
    "energy_ratio": Spectral(fft_norm="energy_ratio"),
}
SHAPES: dict[str, list[tuple[int, int, int]]] = {
    "one tensor pair, 4096 x 4096, r 8": [(4096, 4096, 8)],
    "8 of 512 x 512, r 8": [(512, 512, 8)] * 8,
    "every tensor of a size of its own, r 4": [(64 + index, 128 + index, 4) for index in range(32)],
    "64 of 4096 x 4096, r 8 (q and v of a model of 7B)": [(4096, 4096, 8)] * 64,
}
"""Outputs, inputs, rank of each update."""
HEAD = """# The spectral penalty

<!-- Written by benchmarks/flex/regularizer.py; do not edit. -->

{rounds} rounds in turns, one thread, CPU time. Median (lowest to highest).

## Beside a LoRA step

A step of 16 examples of the bundled world on `micro`, LoRA r 16 on all linears: {tensors} tensors in {groups} shapes,
{step} ms. What is measured of the penalty is all that it adds to an optimizer step: taking the factors out of the
model, value, gradient and adding it up; for `flex_decoupled` the decay. Logging it, once in ten steps, is its own row.

| | ms | of a step |
|---|---:|---:|
"""


def in_a_loop(settings: Spectral, factors: Sequence[LowRank]) -> torch.Tensor:
    """The obvious form: one tensor after another, with the weights made once."""
    values = []
    for factor in factors:
        for tensor in (factor.a_RI, factor.b_OR):
            spectrum = torch.fft.rfft(tensor.flatten().float(), norm="ortho")
            values.append((weights(settings, tensor.numel()) * (spectrum.real**2 + spectrum.imag**2)).sum())
    return torch.stack(values).sum()


_made: dict[tuple[Spectral, int], torch.Tensor] = {}


def weights(settings: Spectral, size: int) -> torch.Tensor:
    """Rho of every frequency, as often as it counts."""
    key = settings, size
    if key not in _made:
        counts = torch.full((size // 2 + 1,), 2.0)
        counts[0] = 1.0
        counts[-1] = 1.0 if size % 2 == 0 else 2.0
        _made[key] = rho(settings, size).float() * counts
    return _made[key]


def beside_a_step(rounds: int) -> tuple[str, list[LowRank]]:
    """The table of the first section, and the factors of the model."""
    scene = make()
    factors = list(scene.method.factors(scene.stepper.model))
    lines: list[str] = []
    works: dict[str, Callable[[], Any]] = {"step": numbered(scene.step)}
    for name, settings in MODES.items():
        works[name] = applied(scene, Penalty(settings, num_steps=1000, lr=1e-3))
    logged = Penalty(MODES["flex"], num_steps=1000, lr=1e-3)
    works["flex, logged once in ten steps"] = lambda: logged.shares(list(scene.method.factors(scene.stepper.model)))
    found = in_turns(works, rounds=rounds, repeats=4)
    found["flex, logged once in ten steps"] = [value / 10 for value in found["flex, logged once in ten steps"]]
    for name in list(works)[1:]:
        part = ratios(found[name], found["step"])
        lines.append(f"| {name} | {spread(found[name])} | {spread(part, 100)} % |")
    shapes = {tensor.shape for factor in factors for tensor in (factor.a_RI, factor.b_OR)}
    head = HEAD.format(
        rounds=rounds,
        tensors=2 * len(factors),
        groups=len(shapes),
        step=spread(found["step"], digits=0),
    )
    return head + "\n".join(lines) + "\n", factors


def numbered(step: Callable[[int], None]) -> Callable[[], None]:
    """A new step at every call."""
    numbers = iter(range(10**9))
    return lambda: step(next(numbers) % 40)


def applied(scene: Any, regularizer: Penalty) -> Callable[[], None]:
    """All that a penalty adds to one optimizer step."""
    rates = dict.fromkeys(scene.parameters, 1e-9)

    def work() -> None:
        factors = list(scene.method.factors(scene.stepper.model))
        regularizer.add_gradient(factors, scene.parameters, 0)
        regularizer.decay(factors, rates, 0)
        for p in scene.parameters:
            p.grad = None

    return work


def beside_a_loop(own: list[LowRank], rounds: int) -> str:
    """The table of the second section."""
    lines = [
        "\n## Beside a loop over tensors\n",
        "The same penalty (`flex`) and its gradient: those of one shape in one transform, and one after another.\n",
        "| tensors | together, ms | in a loop, ms | loop / together |",
        "|---|---:|---:|---:|",
    ]
    for name, factors in {"`micro`, r 16": own, **{name: draw(shapes) for name, shapes in SHAPES.items()}}.items():
        tensors = [tensor for factor in factors for tensor in (factor.a_RI, factor.b_OR)]
        works = {way: gradient_of(form, factors, tensors) for way, form in (("fast", penalty), ("slow", in_a_loop))}
        torch.testing.assert_close(works["fast"]()[0], works["slow"]()[0], rtol=1e-4, atol=1e-5)
        found = in_turns(works, rounds=rounds, repeats=2 if len(tensors) * tensors[0].numel() > 10**6 else 20)
        times = ratios(found["slow"], found["fast"])
        lines.append(
            f"| {name}: {len(tensors)} | {spread(found['fast'])} | {spread(found['slow'])} | {spread(times, 1, 1)} |"
        )
        print(lines[-1], f"median {statistics.median(times):.2f}", flush=True)
    return "\n".join(lines) + "\n"


def gradient_of(form: Any, factors: list[LowRank], tensors: list[torch.Tensor]) -> Callable[[], Any]:
    """Value and gradient of a form of the penalty."""
    return lambda: torch.autograd.grad(form(Spectral(), factors), tensors)


def draw(shapes: Sequence[tuple[int, int, int]]) -> list[LowRank]:
    """Random updates."""
    generator = torch.Generator().manual_seed(0)
    return [
        LowRank(
            f"layer{index}",
            nn.Parameter(torch.randn(r, inputs, generator=generator)),
            nn.Parameter(torch.randn(outputs, r, generator=generator)),
            2.0,
        )
        for index, (outputs, inputs, r) in enumerate(shapes)
    ]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    text, factors = beside_a_step(rounds)
    text += beside_a_loop(factors, rounds)
    (Path(__file__).parent / "regularizer.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
