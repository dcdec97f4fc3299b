"""Mixture of language experts (MoLE): LoRA experts beside each linear, of which a token meets those of its language.

Nothing is learned about routing: the language of a token decides. Because the experts act at the token's own place
and a token's language never changes later, keys and values in a cache stay exact when the language changes in the
middle of an answer.

Source: Zong et al. 2025, MoLE, arXiv:2506.18923; code: https://github.com/uw-swag/mole at 479d544. Where the paper,
its code and this differ is told in docs/methods/mole.md.

Shapes: B rows, L positions, I in_features, O out_features, R rank.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import Field, PrivateAttr, field_validator, model_validator
from torch import Tensor, nn

from codeglot.data.batch import Batch
from codeglot.errors import ConfigError, UnknownNameError
from codeglot.methods.base import Method
from codeglot.methods.mole import files, labels
from codeglot.methods.mole.experts import (
    OTHER,
    Expert,
    ExpertType,
    Init,
    Sizes,
    list_experts,
    list_sets,
    text_is_code,
)
from codeglot.methods.mole.kernels import Impl
from codeglot.methods.mole.layer import Mixture, RoutedLinear, as_parameter
from codeglot.methods.mole.routes import Routes
from codeglot.methods.mole.start import Start, begin_at_nothing, leading_directions
from codeglot.models.layers import Linear, known_targets, plain_model, refuse_adapted, select_linears
from codeglot.regularizers.low_rank import LowRank, difference


class Mole(Method):
    """Experts for languages, one that they share, and one for other text. Their weights are float32."""

    method: Literal["mole"] = "mole"
    target_modules: str | tuple[str, ...] = "mlp"
    """`attention`, `mlp`, `all` (both), or a list of names: each the end of a linear's name, such as `up_proj`."""
    expert_type: ExpertType = "other"
    """What a token meets. `other`: code its language's expert and the shared one, other text the expert for that;
    `share_other`: other text the shared one too; `no_code`: code the shared one alone; `no_share`: code its language's
    alone; `no_other`: other text what the code of its example meets."""
    r: int = Field(default=16, ge=1)
    """Rank of a language's expert. Where a token meets one expert alone, that has the ranks of two."""
    lora_alpha: float = Field(default=16.0, gt=0)
    """The update of a language's expert is scaled by `lora_alpha / sqrt(r)`."""
    shared_r: int = Field(default=48, ge=1)
    """Rank of the shared expert."""
    shared_alpha: float = Field(default=32.0, gt=0)
    """The same of the shared expert."""
    other_alpha: float = Field(default=32.0, gt=0)
    """The same of the expert for other text, whose rank is that of code: `r + shared_r`, or `r` beside the shared."""
    r_by_language: dict[str, int] = Field(default={})
    """Ranks of single languages, by id, where they are not `r`."""
    init: Init = "shared_first_exact"
    """Where experts begin. `shared_first_exact`: at slices of the weight's leading singular directions, the shared one
    first, and what they began at is subtracted, so the start is the base, bit for bit; `shared_first`: as published,
    the slices are taken out of the weight, which rounds; `shared_last`: likewise, the languages first; `std_zero`: A
    random, B zero."""
    share_a: bool = False
    """Whether all languages have one A, and each a B of its own."""
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the experts' input that is dropped in training."""
    label_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the blocks of code that are taken for other text in training, so that a missing label does less harm."""
    impl: Impl = "auto"
    """How updates are computed; all ways agree. `auto`: by the number of tokens; `gather` is for decoding, and others
    take its place in training and where tokens are many."""

    _routes: Routes = PrivateAttr(default_factory=Routes)

    @field_validator("target_modules")
    @classmethod
    def _are_known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return known_targets(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bad := {language: r for language, r in self.r_by_language.items() if r < 1}:
            raise ValueError(f"r_by_language: ranks are 1 or more, not {bad}")
        if self.r_by_language and self.init in {"shared_first", "shared_last"}:
            raise ValueError(
                f"r_by_language and init = '{self.init}': ranks of their own would leave out directions that were "
                "taken out of the weight; set init = 'shared_first_exact' or 'std_zero'"
            )
        if self.r_by_language and self.share_a:
            raise ValueError("r_by_language and share_a: languages with one A have one rank; leave out one of both")
        if self.r_by_language and self.expert_type == "no_code":
            raise ValueError("r_by_language and expert_type = 'no_code': languages have no experts; leave out one")
        if self.expert_type == "no_other" and self.init in {"shared_first", "shared_last"}:
            raise ValueError(
                f"expert_type = 'no_other' and init = '{self.init}': text in no language of the data would lack the "
                "directions of the languages; set init = 'shared_first_exact' or 'std_zero'"
            )
        if self.share_a and self.expert_type == "no_code":
            raise ValueError("share_a and expert_type = 'no_code': languages have no experts; leave out one")
        return self

    routes_by_language = True

    @property
    def text_is_code(self) -> bool:
        """Whether other text meets what the code of its example meets."""
        return text_is_code(self.expert_type)

    def experts(self, languages: Sequence[str]) -> tuple[Expert, ...]:
        """The experts of every adapted linear.

        Raises:
            ConfigError: If a rank is set for a language that there is not.
        """
        if unknown := sorted(set(self.r_by_language) - set(languages)):
            raise ConfigError(
                f"methods.r_by_language: {UnknownNameError('language of the data', unknown[0], languages)} Leave out "
                "what is not trained."
            )
        sizes = Sizes(
            self.r, self.lora_alpha, self.shared_r, self.shared_alpha, self.other_alpha, dict(self.r_by_language)
        )
        return list_experts(self.expert_type, self.init, sizes, languages)

    def attach(self, model: nn.Module, languages: Sequence[str]) -> nn.Module:
        """Put experts beside the chosen linears; everything else is frozen."""
        if not languages:
            raise ConfigError("'mole' has an expert for each language of the data, and the data is in none.")
        if next(_layers(model), None):
            raise ConfigError("There is a mixture of language experts in the model already; one run has one.")
        mixture = self._mixture(languages)
        linears = select_linears(model, self.target_modules)
        refuse_adapted(model, linears)
        self._refuse_unfit(model, linears, mixture.experts)
        model.requires_grad_(requires_grad=False)
        for linear in linears:
            weight_OI = _weight(model, linear)
            start = self._start(weight_OI, mixture.experts)
            factors = self._begin(linear, mixture.experts, start, weight_OI.device)
            _put(model, linear, RoutedLinear(_linear(model, linear), mixture, factors, start))
            if start is not None and not self._is_exact:
                _take_out(weight_OI, start)
        return model

    @property
    def _is_exact(self) -> bool:
        return self.init == "shared_first_exact"

    def _refuse_unfit(self, model: nn.Module, linears: Sequence[Linear], experts: Sequence[Expert]) -> None:
        if self.init == "std_zero":
            return
        wanted = max(expert.first + expert.r for expert in experts)
        if narrow := [linear for linear in linears if wanted > min(linear.in_features, linear.out_features)]:
            least = min(narrow, key=lambda linear: min(linear.in_features, linear.out_features))
            raise ConfigError(
                f"The experts begin at {wanted} singular directions, and {least.name} ({least.out_features} x "
                f"{least.in_features}) has fewer. Lower r, shared_r and r_by_language, or set init = 'std_zero'."
            )
        for linear in linears:
            if not torch.is_floating_point(weight := _weight(model, linear)):
                raise ConfigError(
                    f"init = '{self.init}' decomposes the weights, but those of {linear.name} are quantized "
                    f"({weight.dtype}). Set init = 'std_zero', or load the base in 16 bits."
                )

    def _start(self, weight_OI: Tensor, experts: Sequence[Expert]) -> Start | None:
        if self.init == "std_zero":
            return None
        wanted = max(expert.first + expert.r for expert in experts)
        if weight_OI.is_meta:
            num_out, num_in = weight_OI.shape
            return Start(weight_OI.new_empty(wanted, num_in), weight_OI.new_empty(num_out, wanted))
        return leading_directions(weight_OI.detach(), wanted)

    def _begin(
        self, linear: Linear, experts: Sequence[Expert], start: Start | None, device: torch.device
    ) -> list[tuple[Tensor, Tensor]]:
        """Factors of each expert to begin with."""
        pairs = []
        common: nn.Parameter | None = None
        for expert in experts:
            if start is None:
                a_RI, b_OR = begin_at_nothing(expert, linear.in_features, linear.out_features, device)
            else:
                a_RI, b_OR = (factor.clone() for factor in start.of(expert))
            if self.share_a and expert.is_of_a_language:
                common = as_parameter(a_RI) if common is None else common
                a_RI = common
            pairs.append((a_RI, b_OR))
        return pairs

    def _mixture(self, languages: Sequence[str]) -> Mixture:
        experts = self.experts(languages)
        sets = list_sets(self.expert_type, experts, languages)
        return Mixture(experts, sets, self._routes, self._is_exact, self.lora_dropout, self.impl)

    def extend(
        self, base: nn.Module, folder: Path, before: Method, languages: tuple[Sequence[str], Sequence[str]]
    ) -> nn.Module:
        """Put saved experts on their base, frozen, and new ones beside them, where those began."""
        known, whole = languages
        self._refuse_changed(before, folder, known)
        model = before.load(base, folder, known)
        mixture = self._mixture(whole)
        added = [expert for expert in mixture.experts if expert.name in set(whole) - set(known)]
        for linear in select_linears(model, self.target_modules):
            old: Any = _linear(model, linear)
            _refuse_too_large(added, old.start)
            begun = dict(
                zip(
                    added,
                    self._begin(linear, added, old.start, old.experts_B[mixture.experts[0].name].device),
                    strict=True,
                )
            )
            if self.share_a and known:
                shared_a_RI = old.experts_A[known[0]]
                begun = {expert: (shared_a_RI, b_OR) for expert, (_, b_OR) in begun.items()}
            factors = [begun[e] if e in begun else old.factors(e) for e in mixture.experts]
            layer = RoutedLinear(old.base_layer, mixture, factors, old.start)
            for expert in added:
                a_RI, b_OR = layer.factors(expert)
                b_OR.requires_grad = True
                a_RI.requires_grad = not self.share_a
            _put(model, linear, layer)
        return model

    def _refuse_changed(self, before: Method, folder: Path, known: Sequence[str]) -> None:
        free = {"r_by_language", "impl", "lora_dropout", "label_dropout"}
        old, new = (method.model_dump(exclude=free) for method in (before, self))
        changed = [key for key in new if new[key] != old.get(key)]
        ranks = [getattr(before, "r_by_language", {}), self.r_by_language]
        changed += [f"r_by_language.{name}" for name in known if len({r.get(name) for r in ranks}) > 1]
        if changed:
            raise ConfigError(
                f"The mixture in {folder} was trained with other settings: {', '.join(changed)} differ(s). Set them as "
                "they were; only further languages may be named in r_by_language."
            )
        if self.expert_type == "no_code":
            raise ConfigError("With expert_type = 'no_code' languages have no experts, so there is none to add.")

    def prepare(self, batch: Batch, *, drops: bool = True) -> Batch:
        """Drop some labels, and say of text which example's code it belongs to, where that counts."""
        ids_BL = batch.language_ids
        if self.text_is_code:
            ids_BL = labels.spread(ids_BL, batch.position_ids)
        if self.label_dropout and drops:
            ids_BL = labels.drop(ids_BL, batch.position_ids, self.label_dropout)
        return batch if ids_BL is batch.language_ids else replace(batch, language_ids=ids_BL)

    def route(self, language_ids: Tensor) -> AbstractContextManager[Any]:
        """Context around a forward pass in which tokens meet the experts of these labels, shape (B, L)."""
        return self._routes.opened(language_ids)

    @property
    def trains_factors(self) -> bool:
        """What begins at a part of the weight is an update only as the difference to that."""
        return self.init == "std_zero"

    def factors(self, model: nn.Module) -> Iterator[LowRank]:
        """The update by each expert of each linear, against the base as it was."""
        for name, layer in _layers(model):
            for expert in layer.experts:
                a_RI, b_OR = layer.factors(expert)
                if layer.start is None:
                    yield LowRank(name, a_RI, b_OR, expert.scale, expert.name)
                else:
                    both = difference((a_RI, b_OR), layer.start.of(expert))
                    yield LowRank(name, *both, expert.scale, expert.name)

    def experts_met(self, languages: Sequence[str]) -> Sequence[Sequence[str]]:
        """Names of the experts, by label."""
        experts = self.experts(languages)
        sets = list_sets(self.expert_type, experts, languages)
        return [[experts[number].name for number in numbers] for numbers in sets]

    def updates(self, model: nn.Module, languages: Sequence[str]) -> Mapping[str, Sequence[LowRank]]:
        """For each language, the experts that its tokens meet; for other text likewise."""
        experts = self.experts(languages)
        found = list(self.factors(model))
        sets = list_sets(self.expert_type, experts, languages)
        names = [OTHER, *languages]
        return {
            name: [factor for factor in found if factor.expert in {experts[number].name for number in numbers}]
            for name, numbers in zip(names, sets, strict=True)
            if name != OTHER or not self.text_is_code
        }

    def save(self, model: nn.Module, folder: Path) -> None:
        """Write the factors of all experts, and what they began at."""
        files.write(
            (files.Written(name, layer.experts, layer.factors, layer.start) for name, layer in _layers(model)), folder
        )

    def load(self, base: nn.Module, folder: Path, languages: Sequence[str]) -> nn.Module:
        """Put saved experts on their base, frozen and in evaluation mode."""
        saved = files.Saved(folder, next(base.parameters()).device)
        mixture = self._mixture(languages)
        for linear in select_linears(base, self.target_modules):
            factors = [saved.factors(linear, expert) for expert in mixture.experts]
            start = None if self.init == "std_zero" else saved.start(linear)
            if start is not None and not self._is_exact:
                _take_out(_weight(base, linear), start)
            _put(base, linear, RoutedLinear(_linear(base, linear), mixture, factors, start))
        base.requires_grad_(requires_grad=False)
        return base.eval()


def _refuse_too_large(experts: Sequence[Expert], start: Start | None) -> None:
    """Saved experts know as many directions as they needed themselves."""
    if start is None:
        return
    for expert in experts:
        if expert.first + expert.r > len(start.a_KI):
            raise ConfigError(
                f"methods.r_by_language.{expert.name} = {expert.r} is more than the saved mixture has singular "
                f"directions for. Take at most {len(start.a_KI) - expert.first}."
            )


def _layers(model: nn.Module) -> Iterator[tuple[str, RoutedLinear]]:
    """The linears with experts, by their names in the base model."""
    for name, module in plain_model(model).named_modules():
        if isinstance(module, RoutedLinear):
            yield name, module


def _linear(model: nn.Module, linear: Linear) -> nn.Module:
    found: nn.Module = plain_model(model).get_submodule(linear.name)
    return found


def _weight(model: nn.Module, linear: Linear) -> Tensor:
    """The weight of a linear, (O, I)."""
    weight: Any = _linear(model, linear).weight
    return weight.T if linear.is_transposed else weight


def _put(model: nn.Module, linear: Linear, layer: RoutedLinear) -> None:
    parent, _, name = linear.name.rpartition(".")
    setattr(plain_model(model).get_submodule(parent), name, layer.train(model.training))


def _take_out(weight_OI: Tensor, start: Start) -> None:
    """Leave in a weight what the experts do not begin at."""
    if not weight_OI.is_meta:
        with torch.no_grad():
            weight_OI.copy_(weight_OI.float() - start.b_OK @ start.a_KI)
