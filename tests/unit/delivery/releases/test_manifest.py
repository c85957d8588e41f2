"""A release's manifest: one release, one spelling, one id; anything else is refused by name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.artifacts.target import Target
from delivery.errors import UntrustedRelease
from delivery.releases.manifest import Component, Release, parse

RELEASE = Release(
    version="1.2.3+4.g9566066",
    commit="9566066" + "0" * 33,
    dirty=False,
    target=Target("arm64", "3.13"),
    components={"layer": Component("a" * 64, 16), "orchestrator": Component("b" * 64, 4)},
    image="",
    configuration_schema="c" * 64,
    layout=1,
    sbom="d" * 64,
)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


def changed(**keys: object) -> bytes:
    return json.dumps({**json.loads(RELEASE.body), **keys}).encode()


def test_the_manifest_is_canonical_json_with_the_keys_of_the_reference():
    assert RELEASE.body.startswith(b'{"commit":"9566066')
    assert b" " not in RELEASE.body
    assert sorted(json.loads(RELEASE.body)) == [
        *("commit", "components", "configuration_schema", "dirty", "format", "image", "layout"),
        *("sbom", "target", "version"),
    ]


def test_the_id_is_the_digest_of_the_manifest_and_its_beginning_is_shown():
    assert RELEASE.id == hashlib.sha256(RELEASE.body).hexdigest()
    assert RELEASE.short_id == RELEASE.id[:12]


def test_the_order_in_which_components_were_built_does_not_show():
    other = replace(RELEASE, components=dict(reversed(RELEASE.components.items())))

    assert other.id == RELEASE.id


@given(
    commit=st.one_of(st.just(""), DIGESTS, DIGESTS.map(lambda it: it[:40])),
    dirty=st.booleans(),
    components=st.dictionaries(
        st.sampled_from(["layer", "orchestrator", "terraform"]),
        st.builds(Component, DIGESTS, st.integers(1)),
        min_size=1,
    ),
    image=st.one_of(st.just(""), DIGESTS.map("sha256:{}".format)),
    layout=st.integers(1),
)
def test_what_is_written_reads_back_as_it_was(commit, dirty, components, image, layout):
    release = replace(
        RELEASE, commit=commit, dirty=dirty, components=components, image=image, layout=layout
    )

    assert parse(release.body, "here") == release


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"version": ""}, "\"version\" is ''"),
        ({"commit": "9566066"}, "\"commit\" is '9566066'"),
        ({"dirty": "no"}, "\"dirty\" is 'no'"),
        ({"target": {"architecture": "arm64"}}, "\"target\" is {'architecture': 'arm64'}"),
        ({"components": {}}, '"components" is {}'),
        ({"components": {"layer": {"sha256": "a", "size_bytes": 1}}}, '"components" is {'),
        ({"image": "latest"}, "\"image\" is 'latest'"),
        ({"layout": True}, '"layout" is True'),
        ({"sbom": None}, '"sbom" is None'),
        ({"colour": "red"}, "\"colour\" is 'red'"),
    ],
)
def test_a_key_that_is_not_as_it_should_be_is_named(keys, told):
    with pytest.raises(UntrustedRelease, match="not the manifest of a release") as refused:
        parse(changed(**keys), "s3://state/artifacts/release/ab.json")

    assert told in refused.value.problem
    assert refused.value.where == "s3://state/artifacts/release/ab.json"


def test_every_absent_key_is_named_at_once():
    with pytest.raises(UntrustedRelease, match=r'"commit" is None, .*"version" is None'):
        parse(b'{"format": 1}', "here")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(UntrustedRelease, match=r"it is not JSON|not a JSON object"):
        parse(body, "here")


def test_a_newer_format_asks_for_a_newer_airbrew():
    with pytest.raises(UntrustedRelease, match="has format 2, this Airbrew reads 1") as refused:
        parse(changed(format=2), "here")

    assert refused.value.remedy == "use the Airbrew that made the release, or a newer one"
