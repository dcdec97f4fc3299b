"""Settings: what is accepted, and how mistakes are told."""

import json
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from codeglot.config import StrictModel, apply, build, load, mistakes, read_tree
from codeglot.errors import ConfigError


class Inner(StrictModel):
    rank: int = Field(default=8, gt=0)
    cutoff: float = 0.5


class Outer(StrictModel):
    seed: int = 0
    method: Inner = Inner()
    names: tuple[str, ...] = ()


def write(folder: Path, text: str, name: str = "run.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_and_overrides_make_one_object(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = 1\n[method]\nrank = 4\n")
    assert load(Outer, path, ["method.cutoff=1e-4", 'names=["a", "b"]']) == Outer(
        seed=1, method=Inner(rank=4, cutoff=1e-4), names=("a", "b")
    )


def test_json_is_read_by_its_suffix(tmp_path: Path) -> None:
    path = write(tmp_path, Outer(seed=3).model_dump_json(), "config.json")
    assert load(Outer, path) == Outer(seed=3)


def test_all_mistakes_are_told_at_once_each_by_its_dotted_key(tmp_path: Path) -> None:
    path = write(tmp_path, 'sed = 1\nseed = "x"\n[method]\nrank = 0\ncutof = 1\n')
    with pytest.raises(ConfigError) as caught:
        load(Outer, path)
    text = str(caught.value)
    assert "4 problem(s)" in text
    assert "method.rank: Input should be greater than 0" in text
    assert "method.cutof: unknown key; did you mean 'cutoff'?" in text
    assert "sed: unknown key; did you mean 'seed'?" in text
    assert "seed: Input should be a valid integer" in text


def test_a_mistake_names_the_value_but_never_one_that_a_check_of_ours_keeps_back() -> None:
    class Keyed(StrictModel):
        rank: int = 1
        names: tuple[str, ...] = ()
        key: str = ""

        @field_validator("key")
        @classmethod
        def _is_short(cls, key: str) -> str:
            raise ValueError("too long for a key")

    with pytest.raises(ConfigError) as caught:
        build(Keyed, {"rank": "x" * 99, "names": 7, "key": "secret", "kay": 1}, source="here")
    text = str(caught.value)
    assert "; it is 'xxxx" in text
    assert "names: Input should be a list; it is 7" in text
    assert "key: too long for a key\n" in text
    assert "secret" not in text
    assert max(map(len, text.splitlines())) < 160


def test_a_mistake_of_the_whole_table_stands_without_a_key() -> None:
    class Paired(StrictModel):
        low: int = 0
        high: int = 0

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    class Holder(StrictModel):
        pair: Paired = Paired()

    with pytest.raises(ConfigError, match=r"^here has 1 problem\(s\):\n  low is above high$"):
        build(Paired, {"low": 1}, source="here")
    with pytest.raises(ConfigError, match=r"\n  pair: low is above high$"):
        build(Holder, {"pair": {"low": 1}}, source="here")
    with pytest.raises(ValidationError) as caught:
        Paired.model_validate({"low": 1})
    assert mistakes(caught.value, "methods.0") == ["methods.0: low is above high"]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_infinity_and_nan_are_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="cutoff: Input should be a finite number; it is"):
        build(Inner, {"cutoff": value}, source="here")


def test_true_is_no_number_and_is_told_beside_other_mistakes() -> None:
    with pytest.raises(ConfigError, match=r"rank: a number is needed, not true or false") as caught:
        build(Inner, {"rank": True, "cutoff": "x", "zzz": 1}, source="here")
    assert "has 3 problem(s)" in str(caught.value)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\r\n")
    assert load(Outer, path) == Outer(seed=3)


def test_an_unknown_key_near_nothing_lists_what_is_known() -> None:
    with pytest.raises(ConfigError, match=r"zzz: unknown key \(known: rank, cutoff\)"):
        build(Inner, {"zzz": 1}, source="here")


@pytest.mark.parametrize("override", ["seed", "=3", "seed.deeper=1"])
def test_a_malformed_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="verride"):
        apply({"seed": 1}, [override])


def test_a_word_needs_no_quotes() -> None:
    assert apply({}, ["base.model=my/model"]) == {"base": {"model": "my/model"}}


def test_overrides_leave_the_tree_they_were_given_alone() -> None:
    tree = {"method": {"rank": 1}}
    apply(tree, ["method.rank=2"])
    assert tree == {"method": {"rank": 1}}


@pytest.mark.parametrize(
    ("name", "text"), [("run.toml", "seed = = 1"), ("run.json", "{"), ("list.json", "[1]"), ("deep.json", "[" * 10**5)]
)
def test_a_malformed_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_tree(write(tmp_path, text, name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_tree(tmp_path / "nowhere.toml")


@given(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False), st.lists(st.text()))
def test_what_is_written_as_json_is_a_valid_settings_tree(seed: int, cutoff: float, names: list[str]) -> None:
    outer = Outer(seed=seed, method=Inner(cutoff=cutoff), names=tuple(names))
    assert build(Outer, json.loads(outer.model_dump_json()), source="here") == outer


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Inner().rank = 3  # type: ignore[misc]
