"""Our workflows, played: what each event runs, deploys, and what stops it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.cloud import ACCOUNTS
from tests.rehearsal import stand_ins, syntax
from tests.rehearsal.expressions import Refused
from tests.rehearsal.repository import push
from tests.rehearsal.scene import Circumstances, Event

ROOT = Path(__file__).parents[2]
STAGING, PROD = ACCOUNTS["staging"], ACCOUNTS["prod"]
DEPLOY = (
    'python -m invoke deploy --env "$ENVIRONMENT" --release "$RELEASE" --approve "$DIGEST"'
    " --wait 600"
)


def role(environment, purpose):
    return f"arn:aws:iam::{ACCOUNTS[environment]}:role/github-airbrew-{environment}-{purpose}"


def test_a_pull_request_is_tested_and_shown_and_nothing_is_deployed(a_pull_request):
    run = a_pull_request

    assert run.result("passed") == "success", run.lines
    assert run.result("preview") == "success"
    assert {run.result(job) for job in ("compare", "build", "plan", "deploy")} == {"skipped"}
    assert (run.artifacts["preview"] / "status-page.png").read_bytes().startswith(b"\x89PNG")
    assert any("| probe | brew 4, 5 and 6 work" in line for line in run.lines)


def test_a_pull_request_gets_no_token_that_may_write(a_pull_request):
    assert a_pull_request.obtained.write_tokens == []
    assert a_pull_request.obtained.identity_tokens == []


def test_a_push_to_develop_is_built_once_attested_verified_and_deployed_to_dev(a_push_to_develop):
    run = a_push_to_develop

    assert run.result("deploy") == "success", run.lines
    assert DEPLOY in run.commands("deploy")
    assert len(run.attested) == 1
    assert any("dev: sandbox" in line for line in run.lines)
    assert run.obtained.identity_tokens == ["attestation"]
    assert run.result("preview") == "skipped"
    assert run.result("passed") == "success"


@pytest.fixture(scope="module")
def a_push_to_main(play, repository, accounts):
    return play("push-to-main", push("refs/heads/main", accounts, repository.base))


def test_a_push_to_main_is_deployed_to_staging_by_its_role(a_push_to_main):
    run = a_push_to_main

    assert run.result("deploy") == "success", run.lines
    assert any(f"staging: AWS (amazonaws.com), account {STAGING}" in line for line in run.lines)
    assert run.obtained.identity_tokens == ["attestation", role("staging", "deploy")]


def test_a_merge_queue_s_check_tests_and_does_nothing_else(play, repository):
    sha = repository.git("rev-parse", "HEAD")
    group = {"head_ref": "refs/heads/gh-readonly-queue/main/pr-7", "base_sha": repository.base}
    event = Event("merge_group", group["head_ref"], sha, {"merge_group": group})

    run = play("merge-queue", event)

    assert run.result("passed") == "success", run.lines
    assert run.result("test / suite") == "success"
    assert {run.result(job) for job in ("preview", "compare", "build", "deploy")} == {"skipped"}


def test_a_failing_test_stops_the_run_before_anything_is_built(play, repository):
    sha = repository.git("rev-parse", "HEAD")
    event = push("refs/heads/develop", sha, repository.base)

    run = play("failing-test", event, Circumstances(failing_suites=frozenset({"unit"})))

    assert run.result("test") == "failure"
    assert run.result("passed") == "failure"
    assert {run.result(job) for job in ("build", "deploy")} == {"skipped"}
    assert any("- `unit.stand_in`: it is broken" in line for line in run.lines)


def test_a_rejected_approval_deploys_nothing(play, a_push_to_main):
    event = push("refs/tags/v1.0.0", a_push_to_main.event.sha, "0" * 40)

    run = play("rejected-approval", event, Circumstances(rejected=frozenset({"prod"})))

    assert run.result("plan") == "success", run.lines
    assert run.result("deploy") == "failure"
    assert run.commands("deploy") == []


@pytest.fixture(scope="module")
def a_tag(play, repository, a_push_to_main):
    sha = a_push_to_main.event.sha
    # A release that was built now would say so: its version, and with that its id, is another.
    repository.git("tag", "v1.0.1", sha)
    return play("tag", push("refs/tags/v1.0.1", sha, "0" * 40))


def test_a_version_s_tag_deploys_to_prod_just_the_plan_that_was_approved(a_tag):
    run = a_tag

    digest = run.jobs["plan"].outputs["digest"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert run.result("deploy") == "success", run.lines
    assert any(f"approves `{digest}`" in line for line in run.lines)
    assert any(f"prod: AWS (amazonaws.com), account {PROD}" in line for line in run.lines)


def test_each_job_on_the_way_to_prod_has_the_one_role_that_it_needs(a_tag):
    # The build takes over what stands in staging, the plan looks at prod, the deploy changes it.
    assert a_tag.obtained.identity_tokens == [
        role("staging", "plan"),
        role("prod", "plan"),
        role("prod", "deploy"),
    ]
    assert a_tag.obtained.secrets == []


def test_prod_gets_the_release_that_staging_has_proven_and_nothing_is_built_for_it(
    a_tag, a_push_to_main, player
):
    run = a_tag

    release = run.jobs["build"].outputs["release"]
    assert release == a_push_to_main.jobs["build"].outputs["release"]
    assert not any("invoke package" in each for each in run.commands("build"))
    assert run.attested == {}
    assert set(a_push_to_main.attested) == {release}
    assert player.standing("prod", PROD) == player.standing("staging", STAGING) == release


def test_a_tag_of_a_commit_that_staging_has_not_proven_deploys_nothing(play, repository, a_tag):
    before = repository.git("rev-parse", "HEAD")
    sha = repository.commit("not on main", {"lambdas/mirror/keys.py": "\n"})

    run = play("unproven-tag", push("refs/tags/v1.0.2", sha, "0" * 40))

    repository.git("checkout", "-q", "--detach", before)
    assert run.result("build") == "failure"
    assert {run.result(job) for job in ("plan", "deploy")} == {"skipped"}
    assert any(f"{sha} is not what staging has proven" in line for line in run.lines)


def test_a_pre_release_s_tag_deploys_nothing(play, repository):
    sha = repository.git("rev-parse", "HEAD")

    run = play("pre-release", push("refs/tags/v1.0.1-rc1", sha, "0" * 40))

    assert run.result("passed") == "success", run.lines
    assert {run.result(job) for job in ("build", "plan", "deploy")} == {"skipped"}


def test_a_failing_smoke_test_fails_the_deploy_and_the_environment_stays_as_it_was(
    play, repository
):
    before = repository.git("rev-parse", "HEAD")
    broken = {"lambdas/orchestrator/handler.py": "\nraise RuntimeError('broken on purpose')\n"}
    sha = repository.commit("a function that does not start", broken)

    run = play("failing-smoke-test", push("refs/heads/develop", sha, before))

    assert run.result("build") == "success", run.lines
    assert run.result("deploy") == "failure"
    assert any("failed its smoke test" in line for line in run.lines)
    assert any("now:   dev is back on deploy" in line for line in run.lines)
    repository.git("checkout", "-q", "--detach", before)


def test_a_release_that_was_changed_on_its_way_is_not_deployed(
    play, player, repository, monkeypatch
):
    sha = repository.git("rev-parse", "HEAD")
    honest = stand_ins.ACTIONS["actions/download-artifact"]

    def tampered(run, inputs, permissions):
        honest(run, inputs, permissions)
        (layer,) = run.workspace.glob("build/release/*/orchestrator.zip")
        layer.write_bytes(layer.read_bytes() + b"more")
        return {}

    monkeypatch.setitem(stand_ins.ACTIONS, "actions/download-artifact", tampered)

    run = play("tampered-artifact", push("refs/heads/develop", sha, repository.base))

    assert run.result("deploy") == "failure"
    assert DEPLOY not in run.commands("deploy")
    assert any("orchestrator.zip is not what was built" in line for line in run.lines)


@pytest.mark.parametrize("ref", ["refs/heads/feature", "refs/tags/latest", "refs/tags/v1"])
def test_other_refs_start_nothing(player, repository, ref):
    run = player.play(push(ref, repository.base, "0" * 40))

    assert run.jobs == {}


def test_every_workflow_is_within_what_is_rehearsed():
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

    assert [syntax.read(file).path for file in files] == ["cicd.yml", "scheduled.yml", "test.yml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout-minutes: 10", "continue-on-error: true"),
        ("  merge_group:", "  workflow_run:"),
        ("shell: bash", "shell: sh"),
    ],
)
def test_what_is_outside_of_the_subset_is_refused(tmp_path, old, new):
    text = (ROOT / ".github" / "workflows" / "cicd.yml").read_text()
    file = tmp_path / "cicd.yml"
    file.write_text(text.replace(old, new, 1))

    with pytest.raises(Refused):
        syntax.read(file)
