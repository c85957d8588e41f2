"""Whether a run may go on: the one check that a branch's protection has to ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from delivery.errors import BadInput

FINE = {"success", "skipped"}


def results(needs: str) -> dict[str, str]:
    """Job → ``success``, ``failure``, ``cancelled`` or ``skipped``, from ``toJSON(needs)``.

    Raises:
        BadInput: it is something else.
    """
    try:
        told: Mapping[str, Mapping[str, Any]] = json.loads(needs)
        return {job: str(each["result"]) for job, each in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"not the `needs` of a job: {error!r}",
            where="--needs",
            remedy="hand over ${{ toJSON(needs) }} of GitHub Actions",
        ) from error


def objections(found: Mapping[str, str], required: Sequence[str]) -> list[str]:
    """Why the run may not go on; nothing is an objection to a job that had no need to run.

    A job is skipped where its `if` says so, or where a job that it needs has failed: then that
    one, or the first of such a chain, is here with its failure.
    """
    bad = [f"{job}: {result}" for job, result in found.items() if result not in FINE]
    missing = [
        f"{job}: {found.get(job, 'not there')}, and it has to succeed"
        for job in required
        if found.get(job) in {None, "skipped"}
    ]
    return bad + missing
