"""Telemetry: lines that say whose they are, metrics that CloudWatch reads, a complete reference."""

from __future__ import annotations

import ast
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from mirror import reports, telemetry
from mirror.errors import IncompleteSync
from mirror.telemetry import CAUSES, Metric
from tests.unit.mirror.conftest import EXECUTION, NOW

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "telemetry.md").read_text()
ON_EVERY_LINE = {"level", "event", "function", "sync"}
# Source: Amazon CloudWatch, "Specification: Embedded metric format", and MetricDatum's units.
UNITS = {"Count", "Bytes", "Seconds"}


@pytest.fixture
def lines(capsys):
    """The lines told since this was asked last."""

    def read():
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    telemetry.begin("test", project="acme", environment="dev")
    return read


def check_emf(line):
    """What CloudWatch demands of a line before it takes metrics from it."""
    envelope = line["_aws"]
    assert isinstance(envelope["Timestamp"], int)
    assert envelope["Timestamp"] > 1_000_000_000_000
    for directive in envelope["CloudWatchMetrics"]:
        assert re.fullmatch(r"[A-Za-z0-9_./#:-]{1,256}", directive["Namespace"])
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(line[name], str) and line[name] for name in dimensions)
        assert 0 < len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            assert type(line[metric["Name"]]) in (int, float)


def documented(title):
    """The rows of the table below a heading of the page: first cell, and all of it."""
    table = re.search(rf"\| {title} \|.*?\n((?:\|.*\n)+)", PAGE).group(1)
    return {re.findall(r"`([^`]+)`", row)[0]: row for row in table.splitlines()[1:]}


def told_in_code():
    """Event → names of the fields that the calls in the code give it."""
    found = {}
    for path in [*ROOT.glob("lambdas/**/*.py"), *ROOT.glob("docker/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            called = f"{getattr(node.func.value, 'id', '')}.{node.func.attr}"
            if called in ("telemetry.tell", "telemetry.measure"):
                names = {each.arg for each in node.keywords if each.arg}
                found.setdefault(node.args[0].value, set()).update(names)
    return found


def test_a_line_says_who_tells_and_which_sync_it_is_about(lines):
    telemetry.about("2026-11-22T030000Z")

    telemetry.tell("bottle_again", level="WARN", bottle="jq", problem="damaged")

    assert lines() == [
        {
            "level": "WARN",
            "event": "bottle_again",
            "function": "test",
            "sync": "2026-11-22T030000Z",
            "bottle": "jq",
            "problem": "damaged",
        }
    ]


def test_a_new_invocation_knows_nothing_of_the_sync_before(lines):
    telemetry.about("2026-11-22T030000Z")
    telemetry.retried("answered 503")

    telemetry.begin("test")
    telemetry.tell("planned")

    assert lines()[0]["sync"] is None
    assert telemetry.take_retries() == {}


def test_metrics_stand_in_the_line_as_cloudwatch_reads_them(lines):
    telemetry.measure("batch_done", {Metric.BYTES_COPIED: 41}, failures={"DigestMismatch": 2})

    (line,) = lines()
    check_emf(line)
    assert (line["Project"], line["Environment"]) == ("acme", "dev")
    assert (line["BytesCopied"], line["FailuresDigestMismatch"]) == (41, 2)
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Airbrew",
            "Dimensions": [["Project", "Environment"]],
            "Metrics": [
                {"Name": "BytesCopied", "Unit": "Bytes"},
                {"Name": "FailuresDigestMismatch", "Unit": "Count"},
            ],
        }
    ]


def test_settings_without_a_project_still_make_a_line_that_cloudwatch_takes(lines):
    telemetry.begin("test")

    telemetry.measure("published", {Metric.SYNCS_PUBLISHED: 1})

    check_emf(lines()[0])


def test_causes_are_a_fixed_list_whatever_failed():
    counted = telemetry.failures_by_cause({"KeyError": 1, "ValueError": 2, "States.Timeout": 1})

    assert counted == {"FailuresOther": 3, "FailuresTimeout": 1}


def test_retries_are_counted_by_reason_without_details():
    telemetry.begin("test")
    for reason in ("no answer: timed out", "no answer: reset", "answered 503"):
        telemetry.retried(reason)

    assert telemetry.take_retries() == {"no answer": 2, "answered 503": 1}


def test_every_line_of_a_whole_sync_is_as_the_reference_says(upstream, sync, lines):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    sync.run()
    upstream.add("gone", {"arm64_tahoe": b"gone"})
    del upstream.manifests["gone", "1.0"]
    planned = sync.plan("two", NOW + timedelta(days=7))
    with pytest.raises(IncompleteSync) as failure:
        sync.publish(planned, "two", NOW)
    reports.report_failure(
        sync.connections.bucket, "two", "IncompleteSync", str(failure.value), now=NOW
    )

    all_told, events = lines(), documented("event")
    told = {line["event"]: line for line in all_told}
    assert [line["event"] for line in all_told if "_aws" in line] == [
        *("planned", "batch_done", "published"),
        *("planned", "sync_failed"),
    ]
    metrics = set(documented("metric")) | {f"Failures{cause}" for cause in CAUSES}
    for line in all_told:
        if "_aws" in line:
            check_emf(line)
        fields = set(re.findall(r"`([^`]+)`", events[line["event"]]))
        unknown = set(line) - ON_EVERY_LINE - fields - metrics - {"_aws", *telemetry.DIMENSIONS}
        assert not unknown, f"{line['event']} has fields that the reference does not name"
    planned, failed = told["planned"], told["sync_failed"]
    assert planned["FailuresNotUpstream"] == planned["BottlesFailed"] == 1
    assert planned["SnapshotAgeSeconds"] == timedelta(days=7).total_seconds()
    assert failed["FailuresIncompleteSync"] == failed["SyncsFailed"] == 1
    assert failed["remedy"].startswith("nothing was published")


def test_every_event_in_the_code_is_in_the_reference_and_the_other_way_round():
    events = documented("event")

    assert set(told_in_code()) == set(events)


@pytest.mark.parametrize(("event", "fields"), told_in_code().items(), ids=told_in_code())
def test_every_field_of_an_event_is_in_the_reference(event, fields):
    row = documented("event")[event]

    known = set(re.findall(r"`([^`]+)`", row)) | {"level", "failures"}
    assert fields - known == set()


def test_every_metric_is_in_the_reference_with_its_unit():
    rows = documented("metric")

    told = {name: row.split("|")[2].strip() for name, row in rows.items() if "<" not in name}
    assert told == {each.value[0]: each.value[1] for each in Metric}
    assert set(re.findall(r"`(\w+)`", PAGE.split("`<cause>` is one of")[1].split(":")[0])) == {
        *CAUSES
    }


def test_an_execution_of_no_sync_is_told_as_well(bucket, lines):
    reports.report_failure(bucket, EXECUTION, "States.Timeout", "too slow", now=NOW)

    (line,) = lines()
    assert (line["sync"], line["problem"], line["FailuresTimeout"]) == (None, "too slow", 1)
