"""Whether a deployed account is as safe as declared: a table, JSON, a page, SARIF."""

from __future__ import annotations

import json as encoding
from dataclasses import asdict
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit

from verbs import console, saved
from verbs.options import ENV_HELP, JSON_HELP
from verbs.target import announce, environment_named, reach
from verbs.verb import verb

if TYPE_CHECKING:  # The verb imports what it needs; this module needs the name only.
    from delivery.security.report import Report


@verb(
    help={
        "env": ENV_HELP,
        "html": "also write it as a page into this file",
        "sarif": "also write it as SARIF into this file, for GitHub's code scanning",
        "json": JSON_HELP,
    }
)
def report(
    context: Context, env: str = "", html: str = "", sarif: str = "", json: bool = False
) -> None:
    """Put every control to the deployed account; exit 1 where something is found and not muted.

    Example: inv security.report --env prod --sarif security.sarif
    """
    from delivery.security import formats
    from delivery.security import report as reporting

    environment = environment_named(env)
    cloud = reach(environment)
    announce(environment, cloud, as_json=json)
    found = reporting.make(environment, cloud)
    if html:
        saved.save(html, formats.page(found).encode(), "--html")
    if sarif:
        saved.save(sarif, encoding.dumps(formats.sarif(found), indent=2).encode(), "--sarif")
    if json:
        console.document(asdict(found))
    else:
        _show(found)
    if found.not_accepted:
        raise Exit(code=1)


def _show(found: Report) -> None:
    for each in found.findings:
        word = f"muted by {each.muted_by}" if each.muted_by else each.severity
        console.line(f"{word}  {each.id}  {each.resource}")
        console.line(f"  {each.evidence}")
        console.line(f"  next: {each.remedy}")
    console.line(
        f"{len(found.controls)} controls, {len(found.not_accepted)} findings that nobody accepted"
    )
