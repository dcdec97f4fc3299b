"""Changes on top of tables."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeglot.config import apply, overlay
from codeglot.errors import ConfigError

names = st.sampled_from(["a", "b", "c"])
trees = st.recursive(st.integers(0, 9), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=8)
tables = st.dictionaries(names, trees, max_size=3)


@given(tree=tables, path=st.lists(names, min_size=1, max_size=3), value=st.integers(10, 99))
def test_a_dotted_key_does_what_the_command_lines_override_does(tree: Any, path: list[str], value: int) -> None:
    key = ".".join(path)
    try:
        expected = apply(tree, [f"{key}={value}"])
    except ConfigError:
        with pytest.raises(ConfigError, match=key):
            overlay(tree, {key: value})
        return
    assert overlay(tree, {key: value}) == expected


@given(tree=tables, changes=tables)
def test_tables_are_merged_and_what_they_do_not_name_stays(tree: Any, changes: Any) -> None:
    def merged(under: Any, over: Any) -> Any:
        if not isinstance(under, dict) or not isinstance(over, dict):
            return over
        return {key: merged(under.get(key, {}), over[key]) if key in over else under[key] for key in {**under, **over}}

    before = repr(tree)
    assert overlay(tree, changes) == merged(tree, changes)
    assert repr(tree) == before


def test_a_number_is_a_place_in_a_list() -> None:
    tree = {"methods": [{"r": 1}, {"r": 2}], "values": [1, 2]}
    assert overlay(tree, {"methods.1.r": 5, "values.0": 7}) == {"methods": [{"r": 1}, {"r": 5}], "values": [7, 2]}


@pytest.mark.parametrize("key", ["methods.2.r", "methods.x.r", "values.9", "values.0.r", "seed.x"])
def test_a_key_that_leads_nowhere_is_named(key: str) -> None:
    with pytest.raises(ConfigError, match=f"'{key}'"):
        overlay({"methods": [{"r": 1}], "values": [1], "seed": 3}, {key: 1})


def test_bare_dotted_keys_of_a_file_reach_into_lists_too() -> None:
    """TOML reads `methods.1.r = 5` as nested tables."""
    tree = {"methods": [{"r": 1, "name": "a"}, {"r": 2, "name": "b"}], "values": [1, 2]}
    changed = overlay(tree, {"methods": {"1": {"r": 5}}, "values": {"0": 7}})
    assert changed == {"methods": [{"r": 1, "name": "a"}, {"r": 5, "name": "b"}], "values": [7, 2]}
    with pytest.raises(ConfigError, match=r"'methods\.4'"):
        overlay(tree, {"methods": {"4": {"r": 5}}})
