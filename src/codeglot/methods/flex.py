"""FLeX: LoRA with a penalty on the high frequencies of its factors, as published, as released, and in forms that work.

What is saved is a plain LoRA. Each preset is `lora` with a `[regularizer]` of its own; any key of both can be set.

Source: Narasimhan 2026, FLeX, arXiv:2604.06253; code: https://github.com/gaurav8936/FLeX at b01ea23. Where the paper,
its code and these presets differ is told in docs/methods/flex.md.
"""

from typing import Literal

from pydantic import Field

from codeglot.methods.lora import Lora
from codeglot.regularizers.settings import LARGEST, Spectral


class PaperSpectral(Spectral):
    """The formula of the paper with its strength, attached to the weights.

    It wipes an adapter out: lambda is about a hundred times what a training can bear in this normalisation.
    """

    spectrum: Literal["two_sided", "one_sided"] = "one_sided"
    """As published: frequencies that come in pairs count once."""
    fft_norm: Literal["ortho", "backward", "energy_ratio"] = "backward"
    """As published: the penalty grows with the size of a tensor."""
    reduction: Literal["sum", "mean"] = "mean"
    """As released: the mean over tensors."""
    strength: float | None = Field(default=0.02, ge=0, le=LARGEST)
    """As published."""
    warmup_share: float = Field(default=0.0, ge=0, le=1)
    """As released: none."""


class AsReleasedSpectral(PaperSpectral):
    """The published code: the tensor is detached before the transform, so the value is logged and changes nothing."""

    mode: Literal["as_released"] = "as_released"
    """As released; with a gradient it is `flex_paper`."""


class DeltaWSpectral(Spectral):
    """The update B A itself over both of its axes: it does not depend on how the product is factored."""

    target: Literal["factors", "delta_w"] = "delta_w"
    """The product."""
    layout: Literal["flatten", "feature_axis", "fft2", "dct2"] = "fft2"
    """Both axes."""


class DecoupledSpectral(Spectral):
    """A decay after the optimizer's step, which Adam does not rescale and clipping does not see."""

    mode: Literal["loss", "decoupled", "as_released"] = "decoupled"
    """After the step."""


class Flex(Lora):
    """LoRA with a spectral penalty in a form that works: orthonormal, both sides, summed over tensors."""

    method: Literal["flex"] = "flex"  # type: ignore[assignment]
    regularizer: Spectral = Spectral()
    """The penalty; its keys are those of `[regularizer]`."""

    def own_regularizer(self) -> Spectral:
        """The penalty of this preset."""
        return self.regularizer


class FlexPaper(Flex):
    """LoRA with the penalty as published, and a gradient. Destructive: for audits."""

    method: Literal["flex_paper"] = "flex_paper"  # type: ignore[assignment]
    regularizer: PaperSpectral = PaperSpectral()
    """The penalty; its keys are those of `[regularizer]`, its defaults those of the paper."""


class FlexAsReleased(Flex):
    """LoRA with the penalty of the published code, which has no gradient: plain LoRA, bit for bit. For audits."""

    method: Literal["flex_as_released"] = "flex_as_released"  # type: ignore[assignment]
    regularizer: AsReleasedSpectral = AsReleasedSpectral()
    """The penalty; its keys are those of `[regularizer]`, its defaults those of the released code."""


class FlexDw(Flex):
    """LoRA with a penalty on the two-dimensional spectrum of the update B A itself."""

    method: Literal["flex_dw"] = "flex_dw"  # type: ignore[assignment]
    regularizer: DeltaWSpectral = DeltaWSpectral()
    """The penalty; its keys are those of `[regularizer]`."""


class FlexDecoupled(Flex):
    """LoRA whose factors' high frequencies decay after every step of the optimizer."""

    method: Literal["flex_decoupled"] = "flex_decoupled"  # type: ignore[assignment]
    regularizer: DecoupledSpectral = DecoupledSpectral()
    """The decay; its keys are those of `[regularizer]`."""
