"""Sections of the run file that belong to no single room: who writes completions, and what judges them."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from codeglot.config import StrictModel
from codeglot.data.format import PromptStyle
from codeglot.execute.levels.choose import AUTO, SandboxName
from codeglot.generate.engine import Decoding
from codeglot.generate.names import EngineName
from codeglot.generate.openai_engine import OpenAIServer
from codeglot.records import Limits


class Generate(Decoding):
    """`[generate]`: who writes the completions, and how."""

    engine: EngineName
    """`reference`: canonical solutions; `mutated`: the same, broken (a control that must fail); `completions`: a file;
    `openai`: any server of that protocol; `huggingface`: the model of `[base]`."""
    style: PromptStyle = PromptStyle.COMPLETION
    """`completion` for base models, which continue the prompt; `chat` for models that follow instructions."""
    num_samples: int = Field(default=1, ge=1)
    """Completions per problem; more than one needs a temperature."""
    batch_size: int = Field(default=16, ge=1)
    """Prompts at once on this machine's model."""
    completions: Path | None = None
    """File of somebody else's generations, for the engine `completions`."""
    openai: OpenAIServer | None = None
    """The server, for the engine `openai`."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.num_samples > 1 and self.temperature == 0 and self.engine in {"openai", "huggingface"}:
            raise ValueError(
                f"{self.num_samples} samples of greedy decoding are all alike; set temperature, for instance 0.8"
            )
        for name in ("completions", "openai"):
            if (self.engine == name) != (getattr(self, name) is not None):
                raise ValueError(
                    f"the engine '{name}' and the setting '{name}' need each other, and one is missing; give both "
                    "or neither (`--completions FILE`, `--base-url URL` and `--model NAME` on the command line)"
                )
        return self


class Judging(StrictModel):
    """Where programs are judged; none of it changes a verdict."""

    sandbox: SandboxName = AUTO
    """Isolation level; `auto`: the strongest that this machine can start. `process` is unsafe: it isolates nothing."""
    warm: bool = True
    """Whether compilers and interpreters are kept ready between programs; samples show that no verdict changes."""
    cluster: str | None = Field(default=None, min_length=1)
    """Address of a Ray cluster whose nodes judge, as `auto` or `HOST:PORT`; None: this machine."""
    slots: int | None = Field(default=None, ge=1, le=1024)
    """Programs at once, on each node of a cluster; None: one per core."""
    reuse: bool = True
    """Whether the verdict of an equal program is taken from the log in the cache folder; `executions.jsonl` then says
    `attempts = 0`. Time and memory limits are always judged anew."""


class Evaluate(Judging):
    """`[evaluate]`: the problems, and how answers are judged."""

    benchmarks: tuple[str, ...] = Field(min_length=1)
    """Names of benchmarks."""
    languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Programming languages; of several benchmarks, each is asked in those that it has. None: all that they have."""
    natural_languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Codes of the prompts' languages, where a benchmark has several; None: all of those."""
    split: str | None = None
    """Part of the benchmark; None: the part that the field reports."""
    data: Path | None = None
    """Folder (or file) of benchmark data; None: `CODEGLOT_DATA`, else the Hugging Face hub."""
    num_problems: int | None = Field(default=None, ge=1)
    """Only the first this many problems of each benchmark and language; None: all."""
    k: tuple[int, ...] = Field(default=(1,), min_length=1)
    """Each k of pass@k, none above `generate.num_samples`."""
    limits: Limits = Limits()
    """What a program may use, where its problem does not say."""

    @field_validator("benchmarks", "k")
    @classmethod
    def _are_different(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        if repeated := sorted({str(value) for value in values if values.count(value) > 1}):
            raise ValueError(f"{', '.join(repeated)} stands there more than once; name each once")
        return values


class Validation(Evaluate):
    """`[validation]`: pass@1 while training, by which the best checkpoint is kept. No score is reported on these."""

    split: str = "validation"
    """Part of the benchmarks; never one that `[evaluate]` scores."""
    every: int = Field(ge=1)
    """Optimizer steps from one validation to the next; one always follows the last step."""

    k: tuple[int, ...] = (1,)
    """Nothing but pass@1: each problem gets one greedy answer."""

    @field_validator("k")
    @classmethod
    def _is_pass_at_1(cls, k: tuple[int, ...]) -> tuple[int, ...]:
        if k != (1,):
            raise ValueError(f"{list(k)} has no effect, since each problem gets one greedy answer; leave it out")
        return k
