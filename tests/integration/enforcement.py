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
# Calls whose resource MiniStack 1.5.33 gives as "*", as another one, or without its tags, where AWS
# gives what our policies name (Service Authorization Reference). Nothing is proven of these.
UNNAMED = (
    "cloudtrail:ListTags",
    "cloudwatch:ListTagsForResource",
    "ec2:AssociateRouteTable",
    "ec2:AttachInternetGateway",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:CreateInternetGateway",
    "ec2:CreateRoute",
    "ec2:CreateTags",
    "ec2:CreateVpc",
    "ec2:ModifyVpcAttribute",
    "ec2:RevokeSecurityGroupEgress",
    "ecs:CreateCluster",
    "ecs:DescribeClusters",
    "events:DescribeRule",
    "events:ListTagsForResource",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "lambda:CreateFunction",
    "lambda:ListLayers",
    "scheduler:CreateSchedule",
    "scheduler:GetSchedule",
    "scheduler:ListTagsForResource",
    "sns:ListTagsForResource",
    "states:DescribeMapRun",
    "states:ListTagsForResource",
)
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
