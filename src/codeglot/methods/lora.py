"""Low-rank adaptation (LoRA), on PEFT: each chosen linear W becomes W + scale * B A, and only A and B are trained.

Source: Hu et al. 2021, arXiv:2106.09685; rsLoRA: Kalajdzievski 2023, arXiv:2312.03732; DoRA: Liu et al. 2024,
arXiv:2402.09353; PiSSA: Meng et al. 2024, arXiv:2404.02948.

Shapes: I in_features, O out_features, R rank.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from pydantic import Field, field_validator
from safetensors.torch import save_file
from torch import Tensor, nn

from codeglot.errors import ConfigError
from codeglot.methods.base import Method
from codeglot.models.layers import Linear, known_targets, plain_model, refuse_adapted, select_linears, short_names
from codeglot.models.load import put_adapter_on
from codeglot.regularizers.low_rank import LowRank, difference

_INITIAL = "_codeglot_initial_factors"
"""Attribute of a LoRA layer: the factors that PiSSA took out of its base weight, by adapter."""


class Lora(Method):
    """One LoRA on linears of the decoder layers. Its weights are float32, whatever the base is in."""

    method: Literal["lora"] = "lora"
    name: str = Field(default="default", pattern="^[a-z][a-z0-9_]*$")
    """Name of this adapter in the model; several in one run need different ones."""
    target_modules: str | tuple[str, ...] = "all"
    """`attention`, `mlp`, `all` (both), or a list of names: each the end of a linear's name, such as `q_proj`."""
    r: int = Field(default=8, ge=1)
    """Rank of the update."""
    lora_alpha: float = Field(default=16.0, gt=0.0)
    """The update is scaled by `lora_alpha / r`."""
    lora_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the adapter's input that is dropped in training."""
    use_rslora: bool = False
    """Scale by `lora_alpha / sqrt(r)`, so that a higher rank does not weaken the update (rsLoRA)."""
    use_dora: bool = False
    """Train the length of each row of the weight apart from its direction (DoRA)."""
    init: str = Field(default="default", pattern="^(default|pissa|pissa_niter_[1-9][0-9]*)$")
    """`default`: A random, B zero; `pissa`: the largest singular vectors of the base weight, which keeps the rest;
    `pissa_niter_N`: the same from N iterations of a randomized decomposition, for large models."""

    @field_validator("target_modules")
    @classmethod
    def _are_known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return known_targets(value)

    @field_validator("name")
    @classmethod
    def _is_no_part_of_a_key(cls, name: str) -> str:
        if name in "lora_":  # PEFT would take it for a part of its keys, and load something else
            raise ValueError(f"'{name}' cannot name an adapter, since 'lora_' holds it; take a longer word")
        return name

    @property
    def _takes_from_base(self) -> bool:
        return self.init != "default"

    def attach(self, model: nn.Module, languages: Sequence[str]) -> PeftModel:  # noqa: ARG002 - the interface
        """Put A and B on the chosen linears; everything else is frozen, but for adapters attached before."""
        linears = select_linears(model, self.target_modules)
        refuse_adapted(model, linears, allowed=(LoraLayer,))
        if self._takes_from_base:
            self._refuse_unfit_for_pissa(plain_model(model), linears)
        self._refuse_mixture(plain_model(model), linears)
        is_training = model.training
        with _known_warnings():
            adapted = self._put_on(model, self._peft_config(model, linears))
        if self._takes_from_base:
            for _, layer in _layers(adapted, self.name):
                a_RI, b_OR = _factors(layer, self.name)
                kept = getattr(layer, _INITIAL, {})
                setattr(layer, _INITIAL, kept | {self.name: (a_RI.detach().clone(), b_OR.detach().clone())})
        return adapted.train(is_training)

    def _put_on(self, model: Any, config: Any) -> PeftModel:
        if not isinstance(model, PeftModel):
            adapted: PeftModel = get_peft_model(model, config, adapter_name=self.name)
            return adapted
        if self.name in model.peft_config:
            raise ConfigError(f"There is a LoRA named '{self.name}' in the model already; give this one another name.")
        model.add_adapter(self.name, config)
        tuner: Any = model.base_model
        tuner.set_adapter(list(model.peft_config))
        return model

    def _peft_config(self, model: nn.Module, linears: Sequence[Linear]) -> LoraConfig:
        # PEFT declares the scale an integer and lists no number of iterations, but takes both.
        peft_takes_more: Any = LoraConfig
        config: LoraConfig = peft_takes_more(
            task_type="CAUSAL_LM",
            r=self.r,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            target_modules=short_names(model, linears),
            fan_in_fan_out=any(linear.is_transposed for linear in linears),
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            init_lora_weights=self.init if self._takes_from_base else True,
        )
        return config

    def _refuse_mixture(self, base: nn.Module, linears: Sequence[Linear]) -> None:
        """DoRA measures the weight that PiSSA changes, so each would spoil the other's adapter of one linear."""
        for linear in linears:
            layer = base.get_submodule(linear.name)
            is_with_dora = any(getattr(layer, "use_dora", {}).values())
            is_with_pissa = bool(getattr(layer, _INITIAL, {}))
            if (self._takes_from_base and is_with_dora) or (self.use_dora and is_with_pissa):
                raise ConfigError(
                    f"{linear.name} cannot carry one LoRA with use_dora and another with init = 'pissa'. "
                    "Give them different target_modules, or set both in one LoRA."
                )

    def _refuse_unfit_for_pissa(self, base: nn.Module, linears: Sequence[Linear]) -> None:
        if narrow := [linear for linear in linears if self.r > min(linear.in_features, linear.out_features)]:
            least = min(narrow, key=lambda linear: min(linear.in_features, linear.out_features))
            raise ConfigError(
                f"r = {self.r} is above the rank of {least.name} ({least.out_features} x {least.in_features}), "
                f"and init = '{self.init}' takes r of its singular vectors. Lower r, or set init = 'default'."
            )
        for linear in linears:
            module: Any = base.get_submodule(linear.name)
            weight: Any = (module.get_base_layer() if isinstance(module, LoraLayer) else module).weight
            if not torch.is_floating_point(weight):
                raise ConfigError(
                    f"init = '{self.init}' decomposes the weights, but those of {linear.name} are quantized "
                    f"({weight.dtype}). Set init = 'default', or load the base in 16 bits."
                )

    @property
    def trains_factors(self) -> bool:
        """PiSSA's update is the difference to where it began."""
        return not self._takes_from_base

    def factors(self, model: nn.Module) -> Iterator[LowRank]:
        """The update of each linear against the base as it was; DoRA's lengths are not part of it."""
        for module, layer in _layers(model, self.name):
            a_RI, b_OR = self._update(layer)
            # Of several on one linear, each by its own name.
            expert = self.name if len(layer.lora_A) > 1 else ""
            yield LowRank(module, a_RI, b_OR, layer.scaling[self.name], expert)

    def updates(self, model: nn.Module, languages: Sequence[str]) -> Mapping[str, Sequence[LowRank]] | None:
        """The update of each linear; with DoRA it is no sum, but what `save` writes is a plain adapter already."""
        return None if self.use_dora else super().updates(model, languages)

    def _update(self, layer: LoraLayer) -> tuple[Tensor, Tensor]:
        """A and B of the update of the original weight; PiSSA's has twice the rank, minus what was taken out."""
        a_RI, b_OR = _factors(layer, self.name)
        initial = getattr(layer, _INITIAL, {}).get(self.name)
        if initial is None:  # nothing was taken out of the base; or it was loaded, as an ordinary LoRA of rank 2r
            return a_RI, b_OR
        initial_a_RI, initial_b_OR = (factor.to(a_RI) for factor in initial)
        return difference((a_RI, b_OR), (initial_a_RI, initial_b_OR))

    def save(self, model: Any, folder: Path) -> None:
        """Write a plain PEFT adapter for the original base; PiSSA becomes an ordinary LoRA of rank 2r."""
        tensors = get_peft_model_state_dict(model, adapter_name=self.name, save_embedding_layers=False)
        for module, layer in _layers(model, self.name):
            a_RI, b_OR = self._update(layer)
            keys = (f"base_model.model.{module}.lora_{factor}.weight" for factor in "AB")
            tensors |= dict(zip(keys, (a_RI, b_OR), strict=True))
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._portable_config(model), indent=2, sort_keys=True)
        (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")
        own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(own, folder / "adapter_model.safetensors", metadata={"format": "pt"})

    def _portable_config(self, model: PeftModel) -> dict[str, Any]:
        """The least that describes this adapter, so that versions of PEFT that lack newer keys load it too."""
        config: Any = model.peft_config[self.name]
        r, alpha, use_rslora = self.r, self.lora_alpha, self.use_rslora
        if self._takes_from_base:  # the same scale at twice the rank
            scale = alpha / (r**0.5 if use_rslora else r)
            r, alpha, use_rslora = 2 * r, scale * 2 * r, False
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": config.base_model_name_or_path,
            "inference_mode": True,
            "r": r,
            "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
            "lora_dropout": self.lora_dropout,
            "target_modules": sorted(config.target_modules),
            "fan_in_fan_out": config.fan_in_fan_out,
            "bias": "none",
            **({"use_rslora": True} if use_rslora else {}),
            **({"use_dora": True} if self.use_dora else {}),
        }

    def load(self, base: nn.Module, folder: Path, languages: Sequence[str]) -> PeftModel:  # noqa: ARG002 - the interface
        """Put a saved adapter on its base, beside those that are there, frozen and in evaluation mode."""
        return put_adapter_on(base, folder, self.name).eval()


def _layers(model: nn.Module, name: str) -> Iterator[tuple[str, LoraLayer]]:
    """The layers that carry an adapter, by their names in the base model."""
    for module_name, module in plain_model(model).named_modules():
        if isinstance(module, LoraLayer) and name in module.lora_A:
            yield module_name, module


def _factors(layer: Any, name: str) -> tuple[nn.Parameter, nn.Parameter]:
    return layer.lora_A[name].weight, layer.lora_B[name].weight


@contextmanager
def _known_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        yield
