"""How snapshots, channels, verifications and collections read on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from delivery.probe.findings import counted
from verbs import console, report

Teller = Callable[[Mapping[str, Any]], None]


def snapshots(found: Sequence[Mapping[str, Any]]) -> None:
    """One row per snapshot, the newest first."""
    if not found:
        console.line("nothing was published yet")
        return
    with_casks = any(each.get("casks") for each in found)
    rows = [
        [
            each["id"],
            report.age(each["age_seconds"]),
            str(each["formulae"]),
            str(each["bottles"]),
            *([str(each.get("casks", 0))] if with_casks else []),
            console.size(each["bytes"]),
            console.size(each["new_bytes"]),
            ", ".join("api/" if name == "default" else name for name in each["channels"]),
        ]
        for each in found
    ]
    held = ["formulae", "bottles", *(["casks"] if with_casks else [])]
    console.table(["snapshot", "age", *held, "size", "new", "served as"], rows)


def channels(served: Mapping[str, str]) -> None:
    """Which channel serves what; nothing where there are none."""
    if served:
        told = (f"{name} serves {snapshot}" for name, snapshot in served.items())
        console.line(f"channels: {', '.join(told)}")


def moved(answer: Mapping[str, Any]) -> None:
    """Which channel serves what, and how many files it took."""
    would = "would serve" if answer["dry_run"] else "serves"
    for each in answer["moved"]:
        name = "api/" if each["channel"] == "default" else each["channel"]
        was = f" instead of {each['was']}" if each["was"] not in (None, each["snapshot"]) else ""
        console.line(
            f"{name} {would} {each['snapshot']}{was}: {len(each['files'])} API files changed"
        )
        for path in each["files"]:
            console.line(f"  {path}")


def collection(answer: Mapping[str, Any]) -> None:
    """What is kept and why, what went or would go, what still waits."""
    console.table(["kept", "because"], [[name, why] for name, why in answer["kept"].items()])
    done = "deleted" if answer["applied"] else "would delete"
    waiting = f"{answer['waiting']} objects, {console.size(answer['waiting_bytes'])}"
    console.facts(
        [
            (f"{done} snapshots", ", ".join(answer["dropped"]) or "none"),
            (f"{done} bottles", f"{answer['objects']} objects, {console.size(answer['bytes'])}"),
            (f"{done} staging", f"{answer['staging']} objects of old syncs"),
            (f"{done} API files", f"{answer['api_files']} that no snapshot served has"),
            ("in their grace", waiting),
            *([("report", answer["report"])] if answer["report"] else []),
        ]
    )
    for channel in answer["moving"]:
        console.line(f'"{channel}" is half moved: run its rollback or promotion again first')
    if not answer["applied"]:
        console.line("nothing was deleted; --apply does it")


def so_far(answer: Mapping[str, Any]) -> None:
    """How far a long verification is, and how to go on with it after Ctrl-C."""
    if not answer["finished"]:
        console.note(
            f"{answer['hashed']} of {answer['of']} hashed, {answer['damaged']} damaged;"
            f" after an interruption: inv mirror.verify --run {answer['run']}"
        )


def verification(answer: Mapping[str, Any]) -> None:
    """What was looked at, and what is wrong with it."""
    hashed = (
        f", {answer['hashed']} hashed ({console.size(answer['bytes'])})" if answer["of"] else ""
    )
    console.line(
        f"snapshot {answer['snapshot']}: {answer['listed']} bottles and casks listed{hashed};"
        f" {answer['damaged']} damaged, {answer['repaired']} repaired"
    )
    for example in answer["examples"]:
        console.line(f"  {example}")
    console.line(f"report: {answer['report']}")
    if answer["damaged"] > answer["repaired"]:
        console.line("next: inv mirror.verify --repair; what upstream no longer has stays damaged")


def audit(answer: Mapping[str, Any]) -> None:
    """Whether the chain holds, how far it goes, and the first break."""
    verdict = (
        "intact"
        if answer["intact"]
        else f"BROKEN in {counted(answer['breaks'], 'place', 'places')}"
    )
    console.line(
        f"{verdict}: snapshots {answer['snapshots']}, collected before them {answer['dropped']},"
        f" files hashed {answer['files']}"
    )
    if answer["unproven"]:
        several = counted(answer["unproven"], "snapshot", "snapshots")
        console.line(f"  without a digest of its bottles.json: {several}")
    if answer["first"]:
        console.line(f"  first: {answer['first']['key']} {answer['first']['problem']}")
    if answer["newest"]:
        newest = answer["newest"]
        console.line(f"newest {newest['id']}: sha256:{newest['sha256']}")
