"""Ranks, scales and slices of experts, and what each kind of token meets."""

from typing import get_args

import pytest

from codeglot.methods.mole.experts import ExpertType, Init, Sizes, list_experts, list_sets

LANGUAGES = ("c", "java", "javascript", "cpp", "go", "rust", "python", "csharp")
PUBLISHED = Sizes(r=16, lora_alpha=16, shared_r=48, shared_alpha=32, other_alpha=32, r_by_language={})
EARLIER = Sizes(r=8, lora_alpha=16, shared_r=56, shared_alpha=32, other_alpha=32, r_by_language={})


@pytest.mark.parametrize(("sizes", "expected"), [(PUBLISHED, (4.0, 4.6188, 4.0)), (EARLIER, (5.657, 4.276, 4.0))])
def test_updates_are_scaled_by_alpha_over_the_root_of_the_rank(
    sizes: Sizes, expected: tuple[float, float, float]
) -> None:
    scale = {expert.name: expert.scale for expert in list_experts("other", "shared_first", sizes, LANGUAGES)}

    assert (scale["rust"], scale["shared"], scale["other"]) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("init", get_args(Init))
@pytest.mark.parametrize("kind", get_args(ExpertType))
def test_what_a_token_meets_covers_the_leading_directions_once(kind: ExpertType, init: Init) -> None:
    experts = list_experts(kind, init, PUBLISHED, LANGUAGES)
    rows = list_sets(kind, experts, LANGUAGES)

    for label, numbers in enumerate(rows):
        if kind == "no_other" and label == 0:  # text without any code
            assert [experts[number].name for number in numbers] == ["shared"]
            continue
        covered = sorted(
            direction
            for number in numbers
            for direction in range(experts[number].first, experts[number].first + experts[number].r)
        )
        assert covered == list(range(64))


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("other", {"rust", "shared"}, {"other"}),
        ("share_other", {"rust", "shared"}, {"shared", "other"}),
        ("no_code", {"shared"}, {"other"}),
        ("no_share", {"rust"}, {"other"}),
        ("no_other", {"rust", "shared"}, {"shared"}),
    ],
)
def test_each_kind_sends_tokens_where_it_says(kind: ExpertType, code: set[str], text: set[str]) -> None:
    experts = list_experts(kind, "shared_first", PUBLISHED, LANGUAGES)
    rows = list_sets(kind, experts, LANGUAGES)

    assert {experts[number].name for number in rows[1 + LANGUAGES.index("rust")]} == code
    assert {experts[number].name for number in rows[0]} == text
    used = {number for row in rows for number in row}
    assert used == set(range(len(experts)))


def test_the_shared_expert_comes_first_or_last() -> None:
    first = {e.name: e.first for e in list_experts("other", "shared_first", PUBLISHED, LANGUAGES)}
    last = {e.name: e.first for e in list_experts("other", "shared_last", PUBLISHED, LANGUAGES)}

    assert (first["shared"], first["go"], first["other"]) == (0, 48, 0)
    assert (last["shared"], last["go"], last["other"]) == (16, 0, 0)
