"""What is in force in an environment: its own word, else the defaults', else what its type says."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from delivery.config import meaning, schema
from delivery.config.loading import Document
from delivery.config.problems import refuse
from delivery.config.schema import Keys
from delivery.environment import Environment, Origin
from delivery.errors import BadInput
from delivery.paths import SCHEMA_FILE, shown

UNSAID = object()


def validated(document: Document) -> dict[str, Environment]:
    """All environments of the file, name → environment.

    Raises:
        BadConfiguration: everything that is wrong with it, at once.
    """
    problems = schema.check(document)
    if problems:  # What it means can only be asked of a file that has the right form.
        raise refuse(document.file, problems)
    environments = {name: _merged(document, name) for name in document.values["environments"]}
    problems = meaning.check(document, list(environments.values()))
    if problems:
        raise refuse(document.file, problems)
    return environments


def effective(document: Document, name: str) -> Environment:
    """One environment of a file that is right as a whole.

    Raises:
        BadConfiguration: the file is wrong.
        BadInput: it has no such environment.
    """
    environments = validated(document)
    if name in environments:
        return environments[name]
    known = ", ".join(environments)
    near = difflib.get_close_matches(name, environments, n=1)
    raise BadInput(
        f'no environment "{name}"' if name else "no environment was named",
        where=document.file,
        remedy=f"--env {near[0]}, if that is what you mean"
        if near
        else f"--env with one of {known}",
    )


def _merged(document: Document, name: str) -> Environment:
    own = document.values["environments"][name]
    settings: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for keys, rule in schema.leaves(schema.rules()["settings"]):
        value, origin = _resolve(document, name, own["type"], keys, rule)
        _put(settings, keys, value)
        origins[".".join(keys)] = origin
    return Environment(
        name=name,
        project=document.values["project"]["name"],
        type=own["type"],
        account_id=own.get("account_id"),
        region=settings["region"],
        settings=settings,
        origins=origins,
    )


def _resolve(
    document: Document, name: str, kind: str, keys: Keys, rule: Mapping[str, Any]
) -> tuple[Any, Origin]:
    for path, origin in (
        (("environments", name, *keys), "environment"),
        (("defaults", *keys), "defaults"),
    ):
        value = _get(document.values, path)
        # null where null may stand is a word of its own: it takes the defaults' word back.
        if value is not UNSAID:
            return value, Origin(origin, document.file, document.line_of(path))
    meta = rule["meta"]
    if "default_by_type" in meta:
        return meta["default_by_type"][kind], Origin("type", shown(SCHEMA_FILE), 0)
    return meta["default"], Origin("schema", shown(SCHEMA_FILE), 0)


def _get(values: Any, path: Keys) -> Any:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return UNSAID
        values = values[key]
    return values


def _put(settings: dict[str, Any], keys: Keys, value: Any) -> None:
    for key in keys[:-1]:
        settings = settings.setdefault(key, {})
    settings[keys[-1]] = value
