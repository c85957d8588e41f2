"""The rehearsal: weeks that differ as they should, requests counted where they belong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from delivery.cost import prices
from tests.bench import spending, weeks
from tests.bench.spending import Requests

BEGAN = datetime(2026, 11, 25, 3, 0, 0).astimezone()
LOG = """\
2026-11-25 03:00:01 DEBUG [ministack] GET /mirror -> service=s3 region=us-east-1
2026-11-25 03:00:01 DEBUG [ministack] PUT /mirror/syncs/lease.json -> service=s3 region=us-east-1
2026-11-25 03:00:02 DEBUG [ministack] GET /other/key -> service=s3 region=us-east-1
2026-11-25 03:00:11 DEBUG [ministack] PUT /mirror/v2/a -> service=s3 region=us-east-1
2026-11-25 03:00:11 DEBUG [ministack] HEAD /mirror/v2/b -> service=s3 region=us-east-1
2026-11-25 03:00:21 DEBUG [ministack] GET /mirror/syncs/x -> service=s3 region=us-east-1
2026-11-25 03:00:22 DEBUG [ministack] POST / -> service=states region=us-east-1
2026-11-25 03:00:40 DEBUG [ministack] GET /mirror/api/x -> service=s3 region=us-east-1
"""


def entered(name: str, seconds: int) -> dict:
    return {
        "timestamp": BEGAN + timedelta(seconds=seconds),
        "stateEnteredEventDetails": {"name": name},
    }


@pytest.fixture
def week(tmp_path):
    return weeks.first(tmp_path / "absent", weeks.PLATFORMS, None)


def test_each_request_counts_in_its_state_and_price_class(tmp_path):
    log = tmp_path / "ministack.log"
    log.write_text(LOG)
    ended = {"timestamp": BEGAN + timedelta(seconds=30)}
    events = [entered("Plan", 0), entered("Copy", 10), entered("Publish", 20), ended]

    found = spending.by_phase(log, 0, "mirror", events)

    assert found == {
        "Plan": Requests(written=2, read=0),
        "Copy": Requests(written=1, read=1),
        "Publish": Requests(written=0, read=1),
        "probe": Requests(written=0, read=1),
    }


def test_a_week_changes_its_share_of_the_formulae_and_nothing_else(week):
    later = weeks.following(week, seed=1)

    pairs = zip(week["formulae"], later["formulae"], strict=True)
    changed = [before["name"] for before, after in pairs if before != after]
    assert len(changed) == round(weeks.FORMULAE * weeks.CHURN)
    assert later == weeks.following(week, seed=1)


def test_drawn_sizes_have_the_median_and_the_mean_that_the_catalogue_s_page_gives():
    bottles = [{"formula": f"f{n}", "tag": "t", "digest": str(n)} for n in range(20_000)]

    drawn = sorted(weeks.sizes(bottles).values())

    assert drawn[len(drawn) // 2] == pytest.approx(weeks.MEDIAN_BYTES, rel=0.1)
    assert sum(drawn) / len(drawn) == pytest.approx(weeks.MEAN_BYTES, rel=0.2)
    assert drawn[-1] <= weeks.MAX_BYTES


def test_requests_cost_what_the_price_list_says():
    listed = prices.storage("us-east-1")

    assert Requests(written=2000, read=1000).dollars(listed) == pytest.approx(0.0104)
