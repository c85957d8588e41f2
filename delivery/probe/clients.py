"""What each generation of brew asks a mirror for.

Source: Homebrew/brew 4.2.21 to 6.0.9, ``api/formula.rb``, ``api/cask.rb``, ``api/internal.rb``,
``cmd/update.sh``, ``download_strategy/curl_github_packages_download_strategy.rb``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BREW_4 = "4.2-4.5"
BREW_4_INTERNAL = "4.6-5.1"
BREW_6 = "5.1.10-6"
CLIENTS = (BREW_4, BREW_4_INTERNAL, BREW_6)
OLDER = (BREW_4, BREW_4_INTERNAL)

# The name that brew's own requests begin with; what follows says who really asks.
USER_AGENT = "Homebrew/6.0 (airbrew mirror.probe)"
# Older clients send this constant to whatever stands in for GHCR; GHCR itself demands it.
ANONYMOUS_BEARER = "Bearer QQ=="
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class ApiFile:
    """A file below the API address: who asks for it, and what brew finds in its payload.

    `is_optional` means that the client works without it: 4.6 to 5.1 ask for their internal
    files only when HOMEBREW_USE_INTERNAL_API is set.
    """

    path: str
    clients: tuple[str, ...]
    payload: str
    platform: str = ""
    is_optional: bool = False


def api_files(platforms: Sequence[str]) -> list[ApiFile]:
    """Every API file that a client of one of these platforms asks for, oldest first."""
    files = [
        ApiFile("formula.jws.json", OLDER, "formulae"),
        ApiFile("cask.jws.json", OLDER, "casks"),
        ApiFile("formula_tap_migrations.jws.json", OLDER, "migrations"),
        ApiFile("cask_tap_migrations.jws.json", OLDER, "migrations"),
    ]
    for platform in platforms:
        internal, packages = (BREW_4_INTERNAL,), (BREW_6,)
        files += [
            ApiFile(
                f"internal/formula.{platform}.jws.json",
                internal,
                "object",
                platform,
                is_optional=True,
            ),
            ApiFile(
                f"internal/cask.{platform}.jws.json", internal, "object", platform, is_optional=True
            ),
            ApiFile(f"internal/packages.{platform}.jws.json", packages, "packages", platform),
        ]
    return files
