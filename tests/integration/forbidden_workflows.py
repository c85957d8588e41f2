"""What a workflow never has to do in an account, and what it must not be able to."""

from __future__ import annotations

import json

from delivery.oidc import access
from tests.integration.enforcement import ACCOUNT

STATE, MIRROR = f"airbrew-dev-state-{ACCOUNT}", f"airbrew-dev-mirror-{ACCOUNT}"
ELSEWHERE = f"airbrew-prod-state-{ACCOUNT}"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/airbrew-dev-boundary"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/airbrew-dev-trail"
NO_DEPLOY_EITHER = {
    "list another environment's bucket": ("s3", "list_objects_v2", {"Bucket": ELSEWHERE}),
    "read another environment's state": (
        "s3",
        "get_object",
        {"Bucket": ELSEWHERE, "Key": "access/prod.tfstate"},
    ),
    "delete the state bucket": ("s3", "delete_bucket", {"Bucket": STATE}),
    "delete the mirror": ("s3", "delete_bucket", {"Bucket": MIRROR}),
    "open the state bucket": ("s3", "put_bucket_policy", {"Bucket": STATE, "Policy": POLICY}),
    "end the state bucket's versions": (
        "s3",
        "put_bucket_versioning",
        {"Bucket": STATE, "VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "change the state of the access": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "access/dev.tfstate", "Body": b"{}"},
    ),
    "delete a snapshot": (
        "s3",
        "delete_object",
        {"Bucket": MIRROR, "Key": "snapshots/x/snapshot.json"},
    ),
    "publish by itself": (
        "s3",
        "put_object",
        {"Bucket": MIRROR, "Key": "api/formula.jws.json", "Body": b""},
    ),
    "make a user": ("iam", "create_user", {"UserName": "airbrew-dev-user"}),
    "make a key": ("iam", "create_access_key", {"UserName": "airbrew-dev-user"}),
    "make a role without the boundary": (
        "iam",
        "create_role",
        {"RoleName": "airbrew-dev-x", "AssumeRolePolicyDocument": POLICY},
    ),
    "make a role with another boundary": (
        "iam",
        "create_role",
        {
            "RoleName": "airbrew-dev-x",
            "AssumeRolePolicyDocument": POLICY,
            "PermissionsBoundary": ADMINISTRATOR,
        },
    ),
    "make a role of another name": (
        "iam",
        "create_role",
        {"RoleName": "x", "AssumeRolePolicyDocument": POLICY, "PermissionsBoundary": BOUNDARY},
    ),
    "take a role's boundary away": (
        "iam",
        "delete_role_permissions_boundary",
        {"RoleName": "airbrew-dev-orchestrator"},
    ),
    "give itself more": (
        "iam",
        "attach_role_policy",
        {"RoleName": "github-airbrew-dev-deploy", "PolicyArn": ADMINISTRATOR},
    ),
    "let others in": (
        "iam",
        "update_assume_role_policy",
        {"RoleName": "github-airbrew-dev-deploy", "PolicyDocument": POLICY},
    ),
    "widen the boundary": (
        "iam",
        "create_policy_version",
        {"PolicyArn": BOUNDARY, "PolicyDocument": POLICY, "SetAsDefault": True},
    ),
    "drop the provider": (
        "iam",
        "delete_open_id_connect_provider",
        {"OpenIDConnectProviderArn": access.provider_arn(ACCOUNT)},
    ),
    "call another environment's function": (
        "lambda",
        "invoke",
        {"FunctionName": f"{FUNCTION}:airbrew-prod-orchestrator"},
    ),
    "start another environment's sync": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": f"{MACHINE}:airbrew-prod-sync"},
    ),
    "read its own secret": ("secretsmanager", "get_secret_value", {"SecretId": "airbrew-dev/x"}),
    "read another's secret": ("secretsmanager", "get_secret_value", {"SecretId": "payroll"}),
    "stop the trail": ("cloudtrail", "stop_logging", {"Name": TRAIL}),
    "delete the trail": ("cloudtrail", "delete_trail", {"Name": TRAIL}),
    "make a machine": (
        "ec2",
        "run_instances",
        {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1},
    ),
    "make a key of KMS": ("kms", "create_key", {}),
}
NO_PLAN_EITHER = {
    "write the state": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "terraform/dev.tfstate", "Body": b"{}"},
    ),
    "write the history": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "releases/dev/000009.json", "Body": b"{}"},
    ),
    "write the settings": (
        "s3",
        "put_object",
        {"Bucket": MIRROR, "Key": "settings/mirror.json", "Body": b"{}"},
    ),
    "call a function": ("lambda", "invoke", {"FunctionName": f"{FUNCTION}:airbrew-dev-collector"}),
    "change a function": (
        "lambda",
        "update_function_configuration",
        {"FunctionName": f"{FUNCTION}:airbrew-dev-collector", "Timeout": 60},
    ),
    "start a sync": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": f"{MACHINE}:airbrew-dev-sync"},
    ),
    "make a bounded role": (
        "iam",
        "create_role",
        {
            "RoleName": "airbrew-dev-x",
            "AssumeRolePolicyDocument": POLICY,
            "PermissionsBoundary": BOUNDARY,
        },
    ),
    "change a role": (
        "iam",
        "put_role_policy",
        {"RoleName": "airbrew-dev-orchestrator", "PolicyName": "x", "PolicyDocument": POLICY},
    ),
}
