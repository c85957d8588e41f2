"""An estimate of a month: what stands, from the plan; what is used, from the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.cost import prices, usage
from delivery.cost.prices import PriceList
from delivery.cost.usage import HOURS_A_MONTH, Usage
from delivery.terraform.plan_document import PlanDocument, ResourceChange

Key = tuple[str, str]
# Prices of this region stand in for one that the list does not have.
USUAL_REGION = "us-east-1"

# What costs by standing there: (price, quantity a month).
STANDING: Mapping[str, tuple[Key, float]] = {
    "aws_cloudwatch_dashboard": (("cloudwatch", "dashboard"), 1),
    "aws_cloudwatch_metric_alarm": (("cloudwatch", "alarm"), 1),
    "aws_eip": (("vpc", "public_ipv4_hour"), HOURS_A_MONTH),
    "aws_kms_key": (("kms", "key"), 1),
    "aws_nat_gateway": (("vpc", "nat_gateway_hour"), HOURS_A_MONTH),
    "aws_secretsmanager_secret": (("secretsmanager", "secret"), 1),
    "aws_vpc_endpoint": (("vpc", "endpoint_hour"), HOURS_A_MONTH),
}
# Free, or charged by a use that is among the lines.
WITHOUT_A_PRICE = (
    "aws_budgets_",
    "aws_cloudwatch_event_",
    "aws_cloudwatch_log_",
    "aws_default_",
    "aws_ecr_",
    "aws_ecs_",
    "aws_iam_",
    "aws_internet_gateway",
    "aws_kms_alias",
    "aws_lambda_",
    "aws_route",
    "aws_s3_",
    "aws_scheduler_",
    "aws_secretsmanager_secret_",
    "aws_security_group",
    "aws_sfn_",
    "aws_sns_",
    "aws_sqs_",
    "aws_ssm_",
    "aws_subnet",
    "aws_vpc",
)
NOT_COUNTED = (
    "old versions of replaced objects (mirror.keep_replaced_days)",
    "reads by Macs inside AWS, and requests of clients",
    "taxes, support, discounts, free tiers",
)


@dataclass(frozen=True)
class Line:
    """One item of the bill: so many of a unit a month."""

    item: str
    quantity: float
    unit: str
    monthly_usd: float


@dataclass(frozen=True)
class Estimate:
    """What an environment is reckoned to cost a month, and what that leaves out."""

    region: str
    date: str
    lines: tuple[Line, ...]
    assumptions: tuple[str, ...]
    not_counted: tuple[str, ...]

    @property
    def monthly_usd(self) -> float:
        """The sum, to the cent."""
        return round(sum(each.monthly_usd for each in self.lines), 2)


def estimate(document: PlanDocument, settings: Mapping[str, Any], region: str) -> Estimate:
    """What the environment costs once the plan is applied.

    Args:
        settings: the environment's effective settings.
    """
    found = prices.listed(region)
    listed = found or prices.listed(USUAL_REGION)
    assert listed is not None  # noqa: S101 - a test holds that the list has the usual region
    standing = [each for each in document.resources if each.action not in {"delete", "forget"}]
    used = usage.usage(settings)
    lines = [*_of_standing(standing, listed), *_of_use(used, settings, listed)]
    unknown = sorted({each.type for each in standing if not _is_priced(each.type)})
    missing = () if found else (f"that {region} has other prices than {USUAL_REGION}",)
    return Estimate(
        region=listed.region,
        date=listed.date,
        lines=tuple(each for each in lines if each.quantity > 0),
        assumptions=used.assumptions,
        not_counted=(
            *missing,
            *NOT_COUNTED,
            *(f"{each} (no price in the list)" for each in unknown),
        ),
    )


def _of_standing(resources: list[ResourceChange], listed: PriceList) -> Iterator[Line]:
    for kind, (key, quantity) in STANDING.items():
        pieces = sum(_pieces(each) for each in resources if each.type == kind)
        yield _line(listed, key, pieces * quantity)


def _pieces(change: ResourceChange) -> int:
    """How many are charged: an interface endpoint counts per zone, a gateway endpoint is free."""
    if change.type != "aws_vpc_endpoint":
        return 1
    interfaces = change.after.get("vpc_endpoint_type") == "Interface"
    return max(1, len(change.after.get("subnet_ids") or ())) if interfaces else 0


def _of_use(used: Usage, settings: Mapping[str, Any], listed: PriceList) -> Iterator[Line]:
    functions, architecture = settings["functions"], settings["functions"]["architecture"]
    calls = used.syncs * usage.ORCHESTRATOR_CALLS
    planning_seconds = calls * usage.ORCHESTRATOR_SECONDS + used.soaks * usage.SOAK_SECONDS
    gigabyte_seconds = (
        planning_seconds * functions["orchestrator"]["memory_mib"] / 1024
        + used.worker_seconds * functions["sync_worker"]["memory_mib"] / 1024
    )
    transitions = used.syncs * usage.TRANSITIONS_A_SYNC + used.batches * usage.TRANSITIONS_A_BATCH
    log_gb = used.syncs * usage.LOG_GB_A_SYNC + used.bottles * usage.LOG_GB_A_BOTTLE
    months_kept = max(1.0, settings["logs"]["retention_days"] / 30)
    puts = used.syncs * usage.PUTS_A_SYNC + used.bottles * usage.PUTS_A_BOTTLE
    quantities: Mapping[Key, float] = {
        ("s3", "storage"): used.mirror_gib,
        ("s3", "put"): puts,
        ("transfer", "internet_out"): float(settings["cost"]["internet_gib"]),
        ("lambda", f"gb_second_{architecture}"): gigabyte_seconds,
        ("lambda", "request"): calls + used.batches + used.soaks,
        ("states", "transition"): transitions,
        ("scheduler", "invocation"): used.syncs + used.soaks,
        ("logs", "ingestion"): log_gb,
        ("logs", "storage"): log_gb * months_kept,
        ("cloudwatch", "metric"): usage.METRICS * min(1.0, used.syncs / HOURS_A_MONTH),
        **_of_task(used, settings["task"], architecture),
    }
    for key, quantity in quantities.items():
        yield _line(listed, key, quantity)


def _of_task(used: Usage, task: Mapping[str, Any], architecture: str) -> Mapping[Key, float]:
    # On demand even where it runs on spare capacity, whose price moves.
    return {
        ("fargate", f"vcpu_hour_{architecture}"): used.task_hours * task["cpu_units"] / 1024,
        ("fargate", f"gb_hour_{architecture}"): used.task_hours * task["memory_mib"] / 1024,
        ("vpc", "public_ipv4_hour"): used.task_hours,
    }


def _line(listed: PriceList, key: Key, quantity: float) -> Line:
    item = f"{key[0]} {key[1].replace('_', ' ')}"
    usd = round(quantity * listed.usd[key], 4)
    return Line(item, round(quantity, 4), listed.unit[key], usd)


def _is_priced(kind: str) -> bool:
    return kind in STANDING or kind.startswith(WITHOUT_A_PRICE)
