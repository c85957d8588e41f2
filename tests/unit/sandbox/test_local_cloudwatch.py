"""CloudWatch: an account for each access key, and definitions that outlive the server."""

from __future__ import annotations

import time
from contextlib import contextmanager

import boto3
import pytest

from sandbox import identity, processes, servers
from sandbox.local_cloudwatch import operation_of
from sandbox.ports import free_port

DEV, STAGING = "111111111111", "222222222222"
ALARM = {
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def running(tmp_path):
    """Runs a server over the test's one journal, as often as asked; gives its URL.

    A process each time: moto's memory belongs to the process.
    """

    @contextmanager
    def run():
        port = free_port()
        server = servers.SERVERS["cloudwatch"]
        pid, started = processes.start(
            server.command(tmp_path, port, "ours"),
            server.environment(tmp_path, {}),
            tmp_path / "log",
            servers.CODE_DIR,
        )
        try:
            while not identity.answers_as("ours", port, patience_seconds=1):
                assert processes.is_running(pid, started), (tmp_path / "log").read_text()
                time.sleep(0.02)
            yield servers.url(port)
        finally:
            processes.stop(pid, started, patience_seconds=0)

    return run


@contextmanager
def cloudwatch(url, account=DEV):
    client = boto3.client(
        "cloudwatch",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=account,
        aws_secret_access_key="x",
    )
    try:
        yield client
    finally:
        client.close()


def alarms(url, account=DEV):
    with cloudwatch(url, account) as client:
        return {one["AlarmName"]: one for one in client.describe_alarms()["MetricAlarms"]}


def test_definitions_are_there_again_after_a_restart(running):
    with running() as url, cloudwatch(url) as client:
        client.put_metric_alarm(AlarmName="failed", **ALARM)
        client.put_metric_alarm(AlarmName="gone", **ALARM)
        client.delete_alarms(AlarmNames=["gone"])
        client.put_dashboard(DashboardName="d", DashboardBody='{"widgets":[]}')

    with running() as url, cloudwatch(url) as client:
        assert set(alarms(url)) == {"failed"}
        assert client.get_dashboard(DashboardName="d")["DashboardBody"] == '{"widgets":[]}'


def test_questions_and_metrics_are_not_written_down(running, tmp_path):
    with running() as url, cloudwatch(url) as client:
        client.describe_alarms()
        client.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])

    assert not (tmp_path / "journal.jsonl").exists()


def test_a_line_that_a_crash_cut_off_is_left_out(running, tmp_path):
    with running() as url, cloudwatch(url) as client:
        client.put_metric_alarm(AlarmName="whole", **ALARM)
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"path": "/", "env')

    with running() as url:
        assert set(alarms(url)) == {"whole"}


def test_each_account_has_its_own_alarms(running):
    with running() as url, cloudwatch(url, STAGING) as client:
        client.put_metric_alarm(AlarmName="failed", **ALARM)

        assert alarms(url, DEV) == {}
        arn = alarms(url, STAGING)["failed"]["AlarmArn"]
        assert arn == f"arn:aws:cloudwatch:us-east-1:{STAGING}:alarm:failed"


@pytest.mark.parametrize(
    ("environ", "body"),
    [
        ({"PATH_INFO": "/service/GraniteServiceVersion20100801/operation/TagResource"}, b""),
        (
            {"PATH_INFO": "/", "HTTP_X_AMZ_TARGET": "GraniteServiceVersion20100801.TagResource"},
            b"{}",
        ),
        ({"PATH_INFO": "/"}, b"Version=2010-08-01&Action=TagResource"),
    ],
    ids=["cbor", "json", "query"],
)
def test_the_operation_is_found_in_each_protocol(environ, body):
    assert operation_of(environ, body) == "TagResource"
