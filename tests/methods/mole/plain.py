"""The obvious form of a linear with experts: token by token, expert by expert, in float64."""

from collections.abc import Sequence

import torch
from torch import Tensor

from codeglot.methods.mole.experts import Expert, ExpertType, Init, Sizes, list_experts, list_sets
from codeglot.methods.mole.kernels import Sets
from codeglot.methods.mole.start import Start

LANGUAGES = ("python", "java", "rust")
SIZES = Sizes(r=2, lora_alpha=3.0, shared_r=4, shared_alpha=5.0, other_alpha=2.0, r_by_language={})
NUM_IN, NUM_OUT = 11, 13


class Case:
    """Random experts beside a random weight."""

    def __init__(self, kind: ExpertType, init: Init, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> None:
        generator = torch.Generator().manual_seed(seed)

        def random(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

        self.experts: tuple[Expert, ...] = list_experts(kind, init, SIZES, LANGUAGES)
        self.sets: Sets = list_sets(kind, self.experts, LANGUAGES)
        num_directions = max(expert.first + expert.r for expert in self.experts)
        is_exact = init == "shared_first_exact"
        self.start = Start(random(num_directions, NUM_IN), random(NUM_OUT, num_directions)) if is_exact else None
        self.a = [random(expert.r, NUM_IN) for expert in self.experts]
        self.b = [random(NUM_OUT, expert.r) for expert in self.experts]
        self.random = random


def updates(case: Case, x_TI: Tensor, labels: Sequence[int]) -> Tensor:
    """What the experts add to each token."""
    rows = []
    for x_I, label in zip(x_TI, labels, strict=True):
        row_O = torch.zeros(NUM_OUT, dtype=x_TI.dtype)
        for number in case.sets[label] if label >= 0 else ():
            expert = case.experts[number]
            product_OI = case.b[number] @ case.a[number]
            if case.start is not None:
                start_a_RI, start_b_OR = case.start.of(expert)
                product_OI = product_OI - start_b_OR @ start_a_RI
            row_O = row_O + expert.scale * product_OI @ x_I
        rows.append(row_O)
    return torch.stack(rows)
