"""Which experts does a mixture have, how large is each, where does it start, and which of them does a token meet?

Every expert starts as a slice of the leading singular directions of the weight, so that what a token meets covers all
of them once: then each token meets the same rank, whatever it is. No torch here.

Source: Zong et al. 2025, MoLE, arXiv:2506.18923; code: https://github.com/uw-swag/mole at 479d544.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Literal, NamedTuple

ExpertType = Literal["other", "share_other", "no_code", "no_share", "no_other"]
Init = Literal["shared_first_exact", "shared_first", "shared_last", "std_zero"]
SHARED, OTHER = "shared", "other"
"""Names of the experts that are no language's."""
_LANGUAGE = "language"


class _Sets(NamedTuple):
    """Kinds of experts that a token meets."""

    code: tuple[str, ...]
    text: tuple[str, ...]


_SETS: Mapping[ExpertType, _Sets] = {
    "other": _Sets((SHARED, _LANGUAGE), (OTHER,)),
    "share_other": _Sets((SHARED, _LANGUAGE), (SHARED, OTHER)),
    "no_code": _Sets((SHARED,), (OTHER,)),
    "no_share": _Sets((_LANGUAGE,), (OTHER,)),
    "no_other": _Sets((SHARED, _LANGUAGE), (SHARED, _LANGUAGE)),
}


class Sizes(NamedTuple):
    """Ranks and strengths as the settings give them."""

    r: int
    lora_alpha: float
    shared_r: int
    shared_alpha: float
    other_alpha: float
    r_by_language: Mapping[str, int]


class Expert(NamedTuple):
    """One expert of every adapted linear."""

    name: str
    """Language id, `shared` or `other`."""
    r: int
    alpha: float
    first: int
    """The leading singular direction that it starts from; it takes `r` of them."""

    @property
    def is_of_a_language(self) -> bool:
        """Whether it is that of one language."""
        return self.name not in {SHARED, OTHER}

    @property
    def scale(self) -> float:
        """By which B A is multiplied: rank-stabilized."""
        return self.alpha / sqrt(self.r)


def list_experts(kind: ExpertType, init: Init, sizes: Sizes, languages: Sequence[str]) -> tuple[Expert, ...]:
    """Experts of the languages in their order, then those for all.

    Args:
        kind: What code and other text meet.
        init: Who comes first among the singular directions.
        sizes: Ranks; where a token meets one expert alone, that has the rank of two.
        languages: Ids in the order of `language_ids` 1, 2, ...
    """
    code, text = _SETS[kind]
    whole = sizes.r + sizes.shared_r
    ranks = {
        _LANGUAGE: sizes.r if SHARED in code else whole,
        SHARED: sizes.shared_r if _LANGUAGE in code else whole,
        OTHER: sizes.r if SHARED in text else whole,
    }
    small_first = 0 if init == "shared_last" else sizes.shared_r
    shared_first = sizes.r if init == "shared_last" and ranks[SHARED] < whole else 0
    experts: list[Expert] = []
    if _LANGUAGE in code:
        first = small_first if SHARED in code else 0
        own = {**dict.fromkeys(languages, ranks[_LANGUAGE]), **sizes.r_by_language}
        experts += [Expert(language, own[language], sizes.lora_alpha, first) for language in languages]
    if SHARED in code:
        experts.append(Expert(SHARED, ranks[SHARED], sizes.shared_alpha, shared_first))
    if OTHER in text:
        experts.append(Expert(OTHER, ranks[OTHER], sizes.other_alpha, small_first if SHARED in text else 0))
    return tuple(experts)


def list_sets(kind: ExpertType, experts: Sequence[Expert], languages: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Numbers of the experts that a token meets, by its index into the languages, 0 for other text.

    Text whose language nobody knows meets the shared expert alone where there is none for other text.
    """
    numbers = {expert.name: number for number, expert in enumerate(experts)}
    code, text = _SETS[kind]
    rows = [tuple(numbers[name] for name in text if name in numbers)]
    rows += [
        tuple(
            numbers[language if name == _LANGUAGE else name]
            for name in code
            if name != _LANGUAGE or language in numbers
        )
        for language in languages
    ]
    return tuple(rows)


def text_is_code(kind: ExpertType) -> bool:
    """Whether other text meets the expert of the language of its example."""
    return _LANGUAGE in _SETS[kind].text
