"""Why a role lets a workflow in or not: which condition refused, and what to change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.oidc import access, remedies, trust
from delivery.oidc.claims import Claims
from delivery.oidc.trust import Refusal


@dataclass(frozen=True)
class Reason:
    """One condition that did not hold: what it wants, what came, and what to change."""

    condition: str
    expected: tuple[str, ...]
    found: str
    remedy: str


@dataclass(frozen=True)
class Answer:
    """What one role says to the claims."""

    environment: str
    purpose: str
    role_arn: str
    accepted: bool
    reasons: tuple[Reason, ...] = field(default_factory=tuple)


def explain(
    environment: Environment, cloud: Cloud, claims: Claims, *, now: float | None = None
) -> list[Answer]:
    """What each of the environment's roles says, as they are in the account now.

    Args:
        now: seconds since 1970, to tell whether the token has expired; by default the clock's.
    """
    return [
        _answer(environment, cloud, purpose, claims, time.time() if now is None else now)
        for purpose in access.PURPOSES
    ]


def _answer(
    environment: Environment, cloud: Cloud, purpose: str, claims: Claims, now: float
) -> Answer:
    arn = access.role_arn(environment, cloud.account_id, purpose)
    try:
        role = cloud.client("iam").get_role(RoleName=access.role_name(environment, purpose))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        missing = Reason("the role", (arn,), "none", remedies.again(environment.name))
        return Answer(environment.name, purpose, arn, accepted=False, reasons=(missing,))
    verdict = trust.evaluate(role["Role"]["AssumeRolePolicyDocument"], claims)
    reasons = tuple(_reasons(environment.name, purpose, verdict.refusals, claims, now))
    return Answer(environment.name, purpose, arn, accepted=not reasons, reasons=reasons)


def _reasons(
    environment: str, purpose: str, refusals: tuple[Refusal, ...], claims: Claims, now: float
) -> Iterator[Reason]:
    if isinstance(claims.get("exp"), int | float) and claims["exp"] < now:
        yield Reason("exp", ("a time to come",), str(claims["exp"]), "ask for a new token")
    for refusal in refusals:
        yield Reason(
            condition=f"{refusal.operator} {refusal.claim}",
            expected=refusal.expected,
            found="nothing" if refusal.found is None else refusal.found,
            remedy=remedies.remedy(environment, purpose, refusal),
        )
