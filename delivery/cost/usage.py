"""What a month's work comes to, from the configuration; assumptions are numbers with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.cost.frequency import starts_a_month

# Share of the mirror's bytes that a sync brings; homebrew/core bumps about that much a week.
NEW_SHARE = 0.05
BOTTLE_MIB = 8
WORKER_MIB_A_SECOND = 20
TASK_MIB_A_SECOND = 60
ORCHESTRATOR_SECONDS = 60
ORCHESTRATOR_CALLS = 2
# Of a Distributed Map's child execution, and of everything around it.
TRANSITIONS_A_BATCH = 3
TRANSITIONS_A_SYNC = 10
PUTS_A_BOTTLE = 3
PUTS_A_SYNC = 30
LOG_GB_A_BOTTLE = 1e-6
LOG_GB_A_SYNC = 1e-4
METRICS = 20
HOURS_A_MONTH = 730
# Where there are two channels a clock asks what has soaked: every quarter of an hour, for a second.
SOAKS_A_MONTH = 4 * HOURS_A_MONTH
SOAK_SECONDS = 1
# Without a schedule somebody starts one now and then.
SYNCS_BY_HAND = 1.0


@dataclass(frozen=True)
class Usage:
    """What is used in a month."""

    syncs: float
    mirror_gib: float
    new_gib: float
    bottles: float
    batches: float
    task_hours: float
    worker_seconds: float
    soaks: float

    @property
    def assumptions(self) -> tuple[str, ...]:
        """In words, for whoever reads the estimate."""
        return (
            f"{self.syncs:.1f} syncs, each bringing {NEW_SHARE:.0%} of {self.mirror_gib:g} GiB",
            f"bottles of {BOTTLE_MIB} MiB",
            f"{WORKER_MIB_A_SECOND} MiB/s a worker, {TASK_MIB_A_SECOND} MiB/s a task",
        )


def usage(settings: Mapping[str, Any]) -> Usage:
    """A month of an environment with these effective settings."""
    schedule, workflow = settings["schedule"], settings["workflow"]
    syncs = starts_a_month(schedule["expression"]) if schedule["enabled"] else SYNCS_BY_HAND
    mirror = float(settings["cost"]["mirror_gib"])
    new = mirror * NEW_SHARE
    bottles = syncs * new * 1024 / BOTTLE_MIB
    threshold = float(workflow["fargate_threshold_gib"])
    by_task = 0 < threshold < new
    moved_mib = syncs * new * 1024
    return Usage(
        syncs=syncs,
        mirror_gib=mirror,
        new_gib=syncs * new,
        bottles=bottles,
        batches=syncs if by_task else bottles / workflow["batch_max_bottles"] + syncs,
        task_hours=moved_mib / TASK_MIB_A_SECOND / 3600 if by_task else 0.0,
        worker_seconds=0.0 if by_task else moved_mib / WORKER_MIB_A_SECOND,
        soaks=SOAKS_A_MONTH if len(settings["publish"]["channels"]) > 1 else 0,
    )
