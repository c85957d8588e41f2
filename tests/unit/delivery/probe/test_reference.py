"""probe: every defect is documented, planted in a test, and complete; and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from delivery.probe import reference
from delivery.probe.defects import BREAKS, WARNS, defects
from tests.doubles.mirror_faults import FAULTS

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "reference" / "probe.md"
# Planted where their special servers are: test_web.py.
PLANTED_ELSEWHERE = {"tls-untrusted", "redirect-downgrades", "answer-too-large"}


def test_the_page_says_what_the_catalogue_says():
    page = PAGE.read_text()

    between = page.split("<!-- defects -->\n")[1].split("\n<!-- /defects -->")[0]

    assert between == reference.sections(), "copy it from delivery.probe.reference.sections()"


def test_every_defect_is_planted_and_every_planted_one_is_known():
    planted = {fault.defect for fault in FAULTS} | PLANTED_ELSEWHERE

    assert planted == set(defects())
    assert len(planted) >= 25


@pytest.mark.parametrize("defect", defects().values(), ids=lambda defect: defect.id)
def test_every_defect_is_complete(defect):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", defect.id)
    assert defect.level in {BREAKS, WARNS}
    for text in (defect.what, defect.why, defect.remedy):
        assert len(text) > 10
        assert not text.endswith(".")
