import subprocess
import sys

import pytest

from codeglot.errors import ConfigError, UnknownNameError
from codeglot.methods import registry
from codeglot.methods.base import Method
from codeglot.methods.full import Full
from codeglot.methods.lora import Lora


@pytest.mark.parametrize("name", registry.METHODS)
def test_every_name_is_a_method_that_bears_it(name: str) -> None:
    method = registry.get(name)

    assert issubclass(method, Method)
    assert method.model_validate({"method": name}).method == name


def test_an_unknown_method_is_named_with_what_is_near() -> None:
    with pytest.raises(
        UnknownNameError, match=r"Unknown method 'lroa'. Did you mean 'lora'\? Known: flex, .*full, lora"
    ):
        registry.get("lroa")


def test_tables_become_methods_in_their_order() -> None:
    tables: list[dict[str, object]] = [
        {"method": "lora", "name": "one", "r": 2},
        {"method": "lora", "name": "two", "target_modules": ["q_proj"]},
    ]

    assert registry.parse(tables) == (Lora(name="one", r=2), Lora(name="two", target_modules=("q_proj",)))
    assert registry.parse([{"method": "full"}]) == (Full(),)


def test_all_mistakes_of_all_tables_are_in_one_message() -> None:
    tables: list[dict[str, object]] = [
        {"method": "lora", "r": 0, "lora_alfa": 3},
        {"method": "lroa"},
        {"r": 3},
        {"method": "lora", "init": "x"},
    ]

    with pytest.raises(ConfigError) as raised:
        registry.parse(tables, source="run.toml")

    lines = str(raised.value).splitlines()
    assert lines[0] == "run.toml has 5 problem(s):"
    assert any("methods.0.r: Input should be greater than or equal to 1; it is 0" in line for line in lines)
    assert any("methods.0.lora_alfa: unknown key; did you mean 'lora_alpha'?" in line for line in lines)
    assert any("methods.1.method: Unknown method 'lroa'" in line for line in lines)
    assert any("methods.2.method: each table of [[methods]] names its method" in line for line in lines)
    assert any("methods.3.init" in line for line in lines)


@pytest.mark.parametrize("value", ["atention", "", [], [""]])
def test_targets_that_are_no_preset_and_no_names_are_an_error_that_lists_the_presets(value: object) -> None:
    with pytest.raises(ConfigError, match="one of the presets attention, mlp, all, or a list of names of modules"):
        registry.parse([{"method": "lora", "target_modules": value}])


def test_training_the_base_itself_goes_with_no_other_method() -> None:
    with pytest.raises(ConfigError, match="'full' trains the base model itself, so it cannot be combined"):
        registry.parse([{"method": "lora"}, {"method": "full"}])


def test_two_of_a_kind_need_names() -> None:
    with pytest.raises(ConfigError, match=r"'lora' is there more than once as 'default'; give each a name"):
        registry.parse([{"method": "lora"}, {"method": "lora", "r": 2}])


def test_two_mixtures_cannot_be_told_apart() -> None:
    with pytest.raises(ConfigError, match="'mole' is there more than once, and one run has one; leave the others out"):
        registry.parse([{"method": "mole"}, {"method": "mole", "r": 2}])


def test_the_list_of_methods_imports_no_torch() -> None:
    code = "import sys, codeglot.methods.registry; print('torch' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "False"
