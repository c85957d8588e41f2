"""probe: each planted defect is named, for the clients that meet it, and no other one is."""

from __future__ import annotations

import pytest

from delivery.mirror.bottles import Bottle
from delivery.probe.conformance import probe
from delivery.probe.defects import BREAKS, defects
from delivery.probe.targets import Casks, Target
from tests.doubles.mirror_faults import FAULTS
from tests.doubles.mirror_server import FIREFOX, TAG, TAPPED, MirrorServer, sound_files
from tests.doubles.registry import Signer

SIGNER = Signer()
FILES = sound_files(SIGNER)
MORE = {
    "casks": Casks((FIREFOX.token,), {FIREFOX.digest: len(FIREFOX.body)}),
    "tapped": [
        Bottle(TAPPED.name, TAPPED.version, 1, TAG, TAPPED.digest, repository=TAPPED.repository)
    ],
}


def probed(mirror, **target):
    asked = {"platforms": [TAG], "public_key_pem": SIGNER.public_pem, "timeout_seconds": 20.0}
    return probe(Target(mirror.url, **{**asked, **target}))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_defect_is_named_for_the_clients_that_meet_it(fault):
    with MirrorServer(FILES, SIGNER) as mirror:
        fault.plant(mirror)
        more = MORE if fault.holds_more else {}
        report = probed(mirror, layout=fault.layout, timeout_seconds=fault.timeout_seconds, **more)

    clients = {client for finding in report.findings for client in finding.clients}
    assert {finding.defect.id for finding in report.findings} == {fault.defect}
    assert clients == set(fault.clients)
    assert report.works == (defects()[fault.defect].level != BREAKS)


@pytest.mark.parametrize("more", [{}, MORE], ids=["plain", "with casks and a tap"])
@pytest.mark.parametrize("layout", ["artifact", "bottle"])
def test_on_a_sound_mirror_there_is_nothing_to_report(layout, more):
    with MirrorServer(FILES, SIGNER) as mirror:
        report = probed(mirror, layout=layout, **more)

    assert report.findings == []
    assert report.works
