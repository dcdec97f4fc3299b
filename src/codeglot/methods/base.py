"""What a method of adaptation is: settings that can put themselves on a base model, and what the loop asks of them.

A method *is* its configuration: `Lora(r=16).attach(model, languages)`. Methods do not know each other; a run composes
them in the order of its `[[methods]]`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from codeglot.config import StrictModel
from codeglot.data.batch import Batch
from codeglot.errors import ConfigError
from codeglot.regularizers.low_rank import LowRank
from codeglot.regularizers.settings import Spectral


class Stage(NamedTuple):
    """One of several trainings in a row."""

    name: str
    share: float
    """Part of the run's steps, 0 to 1; the shares of a method add up to 1."""


class Method(StrictModel):
    """One way to adapt a base model. Hooks that a method does not need stay as they are here."""

    method: str
    """Name of the method; it decides which other keys there are."""

    routes_by_language: ClassVar[bool] = False
    """Whether `route` must be open around every forward pass."""

    @property
    def text_is_code(self) -> bool:
        """Whether it routes other text as the language of the code around it."""
        return False

    is_causal: ClassVar[bool] = True
    """False for an audit mode that sees the future; generation refuses it."""
    adds_parameters: ClassVar[bool] = True
    """Whether only what the method added is trained; False for those that train the base itself."""
    usual_lr: ClassVar[float] = 3e-3
    """`optim.lr` to begin with, by AdamW on a small base; what suits a base is found by trying."""

    @abstractmethod
    def attach(self, model: nn.Module, languages: Sequence[str]) -> nn.Module:
        """Freeze the base, add this method's parameters and return the model that is trained from now on.

        Until trained, logits equal those of the base (largest absolute difference <= 1e-5 in float32).

        Args:
            model: The base, or what an earlier method made of it.
            languages: Language ids in the order of `language_ids` 1, 2, ...; append-only.

        Raises:
            ConfigError: If the settings do not fit the model, for instance a target that matches no module.
        """

    def extend(
        self,
        base: nn.Module,  # noqa: ARG002 - the interface
        folder: Path,
        before: "Method",  # noqa: ARG002 - the interface
        languages: tuple[Sequence[str], Sequence[str]],  # noqa: ARG002 - the interface
    ) -> nn.Module:
        """Put what `save` wrote on a fresh base, with parts for further languages, which alone are trained.

        Args:
            base: Or what an earlier method made of it.
            folder: That `save` wrote.
            before: The method as it was then.
            languages: Those that it was trained on, and all there are to be, which begin with them.

        Raises:
            ConfigError: If the method has no parts of single languages, or its settings have changed.
        """
        raise ConfigError(
            f"The run in {folder} was trained by '{self.method}', which has no parts that belong to one language, so "
            "it cannot be extended. Train anew on all languages; or take method = 'mole'."
        )

    def stages(self) -> tuple[Stage, ...]:
        """Trainings in a row; one for most methods."""
        return (Stage("train", 1.0),)

    def begin_stage(self, model: nn.Module, stage: str) -> None:
        """Set what is trained in a stage."""

    def prepare(self, batch: Batch, *, drops: bool = True) -> Batch:  # noqa: ARG002 - the interface
        """Change a batch before the forward pass.

        Args:
            batch: On the device of the model.
            drops: Whether to drop what is dropped at random; not where the loss itself is looked into.
        """
        return batch

    def loss(self, model: nn.Module, batch: Batch) -> Tensor | None:  # noqa: ARG002 - the interface
        """Sum (not mean) of a loss of its own over the batch's targets; None: the loop's language-model loss."""
        return None

    def forward_loss(self, model: nn.Module) -> Mapping[str, Tensor]:  # noqa: ARG002 - the interface
        """Terms that the last forward pass left behind, by name; reads and clears them. Called per micro-batch."""
        return {}

    def step_loss(self, model: nn.Module) -> Mapping[str, Tensor]:  # noqa: ARG002 - the interface
        """Terms by name, added once per optimizer step."""
        return {}

    def before_step(self, model: nn.Module) -> None:
        """After accumulation and synchronisation, before the optimizer: for instance gradients to None."""

    def after_step(self, model: nn.Module, lr_by_parameter: Mapping[nn.Parameter, float]) -> None:
        """After the optimizer: for instance a decay of its own."""

    def factors(self, model: nn.Module) -> Iterator[LowRank]:  # noqa: ARG002 - the interface
        """Its low-rank updates, for regularizers; nothing for methods that have none."""
        return iter(())

    def updates(
        self,
        model: nn.Module,
        languages: Sequence[str],  # noqa: ARG002 - the interface
    ) -> Mapping[str, Sequence[LowRank]] | None:
        """What it adds to the weights of the base, as sums of low-rank products, for software that knows no methods.

        Args:
            model: With what was trained.
            languages: Ids by number, from 1.

        Returns:
            By language, the whole change that its tokens meet, and that of other text as `other`; under the empty name
            where all tokens meet the same. None: it is no such sum.
        """
        found = tuple(self.factors(model))
        return {"": found} if found else None

    def own_regularizer(self) -> Spectral | None:
        """A regularizer of its factors that it brings along; None: what the run's `[regularizer]` says."""
        return None

    @property
    def trains_factors(self) -> bool:
        """Whether its low-rank factors are trained themselves, not computed from what is."""
        return True

    def route(self, language_ids: Tensor) -> AbstractContextManager[Any]:  # noqa: ARG002 - the interface
        """Context around a forward pass in which tokens are routed by these ids, shape (B, L)."""
        return nullcontext()

    def experts_met(self, languages: Sequence[str]) -> Sequence[Sequence[str]]:  # noqa: ARG002 - the interface
        """Names of what tokens meet, by their index into the languages, 0 for other text; of those that route."""
        return ()

    @abstractmethod
    def save(self, model: nn.Module, folder: Path) -> None:
        """Write what was trained: safetensors and JSON, nothing pickled.

        Called by `adapter.save_methods`, which makes it atomic and adds the settings and the base's fingerprint.
        """

    @abstractmethod
    def load(self, base: nn.Module, folder: Path, languages: Sequence[str]) -> nn.Module:
        """Put what `save` wrote on a fresh base, ready to generate; the inverse of `attach` and training.

        Called by `adapter.load_methods`, which has refused other bases by then.

        Raises:
            EngineError: If files are missing, damaged, or do not fit the base.
        """
