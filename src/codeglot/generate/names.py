"""Who can write completions. Nothing is imported here, so that the command line answers at once."""

from typing import Literal, get_args

EngineName = Literal["reference", "mutated", "completions", "openai", "huggingface"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
