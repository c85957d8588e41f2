"""What a role of one environment would have to do to touch another; each must be denied."""

from __future__ import annotations

import json

import boto3

from tests.integration.enforcement import ACCOUNT

OTHERS = ("staging", "prod")
FORBIDDEN = {
    "read a bottle": lambda of: of("s3").get_object(Bucket=of.mirror, Key=of.key),
    "put a bottle": lambda of: of("s3").put_object(Bucket=of.mirror, Key=of.key, Body=b""),
    "delete a bottle": lambda of: of("s3").delete_object(Bucket=of.mirror, Key=of.key),
    "list the mirror": lambda of: of("s3").list_objects_v2(Bucket=of.mirror),
    "read the state": lambda of: of("s3").get_object(Bucket=of.state, Key=of.key),
    "write the state": lambda of: of("s3").put_object(Bucket=of.state, Key=of.key, Body=b""),
    "list the state": lambda of: of("s3").list_objects_v2(Bucket=of.state),
    "invoke a function": lambda of: of("lambda").invoke(FunctionName=of.function),
    "replace its code": lambda of: of("lambda").update_function_code(
        FunctionName=of.function, S3Bucket=of.state, S3Key=of.key
    ),
    "start a sync": lambda of: of("stepfunctions").start_execution(stateMachineArn=of.machine),
    "stop a sync": lambda of: of("stepfunctions").stop_execution(executionArn=of.execution),
    "become its role": lambda of: of("sts").assume_role(
        RoleArn=of.role, RoleSessionName="neighbour"
    ),
}


class Reach:
    """What a role of dev would have to name in another environment, and its way to try."""

    def __init__(self, environment, session=None, url=None):
        self._session, self._url = session, url
        self.mirror = f"airbrew-{environment}-mirror-{ACCOUNT}"
        self.state = f"airbrew-{environment}-state-{ACCOUNT}"
        self.function = f"airbrew-{environment}-orchestrator"
        self.machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:airbrew-{environment}-sync"
        self.execution = f"{self.machine.replace(':stateMachine:', ':execution:')}:one"
        self.role = f"arn:aws:iam::{ACCOUNT}:role/airbrew-{environment}-orchestrator"
        self.key = f"terraform/{environment}.tfstate"

    def __call__(self, service):
        return self._session.client(service, endpoint_url=self._url)


def trusting(service=None, principal=None):
    who = {"Service": service} if service else {"AWS": principal}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who}],
        }
    )


def session_of(key, secret, token=None):
    return boto3.session.Session(key, secret, token, region_name="us-east-1")
