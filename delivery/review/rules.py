"""How each policy is looked for in a plan; what each means is in policies.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from delivery.review import statements
from delivery.terraform.plan_document import ResourceChange

EVERYBODY = ("AllUsers", "AuthenticatedUsers")
OPEN_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read", "website"})
ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})
BLOCKS = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)
PROTECTIONS = ("deletion_protection", "deletion_protection_enabled", "enable_deletion_protection")
ENCRYPTIONS = ("encrypted", "storage_encrypted", "sqs_managed_sse_enabled", "enable_key_rotation")
KEYS = ("kms_key_id", "kms_master_key_id", "kms_key_arn", "kms_key")
BUCKET_ENCRYPTION = "aws_s3_bucket_server_side_encryption_configuration"
IDENTITY_POLICIES = frozenset(
    {"aws_iam_group_policy", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy"}
)
ADMINISTRATORS = ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess")


@dataclass(frozen=True)
class Facts:
    """What a plan does not say itself.

    Args:
        held: what a resource holds just now, in words (``16 objects``); empty when nothing.
        tags: what each resource has to carry.
        gone: names of the buckets that go as a whole, so that their settings may go, too.
    """

    held: Callable[[ResourceChange], str]
    tags: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()


Rule = Callable[[ResourceChange, Facts], Iterator[str]]


def data_destroyed(change: ResourceChange, facts: Facts) -> Iterator[str]:
    """A destroyed or replaced holder of data is not empty."""
    held = facts.held(change) if change.destroys_data else ""
    if held:
        yield f"{change.action} of a resource that holds {held}"


def versioning_off(change: ResourceChange, facts: Facts) -> Iterator[str]:
    """Versioning was enabled and is not afterwards."""
    if change.type == "aws_s3_bucket_versioning" and not _goes_with_its_bucket(change, facts):
        before, after = _status(change.before), _status(change.after)
        if before == "Enabled" != after or (change.after and after != "Enabled"):
            yield f"versioning_configuration.status: {before or 'none'} → {after or 'none'}"


def protection_off(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A switch against deletion goes off, or one for it goes on."""
    for name in PROTECTIONS:
        if change.before.get(name) is True and change.after.get(name) is False:
            yield f"{name}: true → false"
    if change.after.get("force_destroy") is True and change.type == "aws_s3_bucket":
        yield "force_destroy: true"


def encryption_off(change: ResourceChange, facts: Facts) -> Iterator[str]:
    """Encryption was there, or should be, and is not afterwards."""
    if change.type == BUCKET_ENCRYPTION and change.action == "delete":
        if not _goes_with_its_bucket(change, facts):
            yield "the bucket's encryption configuration is destroyed"
        return
    for name in ENCRYPTIONS:
        if change.after.get(name) is False and change.before.get(name) is True:
            yield f"{name}: true → false"
    for name in KEYS:
        if change.before.get(name) and change.after and not _is_set(change, name):
            yield f"{name}: {change.before[name]} → none"


def public_access_block_off(change: ResourceChange, facts: Facts) -> Iterator[str]:
    """The block is gone, or has a hole."""
    if not change.type.endswith("public_access_block"):
        return
    if change.action == "delete" and not _goes_with_its_bucket(change, facts):
        yield "the block of public access is destroyed"
    for name in BLOCKS if change.after else ():
        if not _is_set(change, name):
            yield f"{name}: false"


def public_acl(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A canned ACL or a grant for everybody."""
    if change.after.get("acl") in OPEN_ACLS:
        yield f"acl: {change.after['acl']}"
    for uri in _grantees(change.after):
        if uri.endswith(EVERYBODY):
            yield f"a grant to {uri.rpartition('/')[2]}"


def public_policy(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A resource policy or a trust policy with an open principal."""
    for name in ("policy", "assume_role_policy"):
        if change.type in IDENTITY_POLICIES:
            continue
        for each in statements.statements(change.after.get(name)):
            if statements.is_open(each):
                yield f'statement "{statements.named(each)}" allows everybody'


def public_function(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A function URL without authorisation, or a permission for everybody."""
    if change.type == "aws_lambda_function_url":
        if change.after.get("authorization_type") == "NONE":
            yield "authorization_type: NONE"
    elif change.type == "aws_lambda_permission" and change.after.get("principal") == "*":
        narrowed = ("source_arn", "source_account", "principal_org_id")
        if not any(_is_set(change, name) for name in narrowed):
            yield "principal: *"


def open_ingress(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A rule that lets the whole internet in."""
    for rule in _ingress(change):
        wide = ANYWHERE.intersection(_networks(rule))
        for network in sorted(wide):
            yield f"ports {rule.get('from_port')} to {rule.get('to_port')} from {network}"


def iam_wildcard_action(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """More is allowed than is named."""
    for each in _identity_statements(change):
        for action in statements.wide_actions(each):
            yield f'statement "{statements.named(each)}" allows {action}'


def iam_wildcard_resource(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """Allowed on everything although it could be limited."""
    for each in _identity_statements(change):
        wide = statements.wide_resources(each)
        if wide:
            yield f'statement "{statements.named(each)}" allows {", ".join(wide)} on everything'


def iam_managed_administrator(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """An administrator's policy by AWS."""
    attached = [change.after.get("policy_arn"), *(change.after.get("managed_policy_arns") or ())]
    for arn in attached:
        if isinstance(arn, str) and arn.rpartition("/")[2] in ADMINISTRATORS:
            yield f"{arn.rpartition('/')[2]} is attached"


def trail_off(change: ResourceChange, _facts: Facts) -> Iterator[str]:
    """A trail that ends, or whose files can be changed unseen."""
    if change.type != "aws_cloudtrail":
        return
    if change.action == "delete":
        yield "the trail is destroyed"
    for name in ("enable_logging", "enable_log_file_validation"):
        if change.after.get(name) is False:
            yield f"{name}: false"


def untagged(change: ResourceChange, facts: Facts) -> Iterator[str]:
    """A resource that can carry tags and does not carry ours."""
    if "tags_all" not in change.after or change.unknown.get("tags_all") is True:
        return
    tags = change.after["tags_all"] or {}
    for name, wanted in facts.tags.items():
        if tags.get(name) != wanted:
            yield f"tag {name}: {tags.get(name) or 'none'}, not {wanted}"


RULES: Mapping[str, Rule] = {
    "data-destroyed": data_destroyed,
    "versioning-off": versioning_off,
    "protection-off": protection_off,
    "encryption-off": encryption_off,
    "public-access-block-off": public_access_block_off,
    "public-acl": public_acl,
    "public-policy": public_policy,
    "public-function": public_function,
    "open-ingress": open_ingress,
    "iam-wildcard-action": iam_wildcard_action,
    "iam-wildcard-resource": iam_wildcard_resource,
    "iam-managed-administrator": iam_managed_administrator,
    "trail-off": trail_off,
    "untagged": untagged,
}


def unseen(change: ResourceChange) -> Iterator[str]:
    """The policy documents that the plan cannot show yet."""
    for name in ("policy", "assume_role_policy"):
        if change.type != "aws_s3_bucket" and change.unknown.get(name) is True:
            yield name


def _goes_with_its_bucket(change: ResourceChange, facts: Facts) -> bool:
    return change.action == "delete" and change.before.get("bucket") in facts.gone


def _status(values: Mapping[str, Any]) -> str:
    found = values.get("versioning_configuration") or [{}]
    return str(found[0].get("status") or "")


def _is_set(change: ResourceChange, name: str) -> bool:
    """Whether an attribute has, or will have, a value that is not empty or false."""
    return bool(change.after.get(name)) or change.unknown.get(name) is True


def _grantees(values: Mapping[str, Any]) -> Iterator[str]:
    for grant in values.get("grant") or ():
        yield str(grant.get("uri") or "")
    for policy in values.get("access_control_policy") or ():
        for grant in policy.get("grant") or ():
            yield from (str(each.get("uri") or "") for each in grant.get("grantee") or ())


def _ingress(change: ResourceChange) -> Iterator[Mapping[str, Any]]:
    if change.type in {"aws_security_group", "aws_default_security_group"}:
        yield from change.after.get("ingress") or ()
    elif change.type == "aws_vpc_security_group_ingress_rule" or (
        change.type == "aws_security_group_rule" and change.after.get("type") == "ingress"
    ):
        yield change.after


def _networks(rule: Mapping[str, Any]) -> list[str]:
    lists = [*(rule.get("cidr_blocks") or ()), *(rule.get("ipv6_cidr_blocks") or ())]
    return [*lists, str(rule.get("cidr_ipv4")), str(rule.get("cidr_ipv6"))]


def _identity_statements(change: ResourceChange) -> Iterator[statements.Statement]:
    if change.type in IDENTITY_POLICIES:
        yield from statements.statements(change.after.get("policy"))
    # An unchanged role shows there what other resources, or somebody by hand, gave it.
    if change.type == "aws_iam_role" and change.action != "none":
        for policy in change.after.get("inline_policy") or ():
            yield from statements.statements(policy.get("policy"))
