"""The registry's bearer tokens: one for all repositories as long as it serves, else one each.

GHCR's anonymous tokens are not bound to the repository that they were given for, and it takes the
constant that brew sends; the token flow of the CNCF distribution project lets a registry bind them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# No registry gives a token for less (the specification's floor for `expires_in`): one that
# is refused earlier was given for another repository.
SHORTEST_LIFE_SECONDS = 60.0
# Source: Homebrew/brew, ``download_strategy/curl_github_packages_download_strategy.rb``.
ANONYMOUS = "QQ=="


class Tokens:
    """Tokens as threads share them.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._own: dict[str, str] = {}
        self._latest, self._given_at = ANONYMOUS, -SHORTEST_LIFE_SECONDS
        self._are_bound = False

    def of(self, image: str) -> str:
        """What to send for an image: brew's own until it is refused; empty for none."""
        if self._are_bound:
            return self._own.get(image, "")
        return self._latest

    def none_is_wanted(self) -> None:
        """This registry is plain storage, which takes brew's token for a signature of its own."""
        with self._lock:
            if self._latest == ANONYMOUS:
                self._latest = ""

    def after_refusal(self, image: str, refused: str, ask: Callable[[], str]) -> tuple[str, bool]:
        """Another token than the one just refused; asks for one only if nobody else just did.

        Args:
            ask: gets a token for this image from where the registry said.

        Returns:
            The token, and whether it was asked for just now: then there is none better.
        """
        if not self._are_bound:
            with self._lock:
                if self._latest not in {"", refused}:
                    return self._latest, False
                if refused and self._is_young() and self._own.get(image) != refused:
                    self._are_bound = True
                else:
                    return self._keep(image, ask()), True
        return self._keep(image, ask()), True

    def _is_young(self) -> bool:
        return self._clock() - self._given_at < SHORTEST_LIFE_SECONDS

    def _keep(self, image: str, token: str) -> str:
        self._own[image] = self._latest = token
        self._given_at = self._clock()
        return token
