"""Training every weight of the base model: what an adapter is measured against."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from peft import PeftModel
from torch import nn

from codeglot.errors import ConfigError
from codeglot.methods.base import Method
from codeglot.models.load import load_model


class Full(Method):
    """Every parameter of the base is trained, in float32; what is saved is a model folder of transformers.

    It adds no parameters, so it is exempt from the rule that only what a method added is trained.
    """

    method: Literal["full"] = "full"

    adds_parameters: ClassVar[bool] = False
    usual_lr: ClassVar[float] = 3e-4

    def attach(self, model: nn.Module, languages: Sequence[str]) -> nn.Module:  # noqa: ARG002 - the interface
        """Make all weights trainable, in float32: steps smaller than a 16-bit weight can show would be lost."""
        if isinstance(model, PeftModel):
            raise ConfigError("The method 'full' trains the base model itself; it cannot follow an adapter.")
        if getattr(model, "is_quantized", False):
            raise ConfigError("The method 'full' cannot train quantized weights. Load the base in 16 or 32 bits.")
        return model.float().requires_grad_(requires_grad=True)

    def save(self, model: Any, folder: Path) -> None:
        """Write config.json and float32 weights, as save_pretrained does."""
        model.save_pretrained(folder)

    def load(self, base: nn.Module, folder: Path, languages: Sequence[str]) -> nn.Module:  # noqa: ARG002 - the interface
        """Return the trained model, in the number format of its file, where the base is; the base stays as it was."""
        device = next(base.parameters()).device
        model: nn.Module = load_model(folder, "auto", device).eval()
        return model
