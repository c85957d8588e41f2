"""Two mirrors with an air gap between them, and what was carried across."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doubles.far_side import far_side

# The near mirror's upstream and syncs; fixtures are found by name where they are imported.
from tests.unit.mirror.conftest import (  # noqa: F401
    NOW,
    bucket,
    connections,
    fetcher,
    pauses,
    settings,
    signer,
    sync,
    upstream,
)

LATER = NOW + timedelta(days=7)


@pytest.fixture
def far(s3, settings, monkeypatch):  # noqa: F811 - fixtures from above
    """An empty mirror on the other side of the gap."""
    with far_side(s3, settings, monkeypatch) as side:
        yield side


@pytest.fixture
def first(upstream, sync, far):  # noqa: F811 - fixtures from above
    """The near mirror has published `jq` and what it needs."""
    upstream.add("oniguruma", {"arm64_tahoe": b"oniguruma"})
    upstream.add("jq", {"arm64_tahoe": b"jq 1.0"}, stable_dependencies=["oniguruma"])
    return sync.run()["snapshot"]


@pytest.fixture
def second(first, upstream, sync):  # noqa: F811 - fixtures from above
    """A week later there is a new jq."""
    upstream.add("jq", {"arm64_tahoe": b"jq 2.0"}, version="2.0")
    return sync.run(execution="two", now=LATER)["snapshot"]


@pytest.fixture
def parcel(first, far, tmp_path):
    """The folder of a whole export."""
    far.export(tmp_path / "parcel")
    return tmp_path / "parcel"
