"""Which URLs we ask, and which redirects we follow."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit, urlunsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from mirror.errors import UpstreamRefused

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What a translator hands on to the IPv4 address in the last four bytes. Source: RFC 6052, 2.1.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def shown(url: str) -> str:
    """The URL without user, query and fragment: those carry secrets and signatures."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_usable(url: str) -> bool:
    """Whether we ask this URL at all: https, or http to this machine (the sandbox).

    It is taken apart by what will connect to it: two readers of one URL may see two hosts.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        return False
    if not parts.host or not parts.host.isprintable() or parts.auth is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(_host(url)))


def redirected(source: str, location: str) -> str:
    """Where a redirect leads, once it is one that we follow.

    Raises:
        UpstreamRefused: as `check_redirect`.
    """
    try:
        target = urljoin(source, location)
    except ValueError as error:
        raise _refused(source, "an unreadable address", "only https is followed") from error
    check_redirect(source, target)
    return target


def check_redirect(source: str, target: str) -> None:
    """Refuse a redirect that leads to another scheme, or from outside to our own network.

    Between this look-up and the connection a name may be pointed elsewhere; TLS then ends
    it, because what listens inside has no certificate for a public name.

    Raises:
        UpstreamRefused: the redirect is one that we do not follow.
    """
    if not is_usable(target):
        raise _refused(source, shown(target), "only https is followed")
    if _is_inside(target) and not _is_inside(source):
        raise _refused(source, shown(target), "a public host must not lead to a private address")


def _refused(source: str, target: str, why: str) -> UpstreamRefused:
    return UpstreamRefused(
        f'redirected to "{target}": {why}',
        where=shown(source),
        remedy="check upstream.api_url and upstream.registry_url",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    """The host without brackets, and without the zone of a link-local address (``%eth0``)."""
    return (parse_url(url).host or "").strip("[]").partition("%")[0]


def _is_inside(url: str) -> bool:
    """Whether any address of the host is loopback, link-local, private or reserved."""
    return any(not _is_public(_carried(address)) for address in _addresses(_host(url)))


def _is_public(address: _Address) -> bool:
    # Python counts some of these as global: nothing on the internet answers there.
    is_elsewhere = address.is_multicast or address.is_reserved
    return address.is_global and not is_elsewhere and not getattr(address, "is_site_local", False)


def _addresses(host: str) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    # A name without address leads nowhere; the request will say so. UnicodeError: an empty
    # label, or one that is too long.
    except (OSError, UnicodeError):
        return []
    # The zone of a link-local IPv6 address (`fe80::1%eth0`) is not part of the address.
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _carried(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for: mapped, tunnelled (6to4) or translated."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
