"""A linear with experts beside it, of which each token meets those of its language.

Shapes: T tokens, I in_features, O out_features, R rank.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from codeglot.errors import EngineError
from codeglot.methods.mole.experts import Expert
from codeglot.methods.mole.kernels import FEW_TOKENS, LIVE, READY, Impl, Live, Ready, Sets, choose
from codeglot.methods.mole.routes import Plan, Routes
from codeglot.methods.mole.start import Start


class Mixture(NamedTuple):
    """What is the same in all layers."""

    experts: tuple[Expert, ...]
    sets: Sets
    """Numbers of the experts that a token meets, by label."""
    routes: Routes
    """Tells the labels."""
    is_exact: bool
    """Whether what the experts began at is subtracted; else it was taken out of the weight."""
    dropout: float
    impl: Impl


class RoutedLinear(nn.Module):
    """A linear and its experts; what they add is float32, whatever the linear is in.

    Args:
        base_layer: The linear; frozen.
        mixture: What is the same in all layers.
        factors: A (R, I) and B (O, R) of each expert; experts may share an A.
        start: What the experts began at, where that is a part of the weight.
    """

    def __init__(
        self, base_layer: nn.Module, mixture: Mixture, factors: Sequence[tuple[Tensor, Tensor]], start: Start | None
    ) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.mixture = mixture
        self.dropout = nn.Dropout(mixture.dropout) if mixture.dropout else nn.Identity()
        pairs = [
            (expert.name, as_parameter(a), as_parameter(b))
            for expert, (a, b) in zip(self.experts, factors, strict=True)
        ]
        self.experts_A = nn.ParameterDict({name: a_RI for name, a_RI, _ in pairs})
        self.experts_B = nn.ParameterDict({name: b_OR for name, _, b_OR in pairs})
        self.start_a_KI: Tensor | None
        self.start_b_OK: Tensor | None
        self.register_buffer("start_a_KI", None if start is None else start.a_KI, persistent=False)
        self.register_buffer("start_b_OK", None if start is None else start.b_OK, persistent=False)
        self._ready: Ready | None = None
        self._made_of: list[tuple[Tensor, int]] = []

    @property
    def experts(self) -> tuple[Expert, ...]:
        """In order."""
        return self.mixture.experts

    @property
    def start(self) -> Start | None:
        """What the experts began at; None: at nothing."""
        if self.start_a_KI is None or self.start_b_OK is None:
            return None
        return Start(self.start_a_KI, self.start_b_OK)

    def factors(self, expert: Expert) -> tuple[nn.Parameter, nn.Parameter]:
        """A (R, I) and B (O, R) of one expert."""
        return self.experts_A[expert.name], self.experts_B[expert.name]

    def get_base_layer(self) -> nn.Module:
        """The linear, as layers of PEFT give theirs."""
        return self.base_layer

    def forward(self, x: Tensor) -> Tensor:
        """What the linear gives, and what the experts of each token add."""
        plain: Tensor = self.base_layer(x)
        plan = self.mixture.routes.plan(x.numel() // x.shape[-1], x.device)
        if not plan.groups:
            return plain
        if plan.groups[-1].label >= len(self.mixture.sets):
            raise EngineError(
                f"There is a language id {plan.groups[-1].label}, and the mixture has {len(self.mixture.sets) - 1} "
                "languages, from 1; 0 is other text, -1 padding. Give `route` ids of those that it was attached with."
            )
        own_type = self.experts_A[self.experts[0].name].dtype
        x_TI = self.dropout(x if torch.is_autocast_enabled(x.device.type) else x.to(own_type)).flatten(0, -2)
        update_TO = self._update(x_TI, plan)
        return plain if update_TO is None else plain + update_TO.view_as(plain).to(plain.dtype)

    def _update(self, x_TI: Tensor, plan: Plan) -> Tensor | None:
        is_training, name = torch.is_grad_enabled(), self.mixture.impl
        if name == "auto" or (name == "gather" and (is_training or len(x_TI) > FEW_TOKENS)):
            name = choose(is_training=is_training, num_tokens=len(x_TI), num_labels=len(plan.groups))
        if is_training or name not in READY:
            self._ready = None  # not kept while experts change
            return LIVE[name](x_TI, plan, self.mixture.sets, Live(self.experts, *self._all(), self._subtracted()))
        return READY[name](x_TI, plan, self._prepared())

    def _prepared(self) -> Ready:
        """The experts for inference, made anew when one has changed; what is written to `.data` is not seen."""
        a, b = self._all()
        made_of = [(factor, 0 if factor.is_inference() else factor._version) for factor in (*a, *b)]
        if self._ready is None or any(
            now is not before or version != old
            for (now, version), (before, old) in zip(made_of, self._made_of, strict=True)
        ):
            self._ready, self._made_of = Ready(self.experts, a, b, self._subtracted(), self.mixture.sets), made_of
        return self._ready

    def _all(self) -> tuple[list[Tensor], list[Tensor]]:
        return [self.experts_A[e.name] for e in self.experts], [self.experts_B[e.name] for e in self.experts]

    def _subtracted(self) -> Start | None:
        return self.start if self.mixture.is_exact else None

    def _apply(self, *arguments: Any, **settings: Any) -> Any:
        self._ready = None  # its tensors are no part of the module, so they would stay where they are
        return super()._apply(*arguments, **settings)


def as_parameter(factor: Tensor) -> nn.Parameter:
    """A trainable parameter; one that is a parameter already stays the same, so that it can be shared."""
    return factor if isinstance(factor, nn.Parameter) else nn.Parameter(factor)
