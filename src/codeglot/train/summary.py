"""What a training came to: the file `training.json` of a run folder. No torch here: reports read it."""

from pydantic import Field

from codeglot.config import StrictModel


class TrainingSummary(StrictModel):
    """`training.json`: what a training came to."""

    num_trainable: int = Field(ge=1)
    """Parameters that were trained."""
    num_steps: int
    num_examples: int
    languages: tuple[str, ...]
    """Programming languages of the examples."""
    num_tokens: int
    """Tokens that went through the model, prompts included, padding not."""
    num_target_tokens: int
    """Tokens trained on."""
    cpu_s: float
    """CPU seconds of the training steps, without validation."""
    wall_s: float
    gpu_s: float
    """Seconds of accelerators in training steps, all together; 0 on a CPU."""
    best_step: int | None
    """Step whose state is the adapter, by validation; None: the last one."""
    best_metric: float | None
    """pass@1 on the validation problems then, 0 to 1."""
