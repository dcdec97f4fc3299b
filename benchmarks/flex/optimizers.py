"""What Sophia costs beside AdamW: a whole training step, estimates included, and its update alone.

    python benchmarks/flex/optimizers.py [--rounds 7]

Writes benchmarks/flex/optimizers.md. One thread, CPU seconds, in turns. About ten minutes.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from scene import in_turns, make, ratios, spread
from torch import nn

from codeglot.optim.sign import Lion, Signum
from codeglot.optim.sophia import Sophia

K = 10
"""Steps from one estimate to the next; a turn is this many steps, so it has one."""
ARMS: dict[str, dict[str, Any]] = {
    "adamw": {"name": "adamw"},
    "sophia_g": {"name": "sophia_g"},
    "sophia_g, half of the rows": {"name": "sophia_g", "sophia": {"rows_share": 0.5}},
    "sophia_h": {"name": "sophia_h"},
    "sophia_h, half of the rows": {"name": "sophia_h", "sophia": {"rows_share": 0.5}},
    "lion": {"name": "lion"},
    "signum": {"name": "signum"},
}
SETS: dict[str, list[tuple[int, ...]]] = {
    "`micro`, LoRA r 16": [],
    "q and v of a model of 7B, r 8": [(8, 4096), (4096, 8)] * 64,
    "one matrix, 2048 x 2048": [(2048, 2048)],
}
"""Shapes of the parameters; empty: those of the scene."""
HEAD = """# Sophia beside AdamW

<!-- Written by benchmarks/flex/optimizers.py; do not edit. -->

{rounds} rounds in turns, one thread, CPU time. Median (lowest to highest); ratios are taken round by round.

## A whole step

16 examples of the bundled world on `micro`, LoRA r 16 on all linears, k = {k}: each figure is a mean over {k} steps,
one of which is followed by an estimate of the curvature.

| | ms per step | over AdamW |
|---|---:|---:|
"""


def whole_steps(rounds: int) -> tuple[str, list[torch.Size]]:
    """The table of the first section, and the shapes of the parameters."""
    scenes = {name: make(**settings) for name, settings in ARMS.items()}

    def turn(name: str) -> None:
        for number in range(K):
            scenes[name].step(number)

    found = in_turns({name: lambda name=name: turn(name) for name in ARMS}, rounds=rounds, repeats=1)  # type: ignore[misc]
    lines = []
    for name, values in found.items():
        over = spread(ratios(values, found["adamw"]), 1)
        lines.append(f"| {name} | {spread(values, 1e3 / K, 1)} | {over if name != 'adamw' else ''} |")
    return HEAD.format(rounds=rounds, k=K) + "\n".join(lines) + "\n", [p.shape for p in scenes["adamw"].parameters]


def updates(own: list[torch.Size], rounds: int) -> str:
    """The table of the second section."""
    lines = [
        "\n## The update alone\n",
        "Over `torch.optim.AdamW(foreach=True)`.\n",
        "| parameters | AdamW, ms | sophia | lion | signum |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, shapes in SETS.items():
        works = {}
        for way, kind in (("adamw", torch.optim.AdamW), ("sophia", Sophia), ("lion", Lion), ("signum", Signum)):
            parameters = draw(shapes or own)
            kwargs = {"foreach": True} if way == "adamw" else {}
            optimizer = kind(parameters, lr=1e-6, **kwargs)  # type: ignore[operator]
            if isinstance(optimizer, Sophia):
                optimizer.refresh({p: torch.ones_like(p) for p in parameters})
            works[way] = optimizer.step
        found = in_turns(works, rounds=rounds, repeats=20)
        cells = [spread(ratios(found[way], found["adamw"]), 1) for way in ("sophia", "lion", "signum")]
        lines.append(f"| {name}: {len(shapes or own)} | {spread(found['adamw'])} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def draw(shapes: Any) -> list[nn.Parameter]:
    """Random parameters with random gradients."""
    generator = torch.Generator().manual_seed(0)
    parameters = [nn.Parameter(torch.randn(tuple(shape), generator=generator)) for shape in shapes]
    for p in parameters:
        p.grad = torch.randn(p.shape, generator=generator)
    return parameters


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    text, shapes = whole_steps(rounds)
    print(text, flush=True)
    text += updates(shapes, rounds)
    (Path(__file__).parent / "optimizers.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
