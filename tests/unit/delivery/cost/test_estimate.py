"""The estimate of a month: against cases worked by hand, offline, and what it leaves out."""

from __future__ import annotations

import pytest

from delivery.config import effective, loading
from delivery.cost import estimate as costs
from delivery.cost.frequency import starts_a_month
from tests.doubles.plans import document, entry

CONFIGURATION = """\
project: {name: acme}
environments:
  dev:
    type: development
    schedule: {enabled: true, expression: "rate(7 days)"}
    cost: {mirror_gib: 1000, internet_gib: 500}
    workflow: {batch_max_bottles: 10, fargate_threshold_gib: %s}
    functions: {orchestrator: {memory_mib: 1024}, sync_worker: {memory_mib: 2048}}
    task: {cpu_units: 2048, memory_mib: 4096}
    logs: {retention_days: 30}
  staging: {type: staging}
  prod: {type: production}
"""
# 30.4375 days a month: 4.3482 syncs of 50 GiB, 6,400 bottles, 217.41 GiB and 27,828.57 bottles.
BY_HAND = {
    "s3 storage": 1000 * 0.023,
    "s3 put": (4.3482 * 30 + 27828.57 * 3) * 0.005 / 1000,
    "transfer internet out": 500 * 0.09,
    "lambda gb second arm64": (4.3482 * 2 * 60 * 1 + 222628.6 / 20 * 2) * 0.0000133334,
    "lambda request": (8.6964 + 2782.857 + 4.3482) * 0.20 / 1e6,
    "states transition": (43.482 + 2787.205 * 3) * 0.025 / 1000,
    "logs ingestion": (4.3482e-4 + 0.02782857) * 0.50,
    "logs storage": (4.3482e-4 + 0.02782857) * 0.03,
    "cloudwatch metric": 20 * 4.3482 / 730 * 0.30,
    "kms key": 2 * 1.00,
    "secretsmanager secret": 0.40,
    "vpc nat gateway hour": 730 * 0.045,
    "vpc endpoint hour": 2 * 730 * 0.01,
    "cloudwatch alarm": 3 * 0.10,
    "cloudwatch dashboard": 3.00,
}
STANDING = [
    entry("aws_kms_key.a"),
    entry("aws_kms_key.b", "none"),
    entry("aws_kms_key.gone", "delete"),
    entry("aws_secretsmanager_secret.a"),
    entry("aws_nat_gateway.a"),
    entry("aws_vpc_endpoint.a", after={"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"]}),
    entry("aws_vpc_endpoint.s3", after={"vpc_endpoint_type": "Gateway"}),
    *(entry(f"aws_cloudwatch_metric_alarm.a{number}") for number in range(3)),
    entry("aws_cloudwatch_dashboard.a"),
]


def settings(tmp_path, threshold=0):
    file = tmp_path / "airbrew.yaml"
    file.write_text(CONFIGURATION % threshold)
    return effective.effective(loading.load(file), "dev").settings


def lines(found):
    return {each.item: each.monthly_usd for each in found.lines}


@pytest.mark.parametrize("item", BY_HAND)
def test_each_item_is_within_two_percent_of_a_case_worked_by_hand(tmp_path, item):
    found = costs.estimate(document(*STANDING), settings(tmp_path), "us-east-1")

    # What is less than a hundredth of a cent is rounded away.
    assert lines(found)[item] == pytest.approx(BY_HAND[item], rel=0.02, abs=0.0001)


def test_two_channels_cost_a_short_call_every_quarter_of_an_hour(tmp_path):
    alone = settings(tmp_path)
    channels = alone | {"publish": alone["publish"] | {"channels": ["canary", "stable"]}}

    before, after = (
        lines(costs.estimate(document(*STANDING), each, "us-east-1")) for each in (alone, channels)
    )

    more = {item: after[item] - before.get(item, 0) for item in after}
    assert more["lambda gb second arm64"] == pytest.approx(2920 * 0.0000133334, rel=0.02)
    assert more["scheduler invocation"] == pytest.approx(2920 * 1.0 / 1e6, abs=0.0001)


def test_the_sum_is_that_of_the_lines(tmp_path):
    found = costs.estimate(document(*STANDING), settings(tmp_path), "us-east-1")

    assert found.monthly_usd == pytest.approx(sum(BY_HAND.values()), rel=0.02)


def test_a_large_sync_is_reckoned_as_a_task_and_not_as_workers(tmp_path):
    found = lines(costs.estimate(document(), settings(tmp_path, threshold=10), "us-east-1"))

    # 222,628.6 MiB at 60 MiB/s: 1.0307 hours.
    assert found["fargate vcpu hour arm64"] == pytest.approx(1.0307 * 2 * 0.03238, rel=0.02)
    assert found["fargate gb hour arm64"] == pytest.approx(1.0307 * 4 * 0.00356, rel=0.02)
    assert found["lambda gb second arm64"] < 0.01


def test_a_kind_without_a_price_is_named_among_what_is_not_counted(tmp_path):
    found = costs.estimate(document(entry("aws_lb.front")), settings(tmp_path), "us-east-1")

    assert "aws_lb (no price in the list)" in found.not_counted


def test_a_region_without_prices_is_reckoned_with_others_and_says_so(tmp_path):
    found = costs.estimate(document(), settings(tmp_path), "sa-east-1")

    assert found.region == "us-east-1"
    assert found.not_counted[0] == "that sa-east-1 has other prices than us-east-1"


def test_the_estimate_says_how_old_its_prices_are(tmp_path):
    assert costs.estimate(document(), settings(tmp_path), "eu-central-1").date == "2025-01"


@pytest.mark.parametrize(
    ("expression", "starts"),
    [
        ("rate(1 hour)", 730.5),
        ("rate(12 hours)", 60.875),
        ("cron(0 3 ? * SUN *)", 4.348),
        ("cron(0 3 * * ? *)", 30.44),
        ("cron(0,30 0-5 ? * MON-FRI *)", 12 * 21.74),
        ("cron(0 0/6 1 * ? *)", 3.93),
        ("cron(0 3 ? JAN,JUL SUN#1 *)", 1 / 6),
        ("cron(0 3 L * ? *)", 1),
        ("at(2027-01-31T03:00:00)", 1),
    ],
)
def test_a_schedule_is_counted_by_the_month(expression, starts):
    assert starts_a_month(expression) == pytest.approx(starts, rel=0.01)
