"""Problems about one number y: how it is had, then what is returned of it.

A chain is a head and a tail, each made anew for every composition from the parts in its places.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from codeglot.micro.families.pipeline import NUM_KEPT, Rule, Slot, sentences, solve
from codeglot.micro.grammar import Composition, Phrase, Reference
from codeglot.micro.primitives_core import Body
from codeglot.micro.tree import Function, Name, Type, Value


class Head(NamedTuple):
    """How the number is had."""

    parameters: tuple[Name, ...]
    before: Body
    y: Name
    compute: Callable[..., int]
    """Arguments -> the number."""
    phrases: tuple[Phrase, ...]


class Tail(NamedTuple):
    """What is returned of it."""

    body: Body
    result: Type
    compute: Callable[[int], Value]
    phrases: tuple[Phrase, ...]


class Chain:
    """A family of chains."""

    def __init__(self, name: str, head: Slot[Head], tail: Slot[Tail], rule: Rule) -> None:
        self.name = name
        self._head, self._tail = head, tail
        self._rule = rule
        self.places = head.places + tail.places
        self._made = lru_cache(maxsize=NUM_KEPT)(self._make)

    def is_sensible(self, shape: tuple[str, ...]) -> bool:
        """Whether it is worth asking."""
        return self._rule(shape)

    def function(self, composition: Composition) -> Function:
        """The canonical solution."""
        head, tail = self._made(composition)
        return solve(head.parameters, tail.result, (*head.before, *tail.body))

    def reference(self, composition: Composition) -> Reference:
        """The same in plain Python."""
        head, tail = self._made(composition)
        first, second = head.compute, tail.compute

        def reference(*arguments: Any) -> Value:
            return second(first(*arguments))

        return reference

    def phrase(self, composition: Composition) -> Phrase:
        """Its sentences."""
        head, tail = self._made(composition)
        return sentences(*head.phrases, *tail.phrases)

    def _make(self, composition: Composition) -> tuple[Head, Tail]:
        num_head = len(self._head.places)
        head = self._head.make(*composition.parts[:num_head])
        return head, self._tail.make(head.y, *composition.parts[num_head:])
