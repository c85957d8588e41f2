"""probe: each planted defect is named, for the clients that meet it, and no other one is."""

from __future__ import annotations

import pytest

from delivery.probe.conformance import probe
from delivery.probe.defects import BREAKS, defects
from delivery.probe.targets import Target
from tests.doubles.mirror_faults import FAULTS
from tests.doubles.mirror_server import TAG, MirrorServer, sound_files
from tests.doubles.registry import Signer

SIGNER = Signer()
FILES = sound_files(SIGNER)


def probed(mirror, **target):
    asked = {"platforms": [TAG], "public_key_pem": SIGNER.public_pem, "timeout_seconds": 20.0}
    return probe(Target(mirror.url, **{**asked, **target}))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_defect_is_named_for_the_clients_that_meet_it(fault):
    with MirrorServer(FILES, SIGNER) as mirror:
        fault.plant(mirror)
        report = probed(mirror, layout=fault.layout, timeout_seconds=fault.timeout_seconds)

    clients = {client for finding in report.findings for client in finding.clients}
    assert {finding.defect.id for finding in report.findings} == {fault.defect}
    assert clients == set(fault.clients)
    assert report.works == (defects()[fault.defect].level != BREAKS)


@pytest.mark.parametrize("layout", ["artifact", "bottle"])
def test_on_a_sound_mirror_there_is_nothing_to_report(layout):
    with MirrorServer(FILES, SIGNER) as mirror:
        report = probed(mirror, layout=layout)

    assert report.findings == []
    assert report.works
