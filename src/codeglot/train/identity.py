"""What makes a training the one it is: a checkpoint of another one must not be continued."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from torch import nn

from codeglot.config import StrictModel
from codeglot.errors import RunError
from codeglot.methods.base import Method
from codeglot.models.fingerprint import fingerprint
from codeglot.optim.settings import Optim
from codeglot.train.settings import CHANGES_NOTHING, Train


def of(
    model: nn.Module, methods: Sequence[Method], *, train: Train, optim: Optim, languages: Sequence[str]
) -> dict[str, str]:
    """Parts of the identity, by the words for them in messages; before anything is trained."""
    return {
        "the settings of [train] and [optim]": hash_of(
            [train.model_dump(mode="json", exclude=set(CHANGES_NOTHING)), optim.model_dump(mode="json")]
        ),
        "the methods": hash_of([method.model_dump(mode="json") for method in methods]),
        "the languages": hash_of(list(languages)),
        "the base model": hash_of(fingerprint(model, frozen_only=True).model_dump()),
    }


def hash_of(value: object) -> str:
    """A hash of settings, or of what JSON can hold."""
    if isinstance(value, StrictModel):
        value = value.model_dump(mode="json")
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def flat(train: Train, optim: Optim) -> dict[str, str | float]:
    """Settings as trackers show them: one value per dotted name."""
    sections = {"train": train.model_dump(mode="json"), "optim": optim.model_dump(mode="json")}
    return {
        f"{section}.{key}": value if isinstance(value, int | float | str) else json.dumps(value)
        for section, table in sections.items()
        for key, value in table.items()
    }


def refuse_unlike(identities: Sequence[Mapping[str, str]]) -> None:
    """Stop where processes would train something else each: rows that only some of them dropped, another file.

    Raises:
        RunError: If the identities of the processes differ.
    """
    if other := [part for part in identities[0] if len({identity[part] for identity in identities}) > 1]:
        raise RunError(
            f"The processes of this training disagree about {', '.join(other)}, and would add up gradients of "
            "different trainings. Give all of them the same run file, data and base; then run the same command again."
        )
