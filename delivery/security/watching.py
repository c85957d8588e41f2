"""Controls of what watches: the trail, the rules that tell people, logs, and young secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery.secrets import wanted
from delivery.secrets.at_aws import CURRENT, AtAws
from delivery.security.findings import Control, Place

Told = Iterator[tuple[str, str, str]]
# As modules/monitoring names them.
NOTICES = (
    *("access", "bucket", "console", "denied", "root"),
    *("rules", "subject", "trail", "trust"),
)
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
    events = place.cloud.client("events")
    for notice in NOTICES if _is_watched(place) else ():
        name = f"{place.prefix}-{notice}"
        try:
            state = events.describe_rule(Name=name)["State"]
            targets = events.list_targets_by_rule(Rule=name)["Targets"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            yield name, "there is no such rule", place.redeploy
            continue
        if state != "ENABLED":
            yield name, f"the rule is {state.lower()}", place.redeploy
        elif not targets:
            yield name, "the rule tells nobody", place.redeploy


def _log_groups(place: Place) -> Told:
    logs = place.cloud.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            ours = f"/{place.prefix}-" in group["logGroupName"]
            if ours and not group.get("retentionInDays"):
                yield group["logGroupName"], "it is kept for ever", place.redeploy


def _secrets(place: Place) -> Told:
    for each in wanted.of(place.environment, place.cloud.account_id):
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
