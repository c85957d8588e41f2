"""Secrets and variables of a GitHub repository and its environments (PyGithub, sealed boxes)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from delivery.errors import BadInput, DeliveryError
from delivery.secrets.wanted import ENVIRONMENT, Wanted

if TYPE_CHECKING:
    from github.Environment import Environment as Place
    from github.Repository import Repository

API = "https://api.github.com"
HOW_TO_ENTER = (
    "give a fine-grained token of the repository in GITHUB_TOKEN (Secrets, Variables and"
    " Environments; Read to check, Write to rotate): export GITHUB_TOKEN=$(gh auth token)"
)


@dataclass(frozen=True)
class Stored:
    """What GitHub tells of a value: when it was last set; of a variable, the value itself."""

    updated_at: datetime
    value: str | None = field(default=None, repr=False)


class AtGitHub:
    """One repository, and the GitHub environment that an environment of ours deploys from."""

    def __init__(self, repository: str, environment: str, *, token: str, api: str = API) -> None:
        """Nothing is asked yet.

        Raises:
            BadInput: there is no token.
        """
        if not token:
            raise BadInput("there is no token for GitHub", where=api, remedy=HOW_TO_ENTER)
        self.name, self.environment = repository, environment
        self._token, self._api = token, api

    def stored(self, wanted: Wanted) -> Stored | None:
        """The value as GitHub knows it; None when it has none of that name.

        Raises:
            DeliveryError: GitHub refuses the token, or knows no such repository or environment.
        """
        with self._place(wanted) as place:
            if wanted.is_secret:
                found = {each.name: Stored(each.updated_at) for each in place.get_secrets()}
            else:
                found = {
                    each.name: Stored(each.updated_at, each.value) for each in place.get_variables()
                }
        return found.get(wanted.name)

    def put(self, wanted: Wanted, value: str) -> None:
        """Set the value; a secret leaves this machine in a box that only GitHub can open.

        Raises:
            DeliveryError: as `stored`.
        """
        with self._place(wanted) as place:
            if wanted.is_secret:
                place.create_secret(wanted.name, value)
            elif any(each.name == wanted.name for each in place.get_variables()):
                place.get_variable(wanted.name).edit(value)
            else:
                place.create_variable(wanted.name, value)

    @contextmanager
    def _place(self, wanted: Wanted) -> Iterator[Repository | Place]:
        # A third of a second to import, for the verbs that talk to GitHub alone.
        from github import Auth, Github, GithubException  # noqa: PLC0415 - see above

        hub = Github(
            auth=Auth.Token(self._token),
            base_url=self._api,
            # GitHub's limits are for thousands an hour; here it is a dozen.
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        try:
            repository = hub.get_repo(self.name)
            if wanted.github == ENVIRONMENT:
                yield repository.get_environment(self.environment)
            else:
                yield repository
        except GithubException as error:
            raise DeliveryError(
                f"GitHub answers {error.status} for {self.name}, environment {self.environment}",
                where=self._api,
                remedy=HOW_TO_ENTER
                if error.status in {401, 403}
                else "make the environment in the repository's settings, or correct github in"
                " config/airbrew.yaml",
            ) from error
        finally:
            hub.close()
