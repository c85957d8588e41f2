"""probe: casks and bottles of other taps are asked for where a mirror holds them, not elsewhere."""

from __future__ import annotations

import json

import pytest

from delivery.errors import BadInput
from delivery.mirror.bottles import Bottle
from delivery.probe import taps
from delivery.probe.conformance import probe
from delivery.probe.targets import Casks, Target
from tests.doubles.mirror_faults import CASK, PACKAGES, gone
from tests.doubles.mirror_server import (
    CHROME,
    FIREFOX,
    TAG,
    TAPPED,
    MirrorServer,
    Served,
    sound_files,
)
from tests.doubles.registry import Signer

SIGNER = Signer()
FILES = sound_files(SIGNER)
DEPLOY = Bottle(TAPPED.name, "1.0", 1, TAG, TAPPED.digest, repository="acme/tools")


@pytest.fixture
def mirror():
    """A sound mirror with a cask and a bottle of another tap, for a test to spoil."""
    with MirrorServer(FILES, SIGNER) as server:
        yield server


def probed(mirror, *tokens, **target):
    asked = {"platforms": [TAG], "public_key_pem": SIGNER.public_pem, "formulae": ["lame"]}
    sizes, left_out = target.pop("sizes", {}), target.pop("left_out", frozenset())
    casks = Casks(tokens, sizes, left_out)
    return probe(Target(mirror.url, casks=casks, **{**asked, **target}))


def asked_for(mirror, path):
    return [headers for each, headers in mirror.requested if each == path]


def test_a_plain_mirror_is_not_blamed_for_what_it_does_not_hold(mirror):
    gone(FIREFOX.blob, TAPPED.blob, TAPPED.manifest)(mirror)

    report = probed(mirror)

    assert report.findings == []
    assert not any("cask" in row.request and row.request.endswith(TAG) for row in report.rows)


def test_a_cask_is_fetched_once_for_all_clients(mirror):
    report = probed(mirror, FIREFOX.token)

    assert len(asked_for(mirror, FIREFOX.blob)) == 1
    row = next(row for row in report.rows if row.request == f"1 cask, {TAG}")
    assert [row.outcome(client) for client in row.clients] == ["ok"] * 3


def test_a_domain_below_v2_is_asked_as_the_command_asks_it(mirror):
    probe(
        Target(
            f"{mirror.url}/v2",
            [TAG],
            api_url=f"{mirror.url}/api",
            formulae=["lame"],
            casks=Casks((FIREFOX.token,)),
            public_key_pem=SIGNER.public_pem,
        )
    )

    assert asked_for(mirror, FIREFOX.blob)


def test_a_cask_without_a_checksum_is_a_note_and_no_defect(mirror):
    report = probed(mirror, CHROME.token, FIREFOX.token)

    assert report.findings == []
    assert report.notes == ("no checksum in the catalogue, not mirrored: cask chrome",)


def test_what_a_snapshot_left_out_for_a_platform_is_not_asked_for(mirror):
    del mirror.files[FIREFOX.blob]

    report = probed(mirror, FIREFOX.token, left_out=frozenset({(FIREFOX.token, TAG)}))

    assert report.findings == []


def test_each_platform_gets_the_file_of_its_variation(mirror):
    report = probed(mirror, FIREFOX.token, platforms=["x86_64_linux"], closure=False)

    missing = [each for each in report.findings if each.defect.id == "cask-missing"]
    assert [each.url.rpartition(":")[2] for each in missing] == ["1" * 64]


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        (FIREFOX.body, None),
        (FIREFOX.body[:-1], "cask-too-short"),
        (FIREFOX.body + b"!", "cask-too-long"),
    ],
)
def test_of_a_large_cask_the_size_alone_is_looked_at(mirror, body, defect):
    mirror.files[FIREFOX.blob] = Served(body)
    sizes = {FIREFOX.digest: len(FIREFOX.body)}

    report = probed(mirror, FIREFOX.token, sizes=sizes, bottle_limit_bytes=100)

    assert [each.defect.id for each in report.findings] == ([defect] if defect else [])
    assert {headers.get("Range") for headers in asked_for(mirror, FIREFOX.blob)} == {"bytes=0-0"}
    assert "over 0 MiB, not fetched whole: cask firefox@esr" in report.notes


def test_a_cask_of_unknown_size_is_read_up_to_the_limit(mirror):
    report = probed(mirror, FIREFOX.token, bottle_limit_bytes=100)

    assert report.findings == []
    assert "over 0 MiB, not fetched whole: cask firefox@esr" in report.notes


def test_without_a_size_a_cut_cask_is_a_corrupted_one(mirror):
    mirror.spoil(FIREFOX.blob, FIREFOX.body[:-1])

    report = probed(mirror, FIREFOX.token)

    assert [each.defect.id for each in report.findings] == ["cask-corrupted"]


def test_a_cask_that_nobody_knows_is_bad_input(mirror):
    with pytest.raises(BadInput, match=r'no cask "firefox@es"; did you mean "firefox@esr"\?'):
        probed(mirror, "firefox@es")


def test_without_a_catalogue_the_cask_is_not_the_user_s_mistake(mirror):
    gone(CASK, PACKAGES)(mirror)

    report = probed(mirror, FIREFOX.token, formulae=[])

    assert {each.defect.id for each in report.findings} == {"api-file-missing"}


def test_casks_of_a_strange_shape_are_none(mirror):
    payload = {"formulae": {}, "casks": {"a": "x", "b": {"sha256": 7}, FIREFOX.token: None}}
    mirror.spoil(PACKAGES, SIGNER.sign(json.dumps(payload)))
    mirror.spoil(CASK, SIGNER.sign(json.dumps([{"token": "a", "variations": 3}])))

    report = probed(mirror, "a", FIREFOX.token, "b", formulae=[])

    assert not any(each.defect.id.startswith("cask") for each in report.findings)


def test_a_bottle_of_another_tap_is_asked_for_as_those_of_core_are(mirror):
    report = probed(mirror, tapped=[DEPLOY])

    assert report.findings == []
    assert asked_for(mirror, TAPPED.manifest)
    assert "Authorization" in asked_for(mirror, TAPPED.blob)[-1]
    assert [row.request for row in report.rows][-2:] == [
        "manifests of 1 formula of another tap",
        "bottles of 1 formula of another tap",
    ]


def test_a_large_bottle_of_another_tap_is_a_note(mirror):
    report = probed(mirror, tapped=[DEPLOY], bottle_limit_bytes=10)

    assert "over 0 MiB, not fetched whole: acme/tools/deploy+x@2" in report.notes


def test_the_file_of_a_tap_names_what_each_platform_gets(tmp_path):
    entry = {
        "tap": "acme/tools",
        "name": "deploy",
        "versions": {"stable": "1.0"},
        "bottle": {
            "stable": {
                "rebuild": 0,
                "root_url": "https://ghcr.io/v2/acme/tools",
                "files": {
                    "arm64_sequoia": {"sha256": "1" * 64},
                    "x86_64_linux": {"sha256": "2" * 64},
                },
            }
        },
    }
    (tmp_path / "tap.json").write_text(json.dumps({"formulae": [entry]}))

    found = taps.of_file(str(tmp_path / "tap.json"), ["arm64_tahoe", "arm64_sequoia", "tahoe"])

    assert found == [Bottle("deploy", "1.0", 0, "arm64_sequoia", "1" * 64, repository="acme/tools")]
