"""The update of a linear by its experts, computed in several ways that agree.

`eager` says what is meant, expert by expert. `grouped` sorts tokens by label and multiplies each group once.
`masked` multiplies all tokens by all experts that occur, and blanks what is not theirs: few large products.
`gather` copies the rows of each token out of all experts, for few tokens alone: little to read where experts are many.

Live kernels are differentiable, twice too. In the exact form an update is a difference to where an expert began,

    s (B A - B0 A0) = s (B dA + dB A0),    dA = A - A0,  dB = B - B0

which is exactly nothing at the beginning, in every number format. Ready kernels take what `Ready` has prepared.

Shapes: T tokens, I in_features, O out_features, R rank of one expert, M rows of all of them, K leading directions.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from codeglot.methods.mole.experts import OTHER, SHARED, Expert
from codeglot.methods.mole.routes import Plan
from codeglot.methods.mole.start import Start

Impl = Literal["auto", "eager", "grouped", "masked", "gather"]
Sets = Sequence[Sequence[int]]
"""Numbers of the experts that a token meets, by label."""
_START = "where they began"
_PLACES = {OTHER: 0, _START: 1, SHARED: 2}
"""Of prepared rows; behind them the languages."""


class Term(NamedTuple):
    """What one expert multiplies by; scales are within `a_RI` and `moved_OR`."""

    a_RI: Tensor
    b_OR: Tensor
    own: slice
    """Its leading directions."""
    moved_OR: Tensor | None
    """In the exact form, how far B has moved; it multiplies the leading directions."""


class Live:
    """The experts of one linear in training.

    Args:
        experts: In order.
        a: (R, I) of each.
        b: (O, R) of each.
        start: In the exact form, what they began at.
    """

    def __init__(
        self, experts: Sequence[Expert], a: Sequence[Tensor], b: Sequence[Tensor], start: Start | None
    ) -> None:
        self.experts = experts
        self.start = start
        self.num_out = b[0].shape[0]
        self._a, self._b = a, b
        self._terms: dict[int, Term] = {}

    def term(self, number: int) -> Term:
        """One expert, made at most once in a forward pass; those that no token meets get no gradient."""
        if number not in self._terms:
            self._terms[number] = self._make(number)
        return self._terms[number]

    def _make(self, number: int) -> Term:
        expert, a_RI, b_OR = self.experts[number], self._a[number], self._b[number]
        own = slice(expert.first, expert.first + expert.r)
        if self.start is None:
            return Term(a_RI * expert.scale, b_OR, own, None)
        start_a_RI, start_b_OR = self.start.of(expert)
        moved_OR = (b_OR - start_b_OR) * sqrt(expert.scale)
        return Term((a_RI - start_a_RI) * expert.scale, b_OR, own, moved_OR)


def eager(x_TI: Tensor, plan: Plan, sets: Sets, live: Live) -> Tensor:
    """Expert by expert, each with its own tokens."""
    update_TO = x_TI.new_zeros(len(x_TI), live.num_out)
    for number in sorted({number for group in plan.groups for number in sets[group.label]}):
        labels = [label for label, numbers in enumerate(sets) if number in numbers]
        rows = torch.isin(plan.labels_T, torch.tensor(labels, device=plan.labels_T.device)).nonzero()[:, 0]
        term, own_TI = live.term(number), x_TI[rows]
        part_TO = own_TI @ term.a_RI.T @ term.b_OR.T
        if live.start is not None and term.moved_OR is not None:
            part_TO = part_TO + own_TI @ live.start.a_KI[term.own].T @ term.moved_OR.T
        update_TO = update_TO.index_add(0, rows, part_TO.to(update_TO.dtype))
    return update_TO


def grouped(x_TI: Tensor, plan: Plan, sets: Sets, live: Live) -> Tensor:
    """Label by label, the tokens of each next to each other."""
    x_TI = _sorted(x_TI, plan)
    along_TK = None if live.start is None else x_TI @ live.start.a_KI.T
    first = plan.groups[0].start
    parts = [x_TI.new_zeros(first, live.num_out)] if first else []
    for label, start, end in plan.groups:
        terms = [live.term(number) for number in sets[label]]
        hidden = [x_TI[start:end] @ term.a_RI.T for term in terms]
        out = [term.b_OR for term in terms]
        if along_TK is not None:
            hidden += [along_TK[start:end, term.own] for term in terms]
            out += [term.moved_OR for term in terms if term.moved_OR is not None]
        parts.append(torch.cat(hidden, dim=1) @ torch.cat(out, dim=1).T)
    return _unsorted(torch.cat(parts), plan)


def masked(x_TI: Tensor, plan: Plan, sets: Sets, live: Live) -> Tensor:
    """All tokens by all experts that occur, with blanks."""
    numbers = sorted({number for group in plan.groups for number in sets[group.label]})
    terms = [live.term(number) for number in numbers]
    meets = torch.tensor(
        [[False] * len(numbers), *([number in row for number in numbers] for row in sets)], device=x_TI.device
    )
    sizes = torch.tensor([len(term.a_RI) for term in terms], device=x_TI.device)
    is_met_TM = meets[plan.labels_T + 1].repeat_interleave(sizes, dim=1)
    hidden_TM = x_TI @ torch.cat([term.a_RI for term in terms]).T * is_met_TM
    out = [term.b_OR for term in terms]
    if live.start is not None:
        along_TK = x_TI @ live.start.a_KI.T
        along_TM = torch.cat([along_TK[:, term.own] for term in terms], dim=1) * is_met_TM
        hidden_TM = torch.cat([hidden_TM, along_TM], dim=1)
        out += [term.moved_OR for term in terms if term.moved_OR is not None]
    return hidden_TM @ torch.cat(out, dim=1).T


class _Permuted(Function):
    """Rows in another order; the way back is the other order, which is cheaper than adding rows up."""

    @staticmethod
    def forward(ctx: Any, rows_TN: Tensor, order_T: Tensor, inverse_T: Tensor) -> Tensor:
        ctx.save_for_backward(order_T, inverse_T)
        return rows_TN.index_select(0, order_T)

    @staticmethod
    def backward(ctx: Any, slope_TN: Tensor) -> tuple[Tensor, None, None]:
        order_T, inverse_T = ctx.saved_tensors
        return _Permuted.apply(slope_TN, inverse_T, order_T), None, None


def _sorted(rows_TN: Tensor, plan: Plan) -> Tensor:
    if plan.order_T is None:
        return rows_TN
    permuted: Tensor = _Permuted.apply(rows_TN, plan.order_T, plan.inverse_T)
    return permuted


def _unsorted(rows_TN: Tensor, plan: Plan) -> Tensor:
    if plan.order_T is None:
        return rows_TN
    permuted: Tensor = _Permuted.apply(rows_TN, plan.inverse_T, plan.order_T)
    return permuted


class Ready:
    """The experts of one linear for inference: all factors in one, without those that have not moved.

    Rows lie in the order other text, what the experts began at, shared, languages: so what other text meets is one
    run of rows, and so is what code in all languages meets.

    Args:
        experts: In order.
        a: (R, I) of each.
        b: (O, R) of each.
        start: In the exact form, what they began at; it is subtracted once for all experts of a token.
        sets: Numbers of the experts by label.
    """

    def __init__(
        self, experts: Sequence[Expert], a: Sequence[Tensor], b: Sequence[Tensor], start: Start | None, sets: Sets
    ) -> None:
        moved = [n for n in range(len(experts)) if start is None or not _is_at(start.of(experts[n]), (a[n], b[n]))]
        blocks = {experts[n].name: (a[n] * experts[n].scale, b[n].T) for n in moved}
        if start is not None and moved:
            blocks[_START] = (start.a_KI, -start.b_OK.T)
        order = sorted(blocks, key=lambda name: _PLACES.get(name, len(_PLACES)))
        first: dict[str, int] = {}
        num_rows = 0
        for name in order:
            first[name] = num_rows
            num_rows += len(blocks[name][0])
        self.num_out = b[0].shape[0]
        self.a_MI: Tensor | None = torch.cat([blocks[name][0] for name in order]) if order else None
        self.b_MO: Tensor | None = torch.cat([blocks[name][1] for name in order]) if order else None
        weights_GM = torch.zeros(len(sets) + 1, num_rows, dtype=a[0].dtype)
        for label, numbers in enumerate(sets):
            for expert in (experts[n] for n in numbers if n in moved):
                weights_GM[label + 1, first[expert.name] : first[expert.name] + expert.r] = 1.0
                if start is not None:
                    began = first[_START] + expert.first
                    weights_GM[label + 1, began : began + expert.r] += 1.0
        self.runs: list[list[slice]] = [_runs(row_M.tolist()) for row_M in weights_GM[1:]]
        """By label, rows that are not blank; of one weight within a run."""
        self._runs_of_several: dict[tuple[int, ...], list[slice]] = {}
        device = a[0].device
        self.weights_GM = weights_GM.to(device)
        """By label + 1, so that padding is the first."""
        widest = max((sum(run.stop - run.start for run in runs) for runs in self.runs), default=0)
        self.columns_GR = torch.zeros(len(sets) + 1, widest, dtype=torch.long, device=device)
        """By label + 1, the rows that are not blank; filled up with the first."""
        self.gathered_GR = torch.zeros(len(sets) + 1, widest, dtype=a[0].dtype, device=device)
        """By label + 1, their weights."""
        for label in range(len(sets)):
            columns = self.weights_GM[label + 1].nonzero()[:, 0]
            self.columns_GR[label + 1, : len(columns)] = columns
            self.gathered_GR[label + 1, : len(columns)] = self.weights_GM[label + 1, columns]

    def runs_of(self, labels: tuple[int, ...]) -> list[slice]:
        """Rows that are not blank for some of these labels, in as few runs as there are."""
        if labels not in self._runs_of_several:
            is_met = [0.0] * self.weights_GM.shape[1]
            for run in (run for label in labels for run in self.runs[label]):
                is_met[run] = [1.0] * (run.stop - run.start)
            self._runs_of_several[labels] = _runs(is_met)
        return self._runs_of_several[labels]


def _is_at(start: tuple[Tensor, Tensor], now: tuple[Tensor, Tensor]) -> bool:
    return all(torch.equal(began, found) for began, found in zip(start, now, strict=True))


def _runs(weights: Sequence[float]) -> list[slice]:
    """Runs of equal weights other than 0."""
    runs: list[slice] = []
    for place, value in enumerate(weights):
        if not value:
            continue
        if runs and runs[-1].stop == place and weights[place - 1] == value:
            runs[-1] = slice(runs[-1].start, place + 1)
        else:
            runs.append(slice(place, place + 1))
    return runs


def ready_grouped(x_TI: Tensor, plan: Plan, ready: Ready) -> Tensor | None:
    """Label by label; None where nothing has moved."""
    if ready.a_MI is None or ready.b_MO is None:
        return None
    x_TI = _sorted(x_TI, plan)
    update_TO: Tensor | None = None
    for label, start, end in plan.groups:
        for rows in ready.runs[label]:
            weight = ready.weights_GM[label + 1, rows.start]
            part_TO = x_TI[start:end] @ ready.a_MI[rows].T * weight @ ready.b_MO[rows]
            if update_TO is None:
                if end - start == len(x_TI):
                    update_TO = part_TO
                    continue
                update_TO = part_TO.new_zeros(len(x_TI), ready.num_out)
            update_TO[start:end] += part_TO
    return None if update_TO is None else _unsorted(update_TO, plan)


def ready_masked(x_TI: Tensor, plan: Plan, ready: Ready) -> Tensor | None:
    """All tokens by all experts that occur, with blanks; None where none of them has moved."""
    if ready.a_MI is None or ready.b_MO is None:
        return None
    weights_TM = ready.weights_GM[plan.labels_T + 1]
    update_TO: Tensor | None = None
    for rows in ready.runs_of(tuple(group.label for group in plan.groups)):
        part_TO = x_TI @ ready.a_MI[rows].T * weights_TM[:, rows] @ ready.b_MO[rows]
        update_TO = part_TO if update_TO is None else update_TO + part_TO
    return update_TO


def ready_gather(x_TI: Tensor, plan: Plan, ready: Ready) -> Tensor | None:
    """Token by token; None where nothing has moved."""
    if ready.a_MI is None or ready.b_MO is None:
        return None
    columns_TR = ready.columns_GR[plan.labels_T + 1]
    hidden_TR = (ready.a_MI[columns_TR] @ x_TI[:, :, None])[:, :, 0] * ready.gathered_GR[plan.labels_T + 1]
    return (hidden_TR[:, None, :] @ ready.b_MO[columns_TR])[:, 0]


LIVE: dict[str, Callable[[Tensor, Plan, Sets, Live], Tensor]] = {"eager": eager, "grouped": grouped, "masked": masked}
READY: dict[str, Callable[[Tensor, Plan, Ready], Tensor | None]] = {
    "grouped": ready_grouped,
    "masked": ready_masked,
    "gather": ready_gather,
}
FEW_TOKENS = 64
"""Up to which inference in several languages multiplies by all experts at once."""


def choose(*, is_training: bool, num_tokens: int, num_labels: int) -> Impl:
    """Name of the kernel that is fastest for so many tokens of so many labels, by `benchmarks/mole.md`."""
    if is_training or num_labels == 1 or num_tokens > FEW_TOKENS:
        return "grouped"
    return "masked"
