"""What no role has to do in its own environment; each must be denied."""

from __future__ import annotations

from tests.integration.enforcement import ACCOUNT

PREFIX = "airbrew-dev"
MIRROR, STATE = f"{PREFIX}-mirror-{ACCOUNT}", f"{PREFIX}-state-{ACCOUNT}"
FUNCTION, ROLE = f"{PREFIX}-sync-worker", f"{PREFIX}-orchestrator"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{PREFIX}-sync"
ANYTHING = '{"Version": "2012-10-17", "Statement": []}'
COLLECTOR = {f"{PREFIX}-collector"}

FORBIDDEN = {
    "make a user": lambda aws: aws("iam").create_user(UserName="backdoor"),
    "make a key": lambda aws: aws("iam").create_access_key(UserName="neighbour"),
    "make a role": lambda aws: aws("iam").create_role(
        RoleName="backdoor", AssumeRolePolicyDocument=ANYTHING
    ),
    "give a role a policy": lambda aws: aws("iam").put_role_policy(
        RoleName=ROLE, PolicyName="more", PolicyDocument=ANYTHING
    ),
    "attach a policy": lambda aws: aws("iam").attach_role_policy(
        RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "say who may wear a role": lambda aws: aws("iam").update_assume_role_policy(
        RoleName=ROLE, PolicyDocument=ANYTHING
    ),
    "list the roles": lambda aws: aws("iam").list_roles(),
    "become another role": lambda aws: aws("sts").assume_role(
        RoleArn=ROLE_ARN, RoleSessionName="other"
    ),
    "list every bucket": lambda aws: aws("s3").list_buckets(),
    "make a bucket": lambda aws: aws("s3").create_bucket(Bucket=f"{PREFIX}-backdoor"),
    "delete the mirror": lambda aws: aws("s3").delete_bucket(Bucket=MIRROR),
    "open the mirror": lambda aws: aws("s3").put_bucket_policy(Bucket=MIRROR, Policy=ANYTHING),
    "let the public in": lambda aws: aws("s3").delete_public_access_block(Bucket=MIRROR),
    "keep no versions": lambda aws: aws("s3").put_bucket_versioning(
        Bucket=MIRROR, VersioningConfiguration={"Status": "Suspended"}
    ),
    "let things expire": lambda aws: aws("s3").delete_bucket_lifecycle(Bucket=MIRROR),
    "delete a snapshot": lambda aws: aws("s3").delete_object(
        Bucket=MIRROR, Key="snapshots/2026-11-22T030000Z/snapshot.json"
    ),
    "delete a bottle": lambda aws: aws("s3").delete_object(
        Bucket=MIRROR, Key="v2/homebrew/core/jq/blobs/sha256:0"
    ),
    "delete the settings": lambda aws: aws("s3").delete_object(Bucket=MIRROR, Key="settings/1"),
    "delete a version for good": lambda aws: aws("s3").delete_object(
        Bucket=MIRROR, Key="index.html", VersionId="1"
    ),
    "write the settings": lambda aws: aws("s3").put_object(
        Bucket=MIRROR, Key="settings/1", Body=b"{}"
    ),
    "read Terraform's state": lambda aws: aws("s3").get_object(
        Bucket=STATE, Key="terraform/dev.tfstate"
    ),
    "write an artifact": lambda aws: aws("s3").put_object(
        Bucket=STATE, Key="artifacts/layer/0.zip", Body=b""
    ),
    "replace the code": lambda aws: aws("lambda").update_function_code(
        FunctionName=FUNCTION, S3Bucket=STATE, S3Key="artifacts/layer/0.zip"
    ),
    "change the settings' key": lambda aws: aws("lambda").update_function_configuration(
        FunctionName=FUNCTION, Environment={"Variables": {}}
    ),
    "let another version serve": lambda aws: aws("lambda").update_alias(
        FunctionName=FUNCTION, Name="live", FunctionVersion="1"
    ),
    "delete a function": lambda aws: aws("lambda").delete_function(FunctionName=FUNCTION),
    "change the workflow": lambda aws: aws("stepfunctions").update_state_machine(
        stateMachineArn=MACHINE, roleArn=ROLE_ARN
    ),
    "delete the workflow": lambda aws: aws("stepfunctions").delete_state_machine(
        stateMachineArn=MACHINE
    ),
    "read a secret": lambda aws: aws("secretsmanager").get_secret_value(
        SecretId=f"{PREFIX}/slack-webhook-url"
    ),
    "write a secret": lambda aws: aws("secretsmanager").put_secret_value(
        SecretId=f"{PREFIX}/slack-webhook-url", SecretString="mine"
    ),
    "stop the trail": lambda aws: aws("cloudtrail").stop_logging(Name=f"{PREFIX}-trail"),
    "delete the trail": lambda aws: aws("cloudtrail").delete_trail(Name=f"{PREFIX}-trail"),
    "silence a notice": lambda aws: aws("events").disable_rule(Name=f"{PREFIX}-notice-trust"),
    "delete a log": lambda aws: aws("logs").delete_log_group(
        logGroupName=f"/aws/lambda/{FUNCTION}"
    ),
    "stop the schedule": lambda aws: aws("scheduler").delete_schedule(
        Name=f"{PREFIX}-sync", GroupName=f"{PREFIX}-sync"
    ),
    "push an image": lambda aws: aws("ecr").put_image(
        repositoryName=FUNCTION, imageManifest="{}", imageTag="1"
    ),
}
# Who has to, after all.
EXCEPT = {"delete a snapshot": COLLECTOR, "delete a bottle": COLLECTOR}
