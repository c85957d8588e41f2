"""Snapshots and channels of a deployed mirror: shown, moved, verified and collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.cloud import Cloud
from delivery.errors import BadInput, ContentFailed
from delivery.mirror.content import DEFAULT_CHANNEL
from delivery.mirror.orchestrator import ask


@dataclass(frozen=True)
class Contents:
    """The functions of one environment that look after what is published.

    Every answer is the function's own (docs/reference/state-machine.md), so that whoever runs
    a verb needs ``lambda:InvokeFunction`` and nothing else.

    Args:
        outputs: what Terraform put out: names of the functions.
    """

    cloud: Cloud
    outputs: Mapping[str, Any]

    def snapshots(self) -> Sequence[Mapping[str, Any]]:
        """Every snapshot, newest first: counts, bytes, what is new, who serves it."""
        answer = self._orchestrator({"action": "snapshots"}, "could not list the snapshots")
        found: Sequence[Mapping[str, Any]] = answer["snapshots"]
        return found

    def rollback(self, snapshot: str, channel: str, *, dry_run: bool) -> Mapping[str, Any]:
        """Let a channel serve an older snapshot.

        Raises:
            BadInput: no snapshot is named.
            ContentFailed: bottles of it are gone, a sync runs, or there is no such snapshot.
        """
        if not snapshot:
            raise BadInput(
                "no snapshot is given",
                where="--to",
                remedy="name one that `inv mirror.snapshots` lists: --to 2026-11-22T030000Z",
            )
        channel = channel or DEFAULT_CHANNEL
        event = {"snapshot": snapshot, "channel": channel, "dry_run": dry_run}
        return self._orchestrator({"action": "rollback", **event}, "did not roll back")

    def promote(self, channel: str, snapshot: str, *, dry_run: bool) -> Mapping[str, Any]:
        """Let a channel serve a newer snapshot, by default that of the channel before it.

        Raises:
            BadInput: no channel is named.
            ContentFailed: as `rollback`.
        """
        if not channel:
            raise BadInput(
                "no channel is given",
                where="--to",
                remedy="name one of publish.channels in config/airbrew.yaml: --to stable",
            )
        event = {"snapshot": snapshot, "channel": channel, "dry_run": dry_run}
        return self._orchestrator({"action": "promote", **event}, "did not promote")

    def audit(self, noted: str = "") -> Mapping[str, Any]:
        """Whether any published set was rewritten.

        Args:
            noted: what an earlier audit told of its newest snapshot, ``sha256:<64 hex digits>``.

        Raises:
            BadInput: it is no digest.
        """
        digest = noted.strip().lower().removeprefix("sha256:")
        if noted and not re.fullmatch("[0-9a-f]{64}", digest):
            raise BadInput(
                f'"{noted}" is no digest',
                where="--noted",
                remedy="give the one that `inv mirror.audit` told of the newest, sha256:…",
            )
        event = {"action": "audit"} | ({"noted": digest} if noted else {})
        return self._orchestrator(event, "could not audit")

    def collect(self, *, apply: bool) -> Mapping[str, Any]:
        """What no kept snapshot names; deleted if `apply`.

        Raises:
            ContentFailed: a sync runs, or a record cannot be read: nothing was deleted.
        """
        event = {"action": "collect", "apply": apply}
        return self._ask("collector_function", event, "the collector stopped")

    def verify(
        self, request: Mapping[str, Any], report: Callable[[Mapping[str, Any]], None]
    ) -> Mapping[str, Any]:
        """Look at a snapshot's bottles, call after call, until all that was asked for is seen.

        Bottles are mended by the function that looks; manifests by the one that may write them.

        Args:
            request: ``{"snapshot", "deep", "sample", "seed", "repair", "run"}``.
            report: told each answer as it comes.

        Raises:
            ContentFailed: a function stopped, or a sync runs while manifests are to be mended.
        """
        event = {"action": "verify", **request}
        answer: Mapping[str, Any] = {"finished": False}
        while not answer["finished"]:
            answer = self._ask("sync_worker_function", event, "the sync worker could not verify")
            report(answer)
            event["run"] = answer["run"]
        # Functions of an earlier release mend no manifests.
        while answer.get("to_mend"):
            mend = {"action": "mend", "run": answer["run"]}
            answer = self._orchestrator(mend, "could not mend the manifests")
        return answer

    def _orchestrator(self, event: Mapping[str, Any], failure: str) -> Mapping[str, Any]:
        return self._ask("orchestrator_function", event, f"the orchestrator {failure}")

    def _ask(self, output: str, event: Mapping[str, Any], failure: str) -> Mapping[str, Any]:
        if output not in self.outputs:
            raise BadInput(
                f'what is deployed has no "{output}": it is of an earlier release',
                where=self.cloud.describe(),
                remedy="run `inv deploy` first",
            )
        return ask(self.cloud, self.outputs[output], event, ContentFailed, failure)


def channels(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Channel → snapshot, of what `Contents.snapshots` answered."""
    return {name: each["id"] for each in found for name in each["channels"]}
