"""The Rubies that older brews install for themselves, which no API file names any more.

Each brew has the digests of its own Ruby in ``vendor/portable-ruby-<platform>`` and asks for
that blob alone (``cmd/vendor-install.sh``). Here the digests come from the registry's index,
which nobody signs: brew compares with its own, so a false one could only be refused by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirror import documents, macos, manifests
from mirror.bottles import Bottle
from mirror.connections import Connections
from mirror.errors import BadManifest, NotUpstream, UnknownFormula, UntrustedCatalogue
from mirror.selection import PORTABLE_RUBY


def bottles(connections: Connections, known: Iterable[Bottle] = ()) -> list[Bottle]:
    """The bottles of ``selection.portable_ruby_versions`` for the selected platforms.

    Args:
        known: bottles that need no look upstream, sizes left out; a version's index is asked
            for only where they have none of it.

    Raises:
        UnknownFormula: the registry has no such version.
        BadManifest: its index is not one.
    """
    wanted = connections.settings.selection
    held = [each for each in known if each.full_name == PORTABLE_RUBY]
    found: set[Bottle] = set()
    for version in wanted.portable_ruby_versions:
        offered = [each for each in held if each.manifest_tag == version]
        fitting = _fitting(offered, wanted.platforms)
        found.update(fitting or _fitting(_offered(connections, version), wanted.platforms))
    return sorted(found)


def _fitting(offered: Iterable[Bottle], platforms: Iterable[str]) -> list[Bottle]:
    """What the platforms can run: built for their architecture, and not for a newer macOS."""
    return [each for each in offered if any(macos.runs(one, each.tag) for one in platforms)]


def _offered(connections: Connections, version: str) -> list[Bottle]:
    try:
        body = connections.registry.manifest(PORTABLE_RUBY, version)
    except NotUpstream as error:
        raise UnknownFormula(
            f'upstream has no {PORTABLE_RUBY} "{version}"',
            where="selection.portable_ruby_versions in config/airbrew.yaml",
            remedy="write it as brew's Library/Homebrew/vendor/portable-ruby-version has it",
        ) from error
    try:
        return list(_entries(body, version))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadManifest(
            f"not the OCI image index of a portable Ruby: {error!r}",
            where=f"{PORTABLE_RUBY} {version}",
            remedy="upstream's registry is out of order: run the sync again later",
        ) from error


def _entries(body: bytes, manifest_tag: str) -> Iterator[Bottle]:
    version, _, rebuild = manifest_tag.partition("-")
    for entry in documents.parse(body)["manifests"]:
        notes = entry.get("annotations") or {}
        if not {manifests.REF_NAME, manifests.DIGEST} <= notes.keys():
            continue
        tag = notes[manifests.REF_NAME].removeprefix(f"{version}.").partition(".")[0]
        bottle = Bottle(PORTABLE_RUBY, version, int(rebuild or 0), tag, notes[manifests.DIGEST])
        try:
            yield bottle.checked()
        except UntrustedCatalogue:  # Nothing that could be asked for.
            continue
