"""cut: every bottle in one batch, in order, none above a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mirror.batches import cut
from mirror.bottles import Bottle

sizes = st.lists(st.integers(min_value=0, max_value=300), max_size=60)
limits = st.integers(min_value=1, max_value=100)


def bottles(sizes_bytes):
    return [
        Bottle("jq", str(number), 0, "tahoe", "ab" * 32, size)
        for number, size in enumerate(sizes_bytes)
    ]


@given(sizes, limits, limits)
def test_no_bottle_is_lost_doubled_or_moved(sizes_bytes, max_bottles, max_bytes):
    given_bottles = bottles(sizes_bytes)

    batches = cut(given_bottles, max_bottles=max_bottles, max_bytes=max_bytes)

    assert [bottle for batch in batches for bottle in batch] == given_bottles


@given(sizes, limits, limits)
def test_no_batch_is_empty_or_above_a_limit(sizes_bytes, max_bottles, max_bytes):
    for batch in cut(bottles(sizes_bytes), max_bottles=max_bottles, max_bytes=max_bytes):
        assert 1 <= len(batch) <= max_bottles
        assert len(batch) == 1 or sum(each.size_bytes for each in batch) <= max_bytes


def test_a_bottle_above_the_limit_is_a_batch_of_its_own():
    batches = cut(bottles([1, 99, 1]), max_bottles=10, max_bytes=10)

    assert [[each.size_bytes for each in batch] for batch in batches] == [[1], [99], [1]]
