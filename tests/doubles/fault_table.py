"""Each fault at each step: how the environment ends; ``python -m tests.doubles.fault_table``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from delivery.deploy import aliases
from delivery.errors import BadInput, CannotRollBack, DeployUnderWay
from tests.doubles.journeys import FAULTS, JOURNEYS, Journey
from tests.doubles.rig import Fault, Rig
from tests.doubles.s3 import Killed
from tests.doubles.stand import OUTPUTS

ROLES = [OUTPUTS[role] for role in aliases.FORWARD]
MARK, LEASE = "under-way/dev.json", "lease/dev.json"
OTHER_SETTINGS = "defaults: {logs: {retention_days: 3}}\n"
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "deploy-faults.md"
BEGIN, END = "<!-- begin: python -m tests.doubles.fault_table -->", "<!-- end -->"
# No such call or run comes after that point of the journey.
NOT_THERE = "-"
ORDER = ("new", "old", "first")


@dataclass(frozen=True)
class Case:
    """One fault at one step of one journey."""

    journey: Journey
    step: str
    fault: str

    def __str__(self) -> str:
        return f"{self.journey.name}-{self.step}-{self.fault}".replace(" ", "_")


@dataclass
class Ended:
    """How a case ended, and what of that must not be."""

    outcome: str
    problems: list[str] = field(default_factory=list)


CASES = [
    Case(journey, step, fault)
    for journey in JOURNEYS
    for step in dict.fromkeys(journey.broken)
    for fault in FAULTS
]


class Stage:
    """An environment with two deploys and a third prepared, wound back before each case."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.code: dict[str, list[dict[str, str]]] = {name: [] for name in ORDER}
        self.prepared = {"nothing": rig.snapshot()}
        for name in ("first", "old"):
            rig.write("lambdas/orchestrator/handler.py", f"handle = '{name}'\n")
            self._deploy(name)
        self.prepared["old"] = rig.snapshot()
        rig.write("lambdas/orchestrator/handler.py", "handle = 'new'\n")
        rig.write("lambdas/sync_worker/handler.py", "handle = 'new'\n")
        self._deploy("new")
        rig.wind_back(self.prepared["old"])
        rig.configure(OTHER_SETTINGS)
        self._deploy("new")
        self.prepared["new"] = rig.snapshot()

    def _deploy(self, name: str) -> None:
        self.rig.deploy()
        self.code[name].append(self.rig.serving())

    def steps_of(self, journey: Journey) -> list[str]:
        """The steps that it goes through when nothing breaks but what it is about."""
        self._set(journey)
        try:
            journey.go(self.rig)
        except Exception:  # noqa: BLE001 - the undo is about a deploy that fails
            assert journey.name == "undo"
        return self.rig.steps

    def play(self, case: Case) -> Ended:
        """Let the fault happen, look, then take each command that goes on from there."""
        self._set(case.journey)
        fault = replace(FAULTS[case.fault], step=case.step)
        before = self._lease_number(), self._newest()
        error = self._go(case.journey, fault)
        self.rig.health_fails = False
        if fault.armed or not fault.happened:
            return Ended(NOT_THERE)
        standing = self._standing(error, before[1])
        ended = Ended(f"{self._serves()}, {standing}")
        ended.problems += self._wrong(error)
        if standing in {"untouched", "undone"}:
            ended.problems += self._not_as_before(case.journey.start)
        left = self.rig.snapshot()
        for command in self._ways_on(case.journey):
            self.rig.wind_back(left)
            ended.problems += command(before[0])
        return ended

    def _set(self, journey: Journey) -> None:
        self.rig.wind_back(self.prepared[journey.start])
        self.rig.configure(OTHER_SETTINGS)
        journey.prepare(self.rig)

    def _go(self, journey: Journey, fault: Fault) -> BaseException | None:
        try:
            journey.go(self.rig, fault)
        except BaseException as error:  # noqa: BLE001 - Ctrl-C and a kill are what this is about
            return error
        return None

    def _wrong(self, error: BaseException | None) -> Iterator[str]:
        if not self._understand_each_other():
            yield f"{self._serves()}: the functions in service do not fit"
        if isinstance(error, Killed):
            return
        if self._lease_number() and not self.rig.lease()["free"]:
            yield "the lease was not given back"
        if (
            error is not None
            and MARK in self.rig.s3.objects
            and not getattr(error, "__notes__", ())
        ):
            yield "nobody says how it stands"

    def _not_as_before(self, served: str) -> Iterator[str]:
        """What is said to be as it was: its functions, Terraform's state, and the record."""
        if self._serves() != served:
            yield f"{self._serves()} serves, and {served} served before"
        applied = set(self.rig.state().values())
        if served == "nothing":
            yield from ["Terraform has made something"] if applied else []
            return
        if not any(set(code.values()) <= applied for code in self.code[served]):
            yield f"Terraform's state is not that of {served}"
        record = self.rig.records()[0]
        in_service = aliases.in_service(self.rig.cloud, ROLES)
        if record.versions != in_service:
            yield f"the record says {record.versions}, and {in_service} are in service"

    def _serves(self) -> str:
        """Whose code answers: of one release, or of which two."""
        serving = self.rig.serving().items()
        found = {self._release_of(name, code) for name, code in serving}
        return " and ".join(sorted(found, key=ORDER.index)) or "nothing"

    def _release_of(self, function: str, code: str) -> str:
        return next(
            name for name in ORDER if any(each[function] == code for each in self.code[name])
        )

    def _understand_each_other(self) -> bool:
        """Whoever writes a format is never of a newer release than whoever reads it."""
        serving = self.rig.serving()
        ages = [
            ORDER.index(self._release_of(name, serving[name])) for name in ROLES if name in serving
        ]
        return ages == sorted(ages)

    def _standing(self, error: BaseException | None, number: int) -> str:
        for record in self.rig.records()[:1]:
            if record.number > number and record.outcome != "failed":
                return "done"
            if record.rollback.get("outcome") == "succeeded":
                return "undone"
        if MARK in self.rig.s3.objects:
            return "half done"
        return "untouched"

    def _ways_on(self, journey: Journey) -> list[Callable[[int], list[str]]]:
        """A deploy goes on from everywhere; a rollback from where something was left half done."""
        half_done = MARK in self.rig.s3.objects and journey.name != "destroy"
        back = self._find_no_way_back if journey.start == "nothing" else self._roll_back_on
        return [self._deploy_on, back] if half_done else [self._deploy_on]

    def _deploy_on(self, number: int) -> list[str]:
        return self._ends_well(self.rig.deploy, "new", number)

    def _roll_back_on(self, number: int) -> list[str]:
        return self._ends_well(lambda: self.rig.roll_back(to="2"), "old", number)

    def _find_no_way_back(self, _number: int) -> list[str]:
        served = self._serves()
        try:
            self.rig.roll_back()
        except (CannotRollBack, BadInput):
            return (
                [] if self._serves() == served else ["a rollback that was refused moved something"]
            )
        return ["it went back, and there was nothing to go back to"]

    def _lease_number(self) -> int:
        return self.rig.lease()["number"] if LEASE in self.rig.s3.objects else 0

    def _newest(self) -> int:
        return max((record.number for record in self.rig.records()[:1]), default=0)

    def _ends_well(self, command: Callable[[], object], wanted: str, number: int) -> list[str]:
        try:
            command()
        except DeployUnderWay as error:
            return [f"somebody has to unlock it: {error}"]
        problems = []
        if self._serves() != wanted:
            problems.append(f"afterwards {self._serves()} serves, not {wanted}")
        if MARK in self.rig.s3.objects or self.rig.records()[0].outcome != "succeeded":
            problems.append("afterwards it is not known to stand")
        if self._lease_number() < number:
            problems.append("the number of the lease went back")
        return problems


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stage in `folder`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.MonkeyPatch.context() as patch:
        yield Stage(Rig(folder, pem.decode(), patch))


def page(outcomes: Mapping[Case, str]) -> str:
    """The page as it is to be: what stands in it by hand, and the tables."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    tables = "\n\n".join(_table(journey, outcomes) for journey in JOURNEYS)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _table(journey: Journey, outcomes: Mapping[Case, str]) -> str:
    lines = [
        f"### {journey.command}",
        "",
        f"| step | {' | '.join(FAULTS)} |",
        f"| --- |{' --- |' * len(FAULTS)}",
    ]
    for step in dict.fromkeys(journey.broken):
        cells = [outcomes[Case(journey, step, fault)] for fault in FAULTS]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Play every case and write the page."""
    with TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        ended = {case: stage.play(case) for case in CASES}
    PAGE.write_text(page({case: each.outcome for case, each in ended.items()}), encoding="utf-8")
    for case, each in ended.items():
        for problem in each.problems:
            sys.stderr.write(f"{case}: {problem}\n")


if __name__ == "__main__":
    main()
