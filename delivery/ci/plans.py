"""A plan on the page of a run, for those who approve it; values of attributes stay out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from delivery.errors import BadInput


def read(file: Path) -> Mapping[str, Any]:
    """What `inv plan --json` has printed.

    Raises:
        BadInput: it is something else.
    """
    try:
        told: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for key in ("environment", "cloud", "changes", "change_lines"):
            told[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"not a plan: {error!r}", where=str(file), remedy="write it with `inv plan --json`"
        ) from error
    return told


def digest(plan: Mapping[str, Any]) -> str:
    """What an approval names; empty where nothing would change."""
    return str(plan.get("review", {}).get("digest", ""))


def markdown(plan: Mapping[str, Any], *, is_approved: bool = True) -> str:
    """The section of the page: what would be done to which resource, what it costs, the digest.

    Args:
        is_approved: whether somebody is to approve it; else it is for whoever reads a change.
    """
    return "\n".join(_told(plan, is_approved=is_approved)) + "\n"


def _told(plan: Mapping[str, Any], *, is_approved: bool) -> Iterator[str]:
    review = plan.get("review", {})
    yield f"### Plan: {plan['environment']}, {plan['action']}"
    yield ""
    if not review:
        yield "Nothing would change."
        return
    yield from _release(plan.get("release", {}))
    counts = plan["changes"]
    yield (
        f"{counts['create']} to create, {counts['update']} to change,"
        f" {counts['delete']} to destroy."
    )
    yield f"About {review['cost']['monthly_usd']:.2f} US dollars a month at list prices."
    for finding in review.get("findings", ()):
        yield f"- forbidden: {_safe(finding)}"
    yield from ("", "```", *plan["change_lines"], "```", "")
    if is_approved:
        yield f"Whoever approves this deploy approves `{digest(plan)}`, and nothing else."
    else:
        yield "This is a look: nothing was changed, and there is nothing to approve."


def _release(release: Mapping[str, Any]) -> Iterator[str]:
    if release:
        commit = release["commit"] or "no commit"
        yield f"Release `{release['id'][:12]}`, {release['version']}, of `{commit}`."
        if release["dirty"]:
            yield "**It has changes that are in no commit.**"
        yield ""


def _safe(finding: Mapping[str, Any]) -> str:
    return json.dumps(finding).replace("`", "'").replace("<", "&lt;")
