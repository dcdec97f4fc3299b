"""The run file: what one run is made of. Every section is the configuration of one room."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from codeglot.config import StrictModel
from codeglot.data.settings import Data
from codeglot.errors import ConfigError
from codeglot.jobs.sections import Evaluate, Generate, Validation
from codeglot.models.settings import Base
from codeglot.optim.settings import Optim
from codeglot.regularizers.settings import Spectral
from codeglot.train.settings import Train

SEEDS = range(2**31)
"""What every generator of random numbers takes."""


def _parse_methods(tables: Any) -> Any:
    """Tables -> methods; what they are made of needs torch, so it is imported only when there are any."""
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        return tables
    try:
        return import_module("codeglot.methods.registry").parse(tables) if tables else ()
    except ConfigError as error:
        _, *faults = str(error).splitlines()
        raise ValueError("\n".join(faults).strip()) from None


class RunFile(StrictModel):
    """One run. Training needs `[base]`, `[data]`, `[[methods]]` and `[train]`; judging needs `[evaluate]`."""

    seed: int = Field(default=0, ge=SEEDS.start, lt=SEEDS.stop)
    """Every random choice follows from it."""
    base: Base | None = None
    """The model, where this machine runs it."""
    data: Data | None = None
    """What is trained on."""
    methods: Annotated[tuple[SerializeAsAny[StrictModel], ...], BeforeValidator(_parse_methods)] = ()
    """How the base is adapted: tables with a key `method`, attached in this order."""
    extends: Path | None = None
    """Folder of a finished run of the same methods, which gets experts for the languages of this one's data; nothing
    else of it changes. None: the training begins anew."""
    regularizer: Spectral | None = None
    """A penalty on the low-rank updates of methods that bring none of their own; None: no other."""
    optim: Optim | None = None
    """The optimizer and its rate."""
    train: Train | None = None
    """How long, and in what batches."""
    validation: Validation | None = None
    """Problems that are tried while training; None: the last state is the one that is kept."""
    generate: Generate | None = None
    """Who writes the completions, and how."""
    evaluate: Evaluate | None = None
    """The problems, and how answers are judged."""


def _refuse_unjudgeable(base: Base | None, generate: Generate, evaluate: Evaluate | None) -> None:
    if (generate.engine == "huggingface") != (base is not None):
        raise ValueError(
            f"[base] names the model of the engine 'huggingface', and generate.engine is '{generate.engine}'; "
            "give both or neither"
        )
    if too_large := [k for k in evaluate.k if not 1 <= k <= generate.num_samples] if evaluate else []:
        raise ValueError(
            f"evaluate.k = {too_large} needs 1 <= k <= generate.num_samples = {generate.num_samples}; "
            "pass@k is undefined beyond the samples drawn"
        )


class EvaluationRun(RunFile):
    """A run file that says what is judged."""

    generate: Generate
    evaluate: Evaluate

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        _refuse_unjudgeable(self.base, self.generate, self.evaluate)
        return self


class TrainingRun(RunFile):
    """A run file that says what is trained."""

    base: Base
    data: Data
    methods: Annotated[tuple[SerializeAsAny[StrictModel], ...], BeforeValidator(_parse_methods), Field(min_length=1)]
    optim: Optim
    train: Train

    is_trial: ClassVar[bool] = False
    """Whether `[evaluate]` gives no result, and only chooses between settings; it may ask what `[validation]` does."""

    @model_validator(mode="after")
    def _can_be_trained(self) -> Self:
        if self.base.adapter is not None:
            raise ValueError("base.adapter is for judging; a run trains its own [[methods]] on the base alone")
        self._check_regularizer()
        if self.generate:
            _refuse_unjudgeable(self.base, self.generate, self.evaluate)
        judged, tried = None if self.is_trial else self.evaluate, self.validation
        if judged and tried and judged.split == tried.split and set(judged.benchmarks) & set(tried.benchmarks):
            raise ValueError(
                f"[validation] and [evaluate] use the same split '{judged.split}'; a score on problems by which the "
                "checkpoint was chosen says nothing"
            )
        return self

    def _check_regularizer(self) -> None:
        try:
            chosen = import_module("codeglot.methods.regularizing").choose(self.methods, self.regularizer)
        except ConfigError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        if chosen is not None:
            chosen.settings.check_rate(self.optim.lr)


class TrialRun(TrainingRun):
    """A training whose score only chooses between settings: see `[tune]`."""

    is_trial: ClassVar[bool] = True
