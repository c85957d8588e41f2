"""ports: the one of last time if nobody took it."""

from __future__ import annotations

import socket

import pytest

from sandbox.ports import free_port


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_the_port_of_last_time_is_kept():
    port = free_port()

    assert free_port(port) == port


def test_a_taken_port_is_replaced(taken):
    assert free_port(taken) not in (0, taken)


def test_a_port_that_is_meant_for_another_server_is_not_given_away():
    port = free_port()

    assert free_port(port, but=frozenset({port})) != port
