"""Which URLs are asked, and which redirects are followed."""

from __future__ import annotations

import pytest

from mirror import addresses
from mirror.errors import UpstreamRefused

PUBLIC = "https://192.88.98.7/v2/"


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("https://ghcr.io", True),
        ("https://ghcr.io:8443/v2", True),
        ("http://127.0.0.1:5000", True),
        ("http://localhost:5000", True),
        ("http://[::1]:5000", True),
        ("http://ghcr.io", False),
        ("http://127.0.0.1.example.org", False),
        ("ftp://ghcr.io", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://user@ghcr.io", False),
        ("https://ghcr.io:port", False),
        ("https://gh\x00cr.io", False),
        ("ghcr.io", False),
        ("", False),
    ],
)
def test_only_https_is_asked_or_this_machine(url, usable):
    assert addresses.is_usable(url) is usable


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "10.0.0.1", "127.0.0.1", "[fd00::1]", "[::ffff:10.0.0.1]"),
        # The zone of an address belongs to this machine alone.
        "[fe80::1%25eth0]",
        # Of a tunnel (6to4) and of a translator (NAT64), and what stands for nobody.
        *("[2002:a9fe:a9fe::]", "[64:ff9b::a9fe:a9fe]", "[::a9fe:a9fe]"),
        *("224.0.0.1", "[ff02::1]", "[fec0::1]", "240.0.0.1"),
    ],
)
def test_a_public_host_cannot_send_us_into_our_own_network(host):
    with pytest.raises(UpstreamRefused, match="must not lead to a private address"):
        addresses.check_redirect(PUBLIC, f"https://{host}/latest/meta-data")


def test_a_host_that_two_readers_of_a_url_take_for_two_is_judged_as_the_one_that_is_asked():
    target = "https://169.254.169.254\\.example.org/"

    with pytest.raises(UpstreamRefused, match="must not lead to a private address"):
        addresses.check_redirect(PUBLIC, target)


def test_an_address_behind_a_translator_is_as_public_as_the_one_it_stands_for():
    addresses.check_redirect(PUBLIC, "https://[64:ff9b::c058:6207]/storage")


@pytest.mark.parametrize("host", ["a..example.org", f"{'a' * 64}.example.org"])
def test_a_name_that_can_have_no_address_is_left_to_the_request(host):
    addresses.check_redirect(PUBLIC, f"https://{host}/storage")


def test_a_private_registry_may_have_a_private_storage():
    addresses.check_redirect("https://10.0.0.1/v2/", "https://10.0.0.2/storage")


def test_a_public_host_may_lead_to_another():
    addresses.check_redirect(PUBLIC, "https://192.88.98.9/storage")


def test_a_url_is_shown_without_what_is_secret_in_it():
    shown = addresses.shown("https://user:secret@example.org:8443/path?sig=secret#secret")

    assert shown == "https://example.org:8443/path"
