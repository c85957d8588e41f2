"""Where an environment lives, AWS or the sandbox: how to reach it, and whose account it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from delivery.errors import WrongAccount

if TYPE_CHECKING:
    from boto3.session import Session


@dataclass(frozen=True)
class Cloud:
    """One account and region, and the way to it.

    Args:
        kind: ``sandbox`` or ``AWS``.
        variables: the environment of child processes (Terraform): credentials and endpoints.
        upstream: what to mirror from instead of the configured upstream: ``api_url``,
            ``registry_url`` and ``signing_key_pem``; empty in AWS.
    """

    kind: str
    account_id: str
    region: str
    variables: Mapping[str, str] = field(repr=False)
    upstream: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the local cloud, where what breaks costs nothing."""
        return self.kind == "sandbox"

    def client(self, service: str) -> Any:
        """The boto3 client of `service`; made once, because making one takes 20 to 60 ms."""
        if service not in self._clients:
            endpoint = self.variables.get("AWS_ENDPOINT_URL") if self.is_sandbox else None
            make: Any = self._session.client  # boto3's stubs know literal names of services only.
            self._clients[service] = make(
                service, endpoint_url=endpoint, config=_client_config(service)
            )
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _session(self) -> Session:
        import boto3  # noqa: PLC0415 - a quarter of a second that `inv --list` need not pay

        if not self.is_sandbox:
            return boto3.session.Session(region_name=self.region)
        return boto3.session.Session(
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.variables.get("AWS_SESSION_TOKEN"),
            region_name=self.region,
        )

    def describe(self) -> str:
        """The first line of every run: which cloud, which account, which region."""
        where = self.variables.get("AWS_ENDPOINT_URL", "") if self.is_sandbox else "amazonaws.com"
        return f"{self.kind} ({where}), account {self.account_id}, {self.region}"


def aws(account_id: str, region: str, variables: Mapping[str, str]) -> Cloud:
    """The AWS account that the configuration names, proven before anything is done in it.

    Raises:
        WrongAccount: the credentials at hand belong to another account, there are none, or
            nobody can be asked whose they are.
    """
    from botocore import exceptions  # noqa: PLC0415 - as boto3 above

    from delivery import refusals  # noqa: PLC0415 - as boto3 above

    cloud = Cloud("AWS", account_id, region, {**variables, "AWS_REGION": region})
    try:
        found = cloud.client("sts").get_caller_identity()["Account"]
    except refusals.UNREACHABLE as error:
        raise WrongAccount(
            f"nobody says whether the credentials are those of account {account_id}: {error}",
            where=f"STS in {region}",
            remedy=refusals.REACH,
        ) from error
    except (exceptions.BotoCoreError, exceptions.ClientError) as error:
        raise WrongAccount(
            f"no usable AWS credentials for account {account_id}: {error}",
            where="the credentials boto3 finds (environment, profile, SSO)",
            remedy="log in (for example `aws sso login --profile …` and export AWS_PROFILE)",
        ) from error
    if found != account_id:
        raise WrongAccount(
            f"the credentials belong to account {found}, not to {account_id}",
            where="account_id in config/airbrew.yaml",
            remedy=f"use credentials of {account_id}, or correct account_id",
        )
    return cloud


def _client_config(service: str) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - as boto3 above

    # A Lambda answers when it is done, after 15 minutes at most; asked again, it would run twice.
    patience: dict[str, Any] = {"read_timeout": 910, "tcp_keepalive": True}
    return Config(
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path"},
        **(patience if service == "lambda" else {}),
    )
