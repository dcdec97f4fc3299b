"""The world that the package brings: its families with the primitives that they are made of."""

from functools import cache

from codeglot.micro.families.registry import FAMILIES
from codeglot.micro.primitives import choices
from codeglot.micro.world import World


@cache
def bundled() -> World:
    """All families, by name."""
    return World({family.name: family for family in FAMILIES}, choices)
