"""What a destroy leaves behind on purpose, so that nobody finds it on a bill."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from delivery import image_repository
from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.oidc import access
from delivery.secrets import wanted

ABSENT = {"RepositoryNotFoundException", "ResourceNotFoundException", "NoSuchEntity"}


def beside_terraform(environment: Environment, cloud: Cloud, bucket: str) -> Iterator[str]:
    """Each thing of the environment that no deploy's Terraform made, and what it is for.

    What these credentials may not look at is taken to be there.

    Args:
        bucket: the state bucket, which stays in any case.
    """
    yield f"s3://{bucket} (Terraform's state, the history, every release and its settings)"
    images = image_repository.name(environment)
    if _is_there(cloud, "ecr", "describe_images", repositoryName=images):
        yield f"ECR repository {images} (the task's images, which releases name by digest)"
    for each in wanted.of(environment):
        name = each.aws_name
        if name and _is_there(cloud, "secretsmanager", "describe_secret", SecretId=name):
            yield f"secret {name} (put there by inv secrets.rotate)"
    role = access.role_name(environment, access.PURPOSES[0])
    lets_github_in = environment.settings["github"]["repository"] is not None
    if lets_github_in and _is_there(cloud, "iam", "get_role", RoleName=role):
        yield f"role {role}, and what belongs to it (made by inv oidc.bootstrap)"


def _is_there(cloud: Cloud, service: str, look: str, **asked: str) -> bool:
    try:
        getattr(cloud.client(service), look)(**asked)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ABSENT
    return True
