"""What the run file says about the base model. No torch here: a run file is checked without it."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.micro import recipe

BUNDLED = recipe.names()
"""Names of the bases that come with this package."""


class Base(StrictModel):
    """`[base]`: the model whose completions are judged, and what is put on it."""

    model: str = Field(min_length=1)
    """Folder with config.json, tokenizer and safetensors; id of such a model on the hub (`owner/name`); or `micro` or
    `nano`, the bundled bases. A folder that happens to be called `micro` is named as `./micro`."""
    revision: str | None = None
    """Branch, tag or commit of a model of the hub; None: its main branch."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the weights in memory; `auto`: as they were saved."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it runs; `auto`: the accelerator where there is one."""
    chat_template: Path | None = None
    """Jinja file that takes the place of the tokenizer's chat template, for bases that have none; None: as it is."""
    adapter: Path | None = None
    """Folder of what was trained on it: the `adapter` of a run, or any PEFT adapter; None: the base alone."""
