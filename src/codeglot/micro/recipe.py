"""How a bundled base is made: its size, what it reads, for how long. One TOML file in `recipes/` per base."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from codeglot.config import StrictModel, load
from codeglot.errors import UnknownNameError

_RECIPES = resources.files("codeglot.micro") / "recipes"


class Recipe(StrictModel):
    """One base. The same recipe and the same versions of torch and the tokenizer library give the same weights."""

    seed: int = Field(default=0, ge=0, lt=2**31 - 1)
    vocab_size: int = Field(ge=300, le=65536)
    """Entries of the byte-level BPE, the end of text included."""
    num_tokenizer_texts: int = Field(ge=100, le=10_000_000)
    """Solutions and prompts, equally many of every programming and natural language, that the BPE is trained on."""
    hidden_size: int = Field(ge=16, le=65536)
    intermediate_size: int = Field(ge=16, le=1_000_000)
    num_hidden_layers: int = Field(ge=1, le=1000)
    num_attention_heads: int = Field(ge=1)
    max_position_embeddings: int = Field(ge=64, le=10_000_000)
    rope_theta: float = Field(gt=0)
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    """Examples per optimizer step."""
    optimizer: str = "adamw"
    """A name for `optim.name`."""
    lr: float = Field(gt=0)
    min_lr_share: float = Field(ge=0, le=1)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    max_length: int = Field(ge=32)
    """Tokens of a packed row."""
    languages: dict[str, float] = Field(min_length=1)
    """Share of each programming language; one that is missing is never read."""
    natural_languages: dict[str, float] = Field(min_length=1)
    """Share of each natural language of the prompts; one that is missing is never read."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.hidden_size % (2 * self.num_attention_heads):
            raise ValueError(
                f"hidden_size = {self.hidden_size} cannot be divided by num_attention_heads = "
                f"{self.num_attention_heads} into heads of an even width"
            )
        if self.max_length > self.max_position_embeddings:
            raise ValueError(
                f"max_length = {self.max_length} is above max_position_embeddings = {self.max_position_embeddings}"
            )
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps = {self.warmup_steps} is above steps = {self.steps}")
        return self


def names() -> tuple[str, ...]:
    """Names of all bundled bases."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _RECIPES.iterdir() if file.name.endswith(".toml")))


def read_recipe(name: str) -> Recipe:
    """The recipe of a bundled base.

    Raises:
        UnknownNameError: If there is no such base.
        ConfigError: If its file is malformed.
    """
    if name not in names():
        raise UnknownNameError("bundled base", name, names())
    return load(Recipe, Path(str(_RECIPES / f"{name}.toml")))


def assets(name: str) -> Path:
    """Folder of a bundled base's weights and tokenizer; it may be missing."""
    folder: Traversable = resources.files("codeglot.micro") / "assets" / name
    return Path(str(folder))
