"""Which regularizer a training has, and the methods whose factors it is for."""

from collections.abc import Sequence
from typing import NamedTuple

from codeglot.errors import ConfigError
from codeglot.methods.base import Method
from codeglot.regularizers.settings import Spectral


class Regularizing(NamedTuple):
    """A regularizer and what it is for."""

    settings: Spectral
    methods: tuple[Method, ...]
    """Those whose low-rank factors are penalised."""


def choose(methods: Sequence[Method], settings: Spectral | None) -> Regularizing | None:
    """What `[regularizer]` asks for, or what a method brings along; None: neither.

    Raises:
        ConfigError: If there are two, no method has low-rank factors, or these cannot decay.
    """
    own = [method for method in methods if method.own_regularizer() is not None]
    if settings is not None and own:
        raise ConfigError(
            f"[regularizer] and the method '{own[0].method}' bring a regularizer each, and a run has one. Leave "
            "[regularizer] out, or take method = 'lora'."
        )
    if len(own) > 1:
        raise ConfigError(
            f"The methods '{own[0].method}' and '{own[1].method}' bring a regularizer each, and a run has one. Set "
            "method = 'lora' for both, and [regularizer]."
        )
    if own:
        brought = own[0].own_regularizer()
        return None if brought is None else _checked(Regularizing(brought, (own[0],)))
    if settings is None:
        return None
    low_rank = tuple(method for method in methods if type(method).factors is not Method.factors)
    if not low_rank:
        raise ConfigError(
            f"[regularizer] is for low-rank updates, and {', '.join(method.method for method in methods)} has none. "
            "Leave it out, or take a low-rank method, as 'lora'."
        )
    return _checked(Regularizing(settings, low_rank))


def _checked(chosen: Regularizing) -> Regularizing:
    computed = [method.method for method in chosen.methods if not method.trains_factors]
    if chosen.settings.target == "factors" and computed:
        raise ConfigError(
            f"The regularizer's target = 'factors' is for A and B that begin at nothing, and those of '{computed[0]}' "
            "begin at parts of the weight, which it would penalise. Set an init that begins at nothing ('default' of "
            "lora, 'std_zero' of mole); or target = 'delta_w' and layout = 'fft2', with mode = 'loss'."
        )
    return chosen
