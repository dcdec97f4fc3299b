"""How often each language is drawn, and the order of it all."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.data.mixture import MixtureRow, order, shares, table
from codeglot.errors import ConfigError

COUNTS = st.dictionaries(st.sampled_from(["java", "lua", "perl", "python"]), st.integers(1, 30), min_size=1)
TEMPERATURES = st.sampled_from([1.0, 1.5, 3.0, 1000.0])


def languages(counts: dict[str, int]) -> list[str]:
    return [name for name, count in counts.items() for _ in range(count)]


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 10**9), min_size=1), st.floats(1, 50))
def test_shares_are_powers_of_the_counts(counts: dict[str, int], temperature: float) -> None:
    share = shares(counts, temperature=temperature)
    powers = {name: float(count) ** (1 / temperature) for name, count in counts.items()}
    assert share == pytest.approx({name: power / sum(powers.values()) for name, power in powers.items()})
    assert sum(share.values()) == pytest.approx(1)


def test_temperature_one_is_as_the_data_and_a_large_one_even() -> None:
    assert shares({"java": 30, "lua": 10}) == pytest.approx({"java": 0.75, "lua": 0.25})
    assert shares({"java": 30, "lua": 10}, temperature=1000) == pytest.approx({"java": 0.5, "lua": 0.5}, abs=1e-3)


def test_weights_are_shares_in_any_unit() -> None:
    assert shares({"java": 30, "lua": 10}, weights={"lua": 6, "java": 2}) == pytest.approx({"java": 0.25, "lua": 0.75})


def test_weights_must_name_exactly_the_languages_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no weight for lua; no example of perl"):
        shares({"java": 1, "lua": 1}, weights={"java": 1, "perl": 1})


@settings(deadline=None, max_examples=200)
@given(COUNTS, st.integers(0, 5))
def test_as_the_data_are_every_epoch_holds_every_example_once(counts: dict[str, int], seed: int) -> None:
    names = languages(counts)
    drawn = order(names, shares(counts), 3 * len(names), seed)
    for epoch in range(3):
        assert sorted(drawn[epoch * len(names) : (epoch + 1) * len(names)]) == list(range(len(names)))


@settings(deadline=None, max_examples=200)
@given(COUNTS, TEMPERATURES, st.integers(1, 300), st.integers(0, 300))
def test_a_longer_order_begins_with_the_shorter_one(
    counts: dict[str, int], temperature: float, num_draws: int, more: int
) -> None:
    names, share = languages(counts), shares(counts, temperature=temperature)
    drawn = order(names, share, num_draws, seed=1)
    assert len(drawn) == num_draws
    assert order(names, share, num_draws + more, seed=1)[:num_draws] == drawn


@settings(deadline=None, max_examples=200)
@given(COUNTS, TEMPERATURES, st.integers(1, 300))
def test_any_beginning_holds_each_language_in_its_share(
    counts: dict[str, int], temperature: float, num_draws: int
) -> None:
    names, share = languages(counts), shares(counts, temperature=temperature)
    drawn = Counter(names[place] for place in order(names, share, num_draws, seed=2))
    for name in counts:
        assert abs(drawn[name] - num_draws * share[name]) <= 1 + len(counts) * share[name]


@settings(deadline=None, max_examples=100)
@given(COUNTS, TEMPERATURES, st.integers(1, 300))
def test_no_example_comes_again_before_all_of_its_language_came(
    counts: dict[str, int], temperature: float, num_draws: int
) -> None:
    names = languages(counts)
    drawn = Counter(order(names, shares(counts, temperature=temperature), num_draws, seed=3))
    for name in counts:
        times = [drawn[place] for place in range(len(names)) if names[place] == name]
        assert max(times) - min(times) <= 1


def test_a_language_keeps_its_own_order_whatever_is_beside_it() -> None:
    together, alone = languages({"java": 20, "lua": 5}), languages({"java": 20})
    drawn = order(together, shares({"java": 20, "lua": 5}), 100, seed=4)
    java = [place for place in drawn if together[place] == "java"]
    assert order(alone, shares({"java": 20}), len(java), seed=4) == java


def test_the_seed_decides_the_order_and_nothing_else_does() -> None:
    names = languages({"java": 40, "lua": 40})
    share = shares({"java": 40, "lua": 40})
    assert order(names, share, 80, seed=5) == order(list(names), dict(share), 80, seed=5)
    assert order(names, share, 80, seed=5) != order(names, share, 80, seed=6)


def test_the_order_is_the_recorded_one_on_every_machine() -> None:
    names = languages({"java": 4, "lua": 2})
    recorded = [0, 5, 3, 1, 2, 4, 2, 3, 4, 1, 5, 0]
    assert order(names, shares({"java": 4, "lua": 2}), 12, seed=0) == recorded


def test_the_table_says_rows_tokens_share_and_epochs_of_each_language() -> None:
    assert table(["lua", "java", "java"], [5, 7, 11], [0, 0, 0, 1]) == [
        MixtureRow("java", num_examples=2, num_tokens=18, share=0.25, num_draws=1, epochs=0.5),
        MixtureRow("lua", num_examples=1, num_tokens=5, share=0.75, num_draws=3, epochs=3.0),
    ]
