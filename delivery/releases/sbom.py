"""The bill of materials of a release, in CycloneDX 1.6: what is in it, and under which licence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from delivery.artifacts.packages import Installed
from delivery.releases.manifest import Component, canonical

NAME = "airbrew"
# ``MIT``, ``Apache-2.0 OR BSD-3-Clause``. Source: SPDX 2.3, annex D.
_EXPRESSION = re.compile(r"\(?[\w.+-]+\)?( (OR|AND|WITH) \(?[\w.+-]+\)?)*")


def bill(
    version: str,
    components: Mapping[str, Component],
    packages: Iterable[Installed],
    providers: Mapping[str, str],
) -> bytes:
    """The bill as JSON: equal for equal contents, so without a time and a serial number.

    Args:
        packages: what the layer carries besides our own library.
        providers: Terraform provider, ``hashicorp/aws``, → the version that is locked.

    Source: CycloneDX 1.6, bom-1.6.schema.json; package-url, type ``pypi``.
    """
    ours = [_own(name, version, each) for name, each in sorted(components.items())]
    theirs = [_package(each) for each in packages]
    locked = [_provider(name, each) for name, each in sorted(providers.items())]
    return canonical(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": _whole(version)},
            "components": [*ours, *theirs, *locked],
            "dependencies": _dependencies(components, packages, providers),
        }
    )


def _whole(version: str) -> dict[str, Any]:
    return {"type": "application", "bom-ref": NAME, "name": NAME, "version": version}


def _own(name: str, version: str, component: Component) -> dict[str, Any]:
    return {
        "type": "library" if name == "layer" else "application",
        "bom-ref": f"{NAME}/{name}",
        "group": NAME,
        "name": name,
        "version": version,
        "hashes": _hashes(component.sha256),
    }


def _package(package: Installed) -> dict[str, Any]:
    found = {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "purl": _purl(package),
        # Of the wheel that was installed: it is for this release's target.
        "hashes": _hashes(package.sha256),
        "properties": [{"name": f"{NAME}:wheel", "value": package.wheel}],
    }
    return found | ({"licenses": [_licence(package.licence)]} if package.licence else {})


def _provider(name: str, version: str) -> dict[str, Any]:
    group, _, short = name.rpartition("/")
    found = {"type": "application", "bom-ref": f"terraform-provider/{name}@{version}"}
    return {**found, "group": group, "name": short, "version": version}


def _dependencies(
    components: Mapping[str, Component],
    packages: Iterable[Installed],
    providers: Mapping[str, str],
) -> list[dict[str, Any]]:
    by_name = {each.name: _purl(each) for each in packages}
    needs: dict[str, list[str]] = {NAME: [f"{NAME}/{name}" for name in sorted(components)]}
    needs |= {f"{NAME}/{name}": [] for name in sorted(components)}
    if "layer" in components:
        needs[f"{NAME}/layer"] = sorted(by_name.values())
        needs |= {_purl(each): [by_name[name] for name in each.requires] for each in packages}
    if "terraform" in components:
        locked = [f"terraform-provider/{name}@{providers[name]}" for name in sorted(providers)]
        needs[f"{NAME}/terraform"] = locked
    return [{"ref": ref, "dependsOn": others} for ref, others in sorted(needs.items())]


def _licence(licence: str) -> dict[str, Any]:
    if _EXPRESSION.fullmatch(licence):
        return {"expression": licence}
    return {"license": {"name": licence}}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _purl(package: Installed) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"
