"""How the verbs of `ci` tell what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from delivery.ci.changes import Changes
from delivery.ci.targets import Targets
from delivery.gates.passing import Passage

SHOWN_FINDINGS = 20


def passage(passed: Passage, say: Callable[[str], None]) -> None:
    """One line per gate, and its first findings."""
    say(f"{passed.outcome:<11} {passed.seconds:6.1f} s  {passed.gate}")
    for finding in passed.findings[:SHOWN_FINDINGS]:
        say(f"    {finding}")
    if len(passed.findings) > SHOWN_FINDINGS:
        say(f"    and {len(passed.findings) - SHOWN_FINDINGS} more, in build/sarif")
    if passed.told:
        say(f"    {passed.told}")


def shut(passages: Sequence[Passage], *, audit_is_required: bool) -> str:
    """Which gates are shut, and why."""
    shut_ones = [each.gate for each in passages if each.outcome in {"found", "broken"}]
    unaudited = [each.gate for each in passages if each.outcome == "not audited"]
    told = f"error: shut: {', '.join(shut_ones)}" if shut_ones else "error: nothing is shut, but"
    if unaudited and audit_is_required:
        told += f"; nothing was audited by {', '.join(unaudited)}, and here that is required"
    return told


def targets(found: Targets) -> list[str]:
    """What is deployed, shown, compared with, and why."""
    lines = [found.why]
    for each in found.deploy:
        approved = ", once its plan is approved" if found.approve else ""
        lines.append(f"deploy   {each.environment} ({each.cloud}, {each.region}){approved}")
        if each.release_from:
            lines.append(f"release  what stands in {each.release_from}; nothing is built")
    lines += [f"compare  {each.environment}" for each in found.compare]
    return lines + (["preview  in a sandbox on the runner"] if found.preview else [])


def changes(found: Changes) -> list[str]:
    """Which components changed, which suites they need, and why."""
    components = ", ".join(found.components) or "none"
    return [found.why, f"components  {components}", f"suites      {', '.join(found.suites)}"]
