"""Whoever tells a gate to look away says why, on the same line."""

from __future__ import annotations

import re

from delivery.gates.findings import Finding
from delivery.gates.gate import Scene, lines_of

LOOKED_AT = ("**/*.py", "**/*.tf", "**/*.yml", "**/*.yaml", "**/*Dockerfile", ".ci/run")
# What silences whom, and the form in which its reason follows.
SILENCERS = (
    re.compile(r"# noqa(?!: [A-Z0-9, ]+ - \S)"),
    re.compile(r"# type: ignore(?!\[[a-z,-]+\] +# \S)"),
    re.compile(r"# nosec(?! B\d+ - \S)"),
    re.compile(r"checkov:skip(?!=CKV2?_[A-Z]+_\d+: *\S)"),
    re.compile(r"zizmor: ignore(?!\[[a-z-]+\] \S)"),
    re.compile(r"hadolint ignore(?!=DL\d+ # \S)"),
    re.compile(r"shellcheck disable(?!=SC\d+ # \S)"),
    re.compile(r"yamllint disable(?!-line rule:[a-z-]+ # \S)"),
    re.compile(r"gitleaks:allow(?! - \S)"),
)
# Tests import fixtures by name: that this is why is said once, where such an import is made.
EXPLAINED_ELSEWHERE = ("delivery/gates/reasons.py", "tests/")


def look(scene: Scene) -> list[Finding]:
    """Each suppression without a reason."""
    return [
        Finding(name, number, "reason", f"says nothing of why: {line.strip()!r}")
        for name, number, line in lines_of(scene, *LOOKED_AT)
        if not name.startswith(EXPLAINED_ELSEWHERE)
        and any(silencer.search(line) for silencer in SILENCERS)
    ]
