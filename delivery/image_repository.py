"""An environment's own repository in ECR: made once, tags that never move, found by digest."""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.exceptions import ClientError

from delivery.artifacts.credentials import Login
from delivery.cloud import Cloud
from delivery.environment import Environment

# An image that was replaced stays for a rollback; what nobody named goes first.
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "What no tag names any more",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "All but the newest fifty",
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": 50,
            },
            "action": {"type": "expire"},
        },
    ]
}


def name(environment: Environment) -> str:
    """``airbrew-prod-sync-worker``."""
    return f"{environment.project}-{environment.name}-sync-worker"


def address(environment: Environment, cloud: Cloud) -> str:
    """``123456789012.dkr.ecr.us-east-1.amazonaws.com/airbrew-prod-sync-worker``."""
    return f"{cloud.account_id}.dkr.ecr.{cloud.region}.amazonaws.com/{name(environment)}"


def ensure(environment: Environment, cloud: Cloud) -> bool:
    """Create it unless it is there: immutable tags, scanned on push. True when created.

    The lifecycle is put each time, so that a kill in between leaves nothing half made.
    """
    ecr, is_new = cloud.client("ecr"), True
    try:
        ecr.create_repository(
            repositoryName=name(environment),
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
            encryptionConfiguration={"encryptionType": "AES256"},
            tags=[
                {"Key": "Project", "Value": environment.project},
                {"Key": "Environment", "Value": environment.name},
            ],
        )
    except ecr.exceptions.RepositoryAlreadyExistsException:
        is_new = False
    ecr.put_lifecycle_policy(
        repositoryName=name(environment), lifecyclePolicyText=json.dumps(LIFECYCLE)
    )
    return is_new


def login(environment: Environment, cloud: Cloud) -> Login:
    """Who may push there for the next twelve hours: whoever holds these credentials."""
    (found,) = cloud.client("ecr").get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return Login(address(environment, cloud).partition("/")[0], user, password)


def digest_of(environment: Environment, cloud: Cloud, *, tag: str = "", digest: str = "") -> str:
    """``sha256:…`` of the image with that tag or digest; empty when there is none."""
    asked = {"imageTag": tag} if tag else {"imageDigest": digest}
    ecr: Any = cloud.client("ecr")
    try:
        found = ecr.describe_images(repositoryName=name(environment), imageIds=[asked])
    except ClientError as error:
        if error.response["Error"]["Code"] in {
            "ImageNotFoundException",
            "RepositoryNotFoundException",
        }:
            return ""
        raise
    return str(found["imageDetails"][0]["imageDigest"])
