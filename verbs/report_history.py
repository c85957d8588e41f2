"""How history, the table of all environments, differences and release notes read on a terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from verbs import console, report

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.comparison import Comparison
    from delivery.overview import Column
    from delivery.releases.commits import Commit
    from delivery.releases.history import Record
    from delivery.releases.notes import Notes

COLUMNS = 100
WHO_COLUMNS = 20
MANY_COMMITS = 20
HEADERS = ("#", "when (UTC)", "kind", "outcome", "release", "commit", "by", "seconds")


def records(found: Sequence[Record], environment: str) -> None:
    """One row per record; beneath it, what was undone or rehearsed, and the error."""
    if not found:
        console.line(f"nothing was ever deployed in {environment}")
        return
    aligned = console.aligned(HEADERS, [_row(record) for record in found])
    console.line(aligned[0])
    for record, text in zip(found, aligned[1:], strict=True):
        console.line(text)
        for note in _notes(record):
            _wrapped(note)


def side_by_side(columns: Sequence[Column]) -> None:
    """A column per environment; beneath, why one is not deployed or cannot be reached."""
    facts = {
        "state": [each.state for each in columns],
        "release": [_release(each.release) for each in columns],
        "commit": [_commit(each.release) for each in columns],
        "age": [_age(each.age_seconds) for each in columns],
        # The rest of it stands beneath the table.
        "health": [each.health.partition(",")[0] or "-" for each in columns],
        "drift": [_drift(each) for each in columns],
        "last sync": [_sync(each.last_sync) for each in columns],
        "freshness": [_age(each.freshness_seconds) for each in columns],
    }
    console.table(
        ["", *(each.environment for each in columns)],
        [[name, *values] for name, values in facts.items()],
    )
    for each in columns:
        for note in filter(None, (each.note, each.health if "," in each.health else "")):
            _wrapped(f"{each.environment}: {note}", indent="")


def comparison(found: Comparison) -> None:
    """What differs, a paragraph for each kind of thing; what does not is one line."""
    left, right = found.environments
    releases = found.releases
    console.table(
        ["", left, right],
        [
            ["release", *(_release(each or {}) for each in releases)],
            ["commit", *(_commit(each or {}) for each in releases)],
            ["deploy", *(_deploy(each) for each in releases)],
        ],
    )
    _commits(f"commits in {left} that {right} has not", found.only_left)
    _commits(f"commits in {right} that {left} has not", found.only_right)
    _pairs("components", found.environments, found.components, short=True)
    _pairs("configuration", found.environments, found.configuration)
    if found.terraform_files:
        console.line("Terraform files that differ:")
        for name in found.terraform_files:
            console.line(f"  {name}")
    for note in found.unknown:
        _wrapped(f"not compared: {note}", indent="")
    _same(found)


def notes(found: Notes) -> None:
    """Markdown, ready for a release's page."""
    for heading, entries in found.changes:
        console.line(f"### {heading}\n")
        for entry in entries:
            console.line(f"- {entry}")
        console.line()
    console.line(f"### Commits ({len(found.commits)})\n")
    for commit in found.commits:
        console.line(f"- {commit.id[:7]} {commit.subject}")


def _row(record: Record) -> list[str]:
    return [
        str(record.number),
        record.at[:16].replace("T", " "),
        record.kind,
        record.outcome,
        _release(record.release),
        _commit(record.release),
        _who(record.by),
        f"{sum(record.seconds.values()):.1f}",
    ]


def _notes(record: Record) -> list[str]:
    found = [f"error: {' '.join(record.error.split())}"] if record.error else []
    undone = record.rollback
    if undone:
        to = f" to {str(undone['to'])[:12]}" if undone.get("to") else ""
        found.append(f"rolled back{to}: {undone.get('outcome', '')}{_times(undone)}")
    if record.rehearsal:
        found.append(f"rollback rehearsed{_times(record.rehearsal)}")
    return found


def _times(measured: Mapping[str, Any]) -> str:
    words = (("alias_seconds", "aliases after"), ("seconds", "all after"))
    told = [f"{word} {measured[name]:.1f} s" for name, word in words if name in measured]
    return f", {', '.join(told)}" if told else ""


def _release(release: Mapping[str, Any]) -> str:
    return str(release.get("id", ""))[:12] or "-"


def _commit(release: Mapping[str, Any]) -> str:
    commit = str(release.get("commit", ""))[:7]
    return f"{commit or '-'}{'*' if commit and release.get('dirty') else ''}"


def _who(arn: str) -> str:
    """``assumed-role/deployer/alice`` of an ARN as ``deployer/alice``; its end, if long."""
    name = arn.rpartition(":")[2]
    kind, _, rest = name.partition("/")
    told = rest if kind in {"assumed-role", "user", "federated-user"} else name
    return told if len(told) <= WHO_COLUMNS else f"…{told[1 - WHO_COLUMNS :]}"


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else report.age(seconds)


def _drift(column: Column) -> str:
    if column.drift is None:
        return "never looked" if column.state == "deployed" else "-"
    count = column.drift["drifted"]
    return f"{count or 'none'} ({str(column.drift['at'])[:16].replace('T', ' ')})"


def _sync(sync: Mapping[str, Any] | None) -> str:
    if sync is None:
        return "-"
    return f"{str(sync['status']).lower()}, {report.age(sync['age_seconds'])} ago"


def _deploy(release: Mapping[str, Any] | None) -> str:
    return f"{release['number']}, {release['at']}" if release else "nothing is deployed"


def _commits(title: str, found: Sequence[Commit]) -> None:
    if not found:
        return
    console.line(f"{title}: {len(found)}")
    for commit in found[:MANY_COMMITS]:
        console.line(f"  {commit.id[:7]} {textwrap.shorten(commit.subject, COLUMNS - 10)}")
    if len(found) > MANY_COMMITS:
        console.line(f"  and {len(found) - MANY_COMMITS} more; --json names them")


def _pairs(
    title: str,
    names: tuple[str, str],
    pairs: Mapping[str, tuple[Any, Any]],
    *,
    short: bool = False,
) -> None:
    if not pairs:
        return
    rows = [[path, *(_value(value, short=short) for value in pair)] for path, pair in pairs.items()]
    console.table([title, *names], rows)


def _value(value: Any, *, short: bool) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:12] if short else textwrap.shorten(text, 34, placeholder=" …")


def _same(found: Comparison) -> None:
    same = [
        name
        for name, differs in (
            ("components", found.components),
            ("configuration", found.configuration),
        )
        if not differs
    ]
    if same:
        console.line(f"the same in both: {', '.join(same)}")


def _wrapped(text: str, indent: str = "    ") -> None:
    for line in textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
    ):
        console.line(line)
