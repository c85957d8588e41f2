"""Secrets in AWS Secrets Manager, with the labels that a rotation moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery.cloud import Cloud

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
DENIED = {"AccessDenied", "AccessDeniedException"}


@dataclass(frozen=True)
class Stored:
    """What Secrets Manager tells without the value: label → version, and the last change."""

    updated_at: datetime
    version_by_label: dict[str, str]


class AtAws:
    """One secret of one environment."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.name = name
        self._client = cloud.client("secretsmanager")

    def stored(self) -> Stored | None:
        """None when it is not there."""
        try:
            found = self._client.describe_secret(SecretId=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        labels = found.get("VersionIdsToStages") or {}
        versions = {label: version for version, each in labels.items() for label in each}
        return Stored(found.get("LastChangedDate") or found["CreatedDate"], versions)

    def value(self, label: str = CURRENT) -> str | None:
        """The value under this label; None where we may not read it, or there is none."""
        try:
            answer = self._client.get_secret_value(SecretId=self.name, VersionStage=label)
        except ClientError as error:
            if error.response["Error"]["Code"] in {*DENIED, "ResourceNotFoundException"}:
                return None
            raise
        return str(answer["SecretString"])

    def propose(self, value: str) -> None:
        """Keep a value as the pending one: it is in use nowhere, and survives a kill."""
        if self.stored() is None:
            self._client.create_secret(Name=self.name, Description="Set by inv secrets.rotate.")
        self._client.put_secret_value(
            SecretId=self.name, SecretString=value, VersionStages=[PENDING]
        )

    def promote(self) -> None:
        """Make the pending value the current one; the current one becomes the previous."""
        versions = self._versions()
        moved: dict[str, Any] = {"MoveToVersionId": versions[PENDING]}
        if CURRENT in versions:
            moved["RemoveFromVersionId"] = versions[CURRENT]
        if versions.get(CURRENT) != versions[PENDING]:  # Else a kill came in between.
            self._client.update_secret_version_stage(
                SecretId=self.name, VersionStage=CURRENT, **moved
            )
        self.forget(PENDING)

    def forget(self, label: str) -> None:
        """Take the label off; Secrets Manager deletes a version that has none."""
        versions = self._versions()
        if label in versions:
            self._client.update_secret_version_stage(
                SecretId=self.name, VersionStage=label, RemoveFromVersionId=versions[label]
            )

    def _versions(self) -> dict[str, str]:
        found = self.stored()
        return found.version_by_label if found else {}
