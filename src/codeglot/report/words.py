"""How numbers, groups and runs are written, alike in every chart, table and sentence."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from codeglot.languages.natural import name_of
from codeglot.report.groups import Group
from codeglot.report.source import Run

NBSP = "\u00a0"


def percent(value: float) -> str:
    """A share as per cent; 0 and 100 only where it is exactly that."""
    rounded = round(100 * value, 1)
    if 0 < value < 1:
        rounded = min(max(rounded, 0.1), 99.9)
    return f"{rounded:.1f}{NBSP}%"


def percent_range(bounds: tuple[float, float]) -> str:
    """A range of shares."""
    low, high = (percent(value).removesuffix(f"{NBSP}%") for value in bounds)
    return f"{low} to {high}{NBSP}%"


def points(value: float) -> str:
    """A signed difference of shares, in percentage points."""
    return f"{100 * value:+.1f}".replace("-", "\u2212").replace("+0.0", "0.0").replace("\u22120.0", "0.0")


def p_value(value: float) -> str:
    """A p-value to the digits that matter."""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 program`, `2 programs`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def language_label(group: Group, names: Mapping[str, str], *, with_natural: bool) -> str:
    """Programming language, and the natural language of its prompts where these differ."""
    name = names.get(group.language_id, group.language_id)
    return f"{name} ({name_of(group.natural_language)} prompts)" if with_natural else name


def letter(index: int) -> str:
    """Short mark of a run: A, B, ... Z, then numbers."""
    return chr(ord("A") + index) if index < 26 else str(index + 1)


def subject(run: Run) -> str:
    """Who wrote the completions of a run, as a person would say it."""
    generate = _table(run.settings, "generate")
    engine = generate.get("engine")
    if engine == "reference":
        return "The benchmark's own solutions"
    if engine == "mutated":
        return "Deliberately broken solutions"
    named = {
        "huggingface": _table(run.settings, "base").get("model"),
        "openai": _table(generate, "openai").get("model"),
        "completions": generate.get("completions"),
    }.get(str(engine))
    return str(named) if named else run.name


def in_words(settings: Mapping[str, Any]) -> str:
    """`key = value, key = value`."""
    return ", ".join(f"{key} = {value}" for key, value in settings.items())


def flat_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings by dotted key, as text; credentials inside addresses are taken out."""
    found: dict[str, str] = {}

    def walk(node: Any, key: str) -> None:
        if isinstance(node, Mapping) and node:
            for name, child in node.items():
                walk(child, f"{key}.{name}" if key else str(name))
        elif isinstance(node, list | tuple) and any(isinstance(part, Mapping) for part in node):
            for index, part in enumerate(node):
                walk(part, f"{key}.{index}")
        elif isinstance(node, list | tuple):
            found[key] = ", ".join(_without_credentials(str(part)) for part in node) or "(empty)"
        elif node is not None:
            found[key] = _without_credentials(str(node))

    walk(settings, "")
    return found


def _table(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = settings.get(key)
    return found if isinstance(found, Mapping) else {}


def _without_credentials(text: str) -> str:
    if "://" not in text or "@" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else text
