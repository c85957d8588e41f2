"""The casks of the sample Homebrew: real tokens and shapes, small files of our own.

Among them what a mirror must get right: a file per architecture, a redirect, an address with
escapes and one with a query, a former token, dependencies, and a cask without a checksum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INTEL = ("golden_gate", "tahoe", "sequoia", "sonoma", "ventura", "monterey", "big_sur")


@dataclass(frozen=True)
class Cask:
    """One cask.

    Args:
        path: of its file below ``/vendors``, host first, as it stands in an address.
        intel_path: of another one, for Macs of that architecture.
        no_check: whether the cask leaves out its checksum.
        formulae, casks: what it depends on.
    """

    token: str
    version: str
    name: str
    desc: str
    path: str
    intel_path: str = ""
    no_check: bool = False
    formulae: tuple[str, ...] = ()
    casks: tuple[str, ...] = ()
    former: str = ""

    def path_for(self, tag: str) -> str:
        """The path of its file on machines of a bottle tag."""
        return self.intel_path if self.intel_path and tag in INTEL else self.path


SAMPLE = (
    Cask(
        *("firefox", "145.0", "Mozilla Firefox", "Web browser"),
        path="download-installer.cdn.mozilla.net/pub/145.0/mac/en-US/Firefox%20145.0.dmg",
    ),
    Cask(
        *("visual-studio-code", "1.106.2", "Microsoft Visual Studio Code", "Code editor"),
        path="update.code.visualstudio.com/1.106.2/darwin-arm64/stable",
        intel_path="update.code.visualstudio.com/1.106.2/darwin/stable",
    ),
    Cask(
        *("iterm2", "3.6.5", "iTerm2", "Terminal emulator"),
        path="iterm2.com/downloads/stable/download.php?file=iTerm2-3_6_5.zip",
        former="iterm2-stable",
    ),
    Cask(
        *("google-chrome", "142.0.7444.176", "Google Chrome", "Web browser"),
        path="dl.google.com/chrome/mac/universal/stable/GGRO/googlechrome.dmg",
        no_check=True,
    ),
    Cask(
        *("gitup-app", "1.4.3", "GitUp", "Git interface"),
        path="github.com/git-up/GitUp/releases/download/v1.4.3/GitUp.zip",
        formulae=("git",),
        casks=("iterm2",),
    ),
)


@dataclass(frozen=True)
class Offer:
    """The casks of one upstream.

    Args:
        base_url: where its vendors answer.
        digests: path → SHA-256 of the file.
    """

    casks: tuple[Cask, ...] = ()
    base_url: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    def packages(self, tag: str) -> dict[str, dict[str, Any]]:
        """``casks`` of ``internal/packages``. Source: brew 6.0, api/cask_struct.rb."""
        return {cask.token: self._package(cask, tag) for cask in self.casks}

    def listed(self) -> list[dict[str, Any]]:
        """``cask.jws.json``. Source: brew 5.1, cask/cask.rb (to_hash_with_variations)."""
        return [self._listed(cask) for cask in self.casks]

    @property
    def renames(self) -> dict[str, str]:
        """Former token → token."""
        return {cask.former: cask.token for cask in self.casks if cask.former}

    def _package(self, cask: Cask, tag: str) -> dict[str, Any]:
        path = cask.path_for(tag)
        depends_on = {":formula": list(cask.formulae), ":cask": list(cask.casks)}
        entry = {
            "desc": cask.desc,
            "names": [cask.name],
            "version": cask.version,
            "sha256": ":no_check" if cask.no_check else self.digests[path],
            "url_args": [self._url(path)],
            "depends_on_args": {key: value for key, value in depends_on.items() if value},
            "raw_artifacts": [[":app", [f"{cask.name}.app"]]],
        }
        return {key: value for key, value in entry.items() if value}

    def _listed(self, cask: Cask) -> dict[str, Any]:
        other = self._file(cask, cask.intel_path) if cask.intel_path else {}
        return {
            "token": cask.token,
            "full_token": cask.token,
            "old_tokens": [cask.former] if cask.former else [],
            "tap": "homebrew/cask",
            "name": [cask.name],
            "desc": cask.desc,
            "url_specs": {},
            "version": cask.version,
            **self._file(cask, cask.path),
            "artifacts": [{"app": [f"{cask.name}.app"]}],
            "depends_on": {
                **({"formula": list(cask.formulae)} if cask.formulae else {}),
                **({"cask": list(cask.casks)} if cask.casks else {}),
            },
            "deprecated": False,
            "disabled": False,
            "variations": dict.fromkeys(INTEL, other) if other else {},
        }

    def _file(self, cask: Cask, path: str) -> dict[str, str]:
        sha256 = "no_check" if cask.no_check else self.digests[path]
        return {"url": self._url(path), "sha256": sha256}

    def _url(self, path: str) -> str:
        return f"{self.base_url}/vendors/{path}"
