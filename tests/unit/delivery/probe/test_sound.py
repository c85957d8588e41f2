"""probe: on a sound mirror it reports nothing, whatever the names; and it plays what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery.errors import BadInput
from delivery.probe.conformance import probe
from delivery.probe.targets import Target
from tests.doubles import mirror_faults
from tests.doubles.mirror_server import BY_NAME, FORMULAE, TAG, Formula, MirrorServer, sound_files
from tests.doubles.registry import Signer

SIGNER = Signer()
FILES = sound_files(SIGNER)

names = st.from_regex(
    r"[a-z][a-z0-9]{0,6}(\+\+|\+x)?(-[a-z0-9]{1,3})?(@[0-9]\.?[0-9]?)?", fullmatch=True
)
versions = st.from_regex(r"[0-9]{1,3}(\.[0-9a-z]{1,3}){0,3}", fullmatch=True)
formulae = st.builds(
    Formula,
    name=names,
    version=versions,
    revision=st.integers(0, 3),
    rebuild=st.integers(0, 3),
    tag=st.sampled_from([TAG, "all"]),
)


@pytest.fixture(scope="module")
def mirror():
    """A sound mirror; a test that spoils it makes its own."""
    with MirrorServer(FILES, SIGNER) as server:
        yield server


def probed(mirror, **target):
    asked = {"platforms": [TAG], "public_key_pem": SIGNER.public_pem}
    return probe(Target(mirror.url, **{**asked, **target}))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(formulae, min_size=1, max_size=4, unique_by=lambda each: each.image),
    layout=st.sampled_from(["artifact", "bottle"]),
)
def test_no_name_version_or_rebuild_is_a_defect(mirror, drawn, layout):
    mirror.files = sound_files(SIGNER, drawn)

    report = probed(mirror, layout=layout, formulae=[each.name for each in drawn])

    assert (report.findings, report.notes) == ([], ())


def test_every_client_asks_for_its_own_files():
    with MirrorServer(FILES, SIGNER) as mirror:
        probed(mirror)

    asked = {path for path, _ in mirror.requested}
    assert asked >= {path for path in FILES if path.startswith("/api/")}
    assert asked >= {BY_NAME["jq"].manifest, BY_NAME["jq"].blob}
    assert BY_NAME["portable-ruby"].blob in asked


def test_only_the_oldest_clients_send_the_constant_token():
    with MirrorServer(FILES, SIGNER) as mirror:
        probed(mirror)
        with_token = {path for path, headers in mirror.requested if "Authorization" in headers}
        mirror.requested.clear()
        probed(mirror, authorization=False)

    assert with_token >= {BY_NAME["jq"].manifest, BY_NAME["jq"].blob}
    assert not any("Authorization" in headers for _, headers in mirror.requested)


def test_clients_set_to_send_no_token_live_on_s3_itself():
    with MirrorServer(FILES, SIGNER) as mirror:
        mirror_faults.bearer_refused(400)(mirror)

        assert probed(mirror, authorization=False).works


def test_a_bottle_over_the_limit_is_not_fetched_whole():
    with MirrorServer(FILES, SIGNER) as mirror:
        report = probed(mirror, formulae=["jq"], bottle_limit_bytes=10, authorization=False)

    ranges = [
        headers.get("Range") for path, headers in mirror.requested if path == BY_NAME["jq"].blob
    ]
    assert ranges == ["bytes=0-0"]
    assert report.notes == ("over 0 MiB, not fetched whole: jq",)
    assert report.findings == []


def test_without_a_size_the_limit_holds_all_the_same():
    with MirrorServer(FILES, SIGNER) as mirror:
        report = probed(mirror, formulae=["jq"], layout="bottle", bottle_limit_bytes=10)
        del mirror.files[BY_NAME["jq"].flat_manifest]
        bare = probed(mirror, formulae=["jq"], layout="bottle", bottle_limit_bytes=10)

    assert report.findings == []
    assert [each.defect.id for each in bare.findings] == ["flat-manifest-missing"]
    assert bare.notes == report.notes


def test_dependencies_can_be_left_out():
    with MirrorServer(FILES, SIGNER) as mirror:
        del mirror.files[BY_NAME["oniguruma"].blob]

        assert probed(mirror, formulae=["jq"], closure=False).findings == []


def test_a_mirror_below_v2_does_not_have_it_twice():
    files = {path.replace("/v2/", "/v2/proxy/"): served for path, served in FILES.items()}
    files = {
        path.replace("/v2/proxy/homebrew", "/v2/homebrew/core-proxy/homebrew"): served
        for path, served in files.items()
    }
    with MirrorServer(files, SIGNER) as mirror:
        below = Target(
            f"{mirror.url}/v2/homebrew/core-proxy",
            [TAG],
            api_url=f"{mirror.url}/api",
            public_key_pem=SIGNER.public_pem,
        )

        assert probe(below).findings == []


def test_a_client_without_a_catalogue_does_not_come_to_a_bottle():
    with MirrorServer(FILES, SIGNER) as mirror:
        del mirror.files[mirror_faults.PACKAGES]
        report = probed(mirror)

    outcomes = {row.request: row.outcome("5.1.10-6") for row in report.rows}
    assert outcomes[f"bottles of 5 formulae, {TAG}"] == "not reached"
    assert outcomes["formula.jws.json"] == "-"
    assert report.broken_clients == ["5.1.10-6"]


def test_nothing_can_be_read_and_the_report_still_comes():
    with MirrorServer({}, SIGNER) as mirror:
        report = probed(mirror)

    assert report.broken_clients == ["4.2-4.5", "4.6-5.1", "5.1.10-6"]
    assert report.formulae == ()


def test_every_platform_is_played(mirror):
    mirror.files = FILES

    report = probed(mirror, platforms=[TAG, "arm64_sequoia"], formulae=["jq"])

    missing = {
        each.url.rpartition("/")[2] for each in report.findings if each.defect.level == "breaks"
    }
    assert missing == {"packages.arm64_sequoia.jws.json"}
    assert "no bottle for arm64_sequoia: jq" in report.notes


def test_an_older_macos_bottle_stands_in(mirror):
    older = [replace(each, tag="arm64_sequoia") for each in FORMULAE]
    mirror.files = sound_files(SIGNER, older)

    report = probed(mirror, formulae=["jq"])

    assert report.findings == []


def test_a_formula_that_nobody_knows_is_bad_input(mirror):
    mirror.files = FILES

    with pytest.raises(BadInput, match=r'no formula "jqq"; did you mean "jq"\?'):
        probed(mirror, formulae=["jqq"])


def test_globs_pick_a_sample_of_their_own(mirror):
    mirror.files = FILES

    assert set(probed(mirror, formulae=["l*"]).formulae) == {"lame", "lib+a@1"}
