"""What a change would look like: deployed to the sandbox, synced, probed, and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from delivery.ci import picture
from delivery.cloud import Cloud
from delivery.deploy import deployment
from delivery.deploy.site import Outcome
from delivery.environment import Environment
from delivery.errors import ToolMissing
from delivery.mirror.serving import serving
from delivery.progress import Steps


@dataclass(frozen=True)
class Preview:
    """What came of it; `picture` is None, and `no_picture` says why, where there is no browser."""

    outcome: Outcome
    picture: Path | None
    no_picture: str

    def markdown(self) -> str:
        """The section of a run's page."""
        return "\n".join(_told(self)) + "\n"


def show(environment: Environment, cloud: Cloud, steps: Steps, folder: Path) -> Preview:
    """Deploy the checkout, prove it as every deploy does, and take the status page's picture.

    Raises:
        DeliveryError: what ended the deploy.
    """
    outcome = deployment.deploy(environment, cloud, steps)
    try:
        with steps.step("picture"), serving(cloud, outcome.outputs["mirror_bucket"]) as url:
            taken = picture.take(url, folder / "status-page.png")
    except ToolMissing as error:
        return Preview(outcome, None, error.problem)
    return Preview(outcome, taken, "")


def _told(preview: Preview) -> Iterator[str]:
    outcome = preview.outcome
    yield f"### Preview: {outcome.environment} in a sandbox on the runner"
    yield ""
    yield "| what | outcome |"
    yield "| --- | --- |"
    counts = outcome.changes
    if counts:
        planned = f"{counts['create']} to create, {counts['update']} to change"
        yield f"| plan | {planned}, {counts['delete']} to destroy |"
    yield f"| deploy | {outcome.action} |"
    if outcome.sync:
        sync = outcome.sync
        yield f"| sync | snapshot {sync.get('snapshot')} in {sync.get('seconds', 0):.0f} s |"
    if outcome.probe:
        yield f"| probe | brew 4, 5 and 6 work ({outcome.probe['requests']} requests) |"
    name = preview.picture.name if preview.picture else f"none: {preview.no_picture}"
    yield f"| status page | {name} |"
    if outcome.change_lines:
        yield from ("", "```", *outcome.change_lines, "```")
