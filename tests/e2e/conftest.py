"""One rehearsal for all tests of workflows: a repository, its accounts, and the first events."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import needed
from tests.integration.conftest import copied, listed
from tests.rehearsal.player import Player
from tests.rehearsal.repository import Repository, pull_request, push

LOGS = Path(__file__).parents[2] / "build" / "rehearsal"


@pytest.fixture(scope="session")
def repository(tmp_path_factory, terraform) -> Repository:
    return Repository(copied(tmp_path_factory.mktemp("rehearsal") / "clone", listed()))


@pytest.fixture(scope="session")
def player(repository, tmp_path_factory) -> Iterator[Player]:
    player = Player(repository.root, tmp_path_factory.mktemp("programs"))
    yield player
    player.stop()


@pytest.fixture(scope="session")
def play(player):
    """Plays an event and keeps its log."""

    def play(name, event, circumstances=None):
        run = player.play(event, circumstances)
        LOGS.mkdir(parents=True, exist_ok=True)
        (LOGS / f"{name}.log").write_text("\n".join(run.lines) + "\n")
        return run

    return play


@pytest.fixture(scope="session")
def a_pull_request(play, repository):
    needed("chromium") if shutil.which("google-chrome") is None else None
    sha = repository.commit("a page", {"docs/tutorial/first-mirror.md": "\n"})
    return play("pull-request", pull_request(sha, repository.base))


@pytest.fixture(scope="session")
def a_push_to_develop(play, repository, a_pull_request):
    sha = repository.commit("a change", {"lambdas/mirror/keys.py": "\n"})
    return play("push-to-develop", push("refs/heads/develop", sha, repository.base))
