"""The base model and its tokenizer, in memory and ready to run: nothing trained, nothing random, no foreign code."""

import logging
import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from codeglot.errors import ConfigError, EngineError
from codeglot.models.locate import locate_adapter, locate_model
from codeglot.models.settings import Base

transformers_logging.disable_progress_bar()  # a job has its own, and a log is no terminal
_log = logging.getLogger(__name__)


def _is_needed(record: logging.LogRecord) -> bool:
    """Drop transformers' table of tensors that a model does not use; `load_model` says the same in a line."""
    text = record.getMessage()
    return "LOAD REPORT" not in text or any(word in text for word in ("MISSING", "MISMATCH", "CONVERSION"))


logging.getLogger("transformers.modeling_utils").addFilter(_is_needed)


class Routing(NamedTuple):
    """How what was attached to a model is told the languages of tokens."""

    languages: tuple[str, ...]
    """Ids by index, from 1."""
    route: Callable[[Tensor], AbstractContextManager[Any]]
    """What must be open around a forward pass on tokens of these languages, shape (B, L); -1 on padding."""
    text_is_code: bool
    """Whether other text counts as the language that is asked for."""


class LoadedBase(NamedTuple):
    """A model in evaluation mode, its tokenizer, and where it runs."""

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    routing: Routing | None = None
    """None: nothing on it is routed by language."""

    @property
    def num_positions(self) -> int | None:
        """Tokens that the model can tell the places of; None: any number."""
        found: int | None = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return found


def load_base(base: Base) -> LoadedBase:
    """Load what the run file names; code that comes with a model is never run.

    Raises:
        ConfigError: If a setting cannot hold on this machine.
        EngineError: If the model, its tokenizer or its adapter is missing, unsafe or incomplete.
    """
    device = _device(base)
    adapter = locate_adapter(base.adapter.expanduser()) if base.adapter else None
    folder = locate_model(base)
    tokenizer = _read_tokenizer(folder, base.chat_template)
    model = load_model(folder, base.dtype, device)
    with_adapter = put_adapter_on(model, adapter) if adapter else model
    return LoadedBase(with_adapter.eval(), tokenizer, device)


def _device(base: Base) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if base.device == "cuda" and not has_cuda:
        raise ConfigError("base.device = 'cuda', but torch finds no such device here. Set base.device to auto or cpu.")
    return accelerator(torch.cuda.device_count()) if base.device != "cpu" and has_cuda else torch.device("cpu")


def accelerator(num_devices: int) -> torch.device:
    """The accelerator of this process: each that torchrun or `accelerate launch` starts on a machine has its own.

    Args:
        num_devices: Of this machine that this process sees; one, where the launcher shows each process its own.
    """
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % num_devices)


def load_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """The tokenizer alone.

    Raises:
        EngineError: If it, or the model that it belongs to, is missing or incomplete.
    """
    return _read_tokenizer(locate_model(base), base.chat_template)


def _read_tokenizer(folder: Path, chat_template: Path | None) -> PreTrainedTokenizerBase:
    try:
        template = None if chat_template is None else chat_template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"base.chat_template = '{chat_template}' cannot be read: {error}. Name a Jinja file, as the "
            "chat_template.jinja of a model that is tuned for chat."
        ) from error
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EngineError(f"The tokenizer in {folder} cannot be loaded: {error} Copy its files again.") from error
    if template is not None:
        tokenizer.chat_template = template
    return tokenizer


def load_model(folder: Path, dtype: str, device: torch.device) -> PreTrainedModel:
    """Load the weights of a model folder, and nothing that is not in it.

    Args:
        folder: What transformers' save_pretrained wrote.
        dtype: Number format in memory; `auto`: as they were saved.
        device: Where to.

    Raises:
        EngineError: If weights are missing, damaged or too large, or transformers does not know the model.
    """
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            device_map=device,
            output_loading_info=True,
        )
    except torch.OutOfMemoryError as error:
        raise EngineError(f"The model in {folder} does not fit into the memory of {device}: {error}") from error
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise EngineError(
            f"The model in {folder} cannot be loaded: {error} It must be a causal language model that the installed "
            "transformers knows by itself; code that comes with a model is not run."
        ) from error
    model: PreTrainedModel
    model, info = loaded
    if absent := sorted(info["missing_keys"]):
        raise EngineError(
            f"The weights in {folder} lack {len(absent)} tensor(s) that its config.json asks for ({_some(absent)}); "
            "they would be random. Copy the model again, or correct config.json."
        )
    if unused := sorted(info["unexpected_keys"]):
        _log.warning("%s holds %d tensor(s) that the model does not use: %s", folder, len(unused), _some(unused))
    return model


def put_adapter_on(model: Any, folder: Path, name: str = "default") -> PeftModel:
    """Load a PEFT adapter, frozen; adapters that are there already stay active beside it.

    Args:
        model: The base that it was trained on, or what earlier adapters made of it.
        folder: What PEFT's save_pretrained wrote.
        name: Name of the adapter in the model.

    Raises:
        EngineError: If files are missing, damaged, or do not fit the model.
    """
    locate_adapter(folder)
    with warnings.catch_warnings():
        # PEFT only warns when a part of the adapter stays as it was initialized.
        warnings.filterwarnings("error", message="Found missing adapter keys", category=UserWarning)
        # PEFT 0.21 reads an attribute that transformers 5 has renamed.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        try:
            if not isinstance(model, PeftModel):
                return PeftModel.from_pretrained(model, str(folder), adapter_name=name, is_trainable=False)
            if missing := model.load_adapter(str(folder), adapter_name=name, is_trainable=False).missing_keys:
                raise EngineError(f"The adapter {folder} lacks {_some(sorted(missing))}. Copy it again.")
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, UserWarning) as error:
            raise EngineError(
                f"The adapter {folder} does not fit the base model: {error} Give the base model that it was trained on."
            ) from error
    tuner: Any = model.base_model
    tuner.set_adapter(list(model.peft_config), inference_mode=True)
    return model


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
