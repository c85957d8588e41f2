"""The values that Terraform tells of a resource, path by path: JSON opened, secrets hidden."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

UNKNOWN = "(known after apply)"
SENSITIVE = "(sensitive, "
HASH_DIGITS = 16

Scalar = str | int | float | bool


def visible(address: str, values: Any, unknown: Any, sensitive: Any) -> dict[str, Any]:
    """Path → value of everything a resource has, with what may not be shown hidden.

    Paths are dotted, as ``environment.0.variables.AIRBREW_BUCKET``; a text that is JSON (a
    policy, a state machine) is opened like a block; a list of plain values is one value.
    Nothing (null, ``""``, ``[]``, ``{}``) has no path: providers answer one for the other.

    Args:
        values: as in ``before`` or ``after`` of a plan's JSON.
        unknown, sensitive: the parallel trees of the plan's JSON; True at a path covers all below.
    """
    hidden = _marked(sensitive)
    found: dict[str, Any] = {}
    for path, value in leaves(values):
        covered = any(path == each or path.startswith(f"{each}.") for each in hidden)
        found[path] = _digest(address, path, value) if covered else value
    return found | dict.fromkeys(_marked(unknown), UNKNOWN)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values in a tree, each with its dotted path."""
    opened = _opened(value)
    if isinstance(opened, Mapping):
        for name, inner in opened.items():
            yield from leaves(inner, _joined(path, name))
    elif isinstance(opened, list) and not all(isinstance(each, Scalar) for each in opened):
        for number, inner in enumerate(opened):
            yield from leaves(inner, _joined(path, number))
    elif opened not in (None, "", []):
        yield path, opened


def _opened(value: Any) -> Any:
    """What a text that holds a JSON object or list says; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in {"{", "["}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _marked(tree: Any, path: str = "") -> list[str]:
    """The paths at which a tree of marks says True."""
    if tree is True:
        return [path]
    if isinstance(tree, Mapping):
        pairs: Iterator[tuple[Any, Any]] = iter(tree.items())
    else:
        pairs = enumerate(tree) if isinstance(tree, list) else iter(())
    return [found for name, inner in pairs for found in _marked(inner, _joined(path, name))]


def _digest(address: str, path: str, value: Any) -> str:
    # With the place in it, two equal secrets do not look equal.
    text = json.dumps([address, path, value], sort_keys=True)
    return f"{SENSITIVE}sha256:{hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]})"


def _joined(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)
