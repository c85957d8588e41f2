"""How builds and releases read on a terminal: what was made, from what, and why it moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from delivery.paths import shown
from verbs import console

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.artifacts.build import Artifact
    from delivery.artifacts.recipe import Recipe
    from delivery.artifacts.why import Change, Verdict
    from delivery.releases.differences import Comparison
    from delivery.releases.package import Package

SHOWN_DIGITS = 12
COUNTED = {"files": "file", "requirements": "requirement", "tools": "tool", "settings": "setting"}


def built(artifacts: Mapping[str, Artifact], verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    """One row per artifact, or where verdicts are given, why each is as it is."""
    if as_json:
        document = {name: each.as_json() for name, each in artifacts.items()}
        by_name = {each.component: asdict(each) for each in verdicts}
        console.document({name: each | _why(by_name.get(name)) for name, each in document.items()})
    elif verdicts:
        _explain(verdicts, "the last build")
    else:
        _table(artifacts)
        folders = sorted({shown(each.path.parent) for each in artifacts.values()})
        console.line(f"in {', '.join(folders)}, as <artifact>-<digest>.zip")


def found(inputs: Mapping[str, tuple[Recipe, bool]], *, as_json: bool) -> None:
    """What would be built, and from which inputs."""
    if as_json:
        console.document(
            {
                name: {"inputs_digest": recipe.digest, "is_built": is_built}
                for name, (recipe, is_built) in inputs.items()
            }
        )
        return
    rows = [
        [name, recipe.digest[:SHOWN_DIGITS], "unchanged" if is_built else "would be built"]
        for name, (recipe, is_built) in inputs.items()
    ]
    console.table(["artifact", "inputs", ""], rows)


def package(made: Package, place: Path, *, as_json: bool) -> None:
    """The release, its components, and where it lies."""
    release = made.release
    if as_json:
        told = {"id": release.id, **asdict(release), "rebuilt": made.rebuilt}
        console.document({**told, "folder": str(place)})
        return
    _table(made.artifacts)
    console.facts(
        [
            ("release", release.short_id),
            ("version", f"{release.version}{', with changes' if release.dirty else ''}"),
            ("built anew", ", ".join(made.rebuilt) or "nothing"),
            ("image", release.image or "none"),
            ("folder", shown(place)),
        ]
    )


def comparison(compared: Comparison, *, as_json: bool) -> None:
    """What moved between two releases."""
    if as_json:
        console.document(asdict(compared))
        return
    before, after = compared.before[:SHOWN_DIGITS], compared.after[:SHOWN_DIGITS]
    console.line(f"release {before} → {after}" if before != after else f"release {after}: the same")
    for change in compared.changes:
        console.line(f"  {_change(change)}")
    _explain(compared.verdicts, f"release {before}")


def _table(artifacts: Mapping[str, Artifact]) -> None:
    rows = [
        [
            name,
            each.sha256[:SHOWN_DIGITS],
            console.size(each.size_bytes),
            "built" if each.was_built else "unchanged",
        ]
        for name, each in artifacts.items()
    ]
    console.table(["artifact", "digest", "size", ""], rows)


def _why(verdict: Mapping[str, object] | None) -> dict[str, object]:
    return {"why": verdict} if verdict else {}


def _explain(verdicts: Sequence[Verdict], since: str) -> None:
    for verdict in verdicts:
        console.line(_headline(verdict, since))
        for change in verdict.changes:
            console.line(f"  {_change(change)}")
        if verdict.earlier:
            console.line("  what moved it the time before:")
        for change in verdict.earlier:
            console.line(f"    {_change(change)}")


def _headline(verdict: Verdict, since: str) -> str:
    after = verdict.after[:SHOWN_DIGITS]
    if not verdict.before:
        return f"{verdict.component}: {after} is the first that is known here"
    if verdict.has_moved:
        moved = f"{verdict.component}: {verdict.before[:SHOWN_DIGITS]} → {after}"
        return moved if verdict.changes else f"{moved}, from the same inputs"
    counts = ", ".join(_counted(part, number) for part, number in verdict.counts.items() if number)
    proof = f"{counts} as in {since}, inputs {verdict.inputs[:SHOWN_DIGITS]}"
    if verdict.changes:
        return f"{verdict.component}: {after} all the same, though its inputs moved"
    return f"{verdict.component}: {after} has not moved: {proof}"


def _counted(part: str, number: int) -> str:
    return f"{number} {COUNTED[part]}{'' if number == 1 else 's'}"


def _change(change: Change) -> str:
    name = f"{change.kind} {change.name}"
    if not change.before:
        return f"{name}: new, {_short(change.after)}"
    if not change.after:
        return f"{name}: gone"
    return f"{name}: {_short(change.before)} → {_short(change.after)}"


def _short(value: str) -> str:
    """A digest shortened; anything else as it is."""
    is_digest = len(value) >= 40 and set(value) <= set("0123456789abcdef")
    return value[:SHOWN_DIGITS] if is_digest else value
