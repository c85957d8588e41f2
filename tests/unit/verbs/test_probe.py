"""mirror.probe: exit 0 only when all clients work; who breaks where, and what to do, in words."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from delivery.cloud import Cloud
from tests.doubles import mirror_faults
from tests.doubles.mirror_server import BY_NAME, FIREFOX, TAPPED, MirrorServer, sound_files
from tests.doubles.registry import Signer
from tests.unit.delivery.conftest import PUBLISHED_AS, SNAPSHOT
from verbs import probing

SIGNER = Signer()
FILES = sound_files(SIGNER)
JQ = BY_NAME["jq"]
HELD = {"formula": "jq", "tag": "arm64_tahoe"}
TAPPED_HELD = {
    "formula": TAPPED.name,
    "version": TAPPED.version,
    "rebuild": TAPPED.rebuild,
    "tag": TAPPED.tag,
    "digest": TAPPED.digest,
    "size_bytes": len(TAPPED.archive),
    "repository": TAPPED.repository,
}


@pytest.fixture
def mirror():
    """A sound mirror, for a test to spoil."""
    with MirrorServer(FILES, SIGNER) as server:
        yield server


@pytest.fixture
def probe(inv, mirror, tmp_path):
    """Runs ``inv mirror.probe`` against the mirror, with its key."""
    key = tmp_path / "key.pem"
    key.write_text(SIGNER.public_pem)
    return lambda *words: inv("mirror.probe", "--url", mirror.url, "--public-key", str(key), *words)


def test_a_sound_mirror_ends_with_0_and_a_table_of_ok(probe):
    ended = probe()

    assert ended.code == 0
    assert "every client works\n" in ended.out
    assert "formula.jws.json                        ok       ok       -" in ended.out


def test_a_defect_ends_with_1_and_says_where_why_and_what_to_do(probe, mirror):
    mirror.spoil(JQ.blob, JQ.archive[:-1])

    ended = probe("--formula", "jq")

    assert ended.code == 1
    assert "blob-too-short breaks brew 4.2-4.5, 4.6-5.1, 5.1.10-6" in ended.out
    assert f"seen: {mirror.url}{JQ.blob}" in ended.out
    assert "why:  its checksum does not match" in ended.out
    assert "next: delete the object and mirror it again" in ended.out
    assert ended.out.endswith("cannot live on this mirror\n")


def test_casks_and_taps_are_played_where_they_are_named(probe, mirror, tmp_path):
    files = {"arm64_tahoe": {"sha256": TAPPED.digest}}
    stable = {"rebuild": 1, "root_url": "https://ghcr.io/v2/acme/tools", "files": files}
    entry = {"tap": "acme/tools", "name": TAPPED.name, "versions": {"stable": TAPPED.version}}
    tap = tmp_path / "tap.json"
    tap.write_text(json.dumps({"formulae": [{**entry, "bottle": {"stable": stable}}]}))
    words = ("--cask", FIREFOX.token, "--tap-file", str(tap), "--formula", "lame")
    sound = probe(*words)
    del mirror.files[FIREFOX.blob]
    mirror.spoil(TAPPED.blob, TAPPED.archive[:-1])

    ended = probe(*words)

    assert (sound.code, ended.code) == (0, 1)
    assert "1 cask, arm64_tahoe" in sound.out
    assert f"seen: {mirror.url}{FIREFOX.blob}" in ended.out
    assert "cask-missing breaks" in ended.out
    assert "blob-too-short breaks" in ended.out


def test_a_warning_alone_ends_with_0(probe, mirror):
    mirror_faults.ranges_ignored(mirror)

    ended = probe()

    assert ended.code == 0
    assert "range-ignored warns" in ended.out
    assert "every client works, with warnings\n" in ended.out


def test_json_is_one_document_and_the_exit_code_stays(probe, mirror):
    del mirror.files[JQ.manifest]

    ended = probe("--json", "--formula", "jq")

    document = json.loads(ended.out)
    (finding,) = document["findings"]
    assert ended.code == 1
    assert (document["works"], document["formulae"]) == (False, ["jq"])
    assert (finding["id"], finding["url"]) == ("manifest-missing", mirror.url + JQ.manifest)
    assert document["requests"][0]["outcomes"]["5.1.10-6"] == "-"


def test_many_sightings_of_a_defect_are_told_once(probe, mirror):
    for formula in BY_NAME.values():
        mirror.files.pop(formula.blob)

    ended = probe("--no-closure")

    assert ended.code == 1
    assert ended.out.count("what: the bottle is not there") == 1
    assert "and 2 more" in ended.out


def test_flat_mirrors_are_probed_with_their_own_layout(probe):
    assert probe("--layout", "bottle").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no mirror was named"),
        (["--url", "https://a.example", "--env", "dev"], "are two mirrors"),
        (["--url", "https://a.example", "--layout", "x"], 'no layout "x"'),
        (["--env", "nowhere"], 'no environment "nowhere"'),
        (["--url", "https://a.example", "--channel", "canary"], "--channel goes with --env"),
        (["--url", "https://a.example", "--tap-file", "no.json"], '"no.json" cannot be read'),
    ],
)
def test_what_cannot_be_probed_ends_with_2(inv, words, told):
    ended = inv("mirror.probe", *words)

    assert ended.code == 2
    assert told in ended.err


@pytest.fixture
def environment(monkeypatch, s3):
    """`dev`, whose bucket holds the sound mirror; returns what puts an object into it."""
    s3.create_bucket(Bucket="bucket")
    for path, served in FILES.items():
        media = served.headers.get("Content-Type") or "application/octet-stream"
        s3.put_object(
            Bucket="bucket", Key=path.removeprefix("/"), Body=served.body, ContentType=media
        )
    for name, part in {
        "snapshot": PUBLISHED_AS,
        "bottles": [HELD, TAPPED_HELD],
        "casks": {
            "casks": [{"token": FIREFOX.token, "digest": FIREFOX.digest, "size_bytes": 6000}],
            "left_out": [],
        },
    }.items():
        key = f"snapshots/{SNAPSHOT}/{name}.json"
        s3.put_object(Bucket="bucket", Key=key, Body=json.dumps(part).encode())
    upstream = {"api_url": "", "registry_url": "", "signing_key_pem": SIGNER.public_pem}
    selection = {"platforms": ["arm64_tahoe"], "formulae": ["jq"]}
    environment = SimpleNamespace(name="dev", settings={"selection": selection})
    monkeypatch.setattr(probing, "environment_named", lambda _: environment)
    monkeypatch.setattr(probing, "reach", lambda _: Cloud("AWS", "1" * 12, "us-east-1", {}))
    monkeypatch.setattr(probing.standing, "deployed", lambda *_: {"mirror_bucket": "bucket"})
    monkeypatch.setattr(probing.rendering, "upstream", lambda *_: upstream)

    return lambda key, body: s3.put_object(Bucket="bucket", Key=key, Body=body)


def serve(put, channel, snapshot):
    pointer = {"channel": channel, "snapshot": snapshot}
    put(f"channels/{channel}/pointer.json", json.dumps(pointer).encode())


def test_an_environment_brings_its_bucket_its_key_and_what_it_holds(inv, environment):
    ended = inv("mirror.probe", "--env", "dev", "--json")

    document = json.loads(ended.out)
    assert (document["findings"], document["formulae"], ended.code) == ([], ["jq"], 0)
    requests = {each["request"] for each in document["requests"]}
    assert {"1 cask, arm64_tahoe", "bottles of 1 formula of another tap"} <= requests


def test_an_environment_is_held_to_what_it_serves_not_to_a_newer_snapshot(inv, environment):
    newer = PUBLISHED_AS | {"id": "2099-11-22T030000Z", "selection": {"platforms": ["tahoe"]}}
    environment("snapshots/2099-11-22T030000Z/snapshot.json", json.dumps(newer).encode())
    environment("snapshots/2099-11-22T030000Z/bottles.json", b"[]")
    environment("snapshots/2099-11-22T030000Z/casks.json", b'{"casks": [], "left_out": []}')
    serve(environment, "default", SNAPSHOT)

    ended = inv("mirror.probe", "--env", "dev", "--json")

    document = json.loads(ended.out)
    assert (document["formulae"], ended.code) == (["jq"], 0)
    assert "1 cask, arm64_tahoe" in {each["request"] for each in document["requests"]}


def test_a_channel_is_probed_at_its_own_address(inv, environment):
    serve(environment, "canary", SNAPSHOT)
    for path, served in FILES.items():
        if path.startswith("/api/"):
            environment(f"channels/canary{path}", served.body)
    environment("channels/canary/api/internal/packages.arm64_tahoe.jws.json", b"{}")

    canary = inv("mirror.probe", "--env", "dev", "--channel", "canary")
    default = inv("mirror.probe", "--env", "dev")

    assert (canary.code, default.code) == (1, 0)
    assert "/channels/canary/api/internal/packages.arm64_tahoe.jws.json" in canary.out


def test_a_channel_that_serves_nothing_is_told_with_those_that_do(inv, environment):
    serve(environment, "canary", SNAPSHOT)

    ended = inv("mirror.probe", "--env", "dev", "--channel", "pilot")

    assert ended.code == 2
    assert 'channel "pilot" serves nothing (canary)' in ended.err
