"""What makes a training the one it is: a checkpoint of another one must not be continued."""

import json
from collections.abc import Sequence
from hashlib import sha256

from torch import nn

from codeglot.methods.base import Method
from codeglot.models.fingerprint import fingerprint
from codeglot.optim.settings import Optim
from codeglot.train.settings import CHANGES_NOTHING, Train


def of(
    model: nn.Module, methods: Sequence[Method], *, train: Train, optim: Optim, languages: Sequence[str]
) -> dict[str, str]:
    """Parts of the identity, by the words for them in messages; before anything is trained."""
    return {
        "the settings of [train] and [optim]": _hash(
            [train.model_dump(mode="json", exclude=set(CHANGES_NOTHING)), optim.model_dump(mode="json")]
        ),
        "the methods": _hash([method.model_dump(mode="json") for method in methods]),
        "the languages": _hash(list(languages)),
        "the base model": _hash(fingerprint(model, frozen_only=True).model_dump()),
    }


def _hash(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def flat(train: Train, optim: Optim) -> dict[str, str | float]:
    """Settings as trackers show them: one value per dotted name."""
    sections = {"train": train.model_dump(mode="json"), "optim": optim.model_dump(mode="json")}
    return {
        f"{section}.{key}": value if isinstance(value, int | float | str) else json.dumps(value)
        for section, table in sections.items()
        for key, value in table.items()
    }
