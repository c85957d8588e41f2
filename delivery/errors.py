"""Errors that the delivery raises on purpose.

DeliveryError                 the operation failed                     exit 1
├── BadInput                  what the user gave is wrong              exit 2
│   ├── BadConfiguration      config/airbrew.yaml, all problems at once
│   └── UnknownRelease        no release has that name, or several do
├── WrongAccount              credentials of another account           exit 1
├── ToolMissing               Terraform is not there, and could not be brought
├── UntrustedDownload         a checksum or a signature does not hold
├── TerraformFailed           Terraform ended with an error
├── BuildFailed               an artifact could not be made
├── UntrustedRelease          what is kept of a release is not what its name says
├── SyncFailed                the state machine ended other than SUCCEEDED
├── ExportFailed              a parcel could not be written whole
├── UntrustedParcel           a parcel is not what its organisation signed
├── PartsMissing              parts of a parcel are absent or spoilt; the message names them
├── BaseMissing               a delta builds on a snapshot that is not there
├── ContentFailed             a deployed function could not show, move, check or collect snapshots
├── PublishFailed             the orchestrator refused what was brought to it
├── GateBroken                a gate could not look: neither passed nor failed
│   └── NothingAudited        the service that knows the weaknesses was not reached
├── SmokeTestFailed           the deployed mirror does not serve what it should
├── CannotRollBack            the environment cannot go back to that release; the message says why
├── PolicyViolated            a plan would do what no plan may; every violation is named
├── NotApproved               what would be applied is not what was approved, and how it differs
└── DeployUnderWay            someone else is deploying this environment
    └── LeaseLost             the lease expired while this ran, and somebody else took it

Anything else that reaches the user is a bug, and shows its traceback.
"""

from collections.abc import Sequence


class DeliveryError(Exception):
    """A failure with an address and a next step.

    Args:
        problem: what is wrong, in one clause, with the values that are wrong.
        where: file:line, configuration path, bucket and key, or URL.
        remedy: the one command or edit that gets the user on.
    """

    exit_code = 1

    def __init__(self, problem: str, *, where: str, remedy: str) -> None:
        super().__init__(problem, where, remedy)
        self.problem, self.where, self.remedy = problem, where, remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  where: {self.where}\n  next:  {self.remedy}"


class BadInput(DeliveryError):
    """What the user typed or wrote is wrong; nothing was done."""

    exit_code = 2


class BadConfiguration(BadInput):
    """Everything that is wrong with a configuration file, each with its line, path and remedy.

    Args:
        told: one text per problem, ready to print.
        where: the file.
    """

    def __init__(self, told: Sequence[str], *, where: str) -> None:
        count = "1 problem" if len(told) == 1 else f"{len(told)} problems"
        super().__init__(
            f"{count} in {where}",
            where=where,
            remedy="correct them and run `inv config.validate`",
        )
        self.told = tuple(told)

    def __str__(self) -> str:
        return "\n".join([self.problem, *self.told])


class UnknownRelease(BadInput):
    """No release has the name that was given, or several begin with it."""


class WrongAccount(DeliveryError):
    """The credentials at hand belong to another account than the configuration names."""


class ToolMissing(DeliveryError):
    """A program that is needed is not installed, and could not be installed either."""


class UntrustedDownload(DeliveryError):
    """A downloaded file is not what its publisher signed; it was not kept."""


class TerraformFailed(DeliveryError):
    """Terraform ended with an error; its own words are in the problem."""


class BuildFailed(DeliveryError):
    """An artifact could not be made."""


class UntrustedRelease(DeliveryError):
    """What is kept of a release is not what its name says, or cannot be read."""


class SyncFailed(DeliveryError):
    """An execution of the sync state machine ended other than SUCCEEDED."""


class ExportFailed(DeliveryError):
    """A parcel could not be written whole; the same command goes on from there."""


class UntrustedParcel(DeliveryError):
    """A parcel is not what its organisation signed; nothing of it was taken over."""


class PartsMissing(DeliveryError):
    """Parts of a parcel did not arrive, or not as they were sent; each is named."""


class BaseMissing(DeliveryError):
    """A delta builds on a snapshot that the mirror does not hold."""


class ContentFailed(DeliveryError):
    """A deployed function could not show, move, check or collect snapshots; it says why."""


class PublishFailed(DeliveryError):
    """The orchestrator refused what was brought to it; what is published stands."""


class GateBroken(DeliveryError):
    """A gate could not look at the checkout; that is not the same as having found nothing."""


class NothingAudited(GateBroken):
    """The service that knows of weaknesses was not reached: no pass, and nothing found."""


class SmokeTestFailed(DeliveryError):
    """The deployed mirror does not serve what it should."""


class PolicyViolated(DeliveryError):
    """A plan would do what no plan may; nothing was applied."""


class NotApproved(DeliveryError):
    """What would be applied is not what was approved; nothing was applied."""


class DeployUnderWay(DeliveryError):
    """Another deploy of the same environment is running."""


class CannotRollBack(DeliveryError):
    """The environment cannot go back to what is asked for; nothing was changed."""


class UnknownDeploy(CannotRollBack):
    """No deploy has the number or the release that was given."""

    exit_code = 2


class LeaseLost(DeployUnderWay):
    """The lease has passed on to somebody else: nothing more may be written."""


def in_words(error: BaseException) -> str:
    """One clause about an error, for a record."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return error.problem if isinstance(error, DeliveryError) else str(error) or repr(error)
