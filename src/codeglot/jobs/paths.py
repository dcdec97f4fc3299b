"""Paths in run files mean the same wherever a command is started: they are seen from the file that names them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codeglot.models.settings import BUNDLED


def resolve_paths(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A run file's relative paths, seen from the file's own folder; a model that is no folder there stays a hub id."""
    resolved: dict[str, Any] = json.loads(json.dumps(tree, default=str))
    for section, key in (("evaluate", "data"), ("validation", "data"), ("generate", "completions")):
        table = resolved.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = str((folder / table[key]).resolve())
    if isinstance(resolved.get("extends"), str):
        resolved["extends"] = str((folder / resolved["extends"]).resolve())
    data = resolved.get("data")
    sources = data.get("sources") if isinstance(data, dict) else None
    sources = sources.values() if isinstance(sources, dict) else sources  # by place, in changes
    for source in sources if isinstance(sources, Iterable) else ():
        if isinstance(source, dict) and isinstance(source.get("path"), str):
            source["path"] = str((folder / source["path"]).resolve())
    base = resolved.get("base")
    if isinstance(base, dict):
        if isinstance(base.get("chat_template"), str):
            base["chat_template"] = str((folder / base["chat_template"]).resolve())
        for key in ("model", "adapter"):
            if isinstance(base.get(key), str) and base[key] not in BUNDLED and (folder / base[key]).is_dir():
                base[key] = str((folder / base[key]).resolve())
    return resolved


def resolve_changes(changes: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same for what goes on top of a run file: tables, or values by dotted key."""
    resolved = {}
    for key, value in changes.items():
        tree: Any = value
        for part in reversed(key.split(".")):
            tree = {part: tree}
        tree = resolve_paths(tree, folder)
        for part in key.split("."):
            tree = tree[part]
        resolved[key] = tree
    return resolved
