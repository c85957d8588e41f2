"""One environment as a value: what is in force in it, and where each setting came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a setting comes from; `kind` is environment, defaults, type or schema."""

    kind: str
    file: str
    line: int

    def __str__(self) -> str:
        if self.kind in {"type", "schema"}:
            return f"{self.file} ({self.kind})"
        return f"{self.file}:{self.line} ({self.kind})"


@dataclass(frozen=True)
class Environment:
    """An environment of config/airbrew.yaml with all that is in force in it.

    `settings` is nested as in the file and complete; `origins` maps dotted paths of it to
    where the value came from. `account_id` is None in the sandbox.
    """

    name: str
    project: str
    type: str
    account_id: str | None
    region: str
    settings: Mapping[str, Any]
    origins: Mapping[str, Origin]

    @property
    def is_sandbox(self) -> bool:
        """Whether it lives on this machine, because no account is configured."""
        return self.account_id is None

    def bucket_name(self, account_id: str) -> str:
        """The mirror's bucket: the configured name, or one that the account makes unique."""
        configured = self.settings["mirror"]["bucket_name"]
        return str(configured or f"{self.project}-{self.name}-mirror-{account_id}")

    def trail_bucket_name(self, account_id: str) -> str:
        """Where it is recorded who did what, if it is, as modules/monitoring names it."""
        return f"{self.project}-{self.name}-trail-{account_id}"
