"""A new value in the place of an old one: tried before it counts, and the old one seen to be dead.

The new value waits in Secrets Manager as the pending one, so that a rotation that was killed
goes on with it. Without a place in Secrets Manager the value is given again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from delivery.cloud import Cloud
from delivery.environment import Environment
from delivery.errors import BadInput, DeliveryError
from delivery.progress import Steps
from delivery.secrets import forms, wanted
from delivery.secrets.at_aws import CURRENT, PENDING, PREVIOUS, AtAws
from delivery.secrets.at_github import AtGitHub
from delivery.secrets.forms import Post
from delivery.secrets.wanted import NOWHERE, Wanted


@dataclass(frozen=True)
class Rotated:
    """What was done, in its order; with a dry run, what would be."""

    name: str
    environment: str
    steps: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True)
class Rotation:
    """One secret on its way to a new value.

    Args:
        github: None where no repository is configured.
        ask: gives the new value; called once, and not where one is waiting already.
        send: how an issuer is asked whether it takes a value.
    """

    environment: Environment
    cloud: Cloud
    github: AtGitHub | None
    ask: Callable[[], str]
    send: Post = forms.post

    def plan(self, name: str) -> Rotated:
        """The steps that are left to do; nothing is changed."""
        asked = self._asked(name)
        return Rotated(name, self.environment.name, tuple(self._left(asked)), dry_run=True)

    def carry_out(self, name: str, steps: Steps) -> Rotated:
        """Do what is left to do; after a kill the same call goes on from there.

        Raises:
            BadInput: no such secret, or a value that has not its form; nothing was changed.
            DeliveryError: the issuer refuses the new value, which is then forgotten; or it
                still takes the old one, which has to be revoked there.
        """
        asked = self._asked(name)
        left = self._left(asked)
        value = ""
        for step in left:
            with steps.step(step):
                value = self._do(step, asked, value)
        return Rotated(name, self.environment.name, tuple(left), dry_run=False)

    def _asked(self, name: str) -> Wanted:
        return wanted.named(self.environment, name)

    def _left(self, asked: Wanted) -> list[str]:
        labels = self._labels(asked)
        if PENDING not in labels and PREVIOUS in labels and asked.form == "slack_webhook":
            return ["see the old one dead"]
        left = ["take the pending one" if PENDING in labels else "take the new one"]
        left.append("try it")
        if asked.github != NOWHERE and self.github is not None:
            left.append("give it to GitHub")
        if asked.aws_name is not None:
            left.append("make it current")
            if CURRENT in labels:
                left.append("see the old one dead")
        return left

    def _labels(self, asked: Wanted) -> set[str]:
        found = AtAws(self.cloud, asked.aws_name).stored() if asked.aws_name else None
        return set(found.version_by_label) if found else set()

    def _do(self, step: str, asked: Wanted, value: str) -> str:
        store = AtAws(self.cloud, asked.aws_name) if asked.aws_name else None
        if step == "take the new one":
            return self._taken(asked, store)
        if step == "take the pending one" and store is not None:
            return store.value(PENDING) or ""
        if step == "try it":
            self._try(asked, store, value)
        elif step == "give it to GitHub" and self.github is not None:
            self.github.put(asked, value)
        elif step == "make it current" and store is not None:
            store.promote()
        elif store is not None:
            self._see_dead(asked, store)
        return value

    def _taken(self, asked: Wanted, store: AtAws | None) -> str:
        value = self.ask().strip()
        if flaw := forms.flaw(asked.form, value):
            raise BadInput(
                f"the new value was not taken: {flaw}",
                where=asked.name,
                remedy="give it alone, on standard input or at the question",
            )
        if store is not None:
            store.propose(value)
        return value

    def _try(self, asked: Wanted, store: AtAws | None, value: str) -> None:
        if self._is_alive(asked, value) is False:
            if store is not None:
                store.forget(PENDING)
            raise DeliveryError(
                "its issuer refuses the new value; the old one stays in use",
                where=asked.name,
                remedy="make a new one there, and run it again",
            )

    def _see_dead(self, asked: Wanted, store: AtAws) -> None:
        old = store.value(PREVIOUS)
        if old is not None and self._is_alive(asked, old):
            raise DeliveryError(
                "the new value is in use everywhere, and its issuer still takes the old one",
                where=asked.name,
                remedy="revoke the old one there (Slack: the app's Incoming Webhooks), and run it"
                " again",
            )
        store.forget(PREVIOUS)

    def _is_alive(self, asked: Wanted, value: str) -> bool | None:
        try:
            return forms.is_alive(asked.form, value, self.send)
        except forms.Unreachable as error:
            raise DeliveryError(
                f"it cannot be told whether the value works: {error}",
                where=asked.name,
                remedy="run it again: it goes on from here",
            ) from error
