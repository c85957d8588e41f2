"""What a deploy would do, in the one form that an approval covers, and how two of them differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from delivery.terraform import values

FORMAT = 1
VERBS = {
    "create": "create",
    "update": "change",
    "delete": "destroy",
    "replace": "replace",
    "move": "move",
    "forget": "forget",
}


@dataclass(frozen=True)
class Effects:
    """Everything that an approval is about; two plans with equal effects have one digest.

    Nothing in it differs between two plans of the same thing: no time, no file name, no value
    that only the apply decides (those are all the word `values.UNKNOWN`).

    Args:
        place: ``environment``, ``cloud``, ``account_id``, ``region``.
        release: what is deployed: each component's SHA-256, however the release is called.
        settings: what Terraform is handed.
        state: ``lineage`` and ``serial``; empty and 0 before the first apply.
        changes: per resource, `ResourceChange.as_json`.
        outputs: the names of the outputs that change.
        exempted: accepted findings, as ``policy address``.
        monthly_usd: the estimate once it is applied.
    """

    place: Mapping[str, str]
    release: Mapping[str, str]
    settings: Mapping[str, Any]
    state: Mapping[str, Any]
    changes: tuple[Mapping[str, Any], ...]
    outputs: tuple[str, ...] = ()
    exempted: tuple[str, ...] = ()
    monthly_usd: float = 0.0
    format: int = FORMAT

    @property
    def canonical(self) -> bytes:
        """The same bytes for the same effects, on every machine."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, 64 hex digits: what an approval names."""
        return hashlib.sha256(self.canonical).hexdigest()


def differences(approved: Mapping[str, Any], found: Effects) -> list[str]:
    """In words, all that differs between effects that were approved and those found now.

    Args:
        approved: the parsed canonical bytes of the approved ones.
    """
    now: Mapping[str, Any] = json.loads(found.canonical)
    if approved.get("format") != FORMAT:
        return [f"it was approved in format {approved.get('format')}, this is format {FORMAT}"]
    return [
        *_of_place(approved["place"], now["place"]),
        *_of_release(approved["release"], now["release"]),
        *_of_settings(approved["settings"], now["settings"]),
        *_of_state(approved["state"], now["state"]),
        *_of_changes(approved["changes"], now["changes"]),
        *_of_rest(approved, now),
    ]


def _of_place(approved: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name, value in now.items():
        if approved.get(name) != value:
            yield f'the {name.replace("_id", "")} is "{value}", approved was "{approved.get(name)}"'


def _of_release(approved: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(approved.keys() | now.keys()):
        if approved.get(name) != now.get(name):
            told = f"{_digits(now.get(name))}, approved was {_digits(approved.get(name))}"
            yield f"the release's {name} is {told}"


def _of_settings(approved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    before, after = dict(values.leaves(approved)), dict(values.leaves(now))
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            told = f"{_told(after.get(path))}, approved was {_told(before.get(path))}"
            yield f"the setting {path} is {told}"


def _of_state(approved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if approved["lineage"] != now["lineage"]:
        yield (
            f"the state is another one: lineage {now['lineage'] or 'none'},"
            f" approved was {approved['lineage'] or 'none'}"
        )
    elif approved["serial"] != now["serial"]:
        yield (
            f"the state has moved on: serial {now['serial']}, approved was"
            f" {approved['serial']}; something was applied since"
        )


def _of_changes(approved: list[Mapping[str, Any]], now: list[Mapping[str, Any]]) -> Iterator[str]:
    before = {each["address"]: each for each in approved}
    after = {each["address"]: each for each in now}
    for address in sorted(before.keys() | after.keys()):
        if address not in before:
            yield f"it would also {VERBS[after[address]['action']]} {address}"
        elif address not in after:
            yield f"it would no longer {VERBS[before[address]['action']]} {address}"
        else:
            yield from _of_change(before[address], after[address])


def _of_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    address = after["address"]
    if before["action"] != after["action"]:
        now, then = VERBS[after["action"]], VERBS[before["action"]]
        yield f"it would {now} {address}, approved was to {then} it"
    then_by_path = {each["path"]: each for each in before["attributes"]}
    now_by_path = {each["path"]: each for each in after["attributes"]}
    for path in sorted(then_by_path.keys() | now_by_path.keys()):
        if then_by_path.get(path) != now_by_path.get(path):
            now, then = _step(now_by_path.get(path)), _step(then_by_path.get(path))
            yield f"{address}: {path} would go {now}, approved was {then}"
    for name in ("reason", "because", "holds"):
        if before[name] != after[name]:
            yield f"{address}: {name} is {_told(after[name])}, approved was {_told(before[name])}"


def _of_rest(approved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    names = {"outputs": "the outputs that change", "exempted": "the accepted findings"}
    for name, words in names.items():
        if approved[name] != now[name]:
            yield f"{words} are {_told(now[name])}, approved were {_told(approved[name])}"
    if approved["monthly_usd"] != now["monthly_usd"]:
        yield (
            f"a month is estimated at {now['monthly_usd']:.2f} US dollars,"
            f" approved was {approved['monthly_usd']:.2f}"
        )


def _step(attribute: Mapping[str, Any] | None) -> str:
    if attribute is None:
        return "unchanged"
    return f"{_told(attribute['before'])} → {_told(attribute['after'])}"


def _digits(sha256: str | None) -> str:
    return sha256[:12] if sha256 else "none"


def _told(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
