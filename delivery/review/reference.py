"""The part of docs/reference/policies.md that lists every policy, written from policies.yaml."""

from __future__ import annotations

from delivery.review.policies import Policy, policies


def sections() -> str:
    """One section a policy, in the order of the catalogue."""
    return "\n".join(line for policy in policies().values() for line in _section(policy))


def _section(policy: Policy) -> list[str]:
    return [
        f"\n### {policy.id}\n",
        f"{policy.what[0].upper()}{policy.what[1:]}.\n",
        f"- Why it matters: {policy.why}.",
        f"- What to do: {policy.remedy}.",
    ]
