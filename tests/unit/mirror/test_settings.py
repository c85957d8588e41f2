"""What the functions read: their environment variables and the settings in the bucket."""

from __future__ import annotations

import json

import pytest

from mirror.errors import BadSettings
from mirror.settings import Environment, Settings

GOOD = {
    "upstream": {
        "api_url": "https://formulae.brew.sh/api",
        "registry_url": "https://ghcr.io",
        "signing_key_pem": "-----BEGIN PUBLIC KEY-----",
    },
    "selection": {"platforms": ["tahoe"], "formulae": ["jq"], "include_dependencies": True},
    "publish": {"policy": "complete"},
    "workflow": {"batch_max_bottles": 20, "batch_max_mib": 64},
    "sync_worker": {"transfers": 4},
}


def parse(**changed):
    document = {name: {**value, **changed.get(name, {})} for name, value in GOOD.items()}
    return Settings.parse(json.dumps(document).encode(), "s3://mirror/settings/mirror.json")


def test_the_settings_are_read():
    settings = parse()

    assert settings.upstream.registry_url == "https://ghcr.io"
    assert settings.selection.platforms == ("tahoe",)
    assert (settings.batch_max_bottles, settings.batch_max_mib, settings.transfers) == (20, 64, 4)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"upstream": {"api_url": "http://example.org"}}, "upstream.api_url .* is not an https"),
        ({"upstream": {"registry_url": "file:///x"}}, "upstream.registry_url .* is not an https"),
        ({"selection": {"platforms": ["../x"]}}, 'platform "../x" is not a bottle tag'),
        ({"selection": {"platforms": []}}, "the selection is empty"),
        ({"sync_worker": {"transfers": 0}}, "whole numbers of 1 and more"),
        ({"workflow": {"batch_max_mib": "many"}}, "not the mirror's settings"),
        ({"upstream": {"color": "blue"}}, "not the mirror's settings"),
    ],
)
def test_settings_that_cannot_be_used_are_told_with_their_place(changed, told):
    with pytest.raises(BadSettings, match=f"{told}(.|\n)*where: s3://mirror/settings/mirror.json"):
        parse(**changed)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null"])
def test_what_is_not_the_settings_is_told(body):
    with pytest.raises(BadSettings, match="not the mirror's settings"):
        Settings.parse(body, "file")


def test_a_dry_run_s_own_values_are_checked_as_well():
    with pytest.raises(BadSettings, match=r"upstream\.api_url(.|\n)*where: the event"):
        parse().overridden("http://169.254.169.254/", (), ())


def test_a_dry_run_without_own_values_changes_nothing():
    assert parse().overridden("", (), ()) == parse()


def test_variables_that_are_missing_are_named():
    with pytest.raises(BadSettings, match="AIRBREW_BUCKET and AIRBREW_SETTINGS_KEY not set"):
        Environment.read({})
