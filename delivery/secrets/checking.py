"""Whether every secret is there, has its form, and is young enough; never what it is.

With them the roles by which GitHub comes in, in whose stead there would be keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.oidc import access, entrance
from delivery.secrets import forms, wanted
from delivery.secrets.at_aws import CURRENT, PENDING, PREVIOUS, AtAws
from delivery.secrets.at_github import AtGitHub
from delivery.secrets.wanted import NOWHERE, Wanted

REMIND_DAYS = 14
# GitHub and AWS are set one after the other; farther apart, one was set without the other.
TOGETHER = timedelta(hours=1)
FAILING = frozenset({"missing", "malformed", "overdue", "apart"})


@dataclass(frozen=True)
class Checked:
    """How one secret stands.

    `state` is ``ok``, ``due`` (within two weeks), ``unfinished`` (a rotation), or one of
    `FAILING`; `age_days` is None where it is in no place; `problem` says why, `remedy` what
    to do, both empty when all is well.
    """

    name: str
    places: tuple[str, ...]
    state: str
    age_days: int | None
    max_age_days: int
    problem: str = ""
    remedy: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether the check is to fail for it."""
        return self.state in FAILING


def check(
    environment: Environment, cloud: Cloud, github: AtGitHub | None, *, now: datetime | None = None
) -> list[Checked]:
    """The roles that let GitHub in, where one is, and every secret, as its places tell of it.

    Args:
        github: None where no repository is configured; then only AWS is looked at.
    """
    at = now or datetime.now(UTC)
    looks = [_Look(environment, cloud, github, each, at) for each in wanted.of(environment)]
    return [*_roles(environment, cloud), *(each.checked() for each in looks)]


def _roles(environment: Environment, cloud: Cloud) -> Iterator[Checked]:
    if environment.settings["github"]["repository"] is None:
        return
    for purpose in access.PURPOSES:
        state, problem = entrance.flaw(environment, cloud, purpose) or ("ok", "")
        yield Checked(
            name=access.role_name(environment, purpose),
            places=("IAM",),
            state=state,
            age_days=None,
            max_age_days=0,
            problem=problem,
            remedy=f"inv oidc.bootstrap --env {environment.name}" if problem else "",
        )


class _Look:
    def __init__(
        self,
        environment: Environment,
        cloud: Cloud,
        github: AtGitHub | None,
        asked: Wanted,
        now: datetime,
    ) -> None:
        self.environment, self.asked, self.now = environment, asked, now
        self.times: dict[str, datetime] = {}
        self.missing: list[str] = []
        self.value: str | None = None
        self.labels: set[str] = set()
        if github is not None and asked.github != NOWHERE:
            self._look_at_github(github)
        if asked.aws_name is not None:
            self._look_at_aws(AtAws(cloud, asked.aws_name))

    def _look_at_github(self, github: AtGitHub) -> None:
        place = f"GitHub {self.asked.github}"
        found = github.stored(self.asked)
        if found is None:
            self.missing.append(place)
        else:
            self.times[place], self.value = found.updated_at, found.value

    def _look_at_aws(self, store: AtAws) -> None:
        found = store.stored()
        if found is None or CURRENT not in found.version_by_label:
            self.missing.append("AWS")
        else:
            self.times["AWS"], self.value = found.updated_at, store.value()
        self.labels = set(found.version_by_label) if found else set()

    def checked(self) -> Checked:
        state, problem = next(self._problems(), ("ok", ""))
        rotate = f"inv secrets.rotate --env {self.environment.name} --name {self.asked.name}"
        return Checked(
            name=self.asked.name,
            places=tuple(sorted([*self.times, *self.missing])),
            state=state,
            age_days=self._age_days(),
            max_age_days=self.asked.max_age_days,
            problem=problem,
            remedy=rotate if problem else "",
        )

    def _age_days(self) -> int | None:
        return (self.now - min(self.times.values())).days if self.times else None

    def _problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it, the worst first."""
        if self.missing:
            yield "missing", f"it is not in {' and '.join(self.missing)}"
        if self.value is not None and (flaw := forms.flaw(self.asked.form, self.value)):
            yield "malformed", flaw
        if {PENDING, PREVIOUS} & self.labels and self._is_unfinished():
            yield "unfinished", "a rotation was begun and not ended"
        if self.times and max(self.times.values()) - min(self.times.values()) > TOGETHER:
            older = min(self.times, key=lambda place: self.times[place])
            yield "apart", f"{older} has an older one than the other place"
        yield from self._age_problems()

    def _is_unfinished(self) -> bool:
        # What has no issuer to ask is not kept as a previous one; see rotation.
        return PENDING in self.labels or self.asked.form == "slack_webhook"

    def _age_problems(self) -> Iterator[tuple[str, str]]:
        age, most = self._age_days(), self.asked.max_age_days
        if age is None or most == 0:
            return
        if age > most:
            yield "overdue", f"it is {age} days old, and was to be rotated after {most}"
        elif most - age <= REMIND_DAYS:
            yield "due", f"it is to be rotated within {most - age} days"
