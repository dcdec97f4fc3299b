"""All families of the micro world, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from codeglot.micro.families import numbers, scalars, texts
from codeglot.micro.grammar import Family

FAMILIES: tuple[Family, ...] = (*numbers.FAMILIES, *texts.FAMILIES, *scalars.FAMILIES)
"""In the order in which they are listed everywhere."""
BY_NAME: Mapping[str, Family] = MappingProxyType({family.name: family for family in FAMILIES})
