"""The tables of docs/reference/configuration.md, written from config/schema.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery.config import schema
from delivery.config.schema import Keys
from delivery.pages import row
from delivery.paths import ROOT

PAGE = ROOT / "docs" / "reference" / "configuration.md"
TYPES = ("development", "staging", "production")


def tables() -> Mapping[str, str]:
    """Each part of the page → its table, as the schema has it now."""
    parts = {name: list(schema.leaves(rules)) for name, rules in schema.rules().items()}
    tables = {name: "\n".join(_table(keys)) for name, keys in parts.items()}
    return tables | {"sizes": "\n".join(_sizes(parts["settings"]))}


def _table(keys: Iterable[tuple[Keys, Mapping[str, Any]]]) -> Iterator[str]:
    yield "| key | what it says | takes | default | example |"
    yield "| --- | --- | --- | --- | --- |"
    for path, rule in keys:
        meta = rule["meta"]
        cells = [f"`{'.'.join(path)}`", meta["help"], _takes(rule), _default(rule)]
        yield row(*cells, f"`{_text(meta['example'])}`")


def _takes(rule: Mapping[str, Any]) -> str:
    """``whole number, 1 to 1000``; ``list of text: …``."""
    if rule["type"] == "list":
        return f"list of {_takes(rule['schema'])}"
    words = schema.TYPE_WORDS[rule["type"]].removeprefix("a ")
    if "allowed" in rule:
        return f"{words}: {', '.join(f'`{value}`' for value in rule['allowed'])}"
    if "min" in rule:
        return f"{words}, {rule['min']} to {rule['max']}"
    form = rule.get("meta", {}).get("form", words)
    return f"{form} or `null`" if rule.get("nullable") else str(form)


def _default(rule: Mapping[str, Any]) -> str:
    if rule.get("required"):
        return "none: must be given"
    meta = rule["meta"]
    return "by type" if "default_by_type" in meta else f"`{_text(meta['default'])}`"


def _sizes(keys: Iterable[tuple[Keys, Mapping[str, Any]]]) -> Iterator[str]:
    yield row("key", *TYPES)
    yield "| --- | --- | --- | --- |"
    for path, rule in keys:
        by_type = rule["meta"].get("default_by_type")
        if by_type is not None:
            yield row(f"`{'.'.join(path)}`", *(_text(by_type[name]) for name in TYPES))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
