"""Where a model's files lie: a folder that is complete and safe to load, or one error that says what is wrong.

A model of the hub is brought into the hub's cache first, so everything after this page reads a local folder.
Weights are safetensors only: a pickle can run code when it is loaded.
"""

import json
import logging
import re
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from codeglot.errors import ConfigError, EngineError
from codeglot.micro import recipe
from codeglot.models.settings import BUNDLED, Base

_log = logging.getLogger(__name__)

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
_HTTP_ERROR = cast("type[Exception]", HfHubHTTPError.__bases__[0])
"""Base class of the hub client's own HTTP library, which one depends on its version."""
_NEEDED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
_NOT_NEEDED = ["*/*", "consolidated*"]
"""Subfolders hold other formats; `consolidated` files are the same weights a second time."""
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "*.tiktoken")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_INDEX = "model.safetensors.index.json"


def locate_model(base: Base, hub: HfApi | None = None) -> Path:
    """Return the folder of `base.model`, downloaded if it is on the hub, with nothing missing.

    Args:
        base: What the run file says.
        hub: Client of the hub; None: the one that the environment describes (`HF_ENDPOINT`, `HF_TOKEN`, ...).

    Raises:
        ConfigError: If the name can be neither a folder nor a model of the hub, or a setting has no effect.
        EngineError: If the model or a file of it is not there, or is a pickle.
    """
    # A bundled name wins over a folder of that name: what a run file means must not depend on the working directory.
    folder = recipe.assets(base.model) if base.model in BUNDLED else Path(base.model).expanduser()
    if base.revision is not None and (base.model in BUNDLED or folder.is_dir()):
        raise ConfigError(
            f"base.revision = '{base.revision}' has no effect on {folder}, which is a folder. "
            "Leave it out, or name a model of the hub."
        )
    if base.model in BUNDLED:
        _check_bundled(base.model, folder)
    elif not folder.is_dir():
        folder = _download(base, hub or HfApi())
    _check_model(folder)
    _log.info("The base model is read from %s", folder)
    return folder


def _check_bundled(name: str, folder: Path) -> None:
    if not folder.is_dir():
        hint = f" To use the folder '{name}' of the working directory, write './{name}'." if Path(name).is_dir() else ""
        raise EngineError(
            f"The bundled base '{name}' is not in this installation ({folder} is missing). "
            f"Build it with `codeglot pretrain-micro`, or install the package again.{hint}"
        )


def locate_adapter(folder: Path) -> Path:
    """Return `folder` if it holds a PEFT adapter that is safe to load.

    Raises:
        EngineError: If it, or a file of it, is not there, or is a pickle.
    """
    if not folder.is_dir():
        raise EngineError(
            f"base.adapter = '{folder}' is not a folder here. Give the folder that PEFT's save_pretrained wrote."
        )
    if not (folder / "adapter_config.json").is_file():
        raise EngineError(
            f"The adapter {folder} has no adapter_config.json. Give the folder that PEFT's save_pretrained wrote."
        )
    if not (folder / "adapter_model.safetensors").is_file():
        _refuse_pickles(folder, "adapter")
        raise EngineError(
            f"The adapter {folder} has no adapter_model.safetensors. Save it again with PEFT's save_pretrained."
        )
    return folder


def _download(base: Base, hub: HfApi) -> Path:
    if not _HUB_ID.fullmatch(base.model):
        raise ConfigError(
            f"base.model = '{base.model}' is not a folder here, and cannot be a model of the hub. "
            "Give an existing folder, or an id such as 'owner/name'."
        )
    close = get_close_matches(base.model, BUNDLED, n=1)
    hint = f"Did you mean the bundled base '{close[0]}'? " if close else ""
    place = f"'{base.model}'" + (f" at revision '{base.revision}'" if base.revision else "")
    try:
        found = hub.snapshot_download(
            base.model, revision=base.revision, allow_patterns=_NEEDED, ignore_patterns=_NOT_NEEDED
        )
    except GatedRepoError as error:
        raise EngineError(
            f"The model {place} on {hub.endpoint} is gated. Ask for access on its page, then give a token in HF_TOKEN."
        ) from error
    except RepositoryNotFoundError as error:
        raise EngineError(
            f"base.model = {place} is neither a folder here nor a model on {hub.endpoint}. "
            f"{hint}Correct the name; a private model needs a token in HF_TOKEN."
        ) from error
    except RevisionNotFoundError as error:
        raise EngineError(
            f"The model {place} has no such revision on {hub.endpoint}. Give a branch, tag or commit of it."
        ) from error
    except (HFValidationError, EntryNotFoundError, _HTTP_ERROR, OSError) as error:
        raise EngineError(
            f"base.model = {place} is not a folder here, and could not be brought from {hub.endpoint}: "
            f"{_first_line(error)} {hint}Check the network, or download the model elsewhere and give its folder."
        ) from error
    return Path(found)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return text if text.endswith(".") else f"{text}."


def _check_model(folder: Path) -> None:
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = (
            "It looks like an adapter: name it in base.adapter. " if (folder / "adapter_config.json").is_file() else ""
        )
        raise EngineError(
            f"The model folder {folder} has no config.json. {hint}"
            "Give the folder that transformers' save_pretrained wrote."
        ) from error
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder / 'config.json'} cannot be read: {error}. Copy the model again.") from error
    if not any(next(folder.glob(pattern), None) for pattern in _TOKENIZERS):
        raise EngineError(
            f"The model folder {folder} has no tokenizer (one of {', '.join(_TOKENIZERS)}). "
            "Copy the tokenizer's files of the base model into it."
        )
    _check_weights(folder)


def _check_weights(folder: Path) -> None:
    index = folder / _INDEX
    if index.is_file():
        try:
            shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"{index} is not an index of weights: {error!r}. Copy the model again.") from error
        if missing := [name for name in shards if not (folder / name).is_file()]:
            raise EngineError(
                f"The model folder {folder} lacks {len(missing)} of {len(shards)} files of weights: "
                f"{', '.join(missing)}. Copy or download the model again."
            )
    elif not (folder / "model.safetensors").is_file():
        _refuse_pickles(folder, "model")
        raise EngineError(
            f"The model folder {folder} has no weights (model.safetensors or {_INDEX}). Copy the model again."
        )


def _refuse_pickles(folder: Path, kind: str) -> None:
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        raise EngineError(
            f"The {kind} folder {folder} has weights only as pickles ({', '.join(pickles)}), which can run code "
            "when loaded, so they are refused. Look for a revision with safetensors, or convert them once where that "
            "is safe: loading and save_pretrained with transformers or PEFT writes safetensors."
        )
