"""A local AWS with IAM enforced, and a sample Homebrew for what is deployed in it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from delivery.cloud import Cloud
from delivery.paths import ROOT
from sandbox import identity, ports
from sandbox.servers import CLOUDWATCH, MINISTACK, SERVERS
from sandbox.upstream import Upstream

# With AUTH on, MiniStack goes by roles, and this key is the root of this account
# (docs of MiniStack 1.5.33, "IAM enforcement").
ROOT_KEY, ACCOUNT = "test", "000000000000"
START_SECONDS = 30
# Calls whose resource MiniStack 1.5.33 gives as "*", as another one, or without its tags, and what
# AWS names in dev. It cannot decide these: they are allowed there, and tests put them to the
# policies. Source: Service Authorization Reference of each service; of a subscription that names
# nothing, but SNS's own refusals name the topic.
REGION = "us-east-1"
_CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/airbrew-dev-sync"
_GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/airbrew-dev-sync"
_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:airbrew-dev-sync"
_RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/airbrew-dev-trust"
_SCHEDULE = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/airbrew-dev-sync/airbrew-dev-sync"
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:airbrew-dev-security"
_TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/airbrew-dev-trail"
_ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:airbrew-dev-security-untold"


def _ec2(kind: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{kind}-0f1c"


UNNAMED = {
    "cloudtrail:AddTags": _TRAIL,
    "cloudtrail:ListTags": _TRAIL,
    "cloudtrail:RemoveTags": _TRAIL,
    "cloudwatch:DeleteAlarms": _ALARM,
    "cloudwatch:ListTagsForResource": _ALARM,
    "cloudwatch:TagResource": _ALARM,
    "cloudwatch:UntagResource": _ALARM,
    "ec2:AssociateRouteTable": _ec2("route-table"),
    "ec2:AttachInternetGateway": _ec2("internet-gateway"),
    "ec2:AuthorizeSecurityGroupEgress": _ec2("security-group"),
    "ec2:CreateInternetGateway": _ec2("internet-gateway"),
    "ec2:CreateRoute": _ec2("route-table"),
    "ec2:CreateTags": _ec2("vpc"),
    "ec2:CreateVpc": _ec2("vpc"),
    "ec2:DeleteInternetGateway": _ec2("internet-gateway"),
    "ec2:DeleteRoute": _ec2("route-table"),
    "ec2:DeleteRouteTable": _ec2("route-table"),
    "ec2:DeleteSecurityGroup": _ec2("security-group"),
    "ec2:DeleteSubnet": _ec2("subnet"),
    "ec2:DeleteTags": _ec2("vpc"),
    "ec2:DeleteVpc": _ec2("vpc"),
    "ec2:DetachInternetGateway": _ec2("internet-gateway"),
    "ec2:DisassociateRouteTable": _ec2("route-table"),
    "ec2:ModifySubnetAttribute": _ec2("subnet"),
    "ec2:ModifyVpcAttribute": _ec2("vpc"),
    "ec2:RevokeSecurityGroupEgress": _ec2("security-group"),
    "ec2:RevokeSecurityGroupIngress": _ec2("security-group"),
    "ecs:CreateCluster": _CLUSTER,
    "ecs:DescribeClusters": _CLUSTER,
    "ecs:ListTagsForResource": _CLUSTER,
    "ecs:TagResource": _CLUSTER,
    "ecs:UntagResource": _CLUSTER,
    "events:DeleteRule": _RULE,
    "events:DescribeRule": _RULE,
    "events:ListTagsForResource": _RULE,
    "events:ListTargetsByRule": _RULE,
    "events:PutRule": _RULE,
    "events:PutTargets": _RULE,
    "events:RemoveTargets": _RULE,
    "events:TagResource": _RULE,
    "events:UntagResource": _RULE,
    "lambda:CreateFunction": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:airbrew-dev-collector",
    "scheduler:CreateSchedule": _SCHEDULE,
    "scheduler:DeleteSchedule": _SCHEDULE,
    "scheduler:GetSchedule": _SCHEDULE,
    "scheduler:ListTagsForResource": _GROUP,
    "scheduler:TagResource": _GROUP,
    "scheduler:UntagResource": _GROUP,
    "scheduler:UpdateSchedule": _SCHEDULE,
    "sns:GetSubscriptionAttributes": _TOPIC,
    "sns:ListTagsForResource": _TOPIC,
    "sns:TagResource": _TOPIC,
    "sns:Unsubscribe": _TOPIC,
    "sns:UntagResource": _TOPIC,
    "states:DescribeMapRun": f"arn:aws:states:{REGION}:{ACCOUNT}:mapRun:airbrew-dev-sync/Copy:0f1c",
    "states:ListTagsForResource": _MACHINE,
    "states:TagResource": _MACHINE,
    "states:UntagResource": _MACHINE,
}
# What is true of all of them: it is asked here, of what is ours.
CONTEXT = {
    "aws:RequestedRegion": REGION,
    "aws:ResourceTag/Project": "airbrew",
    "aws:ResourceTag/Environment": "dev",
}
TOKEN = "enforcing"
# Where tests.doubles.recording_aws is told to write, and what it writes: a line per decision.
DECISIONS_VARIABLE, DECISIONS = "AIRBREW_TEST_DECISIONS", "decisions.jsonl"


@contextmanager
def enforcing(folder: Path, module: str | None = None) -> Iterator[Cloud]:
    """A local AWS that denies what no policy allows, as its root sees it.

    Args:
        module: runs in the place of the sandbox's own.
    """
    for name in ("state", "s3", "tmp"):
        (folder / name).mkdir()
    port, server = ports.free_port(), SERVERS[MINISTACK]
    command = server.command(folder, port, TOKEN)
    if module is not None:
        command[command.index(server.module)] = module
    variables = server.environment(folder, {MINISTACK: port, CLOUDWATCH: port})
    variables |= {"AUTH": "true", DECISIONS_VARIABLE: str(folder / DECISIONS)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=variables, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not identity.answers_as(TOKEN, port, patience_seconds=1):
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    yield as_caller(port, {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_KEY})
    process.terminate()
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # Its Lambda workers.


def as_caller(port: int, credentials: dict[str, str]) -> Cloud:
    """The local AWS at `port`, seen with these credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return Cloud(
        "sandbox",
        ACCOUNT,
        "us-east-1",
        kept
        | credentials
        | {
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        },
    )


@contextmanager
def sample_upstream(folder: Path) -> Iterator[Upstream]:
    """A sample Homebrew to mirror from."""
    with Upstream(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
