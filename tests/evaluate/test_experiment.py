"""Scores, changes and transfer of arms, against the slow forms."""

from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeglot.errors import DataError
from codeglot.evaluate.experiment import Group, Outcome, compare_arms, mean_of_groups
from codeglot.evaluate.seeds import change_interval
from codeglot.evaluate.statistics import holm, permutation_test

LANGUAGES = ("ada", "basic", "cobol")


def outcome(
    arm: str, seed: int | None, rng: np.random.Generator, sizes: tuple[int, ...] = (4, 6, 5), **more: Any
) -> Outcome:
    values = {
        Group("mine", natural, language): {f"{language}/{natural}/{i}": float(rng.random() < 0.5) for i in range(size)}
        for natural in ("en", "de")
        for language, size in zip(LANGUAGES, sizes, strict=True)
    }
    return Outcome(arm, seed, values, **more)


@st.composite
def experiments(draw: st.DrawFn) -> list[Outcome]:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    seeds = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True))
    base: list[int | None] = [None] if draw(st.booleans()) else list(seeds)
    rows = [outcome("base", seed, rng) for seed in base] + [outcome("arm", seed, rng) for seed in seeds]
    return draw(st.permutations(rows))


@settings(deadline=None, max_examples=25)
@given(rows=experiments())
def test_scores_and_changes_are_means_over_problems_languages_and_seeds(rows: list[Outcome]) -> None:
    found = compare_arms(rows, "base")
    by_arm = {name: {o.seed: o for o in rows if o.arm == name} for name in ("base", "arm")}
    for figure in found.figures:
        languages = [figure.language_id] if figure.language_id else list(LANGUAGES)
        seeds = sorted(by_arm[figure.arm], key=lambda s: -1 if s is None else s)
        slow = [
            mean(
                mean(by_arm[figure.arm][s].values[Group("mine", figure.natural_language, x)].values())
                for x in languages
            )
            for s in seeds
        ]
        assert figure.by_seed == pytest.approx(slow)
        assert figure.pass_at_1 == pytest.approx(mean(slow))
        assert figure.sd == (pytest.approx(stdev(slow), abs=1e-12) if len(slow) > 1 else None)
    for change in found.changes:
        assert change.arm == "arm"
        languages = [change.language_id] if change.language_id else list(LANGUAGES)
        strata = []
        for x in languages:
            group = Group("mine", change.natural_language, x)
            strata.append(
                np.array([
                    [
                        theirs.values[group][task]
                        - by_arm["base"].get(seed, by_arm["base"].get(None, theirs)).values[group][task]
                        for task in theirs.values[group]
                    ]
                    for seed, theirs in sorted(by_arm["arm"].items(), key=lambda pair: pair[0] or 0)
                ])
            )  # fmt: skip
        assert change.by_seed == pytest.approx(list(np.mean([s.mean(axis=1) for s in strata], axis=0)))
        assert change.interval == pytest.approx(change_interval(strata))
        assert change.p == pytest.approx(
            permutation_test([float(v) / s.shape[1] for s in strata for v in s.mean(axis=0)]), abs=1e-9
        )


@settings(deadline=None, max_examples=15)
@given(rows=experiments())
def test_holm_covers_languages_and_means_apart(rows: list[Outcome]) -> None:
    changes = compare_arms(rows, "base").changes
    single = [row for row in changes if row.language_id is not None]
    assert len(single) == 6
    assert [row.adjusted_p for row in single] == pytest.approx(holm([row.p for row in single]))
    means = [row for row in changes if row.language_id is None]
    assert [row.adjusted_p for row in means] == pytest.approx(holm([row.p for row in means]))


def test_only_seeds_that_both_arms_have_are_paired() -> None:
    rng = np.random.default_rng(1)
    rows = [outcome("base", seed, rng) for seed in (0, 1)] + [outcome("arm", seed, rng) for seed in (1, 2, 3)]
    found = compare_arms(rows, "base")
    assert {len(change.by_seed) for change in found.changes} == {1}
    assert {len(figure.by_seed) for figure in found.figures if figure.arm == "arm"} == {3}
    with pytest.raises(DataError, match="share no finished seed"):
        compare_arms([rows[0], rows[3]], "base")


def test_transfer_splits_languages_by_what_was_trained_on() -> None:
    rng = np.random.default_rng(2)
    rows = [
        outcome("base", None, rng),
        outcome("one", 0, rng, trained=("basic",)),
        outcome("all", 0, rng, trained=LANGUAGES),
        outcome("foreign", 0, rng, trained=("delphi",)),
    ]
    found = compare_arms(rows, "base")
    english = {row.arm: row for row in found.transfer if row.natural_language == "en"}
    changes = {(row.arm, row.language_id): row.mean for row in found.changes if row.natural_language == "en"}
    assert set(english) == {"one", "all", "foreign"}
    assert english["one"].on_trained == pytest.approx(changes["one", "basic"])
    assert english["one"].on_others == pytest.approx(mean([changes["one", "ada"], changes["one", "cobol"]]))
    assert (english["all"].on_others, english["all"].others) == (None, ())
    assert (english["foreign"].on_trained, english["foreign"].others) == (None, LANGUAGES)


def test_cells_with_other_problems_and_a_missing_baseline_are_refused() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(DataError, match="other problems"):
        compare_arms([outcome("base", None, rng), outcome("arm", 0, rng, (4, 6, 9))], "base")
    with pytest.raises(DataError, match="baseline 'base'"):
        compare_arms([outcome("arm", 0, rng)], "base")


def test_one_language_has_no_mean_over_languages() -> None:
    values = {Group("mine", "en", "ada"): {"a": 1.0, "b": 0.0}}
    found = compare_arms([Outcome("base", None, values), Outcome("arm", 0, values)], "base")
    assert [figure.language_id for figure in found.figures] == ["ada", "ada"]


def test_tuning_weighs_every_group_alike() -> None:
    values = {Group("m", "en", "a"): {"1": 1.0}, Group("m", "en", "b"): {"1": 0.0, "2": 0.0, "3": 1.0}}
    assert mean_of_groups(values) == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize(("better", "direction"), [(1.0, 1), (0.0, -1), (0.5, 0)])
def test_direction_says_on_which_side_of_zero_the_interval_lies(better: float, direction: int) -> None:
    group = Group("mine", "en", "ada")
    base = {str(i): 0.5 for i in range(60)}
    found = compare_arms(
        [Outcome("base", None, {group: base}), Outcome("arm", 0, {group: dict.fromkeys(base, better)})], "base"
    )
    assert found.changes[0].direction == direction


def test_means_over_languages_take_forms_of_one_problem_together() -> None:
    rng = np.random.default_rng(6)
    same = {str(i): float(rng.random() < 0.5) for i in range(40)}
    better = {key: max(value, float(rng.random() < 0.3)) for key, value in same.items()}

    def cell(arm: str, seed: int | None, answers: dict[str, float], **more: Any) -> Outcome:
        values = {Group("m", "en", x): {f"{x}/{key}": v for key, v in answers.items()} for x in LANGUAGES}
        return Outcome(arm, seed, values, trained=("ada",) if seed is not None else (), **more)

    origins = {f"{x}/{key}": f"m/{key}" for x in LANGUAGES for key in same}
    found = compare_arms([cell("base", None, same), cell("arm", 0, better, origins=origins)], "base")
    for rows in (found.figures[:4], found.figures[4:], found.changes):
        assert rows[0].language_id is None
        assert rows[0].interval == pytest.approx(rows[1].interval)
    assert found.changes[0].p == pytest.approx(found.changes[1].p)
    assert found.transfer[0].on_others_interval == pytest.approx(found.changes[1].interval)
    apart = compare_arms([cell("base", None, same), cell("arm", 0, better)], "base")
    assert apart.changes[1:] == found.changes[1:]
    assert np.diff(apart.changes[0].interval) < 0.7 * np.diff(found.changes[0].interval)
