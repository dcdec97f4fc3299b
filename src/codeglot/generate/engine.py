"""What a generation engine is: requests in, completions out, each as soon as it is known."""

from collections.abc import Generator, Sequence
from typing import Protocol

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.data.format import Message
from codeglot.records import Completion


class GenerationRequest(StrictModel):
    """One completion to be written."""

    task_id: str
    sample: int
    prompt: str
    """Text to be continued; empty when `messages` are given."""
    messages: tuple[Message, ...] = ()
    """Chat to be answered; empty when `prompt` is to be continued."""
    language_id: str | None = None
    """Programming language that is asked for; None: not known."""
    prompt_is_code: bool = False
    """Whether `prompt` is in that language too."""
    stop: tuple[str, ...] = ()
    seed: int
    """Own seed of this completion: results do not depend on order, batch or resume."""
    prompt_hash: str
    """Copied into the completion."""


class Decoding(StrictModel):
    """How completions are drawn."""

    max_new_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    """0 is greedy decoding."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    """Nucleus of the distribution that is drawn from."""


class Engine(Protocol):
    """Writes completions; every engine passes the same contract tests."""

    device: str
    """What the environment record says: `cpu`, the accelerator, or where the answers come from."""

    def generate(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> Generator[Completion, None, None]:
        """Yield one completion per request, in any order, each as soon as it is known.

        The caller stores each one before it asks for the next, so nothing is lost when this raises.

        Raises:
            EngineError: If the model or its server cannot answer; what was yielded before stays valid.
        """
        ...
