"""The secrets and variables that an environment needs: what the configuration declares.

The roles' ARNs follow from account and names (`delivery.oidc.access`): nobody keeps a copy.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.environment import Environment
from delivery.errors import BadInput

# Where GitHub keeps it, if not for every job of the repository.
ENVIRONMENT, NOWHERE = "environment", "none"


@dataclass(frozen=True)
class Wanted:
    """One value that must be there.

    Args:
        name: as GitHub has it, ``SLACK_WEBHOOK_URL``.
        github: ``environment``, ``repository`` or ``none``.
        is_secret: else a variable, which everybody who reads the repository may read.
        aws_name: its name in Secrets Manager; None where it is not kept there.
        form: one of `delivery.secrets.forms`.
        max_age_days: 0 is for ever.
    """

    name: str
    github: str
    is_secret: bool
    aws_name: str | None
    form: str
    max_age_days: int


def of(environment: Environment) -> list[Wanted]:
    """All that is declared for the environment, in its order."""
    return [_declared(environment, each) for each in environment.settings["secrets"]]


def named(environment: Environment, name: str) -> Wanted:
    """The one of this name.

    Raises:
        BadInput: the environment needs none of that name.
    """
    known = {each.name: each for each in of(environment)}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    raise BadInput(
        f'"{name}" is no secret of "{environment.name}"' if name else "no secret was named",
        where="secrets in config/airbrew.yaml",
        remedy=f"--name {near[0]}, if that is what you mean"
        if near
        else f"--name with one of {', '.join(known) or 'those that you declare there'}",
    )


def _declared(environment: Environment, each: Mapping[str, Any]) -> Wanted:
    stored = each.get("aws", True)
    return Wanted(
        name=each["name"],
        github=each.get("github", ENVIRONMENT),
        is_secret=each.get("kind", "secret") == "secret",
        aws_name=_aws_name(environment, each["name"]) if stored else None,
        form=each.get("form", "text"),
        max_age_days=each.get("max_age_days", 180),
    )


def _aws_name(environment: Environment, name: str) -> str:
    return f"{environment.project}-{environment.name}/{name.lower().replace('_', '-')}"
