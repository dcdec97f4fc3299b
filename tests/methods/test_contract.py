"""What every method promises; a new name in METHODS is tested with no new test."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from codeglot.data.batch import Batch
from codeglot.errors import EngineError
from codeglot.methods import registry
from codeglot.methods.adapter import Attached, attach_methods, check_adapter, load_methods
from codeglot.methods.base import Method
from codeglot.methods.lora import Lora
from tests.methods.little_training import IDS, LANGUAGES, TEXT, logits, tiny, train_a_little, trained, trained_folder

NARROW: dict[str, dict[str, int]] = {"mole": {"r": 4, "shared_r": 12}}
"""What the tiny model is too narrow for otherwise."""
SMALL = {"r": 2, "shared_r": 4}
VARIANTS: dict[str, Method] = {
    **{name: registry.get(name).model_validate({"method": name, **NARROW.get(name, {})}) for name in registry.METHODS},
    "lora attention": Lora(target_modules="attention"),
    "lora mlp": Lora(target_modules="mlp"),
    "lora by name": Lora(target_modules=("q_proj", "mlp.down_proj"), name="one"),
    "lora dropout": Lora(lora_dropout=0.5),
    "rslora": Lora(use_rslora=True),
    "dora": Lora(use_dora=True),
    "pissa": Lora(init="pissa", r=4),
    "pissa by iteration": Lora(init="pissa_niter_4", r=4),
    "pissa, rslora": Lora(init="pissa", r=4, use_rslora=True),
    "pissa, dora": Lora(init="pissa", r=4, use_dora=True),
    **{
        f"mole {kind} {init}": registry.get("mole").model_validate({"expert_type": kind, "init": init, **SMALL})
        for kind in ("other", "share_other", "no_code", "no_share", "no_other")
        for init in ("shared_first_exact", "shared_first", "shared_last")  # the fourth moves too little in two steps
        if kind != "no_other" or init == "shared_first_exact"
    },
    "mole shared a": registry.get("mole").model_validate({"share_a": True, **SMALL}),
    "mole everywhere": registry.get("mole").model_validate({"target_modules": "all", **SMALL}),
}
ADDING = [name for name, method in VARIANTS.items() if method.adds_parameters]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Attached]]:
    """The adapter folder of every variant, and the model that it was saved from."""
    root = tmp_path_factory.mktemp("adapters")
    return {
        name: (root / str(number), trained_folder(root / str(number), method))
        for number, (name, method) in enumerate(VARIANTS.items())
    }


@pytest.fixture(scope="module")
def reloaded(folders: dict[str, tuple[Path, Attached]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Logits of every folder, loaded by another process."""
    out = tmp_path_factory.mktemp("logits") / "logits.safetensors"
    code = (
        "import sys; from pathlib import Path; from safetensors.torch import save_file\n"
        "from codeglot.methods.adapter import load_methods\n"
        "from tests.methods.little_training import logits, tiny\n"
        "save_file({f: logits(load_methods(tiny(), Path(f)).model) for f in sys.argv[2:]}, sys.argv[1])\n"
    )
    paths = [str(folder) for folder, _ in folders.values()]
    subprocess.run([sys.executable, "-c", code, str(out), *paths], check=True, cwd=Path(__file__).parents[2])
    found = load_file(out)
    return {name: found[str(folder)] for name, (folder, _) in folders.items()}


def assert_same_logits(found: Tensor, expected: Tensor) -> None:
    """Equal up to 1e-5 of the largest logit: PiSSA keeps a weight as a sum of two, which rounds."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * max(1.0, float(expected.abs().max())))


@pytest.mark.parametrize("name", VARIANTS)
def test_attaching_changes_nothing_until_trained(name: str) -> None:
    expected = logits(tiny())

    attached = attach_methods(tiny(), [VARIANTS[name]], LANGUAGES)

    assert_same_logits(logits(attached.model), expected)
    assert not any(module.training for module in attached.model.modules())


@pytest.mark.parametrize("name", registry.METHODS)
def test_by_default_logits_are_equal_to_a_hundred_thousandth(name: str) -> None:
    attached = attach_methods(tiny(), [VARIANTS[name]], LANGUAGES)

    torch.testing.assert_close(logits(attached.model), logits(tiny()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ADDING)
def test_only_what_the_method_added_is_trained(name: str) -> None:
    model = tiny()
    base = {id(parameter) for parameter in model.parameters()}

    attached = attach_methods(model, [VARIANTS[name]], LANGUAGES)
    trainable = {id(parameter) for parameter in attached.model.parameters() if parameter.requires_grad}
    before = {key: value.clone() for key, value in attached.model.state_dict().items()}
    train_a_little(attached.model)
    after = attached.model.state_dict()

    assert trainable
    assert not trainable & base
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert changed
    assert all("lora" in key or "experts" in key for key in changed)


@pytest.mark.parametrize("name", VARIANTS)
def test_saved_and_loaded_in_a_new_process_it_computes_the_same(
    name: str, folders: dict[str, tuple[Path, Attached]], reloaded: dict[str, Tensor]
) -> None:
    assert_same_logits(reloaded[name], logits(folders[name][1].model.eval()))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_trained_adapter_changes_the_output(name: str, reloaded: dict[str, Tensor]) -> None:
    assert (reloaded[name] - logits(tiny())).abs().max() > 1e-2


@pytest.mark.parametrize("name", VARIANTS)
def test_another_base_is_refused(name: str, folders: dict[str, tuple[Path, Attached]]) -> None:
    with pytest.raises(EngineError, match=r"another base model: the one given has other values\. Set base\.model"):
        load_methods(tiny(seed=5), folders[name][0])


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_loaded_is_frozen_and_in_evaluation_mode(name: str, folders: dict[str, tuple[Path, Attached]]) -> None:
    loaded = load_methods(tiny(), folders[name][0])

    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert not any(module.training for module in loaded.model.modules())
    assert loaded.methods == (VARIANTS[name],)
    assert loaded.languages == LANGUAGES


@pytest.mark.parametrize("name", VARIANTS)
def test_the_saved_folder_passes_its_own_check(name: str, folders: dict[str, tuple[Path, Attached]]) -> None:
    folder, attached = folders[name]

    assert check_adapter(tiny, folder, attached, IDS[0].tolist(), TEXT) < 1e-4


@pytest.mark.parametrize("name", VARIANTS)
def test_the_hooks_of_the_loop_run_through_a_step(name: str) -> None:
    method = VARIANTS[name]
    model = attach_methods(tiny(), [method], LANGUAGES).model.train()
    ones = torch.ones_like(IDS)
    batch = Batch(input_ids=IDS, labels=IDS, language_ids=ones, attention_mask=ones, position_ids=None)

    assert sum(stage.share for stage in method.stages()) == pytest.approx(1.0)
    for stage in method.stages():
        method.begin_stage(model, stage.name)
        prepared = method.prepare(batch)
        with method.route(prepared.language_ids):
            loss = method.loss(model, prepared)
            loss = model(input_ids=IDS, labels=IDS).loss if loss is None else loss
            for term in (*method.forward_loss(model).values(), *method.step_loss(model).values()):
                loss = loss + term
        loss.backward()
        trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
        has_gradient = [parameter.grad is not None for parameter in trainable]
        assert any(has_gradient) if method.routes_by_language else all(has_gradient)
        method.before_step(model)
        method.after_step(model, dict.fromkeys(trainable, 1e-3))


@pytest.mark.parametrize("name", [name for name in ADDING if "dora" not in name])  # lengths are no such update
def test_low_rank_factors_are_the_whole_change_of_the_weight(name: str) -> None:
    method = VARIANTS[name]
    attached = trained(method)
    factors = list(method.factors(attached.model))
    patched = tiny()
    for module, a_RI, b_OR, scale, _ in factors:
        patched.get_parameter(f"{module}.weight").data += scale * (b_OR @ a_RI).detach()

    assert factors
    assert_same_logits(logits(patched), logits(attached.model.eval()))


@pytest.mark.parametrize("name", VARIANTS)
def test_settings_are_the_method(name: str) -> None:
    method = VARIANTS[name]

    assert registry.parse([method.model_dump(mode="json")]) == (method,)
