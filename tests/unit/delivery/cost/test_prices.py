"""Prices: dated, per region, and what they make of requests and bytes."""

from __future__ import annotations

import pytest

from delivery.cost import prices

GIB = 2**30


def test_requests_cost_what_their_kind_costs():
    found = prices.storage("us-east-1")

    assert found.requests_usd({"put": 2000, "get": 10000}) == pytest.approx(0.014)


def test_bytes_cost_by_the_month():
    assert prices.storage("us-east-1").month_usd(100 * GIB) == pytest.approx(2.30)


def test_a_region_without_prices_is_told_apart():
    assert prices.storage("me-south-1") is None


def test_the_oldest_of_the_three_dates_counts(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text(
        "\n".join(
            f"- {{service: s3, item: {item}, region: r, usd: 1, date: {date}}}"
            for item, date in (("storage", "2026-05"), ("put", "2025-01"), ("get", "2026-01"))
        )
    )

    assert prices.storage("r", file).date == "2025-01"
