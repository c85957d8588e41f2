"""The part of a deploy that changes something: plan, apply, sync, fetch a bottle back, record."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery import content, executions, settings, state_bucket
from delivery.checkout import Checkout
from delivery.cloud import Cloud
from delivery.config import rendering
from delivery.environment import Environment
from delivery.errors import DeliveryError
from delivery.probe import gate
from delivery.releases import history, under_way
from delivery.serving import serving
from delivery.site import Outcome, Site
from delivery.smoke import fetch_as_brew_would
from delivery.terraform.running import Plan, Workspace

LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
NOT_COPIED = shutil.ignore_patterns(".terraform")


def plan(site: Site) -> Outcome:
    """What `carry_out` would do; nothing is created or changed in the cloud."""
    is_first = not state_bucket.exists(site.cloud, site.bucket)
    found = _first_plan(site) if is_first else _plan(site)
    return site.outcome(
        "planned", number=site.number, changes=found.counts, change_lines=found.lines
    )


def carry_out(site: Site) -> Outcome:
    """Do it and record how it ended; a failure and Ctrl-C are recorded, then raised on."""
    outputs = dict(site.outputs_before)
    try:
        _bootstrap(site)
        with under_way.marked(site.cloud, site.bucket, site.environment.name):
            return _apply_and_prove(site, outputs)
    # Whatever it is, Ctrl-C included, the next deploy and `inv status` have to know.
    except BaseException as error:
        _record_failure(site, error, outputs)
        raise


def workspace(checkout: Checkout, environment: Environment, cloud: Cloud, bucket: str) -> Workspace:
    """The environment's Terraform root, initialised against its state."""
    found = Workspace.at(
        checkout.root_of(environment),
        data_dir=checkout.data_dir(environment),
        variables=cloud.variables,
        state_dir=checkout.state_dir,
    )
    found.init(state_bucket.backend_config(cloud, bucket, environment.name))
    return found


def _bootstrap(site: Site) -> None:
    with site.steps.step("bootstrap"):
        if state_bucket.ensure(site.cloud, site.bucket):
            site.steps.detail(f"created s3://{site.bucket}")
        for built in site.artifacts.values():
            key = settings.artifact_key(built.name, built.sha256)
            if state_bucket.upload(site.cloud, site.bucket, key, built.path):
                site.steps.detail(f"uploaded {built.name} {built.sha256[:12]}")


def _plan(site: Site) -> Plan:
    with site.steps.step("init"):
        rendering.write(site.checkout.settings_file(site.environment), site.settings)
        terraform = workspace(site.checkout, site.environment, site.cloud, site.bucket)
    return _planned(site, terraform)


def _first_plan(site: Site) -> Plan:
    """The plan where nothing was ever deployed: in a copy of the tree, with an empty state.

    The real backend would need the state bucket, and a plan creates nothing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = replace(site.checkout, terraform_dir=Path(scratch) / "terraform")
        with site.steps.step("init"):
            shutil.copytree(site.checkout.terraform_dir, copy.terraform_dir, ignore=NOT_COPIED)
            root = copy.root_of(site.environment)
            rendering.write(copy.settings_file(site.environment), site.settings)
            # Terraform lets a file of this name replace what others say ("Override Files").
            (root / "backend_override.tf").write_text(LOCAL_BACKEND)
            terraform = Workspace.at(
                root,
                data_dir=Path(scratch) / "data",
                variables=site.cloud.variables,
                state_dir=site.checkout.state_dir,
            )
            terraform.init({})
        return _planned(site, terraform)


def _planned(site: Site, terraform: Workspace) -> Plan:
    with site.steps.step("plan"):
        found = terraform.plan()
        site.steps.detail(found.summary)
    return found


def _apply_and_prove(site: Site, outputs: dict[str, Any]) -> Outcome:
    """Fills `outputs` as soon as they are known, so that a failure later on can tell them."""
    found = _plan(site)
    with site.steps.step("apply"):
        found.apply(site.steps.detail)
        outputs |= found.outputs()
    sync = _sync(site, outputs)
    snapshot = _snapshot(site, outputs, sync)
    bottle = _fetch_back(site, outputs) if snapshot else {}
    proof = _probe(site, outputs, snapshot) if snapshot else {}
    with site.steps.step("record"):
        record = site.record("succeeded", outputs=outputs, sync=sync)
        history.append(site.cloud, site.bucket, record)
    return site.outcome(
        "deployed",
        number=site.number,
        outputs=outputs,
        changes=found.counts,
        sync=sync,
        bottle=bottle,
        probe=proof,
    )


def _sync(site: Site, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if _is_filled_by_import(site):
        return {}
    with site.steps.step("sync"):
        arn = executions.start(site.cloud, outputs["state_machine_arn"])
        execution = executions.follow(site.cloud, arn, site.steps.detail)
    return {"execution": execution.arn, "seconds": execution.seconds, **execution.output}


def _is_filled_by_import(site: Site) -> bool:
    """Whether it stands behind an air gap, where a sync would find no upstream."""
    return bool(site.environment.settings["mirror"]["filled_by"] == "import")


def _snapshot(site: Site, outputs: Mapping[str, Any], sync: Mapping[str, Any]) -> str | None:
    """The id of what there is to prove; None for a mirror that waits for its first import."""
    if sync:
        return str(sync["snapshot"])
    newest = content.latest_snapshot(site.cloud, outputs["mirror_bucket"])
    return newest.id if newest else None


def _fetch_back(site: Site, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    selection = site.settings["selection"]
    bucket = outputs["mirror_bucket"]
    # An API file names all of Homebrew: only the snapshot says what the selection left in.
    formulae = content.formulae(site.cloud, bucket, selection["formulae"])
    with site.steps.step("fetch back"), serving(site.cloud, bucket) as url:
        bottle = fetch_as_brew_would(
            url,
            selection["platforms"][0],
            formulae,
            site.settings["upstream"]["signing_key_pem"],
        )
        site.steps.detail(f"{bottle.formula} {bottle.version} {bottle.tag}")
    return asdict(bottle)


def _probe(site: Site, outputs: Mapping[str, Any], snapshot: str) -> Mapping[str, Any]:
    with site.steps.step("probe"):
        proof = gate.check(
            site.cloud,
            outputs["mirror_bucket"],
            snapshot,
            public_key_pem=site.settings["upstream"]["signing_key_pem"],
            environment=site.environment.name,
        )
    return asdict(proof)


def _record_failure(site: Site, error: BaseException, outputs: Mapping[str, Any]) -> None:
    record = site.record("failed", outputs=outputs, error=_in_words(site.steps.current, error))
    try:
        if state_bucket.exists(site.cloud, site.bucket):  # Else it failed before there was one.
            history.append(site.cloud, site.bucket, record)
    except (DeliveryError, BotoCoreError, ClientError) as second:
        # The first error is what the user must see; the mark still tells the next deploy.
        site.steps.detail(f"the failure could not be recorded: {second}")


def _in_words(step: str, error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"{step}: interrupted"
    return f"{step}: {error.problem if isinstance(error, DeliveryError) else error}"
