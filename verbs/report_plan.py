"""How a plan reads before it is applied: what it does, what it breaks, what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from delivery.terraform.values import UNKNOWN
from verbs import console

SIGNS = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "-/+",
    "move": "->",
    "forget": "(-)",
}
# More attributes of one resource are counted, not listed; --json has them all.
ATTRIBUTES_SHOWN = 8
# More creations are told by their kind: what is new breaks nothing that stands.
CREATIONS_SHOWN = 12
WIDTH = 56


def release(found: Mapping[str, Any]) -> None:
    """The release that an approval would let in; one that no commit has is told in red."""
    if found:
        text = f"release: {named(found)}"
        console.line(console.red(text) if found["dirty"] else text)


def named(found: Mapping[str, Any]) -> str:
    """A release in a line: its id, its version, its commit."""
    commit = f"commit {found['commit'][:7]}" if found["commit"] else "no commit"
    dirty = ", with changes that are in no commit" if found["dirty"] else ""
    return f"{found['id'][:12]}, {found['version']}, {commit}{dirty}"


def review(found: Mapping[str, Any]) -> None:
    """Resources, what is forbidden, cost, digest.

    Args:
        found: `Review.as_json` of the delivery.
    """
    _changes(found["plan"]["changes"])
    console.line(_counted(found["plan"]["counts"]))
    _unseen(found["unseen"])
    _findings(found)
    _cost(found["cost"])
    console.line(f"digest: {found['digest']}")
    if "kept" in found:
        console.line(f"  kept as {found['kept']}")


def _changes(changes: Sequence[Mapping[str, Any]]) -> None:
    created = Counter(
        change["address"].split(".")[-2] for change in changes if change["action"] == "create"
    )
    is_long = created.total() > CREATIONS_SHOWN
    for kind, count in sorted(created.items()) if is_long else ():
        console.line(f"  +   {count} {kind}")
    for change in changes:
        if is_long and change["action"] == "create":
            continue
        doomed = bool(change["holds"]) and change["action"] in {"delete", "replace"}
        text = f"  {SIGNS[change['action']]:3} {change['address']}{_why(change, doomed=doomed)}"
        console.line(console.red(text) if doomed else text)
        if change["action"] in {"update", "replace"}:
            _attributes(change["attributes"], change["because"])


def _why(change: Mapping[str, Any], *, doomed: bool) -> str:
    parts = [change["reason"]] if change["reason"] else []
    if change["because"]:
        parts.append(f"because of {', '.join(change['because'])}")
    if doomed:
        parts.append(f"LOSES {change['holds']}")
    return f"   ({'; '.join(parts)})" if parts else ""


def _attributes(attributes: Sequence[Mapping[str, Any]], because: Sequence[str]) -> None:
    # What is known only afterwards follows from the rest.
    told = [each for each in attributes if each["after"] != UNKNOWN or each["path"] in because]
    for each in told[:ATTRIBUTES_SHOWN]:
        forced = "   forces the replacement" if each["path"] in because else ""
        console.line(
            f"        {each['path']}: {value(each['before'])} → {value(each['after'])}{forced}"
        )
    more = len(attributes) - len(told[:ATTRIBUTES_SHOWN])
    if more > 0:
        console.line(f"        and {more} more (--json)")


def _counted(counts: Mapping[str, int]) -> str:
    replaced = counts["replace"]
    rest = [
        f"{counts['create'] + replaced} to create",
        f"{counts['update']} to change",
        f"{counts['delete'] + replaced} to destroy",
    ]
    extra = f" ({replaced} of them by replacement)" if replaced else ""
    return f"plan: {', '.join(rest)}{extra}"


def _unseen(addresses: Sequence[str]) -> None:
    if addresses:
        console.line(
            f"not checked: the policies of {', '.join(addresses)} are known only after the apply"
        )


def _findings(found: Mapping[str, Any]) -> None:
    for each in found["findings"]:
        console.line(
            console.red(f"forbidden: {each['policy']}: {each['address']}: {each['evidence']}")
        )
        console.line(f"    why:  {each['why']}")
        console.line(f"    next: {each['remedy']}")
    for each in found["exempted"]:
        told = f"{each['policy']}: {each['address']} ({each['reason']})"
        console.line(f"accepted until {each['until']}: {told}")
    for text in found["expired_exceptions"]:
        console.line(f"no longer accepted: {text}")
    if not found["findings"]:
        console.line("policies: nothing forbidden")
    if found.get("uncommitted_refused"):
        console.line(console.red("refused: changes that are in no commit (deploy.uncommitted)"))


def _cost(cost: Mapping[str, Any]) -> None:
    dearest = sorted(cost["lines"], key=lambda each: -each["monthly_usd"])[:3]
    parts = ", ".join(f"{each['item']} {each['monthly_usd']:.2f}" for each in dearest)
    console.line(
        f"cost: {cost['monthly_usd']:.2f} US dollars a month at list prices of {cost['date']},"
        f" {cost['region']} ({parts})"
    )
    console.line(f"  reckoned with: {'; '.join(cost['assumptions'])}")
    console.line(f"  not counted: {'; '.join(cost['not_counted'])}")


def value(found: Any) -> str:
    """A value in one short line."""
    if found is None:
        return "none"
    text = found if isinstance(found, str) else _listed(found)
    text = " ".join(text.split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _listed(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, list):
        return f"[{', '.join(str(each) for each in found)}]"
    return str(found)
