"""A whole sync: plan, copy, publish; what is published, what a second one does, what a bad one."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from mirror.errors import IncompleteSync
from tests.unit.mirror.conftest import NOW

BODY = b"a bottle of jq"
DIGEST = hashlib.sha256(BODY).hexdigest()


def test_a_published_bottle_can_be_fetched_as_brew_does(upstream, sync, stored):
    upstream.add("jq@1.8", {"arm64_tahoe": BODY}, version="1.8.1", revision=2, bottle_rebuild=1)

    answer = sync.run()

    v2 = "v2/homebrew/core/jq/1.8"
    held = stored()
    assert held[f"{v2}/blobs/sha256:{DIGEST}"] == BODY
    assert held[f"{v2}/manifests/1.8.1_2-1"] == upstream.manifests["jq/1.8", "1.8.1_2-1"]
    api = "internal/packages.arm64_tahoe.jws.json"
    assert held[f"api/{api}"] == upstream.api_files[api]
    assert answer == {
        "snapshot": "2026-11-22T030000Z",
        "formulae": 1,
        "bottles": 1,
        "bytes": len(BODY),
        "copied": 1,
        "api_files_changed": 1,
    }
