"""exporting: a folder that serves as the mirror does, whatever ended the tries before."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import IncompleteReadError

from delivery.air_gap import exporting
from delivery.deploy.smoke import fetch_as_brew_would
from delivery.errors import BadInput, ExportFailed
from mirror import channels
from tests.doubles.far_side import NEAR, Killed, files_of
from tests.unit.delivery.air_gap.conftest import LATER
from tests.unit.mirror.conftest import RawBody

API = "api/internal/packages.arm64_tahoe.jws.json"


@contextmanager
def served(folder):
    """The folder behind the plainest web server there is."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_export_holds_the_snapshot_as_the_bucket_serves_it(first, far, parcel):
    wanted = {key for key in far.held(NEAR) if key.startswith(("v2/", "api/", "snapshots/"))}

    assert set(files_of(parcel)) == wanted | {"parcel.json", "parcel.json.sig"}
    assert all((parcel / key).read_bytes() == far.read(key, NEAR) for key in wanted)


def test_a_served_export_gives_a_bottle_as_the_mirror_does(first, far, parcel):
    with served(parcel) as url:
        bottle = fetch_as_brew_would(url, "arm64_tahoe", ["jq"], far.upstream_key_pem)

    assert bottle.formula == "jq"


def test_the_list_says_what_is_in_the_folder_and_openssl_could_check_it(first, far, parcel):
    body = (parcel / "parcel.json").read_bytes()
    document = json.loads(body)

    assert document["snapshot"] == first
    assert document["since"] is None
    assert document["counts"]["blobs"] == 2
    assert set(document["files"]) == set(files_of(parcel)) - {"parcel.json", "parcel.json.sig"}
    far.key.public_key().verify((parcel / "parcel.json.sig").read_bytes(), body)


def test_a_delta_holds_only_what_is_new_and_every_api_file(first, second, far, tmp_path):
    done = far.export(tmp_path / "delta", since=first)

    written = files_of(tmp_path / "delta")
    assert (done.snapshot, done.since) == (second, first)
    assert [path for path in written if "/manifests/" in path] == [
        "v2/homebrew/core/jq/manifests/2.0"
    ]
    assert done.counts["blobs"] == 1
    assert API in written


def test_a_blob_that_the_other_side_has_under_another_version_stays_behind(
    first, upstream, sync, far, tmp_path
):
    upstream.add("jq", {"arm64_tahoe": b"jq 1.0"}, version="1.1")
    sync.run(execution="two", now=LATER)

    done = far.export(tmp_path / "delta", since=first)

    assert (done.counts["blobs"], done.counts["manifests"]) == (0, 1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"snapshot": "2020-01-01T000000Z"}, "no snapshot"),
        ({"since": "2020-01-01T000000Z"}, "no snapshot"),
        ({"since": "2030-01-01T000000Z"}, "is not older"),
    ],
)
def test_a_snapshot_that_is_not_there_is_named(first, far, tmp_path, options, told):
    with pytest.raises(BadInput, match=told):
        far.export(tmp_path / "parcel", **options)

    assert not (tmp_path / "parcel").exists()


def test_what_was_taken_back_is_carried_only_where_it_is_asked_for(
    first, second, far, connections, tmp_path
):
    channels.rollback(connections, "default", first, LATER, dry_run=False)

    by_default = far.export(tmp_path / "served")
    asked_for = far.export(tmp_path / "newest", snapshot=second)

    assert (by_default.snapshot, asked_for.snapshot) == (first, second)


def test_a_folder_with_something_else_is_left_alone(first, far, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(BadInput, match="holds something else"):
        far.export(tmp_path)

    assert files_of(tmp_path) == ["thesis.txt"]


def test_what_is_no_folder_is_told_and_left_alone(first, far, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(BadInput, match=r'thesis\.txt" cannot be made a folder: File exists'):
        far.export(tmp_path / "thesis.txt")

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_parcel_of_another_snapshot_is_not_written_over(parcel, second, far):
    before = (parcel / "parcel.json").read_bytes()

    with pytest.raises(BadInput, match="holds a parcel of"):
        far.export(parcel)

    assert (parcel / "parcel.json").read_bytes() == before


@contextmanager
def sending(s3, call, answer):
    """Lets S3 answer a call with a response of the test's own, where `answer` gives one."""
    s3.meta.events.register_first(f"before-send.s3.{call}", answer)
    yield
    s3.meta.events.unregister(f"before-send.s3.{call}", answer)


def fetched_keys(far):
    """The bodies that S3 was asked for from here on."""
    asked = []
    far.s3.meta.events.register_first(
        "provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Key"])
    )
    return asked


def break_at(monkeypatch, number, error):
    """Let the writing of the nth file end with an error."""
    count = iter(range(1000))
    real = os.utime

    def utime(path, *arguments):
        if str(path).endswith(".partial") and next(count) == number:
            raise error
        return real(path, *arguments)

    monkeypatch.setattr(exporting.os, "utime", utime)


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_killed_export_goes_on_where_it_was(first, far, tmp_path, monkeypatch, number):
    monkeypatch.setattr(exporting, "THREADS", 1)
    with monkeypatch.context() as until_killed:
        break_at(until_killed, number, Killed())
        with pytest.raises(Killed):
            far.export(tmp_path / "parcel")
    assert not (tmp_path / "parcel" / "parcel.json").exists()
    left = files_of(tmp_path / "parcel")
    proven = {path for path in left if path.startswith("v2/") and not path.endswith(".partial")}
    assert len(left) > len(proven) >= min(number, 4)

    asked = fetched_keys(far)
    monkeypatch.setattr(exporting, "sha256_of", lambda path: pytest.fail(f"hashed {path} again"))
    far.export(tmp_path / "parcel")

    assert not proven & set(asked)
    assert far.verify(tmp_path / "parcel").snapshot == first


def test_what_changed_since_it_was_proven_is_not_believed(first, far, tmp_path, monkeypatch):
    with monkeypatch.context() as until_killed:
        break_at(until_killed, 7, Killed())
        with pytest.raises(Killed):
            far.export(tmp_path / "parcel")
    written = [path for path in files_of(tmp_path / "parcel") if path.startswith("v2/")]
    spoilt = [path for path in written if not path.endswith(".partial")]
    for path in spoilt:
        sound = (tmp_path / "parcel" / path).read_bytes()
        (tmp_path / "parcel" / path).write_bytes(sound[::-1])

    far.export(tmp_path / "parcel")

    assert spoilt
    assert all((tmp_path / "parcel" / path).read_bytes() == far.read(path, NEAR) for path in spoilt)


def test_a_full_disk_is_told_and_what_is_there_is_kept(first, far, tmp_path, monkeypatch):
    with monkeypatch.context() as until_full:
        break_at(until_full, 3, OSError(28, "No space left on device"))
        with pytest.raises(ExportFailed, match="the disk is full"):
            far.export(tmp_path / "parcel")

    far.export(tmp_path / "parcel")

    assert far.verify(tmp_path / "parcel").snapshot == first


def test_a_file_that_was_spoilt_in_between_is_fetched_again(far, parcel):
    blob = next(path for path in files_of(parcel) if "/blobs/" in path)
    (parcel / blob).write_bytes(b"spoilt")

    asked = fetched_keys(far)
    far.export(parcel)

    assert asked.count(blob) == 1
    assert len([key for key in asked if key.startswith("v2/")]) == 1
    far.verify(parcel)


@pytest.mark.parametrize(("times", "ends"), [(2, "well"), (3, "badly")])
def test_a_body_that_breaks_off_is_asked_for_again(first, far, tmp_path, monkeypatch, times, ends):
    monkeypatch.setattr(exporting, "THREADS", 1)
    left = iter(range(times))

    def breaking_off(request, **_):
        if "/blobs/" in request.url and next(left, None) is not None:
            headers = {"Content-Length": "99", "Last-Modified": "Sun, 22 Nov 2026 03:00:00 GMT"}
            return AWSResponse(request.url, 200, headers, RawBody(b"half"))
        return None

    with sending(far.s3, "GetObject", breaking_off):
        if ends == "well":
            far.export(tmp_path / "parcel")
            far.verify(tmp_path / "parcel")
        else:
            with pytest.raises(IncompleteReadError):
                far.export(tmp_path / "parcel")


def test_a_mirror_that_gives_other_bytes_ends_the_export(first, far, tmp_path):
    blob = next(key for key in far.held(NEAR) if "/blobs/" in key)
    far.s3.put_object(Bucket=NEAR, Key=blob, Body=b"rotten")

    with pytest.raises(ExportFailed, match="6 bytes that hash to") as failed:
        far.export(tmp_path / "parcel")

    assert failed.value.where == f"s3://{NEAR}/{blob}"
    assert not (tmp_path / "parcel" / blob).exists()
