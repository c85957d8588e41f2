"""A role's trust policy, evaluated as STS evaluates it for a web identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.errors import DeliveryError
from delivery.oidc.claims import Claims

ACTION = "sts:AssumeRoleWithWebIdentity"


@dataclass(frozen=True)
class Refusal:
    """A condition that does not hold: `claim` is what it looks at, without the issuer."""

    operator: str
    claim: str
    expected: tuple[str, ...]
    found: str | None


@dataclass(frozen=True)
class Verdict:
    """Whether a policy lets these claims in; if not, what stands against it."""

    accepted: bool
    refusals: tuple[Refusal, ...] = ()


def evaluate(policy: Mapping[str, Any], claims: Claims) -> Verdict:
    """Whether `policy` lets a token with these claims assume its role.

    An explicit Deny wins; otherwise one statement that allows is enough. Of several that do
    not, the one that lacks least is told.

    Raises:
        DeliveryError: the policy holds an operator or a principal that is none of ours.
    """
    statements = _listed(policy["Statement"])
    looked_at = [(each["Effect"], tuple(_refusals(each, claims))) for each in statements]
    denied = any(effect == "Deny" and not refusals for effect, refusals in looked_at)
    allowing = sorted((found for effect, found in looked_at if effect == "Allow"), key=len)
    if not denied and allowing and not allowing[0]:
        return Verdict(accepted=True)
    if denied:
        told = Refusal("Deny", "sub", (), str(claims["sub"]))
        return Verdict(accepted=False, refusals=(told,))
    return Verdict(accepted=False, refusals=allowing[0] if allowing else ())


def _refusals(statement: Mapping[str, Any], claims: Claims) -> Iterator[Refusal]:
    if ACTION not in _listed(statement["Action"]):
        yield Refusal("Action", "action", tuple(_listed(statement["Action"])), ACTION)
    providers = [
        each.split(":oidc-provider/")[-1] for each in _listed(statement["Principal"]["Federated"])
    ]
    issuer = str(claims.get("iss", "")).removeprefix("https://").rstrip("/")
    if issuer not in providers:
        yield Refusal("Federated", "iss", tuple(providers), issuer or None)
    for operator, keys in statement.get("Condition", {}).items():
        for key, expected in keys.items():
            yield from _failed(operator, key, [str(each) for each in _listed(expected)], claims)


def _failed(operator: str, key: str, expected: Sequence[str], claims: Claims) -> Iterator[Refusal]:
    _, _, claim = key.rpartition(":")
    found = claims.get(claim)
    # A list would match by any of its members, which is not what these conditions mean.
    value = None if found is None or isinstance(found, list) else str(found)
    compare = OPERATORS.get(operator)
    if compare is None:
        raise DeliveryError(
            f'the operator "{operator}" is none that the roles of ours use',
            where="the role's trust policy",
            remedy="somebody changed it by hand: `inv oidc.bootstrap` puts it back",
        )
    if value is None or not any(compare(value, each) for each in expected):
        yield Refusal(operator, claim, tuple(expected), value)


def _equals(value: str, expected: str) -> bool:
    return value == expected


def _like(value: str, pattern: str) -> bool:
    """``*`` is any text, ``?`` any one character; both also match ``/`` and ``:``."""
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(regex, value, re.DOTALL) is not None


# Source: IAM, "String condition operators": both compare case-sensitively.
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {"StringEquals": _equals, "StringLike": _like}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
