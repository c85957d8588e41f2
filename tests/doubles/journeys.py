"""The ways to change an environment, each with its steps, to be broken at any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.doubles.rig import Fault, Rig

APPLIED = ("keep", "apply", "settings")
PROVISIONED = ("init", "plan", "review", *APPLIED)
FORWARD = ("move sync_worker", "move collector", "move orchestrator", "answer")
BACK = ("move orchestrator", "move collector", "move sync_worker", "answer")
SMOKED = ("smoke sync_worker", "smoke collector", "smoke orchestrator")
GONE_BACK = (*BACK, "recall", *PROVISIONED)
CHECKED = ("fetch back", "probe")
BEFORE_A_CHANGE = ("build", "compare", "bootstrap", "lease", "mark", "upload")


@dataclass(frozen=True)
class Journey:
    """One way to change an environment.

    Args:
        name: as in the table.
        command: what a person types.
        steps: all of them, in order.
        broken: those of them at which a fault is injected; the others are another journey's.
        go: takes it, meeting faults on the way.
        prepare: what has to be so before.
        start: ``nothing``, where nothing was ever deployed, or whose functions serve: those of
            the ``old`` release, or of the ``new`` one.
    """

    name: str
    command: str
    steps: Sequence[str]
    broken: Sequence[str]
    go: Callable[..., object]
    prepare: Callable[[Rig], None] = lambda _: None
    start: str = "old"


def _within(phase: str, steps: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{phase}: {step}" for step in steps)


def _break_the_health_check(rig: Rig) -> None:
    """What is published by the new release does not come back whole."""
    rig.health_fails = True


def _leave_the_settings(rig: Rig) -> None:
    """Only code differs from what was deployed last."""
    rig.configure()


def _rehearse(rig: Rig) -> None:
    rig.environment.settings["deploy"]["rehearse_rollback"] = True


_DEPLOYED = (*BEFORE_A_CHANGE, *PROVISIONED, *SMOKED, *FORWARD, "sync", *CHECKED, "record")
# The state is taken at its word, and new code is no matter for a policy.
_CODE_ALONE = tuple(step for step in _DEPLOYED if step not in {"plan", "review"})
_UNDONE = _within("undo", (*GONE_BACK, "content"))
_REHEARSED = (
    *_within("rehearsal", ("choose", *GONE_BACK)),
    # Its plan was looked at when it was applied first.
    *_within("forward again", (*FORWARD, "init", "plan", *APPLIED)),
)
_ROLLED_BACK = ("lease", "choose", "mark", *GONE_BACK, *CHECKED, "record")
_DESTROYED = ("lease", "mark", "destroy", "record")

JOURNEYS = (
    Journey("deploy", "inv deploy", _DEPLOYED, _DEPLOYED, Rig.deploy),
    Journey(
        "code",
        "inv deploy, of other code alone",
        _CODE_ALONE,
        _CODE_ALONE,
        Rig.deploy,
        _leave_the_settings,
    ),
    Journey(
        "first",
        "inv deploy, the first of an environment",
        _DEPLOYED,
        _DEPLOYED,
        Rig.deploy,
        start="nothing",
    ),
    Journey(
        "undo",
        "inv deploy, whose health check fails",
        (*_DEPLOYED[:-2], *_UNDONE),
        _UNDONE,
        Rig.deploy,
        _break_the_health_check,
    ),
    Journey(
        "rehearsal",
        "inv deploy, with `deploy.rehearse_rollback`",
        (*_DEPLOYED[:-1], *_REHEARSED, "record"),
        _REHEARSED,
        Rig.deploy,
        _rehearse,
    ),
    Journey("rollback", "inv rollback", _ROLLED_BACK, _ROLLED_BACK, Rig.roll_back, start="new"),
    Journey("destroy", "inv destroy", _DESTROYED, _DESTROYED, Rig.take_down, start="new"),
)
FAULTS = {
    "error": Fault("error", "", "begin"),
    "AWS": Fault("AWS", "", "begin"),
    "Terraform": Fault("Terraform", "", "begin"),
    "Ctrl-C": Fault("Ctrl-C", "", "begin"),
    "killed": Fault("killed", "", "begin"),
    "killed after": Fault("killed", "", "end"),
}
