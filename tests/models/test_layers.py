from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    OPTConfig,
    PhiConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
    Starcoder2Config,
)

from codeglot.errors import ConfigError
from codeglot.models.layers import (
    PRESETS,
    decoder_layers,
    embedding_tables,
    list_linears,
    plain_model,
    select_linears,
    short_names,
)

SIZE = {
    "vocab_size": 64, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip
LLAMA_LIKE = (["k_proj", "o_proj", "q_proj", "v_proj"], ["down_proj", "gate_proj", "up_proj"])


def sized(kind: type[PreTrainedConfig], **changes: object) -> PreTrainedConfig:
    settings: dict[str, Any] = SIZE | changes
    return kind(**settings)


ARCHITECTURES: dict[str, tuple[Callable[[], PreTrainedConfig], list[str], list[str]]] = {
    "llama": (lambda: sized(LlamaConfig), *LLAMA_LIKE),
    "mistral": (lambda: sized(MistralConfig), *LLAMA_LIKE),
    "qwen2": (lambda: sized(Qwen2Config), *LLAMA_LIKE),
    "qwen3": (lambda: sized(Qwen3Config, head_dim=8), *LLAMA_LIKE),
    "gemma": (lambda: sized(GemmaConfig, head_dim=8), *LLAMA_LIKE),
    "starcoder2": (lambda: sized(Starcoder2Config), LLAMA_LIKE[0], ["c_fc", "c_proj"]),
    "phi": (lambda: sized(PhiConfig), ["dense", "k_proj", "q_proj", "v_proj"], ["fc1", "fc2"]),
    "gpt_neox": (lambda: sized(GPTNeoXConfig), ["dense", "query_key_value"], ["dense_4h_to_h", "dense_h_to_4h"]),
    "gpt2": (
        lambda: GPT2Config(vocab_size=64, n_embd=16, n_layer=2, n_head=2, n_positions=32),
        ["attn.c_proj", "c_attn"],
        ["c_fc", "mlp.c_proj"],
    ),
    "opt": (
        lambda: OPTConfig(
            vocab_size=64, hidden_size=16, ffn_dim=32, num_hidden_layers=2, num_attention_heads=2,
            word_embed_proj_dim=16,
        ),
        ["k_proj", "out_proj", "q_proj", "v_proj"],
        ["fc1", "fc2"],
    ),
}  # fmt: skip


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> tuple[Any, list[str], list[str]]:
    config, attention, mlp = ARCHITECTURES[request.param]
    return AutoModelForCausalLM.from_config(config()), attention, mlp


def test_presets_name_the_linears_of_every_architecture(architecture: tuple[Any, list[str], list[str]]) -> None:
    model, attention, mlp = architecture

    found = {preset: short_names(model, select_linears(model, preset)) for preset in PRESETS}

    assert found["attention"] == attention
    assert found["mlp"] == mlp
    assert len(select_linears(model, "all")) == 2 * len(attention + mlp)


def test_short_names_are_read_by_peft_as_these_linears_and_no_others(
    architecture: tuple[Any, list[str], list[str]],
) -> None:
    from peft.tuners.tuners_utils import check_target_module_exists

    model, _, _ = architecture
    for preset in PRESETS:
        linears = select_linears(model, preset)
        config = LoraConfig(target_modules=short_names(model, linears))
        matched = {name for name, _ in model.named_modules() if check_target_module_exists(config, name)}
        assert matched == {linear.name for linear in linears}


def test_embeddings_and_the_head_are_in_no_preset(architecture: tuple[Any, list[str], list[str]]) -> None:
    model, _, _ = architecture
    names = {linear.name for linear in list_linears(model)}
    outer = {name for name, module in model.named_modules() if module in (model.get_output_embeddings(),)}

    assert outer
    assert not names & outer
    assert all(model.get_submodule(name).weight.ndim == 2 for name in names)


def test_sizes_are_those_of_the_weight(architecture: tuple[Any, list[str], list[str]]) -> None:
    model, _, _ = architecture

    for linear in list_linears(model):
        num_out, num_in = model.get_submodule(linear.name).weight.shape[:: -1 if linear.is_transposed else 1]
        assert (linear.out_features, linear.in_features) == (num_out, num_in)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_on_the_model_hides_none_of_its_linears() -> None:
    model = AutoModelForCausalLM.from_config(sized(LlamaConfig))
    before = list_linears(model)
    adapted = get_peft_model(model, LoraConfig(target_modules=["q_proj", "up_proj"]))

    assert plain_model(adapted) is model
    assert list_linears(adapted) == before
    assert short_names(adapted, select_linears(adapted, "attention")) == LLAMA_LIKE[0]


def test_names_match_whole_parts_alone() -> None:
    model = AutoModelForCausalLM.from_config(sized(LlamaConfig))

    assert [linear.name for linear in select_linears(model, ["layers.1.mlp.up_proj"])] == ["model.layers.1.mlp.up_proj"]
    with pytest.raises(ConfigError, match=r"proj match.* no linear in the decoder layers of LlamaForCausalLM"):
        select_linears(model, ["proj"])
    with pytest.raises(ConfigError, match=r"lm_head.*These do: down_proj, gate_proj.*presets attention, mlp, all"):
        select_linears(model, ["q_proj", "lm_head"])


def test_fused_experts_are_out_of_reach_and_say_so() -> None:
    model = AutoModelForCausalLM.from_config(sized(MixtralConfig, num_local_experts=2, num_experts_per_tok=1))

    assert short_names(model, select_linears(model, "attention")) == LLAMA_LIKE[0]
    for preset in ("mlp", "all"):
        with pytest.raises(ConfigError, match=r"does not reach the experts of Mixtral.*target_modules = 'attention'"):
            select_linears(model, preset)


def test_the_layers_of_the_largest_list_are_the_decoder() -> None:
    model = AutoModelForCausalLM.from_config(sized(LlamaConfig))
    model.tower = nn.ModuleList([nn.Sequential(nn.Linear(2, 2))] * 9)

    assert decoder_layers(model)[0] == "model.layers"


def test_a_model_without_layers_is_an_error() -> None:
    with pytest.raises(ConfigError, match="Sequential keeps no linear layers in a list of decoder layers"):
        list_linears(nn.Sequential(nn.Linear(2, 2), nn.ModuleList([nn.ReLU()])))


def test_a_preset_that_matches_nothing_is_an_error() -> None:
    model = nn.Module()
    model.layers = nn.ModuleList([nn.Sequential(nn.Linear(2, 2)) for _ in range(2)])

    assert len(select_linears(model, "mlp")) == 2
    with pytest.raises(ConfigError, match=r"target_modules = 'attention' matches nothing in Module\. Its linears are"):
        select_linears(model, "attention")


def test_random_weights_are_not_needed() -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(sized(LlamaConfig))

    assert len(list_linears(model)) == 14


@pytest.mark.parametrize("is_tied", [True, False])
def test_embedding_tables_are_those_of_tokens_positions_and_the_output(is_tied: bool) -> None:
    model = AutoModelForCausalLM.from_config(
        GPT2Config(vocab_size=64, n_embd=16, n_layer=1, n_head=2, n_positions=32, tie_word_embeddings=is_tied)
    )
    names = {
        name for name, parameter in model.named_parameters() if any(parameter is t for t in embedding_tables(model))
    }
    assert names == {"transformer.wte.weight", "transformer.wpe.weight"} | (set() if is_tied else {"lm_head.weight"})
