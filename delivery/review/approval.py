"""Whether what is about to be applied is what somebody approved."""

from __future__ import annotations

import re
from collections.abc import Iterable

from delivery.errors import BadInput, NotApproved
from delivery.releases.history import Record
from delivery.review import effects as effects_of
from delivery.review.effects import Effects
from delivery.review.plans import Plans

DIGEST = re.compile(r"[0-9a-f]{64}")
REQUIRED = "required"


def demand(
    effects: Effects,
    plans: Plans,
    *,
    approved: str,
    required: bool,
    history: Iterable[Record] = (),
) -> None:
    """Return when these effects may be applied; else say why not, in words.

    Args:
        approved: the digest that was approved; empty when none was given.
        required: whether the environment applies nothing that was not approved.
        history: earlier deploys; looked through only for a plan that does not fit any more.

    Raises:
        BadInput: `approved` is no digest.
        NotApproved: nothing was approved although it must be, or something else was.
    """
    if not approved:
        if required:
            raise nothing_approved(effects.place["environment"], effects.digest)
        return
    check_form(approved)
    if approved != effects.digest:
        raise _something_else(effects, plans, approved, history)


def check_form(approved: str) -> None:
    """Refuse what cannot be a digest; a shortened one could stand for another plan.

    Raises:
        BadInput: it is not 64 hex digits.
    """
    if approved and not DIGEST.fullmatch(approved):
        raise BadInput(
            f'"{approved}" is no digest of a plan: it has {len(approved)} characters,'
            " a digest is 64 of 0-9 and a-f, and is never shortened",
            where="--approve",
            remedy="copy the whole digest that `inv plan` printed",
        )


def nothing_approved(environment: str, digest: str) -> NotApproved:
    """What to say where nothing was approved: the digest, and how to approve it."""
    return NotApproved(
        f'"{environment}" applies only what was approved, and nothing was;'
        f" this plan has the digest {digest}",
        where="deploy.approval in config/airbrew.yaml",
        remedy=f"look at `inv plan --env {environment}` with the same options, and when it is"
        f" right, run this again with --approve {digest}",
    )


def _something_else(
    effects: Effects, plans: Plans, approved: str, history: Iterable[Record]
) -> NotApproved:
    environment = effects.place["environment"]
    used = next((each for each in history if each.plan.get("digest") == approved), None)
    reasons = [
        *([f"deploy {used.number} carried it out already, {used.at}"] if used else []),
        *_reasons(effects, plans, approved),
    ]
    told = "".join(f"\n    {each}" for each in reasons)
    return NotApproved(
        f"what would be done now is not what {approved[:12]}… approved:{told}",
        where=f"plans/{approved}.json",
        remedy=f"nothing was changed; have what `inv plan --env {environment}` shows now approved",
    )


def _reasons(effects: Effects, plans: Plans, approved: str) -> list[str]:
    kept = plans.read(approved)
    if kept is None:
        return [f"no plan of that digest was made for this environment; now it is {effects.digest}"]
    return effects_of.differences(kept, effects)
