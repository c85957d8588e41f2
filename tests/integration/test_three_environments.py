"""A release goes dev → staging → prod, is followed by a broken one, and prod goes back by itself.

The tests are one story in the order they stand: each starts from what the one before left.
Each environment is an account of the sandbox.
"""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

ACCOUNTS = {"dev": "111111111111", "staging": "222222222222", "prod": "333333333333"}
SMALL = {"platforms": ["arm64_tahoe"], "formulae": ["jq"]}
HANDLER = ("lambdas", "orchestrator", "handler.py")


class Delivery:
    """The checkout as a repository of its own, and what a person does with it."""

    def __init__(self, checkout):
        self.checkout = checkout
        self._git("init", "--quiet")
        self.configure()
        self.commit("A release")

    def configure(self):
        """So little to mirror that the deploys are what takes the time."""
        file = self.checkout.root / "config" / "airbrew.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["defaults"]["selection"] = SMALL
        for environment in document["environments"].values():
            environment.pop("selection", None)
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def commit(self, subject):
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", subject)

    def break_it(self):
        """A flaw that no build finds: the function cannot be started."""
        handler = self.checkout.root.joinpath(*HANDLER)
        text = handler.read_text(encoding="utf-8")
        handler.write_text(f'{text}\n\nraise RuntimeError("broken on purpose")\n', encoding="utf-8")
        self.commit("Break it")

    def deploy(self, environment, *words):
        return self.checkout.answer("deploy", "--env", environment, *words)

    def history(self, environment):
        return self.checkout.answer("history", "--env", environment)

    def newest(self, environment):
        return self.history(environment)[0]

    def _git(self, *words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *words], cwd=self.checkout.root, check=True)


@pytest.fixture(scope="module")
def delivery(checkout):
    return Delivery(checkout)


@pytest.fixture(scope="module")
def in_staging(delivery):
    """The release, in dev and then in staging."""
    return [delivery.deploy("dev"), delivery.deploy("staging", "--from", "dev")]


def test_the_release_that_dev_got_is_the_one_that_staging_gets(delivery, in_staging):
    dev, staging = delivery.newest("dev"), delivery.newest("staging")

    assert [each["account_id"] for each in in_staging] == [ACCOUNTS["dev"], ACCOUNTS["staging"]]
    assert dev["release"]["commit"] == staging["release"]["commit"] != ""
    assert dev["artifacts"] == staging["artifacts"]


@pytest.fixture(scope="module")
def refused(delivery, in_staging):
    """A deploy of what staging has to prod, that nobody has approved."""
    return delivery.checkout.inv("deploy", "--env", "prod", "--from", "staging")


def approved(refused):
    """The digest that a refusal tells."""
    return re.search(r"--approve ([0-9a-f]+)", refused.stderr)[1]


def test_prod_takes_nothing_that_was_not_approved(delivery, refused):
    assert refused.returncode == 1
    assert len(approved(refused)) == 64
    assert delivery.history("prod") == []


@pytest.fixture(scope="module")
def in_prod(delivery, refused):
    """The same release in prod, exactly as it was approved."""
    return delivery.deploy("prod", "--from", "staging", "--approve", approved(refused))


def test_what_was_approved_is_what_prod_gets_and_it_is_what_staging_has(delivery, in_prod):
    staging, prod = delivery.newest("staging"), delivery.newest("prod")

    assert in_prod["account_id"] == ACCOUNTS["prod"]
    assert prod["artifacts"] == staging["artifacts"]
    assert prod["release"] == staging["release"]


def test_staging_and_prod_differ_in_nothing_but_configuration(delivery, in_prod):
    found = delivery.checkout.answer("diff", "--env", "staging", "--env", "prod")

    assert (found["components"], found["terraform_files"]) == ({}, [])
    assert (found["only_left"], found["only_right"], found["unknown"]) == ([], [], [])
    assert found["configuration"]["deploy.approval"] == ["none", "required"]


@pytest.fixture(scope="module")
def broken(delivery, in_prod):
    """A release that cannot start, approved and deployed all the same."""
    before = delivery.newest("prod")
    delivery.break_it()
    digest = approved(delivery.checkout.inv("deploy", "--env", "prod"))
    return before, delivery.checkout.inv("deploy", "--env", "prod", "--approve", digest)


def test_a_broken_release_fails_and_prod_is_back_on_the_one_before(delivery, broken):
    before, ended = broken
    failed = delivery.newest("prod")

    assert ended.returncode == 1
    assert (failed["outcome"], failed["rollback"]["outcome"]) == ("failed", "succeeded")
    assert failed["rollback"]["to"] == before["release"]["id"]
    assert failed["versions"] == before["versions"]


def test_what_prod_is_back_on_works(delivery, broken):
    synced = delivery.checkout.answer("mirror.sync", "--env", "prod")

    assert synced["output"]["bottles"] > 0


def test_the_history_shows_each_step(delivery, broken):
    told = delivery.checkout.inv("history", "--env", "prod").stdout

    rows = [line.split() for line in told.splitlines() if re.match(r"\d", line)]
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("2", "deploy", "failed"),
        ("1", "deploy", "succeeded"),
    ]
    assert "    error: " in told
    assert re.search(r"rolled back to [0-9a-f]{12}: succeeded", told)


def test_side_by_side_all_three_stand_on_the_good_release(delivery, broken):
    columns = json.loads(delivery.checkout.inv("status", "--json").stdout)

    assert [each["environment"] for each in columns] == list(ACCOUNTS)
    assert {each["state"] for each in columns} == {"deployed"}
    assert len({each["release"]["id"] for each in columns}) == 1
    assert [each["health"] for each in columns] == ["ok", "ok", "deploy 2 failed, rolled back"]
