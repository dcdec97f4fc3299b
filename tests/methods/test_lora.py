import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from codeglot.errors import ConfigError, EngineError
from codeglot.methods.adapter import attach_methods, check_adapter, save_methods
from codeglot.methods.full import Full
from codeglot.methods.lora import Lora
from tests.methods.little_training import IDS, LANGUAGES, TEXT, logits, tiny, train_a_little, trained, trained_folder

OLDEST_KEYS = {
    "peft_type", "task_type", "base_model_name_or_path", "inference_mode", "r", "lora_alpha", "lora_dropout",
    "target_modules", "fan_in_fan_out", "bias",
}  # fmt: skip
"""Those that the first versions of PEFT know."""


def in_format(dtype: torch.dtype) -> torch.nn.Module:
    model: torch.nn.Module = tiny()
    return model.to(dtype)


def plain_peft(folder: Path, base: torch.nn.Module | None = None) -> torch.Tensor:
    """Logits of a folder that PEFT itself puts on the original base."""
    return logits(PeftModel.from_pretrained(base or tiny(), str(folder)))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize(
    "method",
    [
        Lora(),
        Lora(use_rslora=True, r=3),
        Lora(use_dora=True),
        Lora(init="pissa", r=5, lora_alpha=7.5),
        Lora(init="pissa", r=4, use_dora=True, use_rslora=True),
        Lora(name="other", target_modules=("up_proj",)),
    ],
    ids=lambda method: f"{method.init} {method.r} {method.use_dora} {method.use_rslora} {method.name}",
)
def test_the_folder_is_a_plain_adapter_that_peft_loads_on_the_original_base(method: Lora, tmp_path: Path) -> None:
    attached = trained_folder(tmp_path / "adapter", method)

    torch.testing.assert_close(plain_peft(tmp_path / "adapter"), logits(attached.model.eval()), rtol=1e-5, atol=1e-4)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@settings(deadline=None, max_examples=10)
@given(
    r=st.integers(1, 12),
    alpha=st.floats(0.5, 64),
    use_rslora=st.booleans(),
    use_dora=st.booleans(),
    init=st.sampled_from(["default", "pissa"]),
)
def test_any_settings_survive_saving_as_plain_peft(
    tmp_path_factory: pytest.TempPathFactory, *, r: int, alpha: float, use_rslora: bool, use_dora: bool, init: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    method = Lora(r=r, lora_alpha=alpha, use_rslora=use_rslora, use_dora=use_dora, init=init)
    attached = attach_methods(tiny(), [method], LANGUAGES)
    train_a_little(attached.model, lr=1e-3)
    method.save(attached.model, folder)

    expected = logits(attached.model)
    torch.testing.assert_close(plain_peft(folder), expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


def test_a_plain_lora_has_only_keys_that_the_oldest_peft_knows(tmp_path: Path) -> None:
    trained_folder(tmp_path / "plain", Lora(target_modules="attention"))
    trained_folder(tmp_path / "pissa", Lora(init="pissa", r=4, use_rslora=True))
    trained_folder(tmp_path / "new", Lora(use_rslora=True, use_dora=True))
    plain, pissa, new = (
        json.loads((tmp_path / name / "adapter_config.json").read_text()) for name in ("plain", "pissa", "new")
    )

    assert plain.keys() == pissa.keys() == OLDEST_KEYS
    assert new.keys() - OLDEST_KEYS == {"use_rslora", "use_dora"}
    assert plain["target_modules"] == ["k_proj", "o_proj", "q_proj", "v_proj"]
    assert (plain["r"], plain["lora_alpha"], plain["bias"]) == (8, 16, "none")
    assert pissa["r"] == 8
    assert set(plain) <= set(LoraConfig().to_dict())


def test_pissa_trains_the_largest_singular_vectors() -> None:
    model = attach_methods(tiny(), [Lora(init="pissa", r=4, target_modules=("q_proj",))], LANGUAGES).model
    layer: Any = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    weight = tiny().get_submodule("model.layers.0.self_attn.q_proj").weight

    found = layer.scaling["default"] * layer.lora_B["default"].weight @ layer.lora_A["default"].weight

    u, s, vh = torch.linalg.svd(weight)
    torch.testing.assert_close(found, (u[:, :4] * s[:4]) @ vh[:4], rtol=0, atol=1e-5)


def test_pissa_needs_a_rank_that_every_weight_has() -> None:
    with pytest.raises(ConfigError, match=r"r = 17 is above the rank of model.*k_proj \(16 x 32\)"):
        attach_methods(tiny(), [Lora(init="pissa", r=17)], LANGUAGES)


def test_an_untrained_pissa_is_saved_as_no_change(tmp_path: Path) -> None:
    method = Lora(init="pissa", r=4)
    method.save(attach_methods(tiny(), [method], LANGUAGES).model, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")

    for name in (key for key in tensors if "lora_A" in key):
        assert (tensors[name.replace("lora_A", "lora_B")] @ tensors[name]).abs().max() < 1e-6


def test_the_rank_stabilized_scale_is_by_the_root() -> None:
    plain = next(Lora(r=4, lora_alpha=8).factors(trained(Lora(r=4, lora_alpha=8)).model))
    stable = next(Lora(r=4, lora_alpha=8).factors(trained(Lora(r=4, lora_alpha=8, use_rslora=True)).model))

    assert (plain.scale, stable.scale) == (2.0, 4.0)


def test_two_on_one_linear_have_updates_of_two_names() -> None:
    methods = [Lora(r=2, name="one", target_modules=["q_proj"]), Lora(r=2, name="two", target_modules=["q_proj"])]
    model = attach_methods(tiny(), methods, LANGUAGES).model

    names = [low_rank.name for method in methods for low_rank in method.factors(model)]

    assert len(names) == len(set(names))
    assert names[0].endswith("q_proj.one")


def test_factors_have_shapes_and_names_of_the_base_and_carry_gradients() -> None:
    base = tiny()
    model = attach_methods(tiny(), [Lora(r=3, init="pissa")], LANGUAGES).model

    for module, a_RI, b_OR, *_ in Lora(r=3, init="pissa").factors(model):
        num_out, num_in = base.get_parameter(f"{module}.weight").shape
        assert (a_RI.shape, b_OR.shape) == ((6, num_in), (num_out, 6))
        (b_OR @ a_RI).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_adapter_weights_are_float32_on_a_16_bit_base(dtype: torch.dtype, tmp_path: Path) -> None:
    method = Lora(r=2)
    attached = attach_methods(in_format(dtype), [method], LANGUAGES)

    trainable = {parameter.dtype for parameter in attached.model.parameters() if parameter.requires_grad}
    frozen = {parameter.dtype for parameter in attached.model.parameters() if not parameter.requires_grad}
    assert (trainable, frozen) == ({torch.float32}, {dtype})
    assert torch.equal(logits(attached.model), logits(in_format(dtype)))
    method.save(attached.model, tmp_path)
    assert {tensor.dtype for tensor in load_file(tmp_path / "adapter_model.safetensors").values()} == {torch.float32}


def test_pissa_on_a_16_bit_base_comes_back_within_its_rounding(tmp_path: Path) -> None:
    def base() -> torch.nn.Module:
        return tiny().bfloat16()

    attached = trained(Lora(init="pissa", r=4), base=base)
    save_methods(attached, tmp_path / "adapter")

    assert check_adapter(base, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 0.05


def test_two_loras_add_up_and_both_are_trained(tmp_path: Path) -> None:
    methods = (Lora(name="one", r=2, target_modules="attention", init="pissa"), Lora(name="two", r=4, lora_alpha=4))
    attached = trained(*methods)
    patched = tiny()
    for method in methods:
        for module, a_RI, b_OR, scale, _ in method.factors(attached.model):
            patched.get_parameter(f"{module}.weight").data += scale * (b_OR @ a_RI).detach()

    names = {name.split(".")[-2] for name, parameter in attached.model.named_parameters() if parameter.requires_grad}
    assert names == {"one", "two"}
    torch.testing.assert_close(logits(attached.model.eval()), logits(patched), rtol=1e-5, atol=1e-4)


def test_a_second_lora_of_one_name_is_an_error() -> None:
    model = Lora(name="one").attach(tiny(), LANGUAGES)

    with pytest.raises(ConfigError, match="LoRA named 'one' in the model already; give this one another name"):
        Lora(name="one").attach(model, LANGUAGES)
    with pytest.raises(ConfigError, match="'full' trains the base model itself; it cannot follow an adapter"):
        Full().attach(model, LANGUAGES)


def test_a_target_that_matches_nothing_is_an_error_that_names_what_does() -> None:
    with pytest.raises(ConfigError, match=r"q_prj match.*LlamaForCausalLM\. Did you mean q_proj\?.*gate_proj, k_proj"):
        attach_methods(tiny(), [Lora(target_modules=("v_proj", "q_prj"))], LANGUAGES)


def test_transposed_linears_are_adapted_too(tmp_path: Path) -> None:
    def base() -> GPT2LMHeadModel:
        torch.manual_seed(0)
        config = GPT2Config(vocab_size=300, n_positions=64, n_embd=32, n_layer=2, n_head=4, initializer_range=0.3)
        return GPT2LMHeadModel(config).eval()

    attached = attach_methods(base(), [Lora(init="pissa", r=4), Lora(name="two", target_modules="mlp")], LANGUAGES)
    torch.testing.assert_close(logits(attached.model), logits(base()), rtol=0, atol=1e-4)
    train_a_little(attached.model)
    save_methods(attached, tmp_path / "adapter")

    assert check_adapter(base, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 1e-5


def test_a_folder_that_lacks_a_factor_is_an_error(tmp_path: Path) -> None:
    Lora(r=2).save(trained(Lora(r=2)).model, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, tmp_path / "adapter_model.safetensors")

    with pytest.raises(EngineError, match="missing adapter keys"):
        Lora(r=2).load(tiny(), tmp_path, LANGUAGES)
    with pytest.raises(EngineError, match=r"lacks base_model\.model\..*lora_A"):
        Lora(r=2).load(Lora(name="first").attach(tiny(), LANGUAGES), tmp_path, LANGUAGES)


def test_dropout_acts_in_training_alone() -> None:
    model = trained(Lora(lora_dropout=0.5)).model

    assert torch.equal(logits(model.eval()), logits(model))
    assert not torch.equal(logits(model.train()), logits(model))


def test_attaching_is_decided_by_the_seed() -> None:
    def factors(seed: int) -> list[torch.Tensor]:
        base = tiny()
        torch.manual_seed(seed)
        return [low_rank.a_RI for low_rank in Lora().factors(attach_methods(base, [Lora()], LANGUAGES).model)]

    first, again, other = factors(3), factors(3), factors(4)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("methods", [(Lora(name="one", init="pissa"), Lora(name="two", use_dora=True))])
def test_pissa_and_dora_do_not_share_a_linear(methods: tuple[Lora, Lora]) -> None:
    for order in (methods, methods[::-1]):
        with pytest.raises(ConfigError, match=r"q_proj cannot carry one LoRA with use_dora and another with init"):
            attach_methods(tiny(), order, LANGUAGES)


def test_pissa_and_dora_go_together_on_different_linears(tmp_path: Path) -> None:
    methods = (
        Lora(name="one", init="pissa", target_modules="attention"),
        Lora(name="two", use_dora=True, target_modules="mlp"),
    )
    attached = trained(*methods)
    save_methods(attached, tmp_path / "adapter")

    assert check_adapter(tiny, tmp_path / "adapter", attached, IDS[0].tolist(), TEXT) < 1e-5


@pytest.mark.parametrize("name", ["lora", "a", "ra", "", "Two", "a.b", "default weight"])
def test_a_name_that_peft_would_mistake_is_an_error(name: str) -> None:
    with pytest.raises(ValidationError, match=r"cannot name an adapter|should match pattern"):
        Lora(name=name)
