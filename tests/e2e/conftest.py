"""One rehearsal for all tests of workflows: a repository, its accounts, and the first events."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.artifacts.target import Target
from sandbox.cloud import ACCOUNTS
from tests.conftest import needed
from tests.integration.conftest import copied, listed
from tests.rehearsal.player import Player
from tests.rehearsal.repository import Repository, pull_request, push
from tests.rehearsal.scene import REPOSITORY

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


@pytest.fixture(scope="session")
def accounts(player, repository, a_push_to_develop):
    """A commit with which every environment has an account that lets the repository in."""
    repository.git("checkout", "-q", "--detach", a_push_to_develop.event.sha)
    # Functions are run by this machine, and mirrored is what the sandbox has for a sample.
    target, servers = Target.for_host(), json.loads(repository.sandbox("servers.json"))
    url = f"http://127.0.0.1:{servers['servers']['upstream']['port']}"
    key = repository.root / "config" / "sample.pem"
    key.write_text(repository.sandbox("upstream/signing-key.pub.pem"))
    settings = {
        "functions": {"architecture": target.architecture, "python": target.python},
        "github": {"repository": REPOSITORY, "plan_pull_requests": True},
        "upstream": {
            "api_url": f"{url}/api",
            "registry_url": url,
            "public_key_file": "config/sample.pem",
        },
    }
    for name, account in ACCOUNTS.items():
        sha = repository.configure(name, {**settings, "account_id": account})
    for name, account in ACCOUNTS.items():
        player.at_the_desk("oidc.bootstrap", "--env", name, account=account)
    return sha
