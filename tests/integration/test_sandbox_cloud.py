"""The sandbox as a whole: found when it runs, and started with its state when it does not."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from sandbox import cloud, local_aws, processes, record
from sandbox.errors import DidNotStart
from tests.conftest import needed

ROLE = "arn:aws:iam::222222222222:role/r"
BUCKETS_SEEN = """
import boto3
def handle(event, context):
    return [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]
"""
PASS = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A checkout whose sandbox runs at the start of the module and is gone after it."""
    folder = tmp_path_factory.mktemp("checkout")
    cloud.up(folder, report=lambda _: None)
    yield folder
    cloud.down(folder)


@pytest.fixture
def up(root):
    """Brings the sandbox up; what it reported is in `up.said`."""

    def start():
        start.said.clear()
        return cloud.up(root, report=start.said.append)

    start.said = []
    start()
    return start


def recorded(root):
    return record.read(root / ".airbrew" / "sandbox" / "servers.json")


def kill_all(root):
    for one in recorded(root).servers.values():
        os.kill(one.pid, signal.SIGKILL)
        while processes.is_running(one.pid, one.started):
            time.sleep(0.01)


def client(sandbox, service, environment="staging"):
    variables = sandbox.process_environment(environment, "eu-west-1")
    special = variables.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    return boto3.client(
        service,
        endpoint_url=special or variables["AWS_ENDPOINT_URL"],
        region_name="eu-west-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def zipped(code):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", code)
    return packed.getvalue()


@pytest.fixture(scope="module")
def deployed(root):
    """Something of each kind that a deploy makes, in staging's account; a bucket in dev's, too."""
    sandbox = cloud.up(root, report=lambda _: None)
    client(sandbox, "s3", "dev").create_bucket(
        Bucket="of-dev", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3 = client(sandbox, "s3")
    s3.create_bucket(
        Bucket="of-staging", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    s3.put_bucket_versioning(Bucket="of-staging", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="of-staging", Key="v2/blobs/sha256:ab", Body=b"bottle")
    client(sandbox, "iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    functions = client(sandbox, "lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Role=ROLE,
        Handler="handler.handle",
        Code={"ZipFile": zipped(BUCKETS_SEEN)},
        Publish=True,
        Timeout=30,
    )
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client(sandbox, "stepfunctions").create_state_machine(
        name="sync", roleArn=ROLE, definition=PASS
    )
    client(sandbox, "cloudwatch").put_dashboard(DashboardName="d", DashboardBody='{"widgets":[]}')


def found(sandbox):
    """What is deployed, as it is told and as it works."""
    s3, functions = client(sandbox, "s3"), client(sandbox, "lambda")
    answer = functions.invoke(FunctionName="f", Qualifier="live")
    machines = client(sandbox, "stepfunctions").list_state_machines()["stateMachines"]
    dashboards = client(sandbox, "cloudwatch").list_dashboards()["DashboardEntries"]
    return {
        "object": s3.get_object(Bucket="of-staging", Key="v2/blobs/sha256:ab")["Body"].read(),
        "versioning": s3.get_bucket_versioning(Bucket="of-staging")["Status"],
        "buckets seen by the function": json.loads(answer["Payload"].read()),
        "roles": [one["RoleName"] for one in client(sandbox, "iam").list_roles()["Roles"]],
        "state machines": [one["name"] for one in machines],
        "dashboards": [one["DashboardName"] for one in dashboards],
    }


ALL_OF_IT = {
    "object": b"bottle",
    "versioning": "Enabled",
    "buckets seen by the function": ["of-staging"],
    "roles": ["r"],
    "state machines": ["sync"],
    "dashboards": ["d"],
}


def test_a_running_sandbox_is_found_at_once(up):
    began = time.monotonic()
    up()

    assert time.monotonic() - began < 0.15
    assert up.said == []


def test_it_listens_on_this_machine_only(root, up):
    listening = subprocess.check_output([needed("ss"), "-ltnpH"], text=True)
    ours = [f"pid={one.pid}," for one in recorded(root).servers.values()]

    addresses = [line.split()[3] for line in listening.splitlines() if any(p in line for p in ours)]

    assert len(addresses) == 3
    assert all(address.startswith("127.0.0.1:") for address in addresses)


def test_a_function_sees_the_buckets_of_its_own_account(up, deployed):
    assert found(up()) == ALL_OF_IT


def test_kill_9_loses_nothing(root, up, deployed):
    before = up()
    time.sleep(4 * local_aws.SETTLE_SECONDS)

    kill_all(root)
    after = up()

    assert up.said == ["starting the sandbox: ministack, cloudwatch, upstream"]
    assert found(after) == ALL_OF_IT
    assert after == before


def test_stop_and_start_loses_nothing(root, up, deployed):
    stopped = cloud.down(root)

    assert stopped == ["ministack", "cloudwatch", "upstream"]
    assert found(up()) == ALL_OF_IT


def test_only_what_is_missing_is_started(root, up):
    one = recorded(root).servers["upstream"]
    os.kill(one.pid, signal.SIGKILL)

    up()

    assert up.said == ["starting the sandbox: upstream"]


def test_a_pid_that_was_given_to_another_process_is_not_taken_for_the_server(root, up):
    known = recorded(root)
    cloud.down(root)
    known.servers["upstream"] = replace(known.servers["upstream"], pid=os.getpid())
    record.write(root / ".airbrew" / "sandbox" / "servers.json", known)

    up()

    assert "upstream" in up.said[0]
    assert all(one.is_up for one in cloud.status(root))


def test_a_port_that_somebody_took_is_left_to_him(root, up):
    before = up()
    cloud.down(root)
    port = recorded(root).port_of("ministack")

    with socket.create_server(("127.0.0.1", port)):
        after = up()

    assert after.aws_url != before.aws_url
    assert after.upstream_url == before.upstream_url


def test_two_that_start_it_at_once_get_the_same_one(root, up):
    cloud.down(root)
    code = "import sys; from pathlib import Path; from sandbox import cloud;"
    code += "print(cloud.up(Path(sys.argv[1]), report=lambda _: None))"
    command = [sys.executable, "-c", code, str(root)]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]

    assert said[0] == said[1] != ""
    assert len(servers_of(root)) == 3


def test_down_leaves_no_process_not_even_a_function_s(root, up, deployed):
    sandbox = up()
    found(sandbox)
    groups = {one.pid for one in recorded(root).servers.values()}
    assert len(members(groups)) > 3

    cloud.down(root)

    assert members(groups) == []
    assert not any(one.is_up for one in cloud.status(root))


def test_a_server_that_dies_at_once_is_reported_with_its_last_words(root, up, monkeypatch):
    cloud.down(root)
    broken = replace(cloud.SERVERS["upstream"], module="sandbox.absent")
    monkeypatch.setattr(cloud, "SERVERS", {**cloud.SERVERS, "upstream": broken})

    with pytest.raises(DidNotStart, match=r"upstream ended at once(.|\n)*No module named"):
        up()


def test_reset_forgets_everything(tmp_path):
    cloud.up(tmp_path, report=lambda _: None)
    groups = {one.pid for one in recorded(tmp_path).servers.values()}

    cloud.reset(tmp_path)

    assert [one.name for one in (tmp_path / ".airbrew" / "sandbox").iterdir()] == ["lock"]
    assert members(groups) == []


def listed(columns):
    """What runs on this machine, a list of words each; who ended and is only uncollected, not."""
    told = subprocess.check_output(["ps", "-ww", "-eo", f"stat=,{columns}"], text=True)
    return [line.split() for line in told.splitlines() if not line.startswith("Z")]


def servers_of(root):
    """The command lines of the processes that carry the token of this checkout's sandbox."""
    token = recorded(root).token
    return [words for words in listed("args=") if token in words]


def members(groups):
    """The pids in these process groups."""
    return [int(pid) for _, group, pid in listed("pgid=,pid=") if int(group) in groups]
