"""Rights that somebody gave a role beside those declared: Terraform takes them as given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from delivery.drift.differences import BY_HAND, Drift, names_of
from delivery.terraform.plan_document import PlanDocument, ResourceChange


def of(document: PlanDocument) -> Iterator[Drift]:
    """Inline and managed policies of the declared roles that no resource declares."""
    declared: dict[str, set[str]] = defaultdict(set)
    for each in document.resources:
        if each.type == "aws_iam_role_policy":
            declared[str(each.after.get("role"))].add(str(each.after.get("name")))
        elif each.type == "aws_iam_role_policy_attachment":
            declared[str(each.after.get("role"))].add(str(each.after.get("policy_arn")))
    for each in document.resources:
        if each.type != "aws_iam_role":
            continue
        inline = [str(one.get("name")) for one in each.before.get("inline_policy") or ()]
        managed = [str(one) for one in each.before.get("managed_policy_arns") or ()]
        for kind, found in (("inline_policy", inline), ("managed_policy_arns", managed)):
            for name in sorted(set(found) - declared[str(each.before.get("name"))]):
                yield _beside(each, kind, name)


def _beside(role: ResourceChange, kind: str, name: str) -> Drift:
    names = names_of(role)
    return Drift(role.address, kind, None, name, BY_HAND, names=names, type=role.type)
