"""What boto3 raises, as a failure with a next step: each kind of no wants another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore import exceptions

from delivery.errors import DeliveryError

UNREACHABLE = (exceptions.ConnectionError, exceptions.HTTPClientError)
REACH = "let this machine reach AWS (network, proxy, VPN), then run it again"
LOG_IN = (
    "log in (for example `aws sso login --profile …` and export AWS_PROFILE), then run it again"
)
PERMIT = "give these credentials that permission, or use others; then run it again"
LATER = "run it again in a minute; the same command goes on from here"
LOOK = "act on what AWS says there, then run it again"
# Source: AWS, "Common Errors" of each service's API reference; "Error responses" of S3.
NOT_LOGGED_IN = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)
NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.NoAuthTokenError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
    exceptions.ProfileNotFound,
)
BUSY_STATUS = 429
BROKEN_STATUS = 500


def told(error: exceptions.BotoCoreError | exceptions.ClientError) -> DeliveryError:
    """The failure to show: AWS's own words, and what helps against just that."""
    if isinstance(error, exceptions.ClientError):
        return _refused(error)
    if isinstance(error, UNREACHABLE):
        return _unreachable(error)
    remedy = LOG_IN if isinstance(error, NO_CREDENTIALS) else LOOK
    where = "the credentials boto3 finds (environment, profile, SSO)"
    return DeliveryError(str(error), where=where if remedy is LOG_IN else "boto3", remedy=remedy)


def _unreachable(error: Exception) -> DeliveryError:
    given: Mapping[str, Any] = getattr(error, "kwargs", {})
    endpoint = str(given.get("endpoint_url") or given.get("proxy_url") or "the AWS API")
    is_here = "://127.0.0.1" in endpoint or "://localhost" in endpoint
    return DeliveryError(
        str(error),
        where=endpoint,
        remedy="run it again: it starts the sandbox where that has ended" if is_here else REACH,
    )


def _refused(error: exceptions.ClientError) -> DeliveryError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return DeliveryError(
        str(error), where=f"the AWS API, {error.operation_name}", remedy=_remedy(code, status)
    )


def _remedy(code: str, status: int) -> str:
    if code in NOT_LOGGED_IN:
        return LOG_IN
    if code in DENIED:
        return PERMIT
    if status >= BROKEN_STATUS or status == BUSY_STATUS or "Throttl" in code or code == "SlowDown":
        return LATER
    return LOOK
