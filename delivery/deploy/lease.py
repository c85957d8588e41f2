"""Who may change an environment now: a lease in its state bucket that expires by itself.

Its number only grows, and goes with every later write: what an earlier holder still wants to
do is told from what the present one does (docs/adr/0020).
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery.cloud import Cloud
from delivery.errors import DeployUnderWay, LeaseLost
from delivery.progress import Steps
from delivery.state_bucket import NOT_THERE, OUTRUN

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Terms:
    """How long a lease lives without being renewed, and how often it is renewed."""

    lives_seconds: float = 60
    renewed_seconds: float = 15


@dataclass(frozen=True)
class Asked:
    """What a lease is wanted for.

    Args:
        reason: the verb, for whoever is refused meanwhile.
        token: told apart from any other process's.
        dead: the token of a process that is known to have ended: its lease is free.
        patience_seconds: how long to wait for somebody else's to end.
    """

    environment: str
    reason: str
    token: str
    dead: str = ""
    patience_seconds: float = 0
    terms: Terms = field(default_factory=Terms)


class Lease:
    """A lease that this process holds; `number` is its fencing number, `by` the caller's ARN."""

    def __init__(self, desk: _Desk, document: dict[str, Any], etag: str) -> None:
        self.number = int(document["number"])
        self.by = str(document["by"])
        self._desk, self._document, self._etag = desk, document, etag
        self._ended = threading.Event()

    def check(self) -> None:
        """Return when this process is still the holder; asked before each write.

        Raises:
            LeaseLost: somebody else holds it now.
        """
        found = self._desk.read()
        if found is None or not self._is_mine(found.document):
            raise self._lost(found.document if found else {})

    def renew(self) -> bool:
        """Put the expiry off; False when somebody else holds it now."""
        self._document["expires"] = _expiry(self._desk.terms)
        etag = self._desk.write(self._document, self._etag)
        if etag is None:
            # A write whose answer was lost is made again, and then meets itself.
            found = self._desk.read()
            if found is None or not self._is_mine(found.document):
                return False
            etag = found.etag
        self._etag = etag
        return True

    def keep(self) -> None:
        """Renew until `end`; a failure is tried again, and `check` tells what came of it."""
        while not self._ended.wait(self._desk.terms.renewed_seconds):
            with suppress(ClientError, BotoCoreError):
                if not self.renew():
                    return

    def end(self) -> None:
        """Stop renewing."""
        self._ended.set()

    def give_back(self) -> None:
        """Mark it free. Where that fails it expires, and nobody has to unlock anything."""
        free = {**self._document, "free": True}
        with suppress(ClientError, BotoCoreError):
            self._desk.write(free, self._etag)

    def _is_mine(self, document: dict[str, Any]) -> bool:
        same = ("number", "token", "free")
        return all(document.get(name) == self._document.get(name) for name in same)

    def _lost(self, found: dict[str, Any]) -> LeaseLost:
        return LeaseLost(
            f"lease {self.number} has passed on to {found.get('holder', 'nobody')}"
            f" (lease {found.get('number', 'gone')}, {found.get('reason', '')})",
            where=self._desk.where,
            remedy="leave the environment to them; look at it with"
            f" `inv status --env {self._desk.asked.environment}`",
        )


@contextmanager
def held(cloud: Cloud, bucket: str, asked: Asked, steps: Steps) -> Iterator[Lease]:
    """Hold the environment's lease while the body runs, renewed by a thread.

    Raises:
        DeployUnderWay: somebody else holds it, and did not end within the patience.
    """
    with steps.step("lease"):
        desk = _Desk(cloud.client("s3"), bucket, asked)
        lease = _acquire(cloud, desk, steps.detail)
    keeper = threading.Thread(target=lease.keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.end()
        keeper.join()
        lease.give_back()


def holder(cloud: Cloud, bucket: str, environment: str) -> Mapping[str, Any] | None:
    """Who may change the environment now; None where nobody does.

    Returns:
        ``{"holder", "by", "reason", "since", "number", "free_in_seconds"}``; the last is when
        the lease ends should its holder have died.
    """
    asked = Asked(environment, reason="", token="")  # nosec B106 - a token that nobody has
    found = _Desk(cloud.client("s3"), bucket, asked).read()
    if found is None or found.is_free_for(asked):
        return None
    told = ("holder", "by", "reason", "since", "number")
    return {
        **{name: found.document[name] for name in told},
        "free_in_seconds": round(found.left_seconds),
    }


@dataclass(frozen=True)
class _Found:
    document: dict[str, Any]
    etag: str
    age_seconds: float

    def is_free_for(self, asked: Asked) -> bool:
        if self.document.get("free") or self.document.get("token") == asked.dead != "":
            return True
        return self.left_seconds < 0

    @property
    def left_seconds(self) -> float:
        return float(self.document["lives_seconds"]) - self.age_seconds


class _Desk:
    """The object that the lease is written in."""

    def __init__(self, s3: Any, bucket: str, asked: Asked) -> None:
        self._s3, self._bucket, self.asked = s3, bucket, asked
        self._key = f"lease/{asked.environment}.json"
        self.where = f"s3://{bucket}/{self._key}"

    @property
    def terms(self) -> Terms:
        return self.asked.terms

    def read(self) -> _Found | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                return None
            raise
        document = json.loads(answer["Body"].read())
        # Both times are S3's own: clocks of two holders need not agree.
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(said) if said else datetime.now(UTC)
        return _Found(document, answer["ETag"], (now - answer["LastModified"]).total_seconds())

    def write(self, document: dict[str, Any], etag: str | None) -> str | None:
        """The new ETag; None when the object is no longer what it was."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = json.dumps(document, indent=2).encode()
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key,
                Body=body,
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in OUTRUN:
                return None
            raise
        return str(answer["ETag"])


def _acquire(cloud: Cloud, desk: _Desk, report: Callable[[str], None]) -> Lease:
    by = str(cloud.client("sts").get_caller_identity()["Arn"])
    deadline = time.monotonic() + desk.asked.patience_seconds
    told = ""
    while True:
        found = desk.read()
        if found is None or found.is_free_for(desk.asked):
            number = int(found.document["number"]) + 1 if found else 1
            document = _document(desk.asked, number, by)
            etag = desk.write(document, found.etag if found else None)
            if etag is not None:
                return Lease(desk, document, etag)
            continue  # Somebody was faster: look who it is.
        if time.monotonic() >= deadline:
            raise _taken(desk, found)
        holder = f"waiting for {found.document['holder']}: {found.document['reason']}"
        if holder != told:
            report(holder)
            told = holder
        time.sleep(POLL_SECONDS)


def _document(asked: Asked, number: int, by: str) -> dict[str, Any]:
    return {
        "number": number,
        "holder": f"{_user()}@{socket.gethostname()}, process {os.getpid()}",
        "by": by,
        "reason": asked.reason,
        "since": _moment(datetime.now(UTC)),
        "expires": _expiry(asked.terms),
        "lives_seconds": asked.terms.lives_seconds,
        "token": asked.token,
        "free": False,
    }


def _taken(desk: _Desk, found: _Found) -> DeployUnderWay:
    held, name = found.document, desk.asked.environment
    left = max(0.0, found.left_seconds)
    return DeployUnderWay(
        f'"{name}" is being changed by {held["holder"]} ({held["by"]}), since {held["since"]},'
        f" for {held['reason']}",
        where=desk.where,
        remedy=f"wait for it: add --wait 600; should it have died, it is free in {left:.0f} s",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may run under a number that has no name.
        return f"user {os.getuid()}"


def _expiry(terms: Terms) -> str:
    return _moment(datetime.now(UTC) + timedelta(seconds=terms.lives_seconds))


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
