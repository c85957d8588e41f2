"""Errors that the mirror raises on purpose; their class names are what the state machine sees.

MirrorError
├── BadEvent                 a Lambda was called with something it does not know
├── BadSettings              settings/<sha256>.json, or the environment variables, are wrong
├── UnknownFormula           the selection names what the catalogue does not have
├── UntrustedCatalogue       an API file is unsigned, wrongly signed, or not what we can read
├── BadManifest              an OCI index does not promise the bottle that the catalogue names
├── DigestMismatch           upstream sent other bytes than it promised; nothing was kept
├── UpstreamRefused          upstream answered, and the answer is no
│   └── NotUpstream          it does not have this (404)
├── UpstreamUnavailable      no usable answer from upstream within our tries; worth a retry
├── BucketRefused            S3 did not do what was asked
├── OutOfTime                the work would not fit into what is left of the Lambda's time
├── Interrupted              a task was told to stop; another one goes on
├── NobodyWaits              the state machine has given a task up; what it does is for nothing
├── SyncUnderWay             another sync holds the lease
├── ImportRefused            what came across an air gap does not fit together, or is too old
├── IncompleteSync           not every bottle is there; nothing was published
├── UnknownSnapshot          there is no such snapshot, or not for this purpose
├── IncompleteSnapshot       bottles of a snapshot are gone; no channel may point to it
├── DamagedRecord            what the mirror wrote itself is not what it was
└── UnknownChannel           the settings name no such channel

Anything else that ends a function is a bug, and shows its traceback.
"""


class MirrorError(Exception):
    """A failure with an address and a next step.

    Args:
        problem: what is wrong, in one clause, with the values that are wrong.
        where: bucket and key, URL, or place in the settings.
        remedy: the one command or edit that gets the user on.
    """

    def __init__(self, problem: str, *, where: str, remedy: str) -> None:
        super().__init__(problem, where, remedy)
        self.problem, self.where, self.remedy = problem, where, remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  where: {self.where}\n  next:  {self.remedy}"


class BadEvent(MirrorError):
    """A function was called with an event that is not in docs/reference/state-machine.md."""


class BadSettings(MirrorError):
    """The settings that Terraform wrote, or the variables that point to them, are wrong."""


class UnknownFormula(MirrorError):
    """A name or glob of the selection matches nothing on any selected platform."""


class UntrustedCatalogue(MirrorError):
    """An API file that is not signed by the configured key, or holds what must not be used."""


class BadManifest(MirrorError):
    """An OCI index that does not promise the bottle which the signed catalogue names."""


class DigestMismatch(MirrorError):
    """Other bytes, or another count of them, than promised; nothing was kept."""


class UpstreamRefused(MirrorError):
    """Upstream answered with an error that asking again will not change."""


class NotUpstream(UpstreamRefused):
    """Upstream does not have what was asked for (404)."""


class UpstreamUnavailable(MirrorError):
    """Upstream was busy, broke off or could not be reached, each time we tried."""


class BucketRefused(MirrorError):
    """A call to S3 failed; a listing that is denied must never count as an empty bucket."""


class OutOfTime(MirrorError):
    """The rest of the Lambda's time is too short; what is under way is undone."""


class Interrupted(MirrorError):
    """The task was told to stop, as before a Spot task is taken away; what is done is done."""


class NobodyWaits(MirrorError):
    """The execution has ended or gone on without this task; never an answer to it."""


class SyncUnderWay(MirrorError):
    """Another sync holds the lease."""


class IncompleteSync(MirrorError):
    """Bottles of the plan are missing; nothing was published, and what was stands."""


class ImportRefused(MirrorError):
    """What came across an air gap is older than what is published, or contradicts itself."""


class UnknownSnapshot(MirrorError):
    """There is no such snapshot, or it is on the wrong side of what the channel serves."""


class IncompleteSnapshot(MirrorError):
    """Bottles that the snapshot names are gone; what was served is served still."""


class DamagedRecord(MirrorError):
    """A snapshot or pointer in the bucket does not hold what the mirror wrote there."""


class UnknownChannel(MirrorError):
    """The settings name no such channel."""
