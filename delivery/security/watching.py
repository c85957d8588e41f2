"""Controls of what watches: the trail, the rules that tell people, logs, and young secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery.secrets import wanted
from delivery.secrets.at_aws import CURRENT, AtAws
from delivery.security.findings import Control, Place

Told = Iterator[tuple[str, str, str]]
# As modules/monitoring has them: what a rule is about, and in which state it is told of it.
ENABLED, WITH_READS = "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
STATE_BY_NOTICE = {
    **dict.fromkeys(("access", "bucket", "console", "rules", "trail", "trust"), ENABLED),
    **dict.fromkeys(("denied", "root", "subject"), WITH_READS),
    "sync-failed": ENABLED,
}
# What has no region is told there only; an environment elsewhere has these rules there, too.
GLOBAL_REGION = "us-east-1"
REGIONAL_NOTICES = frozenset({"bucket", "sync-failed", "trail"})
GLOBAL_NOTICES = tuple(each for each in STATE_BY_NOTICE if each not in REGIONAL_NOTICES)
SWITCH_ON = "set security.monitoring: true, and deploy"


def _is_watched(place: Place) -> bool:
    return bool(place.environment.settings["security"]["monitoring"])


def _monitored(place: Place) -> Told:
    if not _is_watched(place):
        yield place.prefix, "security.monitoring is off: nobody is told of anything", SWITCH_ON


def _trail(place: Place) -> Told:
    if not _is_watched(place):
        return
    client, name = place.cloud.client("cloudtrail"), f"{place.prefix}-trail"
    try:
        trail: dict[str, Any] = client.get_trail(Name=name)["Trail"]
        is_logging = client.get_trail_status(Name=name)["IsLogging"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "TrailNotFoundException":
            raise
        yield name, "there is no trail", place.redeploy
        return
    if not is_logging:
        yield name, "it records nothing since it was stopped", place.redeploy
    for key, told in (
        ("IsMultiRegionTrail", "it records one region only"),
        ("LogFileValidationEnabled", "its files are not signed"),
        ("IncludeGlobalServiceEvents", "it leaves IAM and STS out"),
    ):
        if not trail.get(key):
            yield name, told, place.redeploy


def _rules(place: Place) -> Told:
    if not _is_watched(place):
        return
    yield from _rules_in(place, place.cloud.region, STATE_BY_NOTICE)
    if place.cloud.region != GLOBAL_REGION:
        yield from _rules_in(place, GLOBAL_REGION, GLOBAL_NOTICES)


def _rules_in(place: Place, region: str, notices: Iterable[str]) -> Told:
    events = replace(place.cloud, region=region).client("events")
    for notice in notices:
        problem = _problem_of(events, f"{place.prefix}-{notice}", STATE_BY_NOTICE[notice])
        if problem:
            yield f"{place.prefix}-{notice}", f"{problem} in {region}", place.redeploy


def _problem_of(events: Any, name: str, wanted: str) -> str:
    try:
        state = events.describe_rule(Name=name)["State"]
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return "there is no such rule"
    if state != wanted:
        return f"the rule is {state.lower()}, not {wanted.lower()},"
    return "" if targets else "the rule tells nobody"


def _log_groups(place: Place) -> Told:
    logs = place.cloud.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            ours = f"/{place.prefix}-" in group["logGroupName"]
            if ours and not group.get("retentionInDays"):
                yield group["logGroupName"], "it is kept for ever", place.redeploy


def _secrets(place: Place) -> Told:
    for each in wanted.of(place.environment):
        if each.aws_name is None or each.max_age_days == 0:
            continue
        rotate = f"inv secrets.rotate --env {place.environment.name} --name {each.name}"
        found = AtAws(place.cloud, each.aws_name).stored()
        if found is None or CURRENT not in found.version_by_label:
            yield each.aws_name, "it is not there", rotate
        elif (age := (datetime.now(UTC) - found.updated_at).days) > each.max_age_days:
            yield each.aws_name, f"it is {age} days old, {each.max_age_days} at most", rotate


CONTROLS = (
    Control("watch-off", "medium", "somebody watches", _monitored),
    Control("watch-trail", "critical", "the trail records, everywhere and signed", _trail),
    Control("watch-rules", "high", "each notice has its rule, and the rule its target", _rules),
    Control("log-retention", "low", "logs have an end", _log_groups),
    Control("secret-rotation", "medium", "secrets are there and young", _secrets),
)
