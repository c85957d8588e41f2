"""aliases: moved once, never by a smaller lease, and proven by who answers."""

from __future__ import annotations

import pytest

from delivery.deploy import aliases
from delivery.errors import DeliveryError, LeaseLost, SmokeTestFailed
from tests.doubles.lambdas import LambdaClient
from tests.doubles.published import Functions
from tests.doubles.rig import RigCloud


@pytest.fixture
def functions(tmp_path):
    """One function, `f`, with two versions; the first serves."""
    functions = Functions(tmp_path)
    functions.publish("f", "old")
    functions.publish("f", "new")
    return functions


@pytest.fixture
def client(functions):
    return LambdaClient(functions)


@pytest.fixture
def cloud(client):
    return RigCloud("AWS", "123456789012", "us-east-1", {}, clients={"lambda": client})


def test_a_moved_alias_says_under_which_lease(cloud, functions):
    assert aliases.move(cloud, "f", "2", lease=7)

    found = aliases.find(cloud, "f")
    assert (found.version, found.lease) == ("2", 7)
    assert functions.serving("f") == "new"


def test_an_alias_that_is_there_is_not_moved(cloud):
    assert not aliases.move(cloud, "f", "1", lease=7)


def test_a_smaller_lease_moves_nothing_that_a_greater_one_has_moved(cloud, functions):
    aliases.move(cloud, "f", "2", lease=7)

    with pytest.raises(LeaseLost, match="lease 6 is overtaken"):
        aliases.move(cloud, "f", "1", lease=6)

    assert functions.serving("f") == "new"


def test_who_moves_between_our_look_and_our_move_wins(cloud, client, functions):
    look = client.get_alias

    def look_then_lose(**asked):
        found = look(**asked)
        client.get_alias = look
        aliases.move(cloud, "f", "2", lease=8)
        return found

    client.get_alias = look_then_lose
    functions.publish("f", "third")

    with pytest.raises(LeaseLost):
        aliases.move(cloud, "f", "3", lease=7)

    assert functions.serving("f") == "new"


def test_a_move_whose_answer_was_lost_meets_itself(cloud, client):
    update = client.update_alias

    def twice(**asked):
        update(**asked)
        return update(**asked)

    client.update_alias = twice

    assert aliases.move(cloud, "f", "2", lease=7)


def test_a_version_that_is_not_there_is_named(cloud):
    with pytest.raises(DeliveryError, match='"f" has no version 9'):
        aliases.move(cloud, "f", "9", lease=7)


def test_a_function_that_is_not_there_has_no_version_in_service(cloud):
    assert aliases.in_service(cloud, ["f", "absent"]) == {"f": "1"}


def test_another_version_that_answers_proves_nothing(cloud):
    with pytest.raises(SmokeTestFailed, match="version 1 answers, not 2"):
        aliases.prove(cloud, "f", "2")
