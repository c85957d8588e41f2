"""The name of every object in the bucket (docs/reference/bucket-layout.md); built here only."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mirror.errors import BadEvent

V2 = "v2/"
CORE = "homebrew/core"
API = "api/"
SNAPSHOTS = "snapshots/"
CHANNELS = "channels/"
SYNCS = "syncs/"
# What `api/` is called among the channels.
DEFAULT_CHANNEL = "default"
UNREFERENCED = "retention/unreferenced.json"
DROPPED = "retention/snapshots/"
LEASE = "syncs/lease.json"
WANTED = "syncs/wanted.json"
STATUS_PAGE = "index.html"
STATUS = "status/status.json"
STATUS_CHECKED = "status/checked.json"
STATUS_FORMULAE = "status/formulae.json"

_SYNC_ID = re.compile(r"2\d{3}-\d{2}-\d{2}T\d{6}Z")
_BATCHES = re.compile(rf"syncs/(?P<sync>{_SYNC_ID.pattern})/plan/batches\.json")
_BATCH = re.compile(rf"syncs/(?P<sync>{_SYNC_ID.pattern})/plan/(?P<number>\d{{5}})\.json")


def sync_id(moment: datetime) -> str:
    """``2026-11-22T030000Z``: the moment a sync began; also names the snapshot it publishes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")


def moment(sync: str) -> datetime:
    """The moment that a sync's id stands for."""
    return datetime.strptime(sync, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)


def is_sync_id(text: str) -> bool:
    """Whether a text from outside may become part of a key as a sync's id: it is a moment, too.

    An impossible one in the lease would end every later sync, whose id must come after it.
    """
    if _SYNC_ID.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def repository(image: str) -> str:
    """``homebrew/core/openssl/3``: what a registry calls the image.

    Args:
        image: within homebrew/core; or, of another tap, from the root on: ``/acme/tools/deploy``.
    """
    return image.removeprefix("/") if image.startswith("/") else f"{CORE}/{image}"


def blob(image: str, digest: str) -> str:
    """``v2/homebrew/core/jq/blobs/sha256:…``; `digest` is 64 hex digits."""
    return f"{V2}{repository(image)}/blobs/sha256:{digest}"


def cask_file(token: str, digest: str) -> str:
    """``v2/homebrew/cask/firefox/blobs/sha256:…``; `digest` is 64 hex digits."""
    return f"{V2}homebrew/cask/{token}/blobs/sha256:{digest}"


def manifest(image: str, tag: str) -> str:
    """``v2/homebrew/core/jq/manifests/1.8.1``."""
    return f"{V2}{repository(image)}/manifests/{tag}"


def api_file(path: str) -> str:
    """``api/internal/packages.arm64_tahoe.jws.json``."""
    return f"{API}{path}"


def served_api(channel: str) -> str:
    """``api/`` for the default channel, ``channels/<name>/api/`` for any other."""
    return API if channel == DEFAULT_CHANNEL else f"{CHANNELS}{channel}/api/"


def pointer(channel: str) -> str:
    """``channels/<name>/pointer.json``."""
    return f"{CHANNELS}{channel}/pointer.json"


def dropped_snapshot(snapshot: str) -> str:
    """``retention/snapshots/<id>.json``: the document of a snapshot that is no more."""
    return f"{DROPPED}{snapshot}.json"


def collection_report(collection: str) -> str:
    """``reports/gc/<id>.json``."""
    return f"reports/gc/{collection}.json"


def verification_report(run: str) -> str:
    """``reports/verify/<id>.json``."""
    return f"reports/verify/{run}.json"


def snapshot_folder(snapshot: str) -> str:
    """``snapshots/<id>/``."""
    return f"{SNAPSHOTS}{snapshot}/"


def snapshot_api_file(snapshot: str, path: str) -> str:
    """``snapshots/<id>/api/…``."""
    return f"{snapshot_folder(snapshot)}api/{path}"


def snapshot_bottles(snapshot: str) -> str:
    """``snapshots/<id>/bottles.json``."""
    return f"{snapshot_folder(snapshot)}bottles.json"


def snapshot_casks(snapshot: str) -> str:
    """``snapshots/<id>/casks.json``."""
    return f"{snapshot_folder(snapshot)}casks.json"


def snapshot_too_large(snapshot: str) -> str:
    """``snapshots/<id>/too_large.json``."""
    return f"{snapshot_folder(snapshot)}too_large.json"


def snapshot_document(snapshot: str) -> str:
    """``snapshots/<id>/snapshot.json``, written last in its folder."""
    return f"{snapshot_folder(snapshot)}snapshot.json"


def sync_of(key: str) -> str | None:
    """The sync whose folder below ``syncs/`` holds a key; None for ``syncs/lease.json``."""
    sync = key.removeprefix(SYNCS).partition("/")[0]
    return sync if is_sync_id(sync) else None


def is_report(key: str) -> bool:
    """Whether a key below ``syncs/<id>/`` says how the sync ended, for people."""
    return key.rpartition("/")[2].startswith("report.") and key.count("/") == 2


def is_manifest(key: str) -> bool:
    """Whether a key below ``v2/`` is a manifest's, not a blob's."""
    return key.rpartition("/")[0].endswith("/manifests")


def staged_api_file(sync: str, path: str) -> str:
    """``syncs/<id>/api/…``."""
    return f"syncs/{sync}/api/{path}"


def staged_manifests(sync: str) -> str:
    """``syncs/<id>/manifests/``."""
    return f"syncs/{sync}/manifests/"


def staged_pack(sync: str, number: int) -> str:
    """``syncs/<id>/manifests/00017.json``: many manifests in one object."""
    return f"{staged_manifests(sync)}{number:05}.json"


def imported(snapshot: str, name: str) -> str:
    """``syncs/<id>/import/bottles.json``: what came across an air gap, not yet published."""
    return f"syncs/{snapshot}/import/{name}"


def plan(sync: str) -> str:
    """``syncs/<id>/plan/plan.json``."""
    return f"syncs/{sync}/plan/plan.json"


def batches(sync: str) -> str:
    """``syncs/<id>/plan/batches.json``, which the Distributed Map reads."""
    return f"syncs/{sync}/plan/batches.json"


def sync_of_batches(batches_key: str) -> str:
    """The sync whose batches these are.

    Raises:
        BadEvent: `batches_key`, which comes from outside, is not the key of a list of batches.
    """
    found = _BATCHES.fullmatch(batches_key)
    if found is None:
        raise BadEvent(
            f'"{batches_key}" is not the key of a list of batches',
            where="AIRBREW_BATCHES_KEY",
            remedy="give the plan's, as syncs/2026-11-22T030000Z/plan/batches.json",
        )
    return found["sync"]


def batch(sync: str, number: int) -> str:
    """``syncs/<id>/plan/00017.json``."""
    return f"syncs/{sync}/plan/{number:05}.json"


def results(sync: str) -> str:
    """``syncs/<id>/results/``."""
    return f"syncs/{sync}/results/"


def result(batch_key: str) -> str:
    """Where the result of a batch goes: ``syncs/<id>/results/00017.json``.

    Raises:
        BadEvent: `batch_key`, which comes from outside, is not the key of a batch.
    """
    found = _BATCH.fullmatch(batch_key)
    if found is None:
        raise BadEvent(
            f'"{batch_key}" is not the key of a batch',
            where="the event's `batch`",
            remedy="call with a key of the plan, as syncs/2026-11-22T030000Z/plan/00000.json",
        )
    return f"{results(found['sync'])}{found['number']}.json"


def report(sync: str) -> str:
    """``syncs/<id>/report.json``."""
    return f"syncs/{sync}/report.json"


def report_page(sync: str) -> str:
    """``syncs/<id>/report.html``."""
    return f"syncs/{sync}/report.html"
