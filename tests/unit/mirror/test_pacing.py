"""All requests of a worker slow down together when upstream is busy, and recover."""

from __future__ import annotations

import threading

import pytest

from mirror import pacing
from mirror.errors import UpstreamUnavailable
from mirror.memory import Memory
from mirror.pacing import QUIET_SECONDS, Pace
from mirror.registry import Registry
from mirror.tokens import ANONYMOUS, Tokens

MANIFEST = "/v2/homebrew/core/jq/manifests/1.0"


class Clock:
    """A clock that a test turns; sleeping turns it as well."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


def test_whoever_asks_next_waits_for_what_another_was_told(clock):
    pace = Pace(clock=clock)
    pace.slow_down(7, asked_at=clock.now)

    pace.wait(clock.sleep)
    pace.wait(clock.sleep)

    assert len(clock.slept) == 1
    assert 7 <= clock.slept[0] <= 7.5


def test_turns_are_halved_once_for_all_that_were_under_way(clock):
    pace = Pace(16, clock=clock)

    asked_at = pace.wait(clock.sleep)
    clock.now += 1
    for _ in range(16):
        pace.slow_down(0, asked_at)

    assert pace.limit == 8


def test_turns_are_halved_again_when_it_is_still_too_much_and_never_to_none(clock):
    pace = Pace(16, clock=clock)

    for _ in range(9):
        clock.now += 1
        pace.slow_down(0, asked_at=clock.now)

    assert pace.limit == 1


def test_turns_come_back_one_by_one(clock):
    pace = Pace(16, clock=clock)
    pace.slow_down(0, asked_at=clock.now)

    for _ in range(9):
        pace.speed_up()
    after_a_round = pace.limit
    for _ in range(200):
        pace.speed_up()

    assert after_a_round == 9
    assert pace.limit == 16


def test_turns_come_back_with_time_where_few_answers_come(clock):
    pace = Pace(16, clock=clock)
    pace.slow_down(30, asked_at=clock.now)

    clock.now += 30
    at_the_end_of_the_pause = pace.limit
    clock.now += 3 * QUIET_SECONDS
    later = pace.limit
    clock.now += 100 * QUIET_SECONDS

    assert at_the_end_of_the_pause == 8
    assert later == 11
    assert pace.limit == 16


def test_what_time_gave_back_is_halved_by_the_next_complaint_and_kept_by_a_late_one(clock):
    pace = Pace(16, clock=clock)
    long_ago = clock.now
    clock.now += 1
    pace.slow_down(0, asked_at=clock.now)
    clock.now += 2 * QUIET_SECONDS

    pace.slow_down(0, asked_at=long_ago)
    after_a_late_one = pace.limit
    pace.slow_down(0, asked_at=clock.now)

    assert after_a_late_one == 10
    assert pace.limit == 5


def test_whoever_waits_for_a_turn_gets_the_one_that_time_gave_back(clock, monkeypatch):
    monkeypatch.setattr(pacing, "QUIET_SECONDS", 0.01)
    pace = Pace(2, clock=clock)
    pace.slow_down(0, asked_at=clock.now)
    got = threading.Event()

    def take():
        with pace.turn():
            got.set()

    with pace.turn():
        other = threading.Thread(target=take)
        other.start()
        waited = not got.wait(0.05)
        clock.now += 1
        came = got.wait(5)
    other.join()

    assert waited
    assert came


def test_no_more_run_at_a_time_than_there_are_turns(clock):
    pace = Pace(2, clock=clock)
    running, most, lock = [], [], threading.Lock()

    def work():
        with pace.turn():
            with lock:
                running.append(1)
                most.append(len(running))
            with lock:
                running.pop()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) <= 2
    assert len(most) == 20


def test_a_busy_registry_slows_down_the_other_requests_of_the_worker(upstream, fetcher, pauses):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    upstream.add("fzf", {"arm64_tahoe": b"fzf"})
    registry = Registry(upstream.url, fetcher)
    upstream.first_answers[MANIFEST] = [(429, {"Retry-After": "60"})] * 4
    with pytest.raises(UpstreamUnavailable, match="answered 429, 4 times"):
        registry.manifest("jq", "1.0")
    pauses.clear()

    registry.manifest("fzf", "1.0")

    assert 50 < pauses[0] < 61
    assert fetcher.pace.limit < 64


def test_memory_is_waited_for_and_one_alone_gets_more_than_there_is():
    memory = Memory(10)
    memory.take(25)
    taken = threading.Event()
    other = threading.Thread(target=lambda: (memory.take(5), taken.set()))
    other.start()

    waited = not taken.wait(0.05)
    memory.give_back(25)
    other.join()

    assert waited
    assert taken.is_set()


def test_one_token_serves_all_repositories_where_the_registry_lets_it(upstream, fetcher):
    upstream.tokens_are_bound = False
    for name in ("jq", "fzf", "ripgrep"):
        upstream.add(name, {"arm64_tahoe": name.encode()})
    registry = Registry(upstream.url, fetcher)

    for name in ("jq", "fzf", "ripgrep"):
        registry.manifest(name, "1.0")

    assert len(upstream.paths("/token")) == 1


def test_threads_that_are_refused_at_the_same_time_ask_for_one_token():
    tokens, asked = Tokens(), []

    def ask():
        asked.append(1)
        return "new"

    first = tokens.after_refusal("jq", ANONYMOUS, ask)
    second = tokens.after_refusal("fzf", ANONYMOUS, ask)

    assert (first, second) == (("new", True), ("new", False))
    assert len(asked) == 1


def test_a_token_that_expires_is_replaced_for_all(clock):
    tokens = Tokens(clock=clock)
    tokens.after_refusal("jq", ANONYMOUS, lambda: "old")
    clock.now += 300

    tokens.after_refusal("fzf", "old", lambda: "new")

    assert tokens.of("jq") == "new"


def test_tokens_that_are_bound_are_told_by_a_young_one_that_is_refused(clock):
    tokens = Tokens(clock=clock)
    tokens.after_refusal("jq", ANONYMOUS, lambda: "of jq")

    tokens.after_refusal("fzf", "of jq", lambda: "of fzf")

    assert (tokens.of("jq"), tokens.of("fzf"), tokens.of("ripgrep")) == ("of jq", "of fzf", "")
