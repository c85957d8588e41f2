"""Files at their vendors': any host that a signed catalogue names, by the rules of any request.

What comes is proven by its digest alone, as brew does it: a vendor may announce any length, or
none (docs/adr/0022).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror import addresses, fetching, resuming
from mirror.casks import CaskFile
from mirror.errors import UpstreamRefused
from mirror.fetching import Fetcher
from mirror.pacing import Sleep
from mirror.settings import Settings

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse as Response

MIB = 1024 * 1024
# No cask comes near it; a body without end must not fill the bucket.
LIMIT_BYTES = 32 * 1024 * MIB
# Some vendors refuse clients that do not say what they are.
_HEADERS = {"User-Agent": "Airbrew (a mirror for Homebrew)", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Downloads:
    """The vendors of casks, asked without credentials.

    Args:
        trusted_url: of the API; only a catalogue from inside our network may lead inside.
    """

    fetcher: Fetcher
    trusted_url: str
    limit_bytes: int = LIMIT_BYTES

    @classmethod
    def of(cls, fetcher: Fetcher, settings: Settings) -> Downloads:
        """As the settings want it, their limit of a size included."""
        wanted = settings.selection.max_bottle_mib * MIB
        return cls(fetcher, settings.upstream.api_url, wanted or LIMIT_BYTES)

    def announced_bytes(self, file: CaskFile) -> int:
        """How large its vendor says that it is; 0 when it does not say.

        Raises:
            NotUpstream, UpstreamRefused: it is not there, or an address that we do not ask.
            UpstreamUnavailable: busy or unreachable.
        """
        # Many vendors answer HEAD otherwise than GET: the answer is opened, and left unread.
        with self.fetcher.pace.turn(), closing(self._open(file, {}, None)) as response:
            fetching.check_status(response, file.url)
            return resuming.announced(response) or 0

    def pieces(self, file: CaskFile, *, sleep: Sleep | None = None) -> Generator[bytes]:
        """The bytes as they come, in order, without gaps; not verified here.

        Raises:
            As `announced_bytes`; UpstreamRefused for a body above the limit, too.
        """
        received = 0
        with self.fetcher.pace.turn():
            for piece in resuming.pieces(
                lambda more: self._open(file, more, sleep), file.url, self.fetcher, None, sleep
            ):
                received += len(piece)
                if received > self.limit_bytes:
                    raise UpstreamRefused(
                        f"larger than {self.limit_bytes // MIB} MiB",
                        where=addresses.shown(file.url),
                        remedy="raise selection.max_bottle_mib, or name the cask in"
                        " selection.exclude_casks",
                    )
                yield piece

    def _open(self, file: CaskFile, more: dict[str, str], sleep: Sleep | None) -> Response:
        addresses.check_redirect(self.trusted_url, file.url)
        return self.fetcher.open(file.url, {**_HEADERS, **more}, sleep=sleep)
