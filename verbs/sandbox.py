"""The sandbox: a local AWS and a sample Homebrew on this machine, started when first needed."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit

from delivery.paths import ROOT, shown
from sandbox import cloud
from sandbox.cloud import ServerStatus
from verbs import console
from verbs.options import JSON_HELP
from verbs.verb import verb


@verb(help={"json": JSON_HELP})
def up(context: Context, json: bool = False) -> None:
    """Start the sandbox, or find that it runs; `inv deploy` does this by itself.

    Example: inv sandbox.up
    """
    cloud.up(ROOT, report=console.note)
    _show(cloud.status(ROOT), as_json=json)


@verb(help={"json": JSON_HELP})
def status(context: Context, json: bool = False) -> None:
    """Show which servers of the sandbox run, and where; changes nothing.

    Example: inv sandbox.status --json
    """
    _show(cloud.status(ROOT), as_json=json)


@verb()
def down(context: Context) -> None:
    """Stop the sandbox; what was deployed in it is kept for the next start.

    Example: inv sandbox.down
    """
    stopped = cloud.down(ROOT)
    if stopped:
        console.line(f"stopped {', '.join(stopped)}; `inv sandbox.up` continues where it was")
    else:
        console.line("the sandbox was not running")


@verb(help={"yes": "do not ask"})
def reset(context: Context, yes: bool = False) -> None:
    """Stop the sandbox and delete all that is in it: every environment, bucket and bottle.

    Example: inv sandbox.reset --yes
    """
    if not yes and not console.confirm("Delete everything that the sandbox holds?"):
        raise Exit("nothing was deleted", code=1)
    cloud.reset(ROOT)
    console.line("the sandbox is empty; `inv deploy --env dev` begins anew")


def _show(found: Sequence[ServerStatus], *, as_json: bool) -> None:
    if as_json:
        console.document([_as_json(server) for server in found])
        return
    console.table(
        ["server", "state", "address", "pid", "log"],
        [
            [
                server.name,
                "running" if server.is_up else "down",
                server.url or "-",
                str(server.pid or "-"),
                shown(server.log),
            ]
            for server in found
        ],
    )
    if not any(server.is_up for server in found):
        console.line("the sandbox is down; `inv sandbox.up` or any `inv deploy` starts it")


def _as_json(server: ServerStatus) -> dict[str, object]:
    return {
        "name": server.name,
        "is_up": server.is_up,
        "url": server.url,
        "pid": server.pid,
        "log": shown(server.log),
    }
