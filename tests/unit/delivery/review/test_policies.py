"""What a plan may not do: each policy is met by its own planted violation, and by nothing else."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from delivery.cost.estimate import Estimate, Line
from delivery.errors import BadInput
from delivery.review import policies, reference
from delivery.review.rules import RULES
from delivery.terraform.plan_document import PlanDocument
from tests.doubles.plans import document, entry

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "policies.md"
TAGS = {"Project": "acme", "Environment": "dev"}
CHEAP = Estimate("us-east-1", "2025-01", (Line("s3 storage", 1, "GB-month", 0.02),), (), ())
DEAR = Estimate("us-east-1", "2025-01", (Line("vpc nat gateway", 730, "hour", 32.85),), (), ())
SWITCHES = dict.fromkeys(
    ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"),
    True,
)
BUCKET = {"bucket": "mirror"}


def policy(**statement):
    return json.dumps({"Statement": [{"Sid": "Planted", "Effect": "Allow", **statement}]})


def changed(address, before, after):
    return entry(address, "update", before=before, after=after)


def made(address, **after):
    return entry(address, "create", after=after)


def check(found: PlanDocument, estimate=CHEAP, **more):
    options = {"held": lambda _: "", "tags": TAGS, "max_monthly_usd": 25.0, **more}
    return policies.check(found, estimate, **options)


ROLE_POLICY = partial(made, "aws_iam_role_policy.a")
VERSIONING = "aws_s3_bucket_versioning.a"
PLANTED = [
    ("versioning-off", made(VERSIONING, versioning_configuration=[{"status": "Suspended"}])),
    (
        "versioning-off",
        changed(
            VERSIONING,
            {"versioning_configuration": [{"status": "Enabled"}]},
            {"versioning_configuration": [{"status": "Suspended"}]},
        ),
    ),
    (
        "versioning-off",
        entry(
            VERSIONING,
            "delete",
            before={**BUCKET, "versioning_configuration": [{"status": "Enabled"}]},
        ),
    ),
    (
        "protection-off",
        changed(
            "aws_dynamodb_table.a",
            {"deletion_protection_enabled": True},
            {"deletion_protection_enabled": False},
        ),
    ),
    ("protection-off", made("aws_s3_bucket.a", force_destroy=True)),
    (
        "encryption-off",
        entry("aws_s3_bucket_server_side_encryption_configuration.a", "delete", before=BUCKET),
    ),
    ("encryption-off", changed("aws_ebs_volume.a", {"encrypted": True}, {"encrypted": False})),
    (
        "encryption-off",
        changed("aws_cloudwatch_log_group.a", {"kms_key_id": "arn:key"}, {"kms_key_id": ""}),
    ),
    (
        "public-access-block-off",
        made("aws_s3_bucket_public_access_block.a", **{**SWITCHES, "block_public_policy": False}),
    ),
    (
        "public-access-block-off",
        entry("aws_s3_bucket_public_access_block.a", "delete", before={**BUCKET, **SWITCHES}),
    ),
    ("public-acl", made("aws_s3_bucket_acl.a", acl="public-read")),
    (
        "public-acl",
        made(
            "aws_s3_bucket_acl.a",
            access_control_policy=[
                {
                    "grant": [
                        {"grantee": [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]}
                    ]
                }
            ],
        ),
    ),
    (
        "public-policy",
        made("aws_s3_bucket_policy.a", policy=policy(Principal="*", Action="s3:GetObject")),
    ),
    (
        "public-policy",
        made(
            "aws_s3_bucket_policy.a",
            policy=policy(
                Principal={"AWS": ["*"]},
                Action="s3:GetObject",
                Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
            ),
        ),
    ),
    (
        "public-policy",
        made(
            "aws_s3_bucket_policy.a",
            policy=policy(
                Principal="*",
                Action="s3:GetObject",
                Condition={"IpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}},
            ),
        ),
    ),
    (
        "public-policy",
        made(
            "aws_iam_role.a",
            assume_role_policy=policy(Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        ),
    ),
    ("public-function", made("aws_lambda_function_url.a", authorization_type="NONE")),
    ("public-function", made("aws_lambda_permission.a", principal="*")),
    (
        "open-ingress",
        made(
            "aws_security_group.a",
            ingress=[{"from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}],
        ),
    ),
    (
        "open-ingress",
        made("aws_vpc_security_group_ingress_rule.a", from_port=443, to_port=443, cidr_ipv6="::/0"),
    ),
    (
        "open-ingress",
        made("aws_security_group_rule.a", type="ingress", cidr_blocks=["10.0.0.0/8", "0.0.0.0/0"]),
    ),
    ("iam-wildcard-action", ROLE_POLICY(policy=policy(Action="*", Resource="arn:aws:s3:::a"))),
    ("iam-wildcard-action", ROLE_POLICY(policy=policy(Action=["s3:*"], Resource="arn:aws:s3:::a"))),
    (
        "iam-wildcard-action",
        ROLE_POLICY(policy=policy(Action="s3:Put*", Resource="arn:aws:s3:::a")),
    ),
    (
        "iam-wildcard-action",
        ROLE_POLICY(policy=policy(NotAction="iam:*", Resource="arn:aws:s3:::a")),
    ),
    (
        "iam-wildcard-action",
        made(
            "aws_iam_role.a",
            inline_policy=[{"policy": policy(Action="iam:*", Resource="arn:aws:iam::1:role/a")}],
        ),
    ),
    ("iam-wildcard-resource", ROLE_POLICY(policy=policy(Action="s3:GetObject", Resource="*"))),
    (
        "iam-wildcard-resource",
        ROLE_POLICY(policy=policy(Action="s3:GetObject", Resource=["arn:aws:s3:::*"])),
    ),
    (
        "iam-wildcard-resource",
        ROLE_POLICY(policy=policy(Action="s3:GetObject", NotResource="arn:aws:s3:::a")),
    ),
    (
        "iam-managed-administrator",
        made(
            "aws_iam_role_policy_attachment.a",
            policy_arn="arn:aws:iam::aws:policy/AdministratorAccess",
        ),
    ),
    ("trail-off", entry("aws_cloudtrail.a", "delete", before={"name": "a"})),
    ("trail-off", made("aws_cloudtrail.a", enable_logging=False)),
    ("untagged", made("aws_s3_bucket.a", tags_all={"Project": "acme", "Environment": "prod"})),
    ("untagged", made("aws_s3_bucket.a", tags_all=None)),
]
SOUND = {
    "an empty bucket goes": entry("aws_s3_bucket.a", "delete", before=BUCKET),
    "reading by wildcard": ROLE_POLICY(policy=policy(Action="s3:Get*", Resource="arn:aws:s3:::a")),
    "an action that AWS cannot limit": ROLE_POLICY(
        policy=policy(Action="ecr:GetAuthorizationToken", Resource="*")
    ),
    "everything denied to everybody": made(
        "aws_s3_bucket_policy.a",
        policy=policy(Effect="Deny", Principal="*", Action="s3:*", Resource="*"),
    ),
    "everybody behind one endpoint": made(
        "aws_s3_bucket_policy.a",
        policy=policy(
            Principal="*",
            Action="s3:GetObject",
            Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        ),
    ),
    "a service that assumes a role": made(
        "aws_iam_role.a",
        assume_role_policy=policy(
            Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole"
        ),
    ),
    "a permission with its source": made(
        "aws_lambda_permission.a", principal="*", source_arn="arn:aws:events:a"
    ),
    "the internet as a way out": made(
        "aws_security_group.a", ingress=[], egress=[{"cidr_blocks": ["0.0.0.0/0"]}]
    ),
    "a network of ours as a way in": made(
        "aws_security_group.a", ingress=[{"cidr_blocks": ["10.0.0.0/8"]}]
    ),
    "tags as they should be": made("aws_s3_bucket.a", tags_all={**TAGS, "Name": "a"}),
    "tags that are not known yet": entry(
        "aws_s3_bucket.a", after={"tags_all": None}, unknown={"tags_all": True}
    ),
    "all four switches on": made("aws_s3_bucket_public_access_block.a", **SWITCHES),
}


@pytest.mark.parametrize(("name", "planted"), PLANTED)
def test_a_planted_violation_is_found_by_its_policy_alone(name, planted):
    found = check(document(planted)).findings

    assert {each.policy.id for each in found} == {name}
    assert found[0].address == planted["address"]
    assert found[0].evidence


def test_data_that_would_go_is_counted():
    doomed = document(entry("aws_s3_bucket.mirror", "replace", before=BUCKET, after=BUCKET))

    (found,) = check(doomed, held=lambda _: "16 objects").findings

    assert found.policy.id == "data-destroyed"
    assert found.evidence == "replace of a resource that holds 16 objects"


def test_a_month_that_costs_too_much_is_found_with_what_costs_most():
    (found,) = check(document(), DEAR).findings

    assert found.policy.id == "cost-above-limit"
    assert found.evidence == (
        "32.85 US dollars a month, 25.00 are allowed; most of it is vpc nat gateway, 32.85"
    )


@pytest.mark.parametrize("sound", SOUND.values(), ids=SOUND.keys())
def test_what_is_allowed_is_not_found(sound):
    assert check(document(sound)).findings == ()


def test_a_bucket_that_goes_as_a_whole_may_lose_its_settings():
    settings = [
        entry(VERSIONING, "delete", before=BUCKET),
        entry("aws_s3_bucket_public_access_block.a", "delete", before=BUCKET),
        entry("aws_s3_bucket_server_side_encryption_configuration.a", "delete", before=BUCKET),
    ]

    assert check(document(entry("aws_s3_bucket.a", "delete", before=BUCKET), *settings)) == (
        policies.Verdict()
    )


def test_every_policy_is_planted_here_and_says_what_why_and_what_to_do():
    planted = {name for name, _ in PLANTED} | {"data-destroyed", policies.COST}

    assert set(policies.policies()) == planted == {*RULES, policies.COST}
    assert all(each.what and each.why and each.remedy for each in policies.policies().values())


def test_all_violations_are_found_at_once():
    found = check(document(*(planted for _, planted in PLANTED[:4])), DEAR).findings

    assert len(found) == 5


def test_what_stands_already_is_looked_at_like_what_is_new():
    standing = entry("aws_s3_bucket_acl.a", "none", before={}, after={"acl": "public-read"})

    assert [each.policy.id for each in check(document(standing)).findings] == ["public-acl"]


def test_a_policy_that_is_known_only_after_the_apply_is_named_as_not_checked():
    hidden = entry("aws_iam_role_policy.a", after={"policy": None}, unknown={"policy": True})

    assert check(document(hidden)).unseen == ("aws_iam_role_policy.a",)


EXCEPTION = "public-acl module.site 2027-01-31 the site is public on purpose"
PUBLIC = made("module.site.aws_s3_bucket_acl.a", acl="public-read")


def test_an_exception_accepts_a_finding_until_its_last_day():
    found = check(document(PUBLIC), exceptions=[EXCEPTION], today=date(2027, 1, 31))

    assert found.findings == ()
    assert [each.reason for each in found.exempted] == ["the site is public on purpose"]


@pytest.mark.parametrize(
    ("exception", "today"),
    [
        (EXCEPTION, date(2027, 2, 1)),
        (EXCEPTION.replace("public-acl", "public-policy"), date(2027, 1, 1)),
        (EXCEPTION.replace("module.site", "module.sit"), date(2027, 1, 1)),
    ],
    ids=["a day late", "another policy", "another address"],
)
def test_an_exception_accepts_nothing_else(exception, today):
    found = check(document(PUBLIC), exceptions=[exception], today=today)

    assert [each.policy.id for each in found.findings] == ["public-acl"]


def test_an_exception_that_has_expired_is_told():
    assert check(document(), exceptions=[EXCEPTION], today=date(2027, 2, 1)).expired == (EXCEPTION,)


@pytest.mark.parametrize(
    ("exception", "problem"),
    [
        ("no-such-policy a 2027-01-31 because of this", 'there is no policy "no-such-policy"'),
        ("public-acl a 2027-02-30 because of this", '"2027-02-30" is no day'),
    ],
)
def test_an_exception_that_means_nothing_is_bad_input(exception, problem):
    with pytest.raises(BadInput, match=problem):
        check(document(), exceptions=[exception])


def test_a_finding_reads_as_what_was_seen_why_it_matters_and_what_to_do():
    (found,) = check(document(PUBLIC)).findings

    assert str(found).splitlines() == [
        "public-acl: module.site.aws_s3_bucket_acl.a: acl: public-read",
        "    why:  anybody on the internet can then read or write objects",
        '    next: use "private", and a bucket policy that names who may read',
    ]


def test_the_page_says_what_the_catalogue_says():
    page = PAGE.read_text()

    between = page.split("<!-- policies -->\n")[1].split("\n<!-- /policies -->")[0]

    assert between == reference.sections(), "copy it from delivery.review.reference.sections()"
