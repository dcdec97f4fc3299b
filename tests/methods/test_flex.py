import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from codeglot.config import build
from codeglot.errors import ConfigError
from codeglot.jobs.runfile import TrainingRun
from codeglot.methods.flex import Flex, FlexPaper
from codeglot.methods.lora import Lora
from codeglot.methods.registry import get, parse
from codeglot.regularizers.settings import Spectral
from tests.methods.little_training import logits, tiny, trained_folder

PRESETS = ["flex", "flex_paper", "flex_as_released", "flex_dw", "flex_decoupled"]


def by_peft(folder: Path) -> Any:
    """The saved folder, loaded by PEFT itself."""
    with warnings.catch_warnings():
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        return PeftModel.from_pretrained(tiny(), folder)


def run_file(method: Any, **sections: Any) -> Any:
    tree = {
        "base": {"model": "micro"},
        "data": {"sources": [{"dataset": "micro", "num_examples": 1}]},
        "methods": [method],
        "optim": {"lr": 1e-3},
        "train": {"steps": 1},
    }
    return build(TrainingRun, tree | sections, source="run.toml")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_saved_is_a_plain_lora(tmp_path: Path, preset: str) -> None:
    attached = trained_folder(tmp_path, get(preset).model_validate({"method": preset}))

    model = by_peft(tmp_path)

    torch.testing.assert_close(logits(model.eval()), logits(attached.model.eval()), rtol=0, atol=1e-4)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == "LORA"


@pytest.mark.parametrize("preset", PRESETS)
def test_merged_and_unmerged_logits_differ_by_rounding(tmp_path: Path, preset: str) -> None:
    attached = trained_folder(tmp_path, get(preset).model_validate({"method": preset}))
    found = logits(by_peft(tmp_path).merge_and_unload().eval())

    assert float((found - logits(attached.model.eval())).abs().max()) < 1e-4


def test_a_key_of_a_preset_leaves_its_others() -> None:
    (method,) = parse([{"method": "flex_paper", "regularizer": {"strength": 0.01}}])
    assert isinstance(method, FlexPaper)
    changed = {"spectrum": "one_sided", "fft_norm": "backward", "reduction": "mean", "strength": 0.01}
    expected = Spectral(warmup_share=0.0, **changed)
    assert method.regularizer.model_dump() == expected.model_dump()


def test_every_preset_is_lora_but_for_its_regularizer() -> None:
    lora = Lora(r=3).model_dump(exclude={"method"})
    for preset in PRESETS:
        method = get(preset).model_validate({"method": preset, "r": 3})
        assert isinstance(method, Flex)
        assert method.model_dump(exclude={"method", "regularizer"}) == lora


def test_a_preset_takes_a_ratio_in_the_place_of_its_strength() -> None:
    run_file({"method": "flex_paper", "regularizer": {"auto_ratio": 0.05}})


@pytest.mark.parametrize(
    ("method", "sections", "message"),
    [
        ({"method": "flex"}, {"regularizer": {}}, r"\[regularizer\] and the method 'flex' bring a regularizer each"),
        ({"method": "full"}, {"regularizer": {}}, "is for low-rank updates, and full has none"),
        (
            {"method": "flex", "regularizer": {"phi_low": 2}},
            {},
            "methods.0.regularizer: phi_low = 2 makes rho negative",
        ),
        ({"method": "flex", "regularizer": {"threshold": 0}}, {}, "methods.0.regularizer.threshold"),
        ({"method": "lora"}, {"regularizer": {"threshold": 2}}, "regularizer.threshold"),
        (
            {"method": "flex_decoupled", "regularizer": {"strength": 2000}},
            {},
            r"lr 0.001 x strength 2000 x max\(rho\) 0.9 = 1.8",
        ),
        ({"method": "lora"}, {"regularizer": {"mode": "decoupled", "strength": 2000}}, "it must be below 1"),
        ({"method": "flex_as_released", "regularizer": {"mode": "loss"}}, {}, "regularizer.mode: Input should be"),
        ({"method": "flex_paper", "regularizer": {"auto_ratio": 0.1, "strength": 0.1}}, {}, "give it alone"),
        ({"method": "flex", "init": "pissa"}, {}, "which it would penalise"),
        ({"method": "mole"}, {"regularizer": {}}, "those of 'mole' begin at parts of the weight"),
        (
            {"method": "flex_decoupled", "init": "pissa"},
            {},
            "those of 'flex_decoupled' begin at parts of the weight",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_run_file(method: Any, sections: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run_file(method, **sections)


def test_a_section_is_taken_with_a_low_rank_method() -> None:
    assert run_file({"method": "lora"}, regularizer={"strength": 0.1}).regularizer == Spectral(strength=0.1)
