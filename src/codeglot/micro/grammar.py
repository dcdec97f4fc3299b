"""What a problem of the micro world is made of, before it is a program, a prompt or a test.

A composition is a family and, for each place that the family has, one primitive with its constants. Everything else
follows from it: the tree of the solution, the reference function (independent of that tree), the words of the prompt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from codeglot.micro.tree import Function, Value

Constant = int | str


class Part(NamedTuple):
    """One primitive in its place."""

    primitive: str
    """Its name; `nothing` where an optional place stays empty."""
    constants: tuple[Constant, ...] = ()


class Composition(NamedTuple):
    """One problem, of any language."""

    family: str
    parts: tuple[Part, ...]
    """One per place of the family, in its order."""

    @property
    def shape(self) -> tuple[str, ...]:
        """What stays of it without constants: what compositions are counted and split by."""
        return (self.family, *(part.primitive for part in self.parts))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something to be said in any natural language: a key of the phrase tables, and what its slots hold."""

    key: str
    slots: tuple[tuple[str, "Phrase | Constant"], ...] = ()
    """Name and content of each slot; a text is put in as it is (the name of a parameter, a letter)."""


Reference = Callable[..., Value]
"""Arguments of the function -> its result. Raises `Undefined` where the problem has no answer."""


class Undefined(Exception):  # noqa: N818 - no error: such an input is left out of the tests
    """An input that the words of a problem do not cover, whose values leave 32 bits, or that takes too long."""


class Family(Protocol):
    """A kind of problem. All are listed in `families/registry.py`."""

    name: str
    places: tuple[tuple[str, ...], ...]
    """Names of the primitives that may stand in each place; with `nothing` where it is optional."""

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        """Whether primitives (without the family's name) make a problem worth asking: no contradiction, no no-op."""
        ...

    def function(self, composition: Composition) -> Function:
        """The canonical solution, named `solve`."""
        ...

    def reference(self, composition: Composition) -> Reference:
        """The same as a Python function, made of the primitives' own functions and not of the tree."""
        ...

    def phrase(self, composition: Composition) -> Phrase:
        """What is asked."""
        ...
