"""formulae: names and tags as brew forms them, and the bottle that a platform pours."""

from __future__ import annotations

import pytest

from sandbox.formulae import Bottle, Formula


def with_bottles(*tags):
    return Formula("jq", "1.8.1", bottles={tag: Bottle(tag) for tag in tags})


@pytest.mark.parametrize(
    ("name", "image"),
    [("jq", "jq"), ("openssl@3", "openssl/3"), ("libsigc++@2", "libsigcxx/2")],
)
def test_the_image_is_the_name_as_a_registry_can_spell_it(name, image):
    assert Formula(name, "1").image == image


@pytest.mark.parametrize(
    ("revision", "rebuild", "tag"),
    [(0, 0, "1.2"), (1, 0, "1.2_1"), (0, 2, "1.2-2"), (3, 1, "1.2_3-1")],
)
def test_the_manifest_s_tag_has_revision_and_rebuild_where_there_are_any(revision, rebuild, tag):
    assert Formula("x", "1.2", revision=revision, rebuild=rebuild).manifest_tag == tag


@pytest.mark.parametrize(
    ("bottles", "asked", "poured"),
    [
        (["arm64_tahoe", "arm64_sequoia"], "arm64_tahoe", "arm64_tahoe"),
        (["all"], "x86_64_linux", "all"),
        (["arm64_sonoma", "arm64_sequoia"], "arm64_tahoe", "arm64_sequoia"),
        (["arm64_sequoia"], "tahoe", None),
        (["arm64_tahoe"], "arm64_sequoia", None),
        (["sonoma"], "x86_64_linux", None),
        (["catalina"], "tahoe", "catalina"),
    ],
)
def test_a_client_pours_its_own_bottle_else_an_older_one_of_its_kind(bottles, asked, poured):
    found = with_bottles(*bottles).bottle_for(asked)

    assert (found and found[0]) == poured
