"""How the outcomes of the verbs read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from delivery.paths import shown
from verbs import console, report_plan

if TYPE_CHECKING:  # Each verb imports what it needs; this module needs their names only.
    from delivery.deploy.destruction import Destruction
    from delivery.deploy.site import Outcome
    from delivery.environment import Environment
    from delivery.mirror.executions import Execution
    from delivery.standing import Standing

FUNCTIONS = ("orchestrator_function", "sync_worker_function", "collector_function")


def settings(environment: Environment) -> None:
    """One row per setting: key, value, and where the value comes from."""
    account = environment.account_id or "none: the sandbox"
    facts = [["type", environment.type, ""], ["account_id", account, ""]]
    rows = [
        [key, _value(_at(environment.settings, key)), str(origin)]
        for key, origin in environment.origins.items()
    ]
    console.table(["key", "value", "from"], [*facts, *rows])


def deploy(outcome: Outcome) -> None:
    """What now exists, how to use it, how long each step took, what to do next."""
    if outcome.action == "planned":
        planned(outcome)
        return
    if outcome.action == "unchanged":
        console.line(
            f"nothing changed since deploy {outcome.number}: nothing was done"
            " (--force deploys all the same)"
        )
    else:
        _deployed(outcome)
    _next(
        f"inv mirror.serve --env {outcome.environment}    # then point brew at it, as it says",
        f"inv status --env {outcome.environment}",
        f"inv mirror.sync --env {outcome.environment}",
        f"inv destroy --env {outcome.environment}",
    )


def standing(found: Standing) -> None:
    """What is deployed, what the mirror holds, how the last sync went."""
    record, snapshot, sync = found.record, found.snapshot, found.last_sync
    if record is None:
        _not_yet(found)
        return
    console.facts(
        [
            ("deploy", f"{record.number}, {record.outcome}, {record.at}"),
            *([("error", record.error)] if record.error else []),
            *_in_service(found),
            *_under_way(found),
            ("snapshot", _snapshot(found) if snapshot else "none yet"),
            *_channels(found),
            ("page", _status_page(found)),
            (
                "last sync",
                f"{sync.status}, started {sync.started:%Y-%m-%d %H:%M:%S}" if sync else "none",
            ),
            *_resources(record.outputs),
        ]
    )


def _not_yet(found: Standing) -> None:
    """Nothing was ever deployed; who is at it now, and what to do where nobody is."""
    console.line("nothing is deployed yet")
    console.facts(_under_way(found))
    if not found.changed_by:
        _next(f"inv deploy --env {found.environment}")


def _in_service(found: Standing) -> list[tuple[str, str]]:
    """What serves while the newest record is of something that failed."""
    good = found.in_service
    if good is None or good == found.record:
        return []
    return [("serving", f"deploy {good.number}, {good.release.get('version', good.at)}")]


def _under_way(found: Standing) -> list[tuple[str, str]]:
    """Who changes it now; where that has been killed, how to go on from there."""
    name, by = found.environment, found.changed_by
    if by:
        told = f"{by['reason']} by {by['holder']} ({by['by']}), since {by['since']}"
        free = f"lease {by['number']}, free in {by['free_in_seconds']} s should it have died"
        return [("under way", f"{told}; {free}")]
    if not found.is_under_way:
        return []
    told = (
        f"a change began and has not ended, and nobody is at it; `inv deploy --env {name}` goes on"
    )
    back = f", `inv rollback --env {name}` goes back" if found.in_service else ""
    return [("half done", f"{told}{back}")]


def destroyed(outcome: Destruction) -> None:
    """What is gone, and what was kept on purpose; of a dry run, what would be."""
    if outcome.dry_run:
        _doomed(outcome)
        return
    console.line(f"destroyed {len(outcome.destroyed)} resources of {outcome.environment}")
    if outcome.objects_deleted:
        console.line(f"deleted {outcome.objects_deleted} objects")
    for kept in outcome.kept:
        console.line(f"kept {kept}")
    _next(f"inv deploy --env {outcome.environment}")


def _doomed(outcome: Destruction) -> None:
    console.line(f"would destroy {len(outcome.destroyed)} resources of {outcome.environment}:")
    for address in outcome.destroyed:
        console.line(f"  {address}")
    if outcome.objects_deleted:
        console.line(f"would delete {outcome.objects_deleted} objects and older versions of them")
    for kept in outcome.kept:
        console.line(f"would keep {kept}")
    console.line("nothing was destroyed")


def sync(execution: Execution) -> None:
    """What a sync brought."""
    output = execution.output
    console.line(
        f"snapshot {output['snapshot']}: {output['bottles']} bottles,"
        f" {console.size(int(output['bytes']))}; {output['copied']} new,"
        f" {output['api_files_changed']} API files changed, in {execution.seconds:.1f} s"
    )


def proof(probe: Mapping[str, Any]) -> None:
    """That every client works on what was published, and what it warns of."""
    console.line(f"probe: {_proof(probe)}")
    for warning in probe["warnings"]:
        console.line(f"  warning: {warning}")


def page(file: Path, verb: str, *, was_current: bool, check: bool) -> None:
    """What became of a generated page; one that is not current is an error to a check."""
    if check and not was_current:
        raise Exit(f"error: {shown(file)} is not current; write it: inv {verb}", code=1)
    console.line(f"{shown(file)}: {'was current' if was_current else 'written'}")


def how_to_point_brew(url: str) -> None:
    """The lines a Mac needs in its shell; source: brew's own environment variables."""
    console.line(f"the status page: {url}/")
    console.line("point brew at it:")
    console.line(f"  export HOMEBREW_API_DOMAIN={url}/api")
    console.line(f"  export HOMEBREW_ARTIFACT_DOMAIN={url}")
    console.line("  export HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK=1")
    console.line("  export HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN=none")


def planned(outcome: Outcome, options: str = "") -> None:
    """What would be done, whether it may be, and the command that does exactly it.

    Args:
        options: of that command beside the environment.
    """
    report_plan.release(outcome.release)
    report_plan.review(outcome.review)
    console.line("nothing was done")
    if outcome.review["findings"] or outcome.review["uncommitted_refused"]:
        return
    approve = f" --approve {outcome.review['digest']}" if "kept" in outcome.review else ""
    _next(f"inv deploy --env {outcome.environment}{options}{approve}")


def _deployed(outcome: Outcome) -> None:
    counts = outcome.changes
    console.line(
        f"deploy {outcome.number}: {counts['create']} created, {counts['update']} changed,"
        f" {counts['delete']} destroyed"
    )
    console.facts(
        [
            ("release", report_plan.named(outcome.release)),
            *_resources(outcome.outputs),
            ("snapshot", _published(outcome.sync)),
            ("fetched", _fetched(outcome.bottle)),
            *([("probe", _proof(outcome.probe))] if outcome.probe else []),
            *([("rollback", _rehearsed(outcome.rehearsal))] if outcome.rehearsal else []),
            ("seconds", _seconds(outcome.seconds)),
        ]
    )


def _published(output: Mapping[str, Any]) -> str:
    if not output:
        return "none: left to the schedule (deploy.sync) or `inv mirror.import`"
    size = console.size(int(output["bytes"]))
    return f"{output['snapshot']}: {output['bottles']} bottles, {size}, {output['copied']} new"


def _fetched(bottle: Mapping[str, Any]) -> str:
    if not bottle:
        return "nothing yet: the mirror waits for its first import"
    size = console.size(int(bottle["size_bytes"]))
    name = f"{bottle['formula']} {bottle['version']} {bottle['tag']}"
    return f"{name}, {size}: signature, manifest, tab and sha256:{bottle['digest'][:12]}… hold"


def _rehearsed(found: Mapping[str, Any]) -> str:
    if "refused" in found:
        return f"would be refused: {found['refused']}"
    answered, seconds = found["alias_seconds"], found["seconds"]
    return f"rehearsed: {answered:.1f} s until the old versions answered, {seconds:.1f} s in all"


def _proof(probe: Mapping[str, Any]) -> str:
    warned = f", {len(probe['warnings'])} warnings" if probe["warnings"] else ""
    return f"brew 4, 5, 6 work ({probe['requests']} requests{warned})"


def _status_page(found: Standing) -> str:
    local = f"inv mirror.serve --env {found.environment}, then open its URL"
    return f"{found.public_url}/" if found.public_url else local


def _snapshot(found: Standing) -> str:
    snapshot = found.snapshot
    assert snapshot is not None  # noqa: S101 - the caller has looked; this tells mypy
    return (
        f"{snapshot.id}, {age(found.snapshot_age_seconds or 0)} old:"
        f" {snapshot.formulae} formulae, {snapshot.bottles} bottles,"
        f" {console.size(snapshot.size_bytes)}"
    )


def _channels(found: Standing) -> list[tuple[str, str]]:
    """What each channel serves; nothing where there is only ``api/`` and it has the newest."""
    newest = found.snapshot.id if found.snapshot else ""
    if set(found.channels.items()) <= {("default", newest)}:
        return []
    return [
        ("api/" if name == "default" else f"channel {name}", snapshot)
        for name, snapshot in found.channels.items()
    ]


def _resources(outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not outputs:
        return []
    return [
        ("bucket", f"s3://{outputs['mirror_bucket']}"),
        ("sync", outputs["state_machine_arn"]),
        ("functions", ", ".join(outputs[name] for name in FUNCTIONS if name in outputs)),
        ("schedule", outputs["schedule_name"]),
    ]


def _seconds(seconds: Mapping[str, float]) -> str:
    parts = [f"{step} {value:.1f}" for step, value in seconds.items()]
    return f"{sum(seconds.values()):.1f}: {', '.join(parts)}"


def age(seconds: float) -> str:
    """``93600`` as ``1.1 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _next(*commands: str) -> None:
    _lines("next:", commands)


def _lines(title: str, texts: Sequence[str]) -> None:
    console.line(title)
    for text in texts:
        console.line(f"  {text}")


def _at(values: Mapping[str, Any], key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
