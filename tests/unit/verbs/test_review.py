"""plan and drift: what a person reads, what a script gets, and how the command ends."""

from __future__ import annotations

import json
import sys

import pytest

from delivery import checkout as checkouts
from delivery.deploy import deployment, lock
from delivery.drift import looking
from tests.doubles.plans import document, entry
from tests.doubles.stand import Stand
from verbs import console, report_plan

BUCKET = "module.airbrew.module.storage.aws_s3_bucket.mirror"
FUNCTION = "module.airbrew.module.functions.aws_lambda_function.worker"
LOGS = "module.airbrew.module.functions.aws_cloudwatch_log_group.worker"
COST = {
    "monthly_usd": 2.5,
    "date": "2025-01",
    "region": "us-east-1",
    "lines": [{"item": "s3 storage", "monthly_usd": 2.5}],
    "assumptions": ["one sync"],
    "not_counted": ["taxes"],
}


@pytest.fixture
def stand(tmp_path, mirror, public_key_pem, monkeypatch):
    """What the verbs work on instead of this checkout and an account."""
    stand = Stand(tmp_path, public_key_pem)
    monkeypatch.setattr("verbs.target.CONFIG_FILE", tmp_path / "airbrew.yaml")
    monkeypatch.setattr("delivery.cloud.aws", lambda *_: stand.cloud)
    for module in (deployment, looking, checkouts):
        monkeypatch.setattr(module, "Checkout", lambda: stand.checkout)
    monkeypatch.setattr("delivery.drift.culprits.named", lambda _cloud, found, **_: list(found))
    return stand


def reviewed(*entries, **more):
    """What `report_plan.review` is given, of a plan with these resources."""
    empty = {"findings": [], "exempted": [], "unseen": [], "expired_exceptions": []}
    plan = document(*entries).as_json()
    return {"plan": plan, "cost": COST, "digest": "d" * 64, **empty, **more}


def printed(capsys, *entries, **more):
    report_plan.review(reviewed(*entries, **more))
    return capsys.readouterr().out.splitlines()


def test_a_plan_ends_with_the_command_that_applies_exactly_it(inv, stand):
    ended = inv("plan", "--env", "dev")

    digest = json.loads(inv("plan", "--env", "dev", "--json").out)["review"]["digest"]
    assert ended.code == 0
    assert f"digest: {digest}\n" in ended.out
    assert ended.out.splitlines()[-1] == f"  inv deploy --env dev --approve {digest}"


def test_a_plan_names_the_release_that_an_approval_lets_in_and_that_no_commit_has_it(inv, stand):
    told = inv("plan", "--env", "dev").out.splitlines()[1]

    inv("deploy", "--env", "dev")
    release = stand.latest().release["id"][:12]
    assert told == (
        f"release: {release}, 0.0.0+no.git, no commit, with changes that are in no commit"
    )


def test_a_deploy_ends_with_the_release_that_it_brought(inv, stand):
    ended = inv("deploy", "--env", "dev")

    release = stand.latest().release["id"][:12]
    assert f"  release    {release}, 0.0.0+no.git, no commit, with changes" in ended.out
    assert "acme-dev-orchestrator, acme-dev-sync-worker, acme-dev-collector\n" in ended.out


@pytest.mark.parametrize("verb", ["plan", "drift"])
def test_who_looks_while_a_deploy_runs_can_wait_for_it_as_the_refusal_says(inv, stand, verb):
    inv("deploy", "--env", "dev")
    with lock.held(stand.checkout.state_dir, "dev"):
        refused = inv(verb, "--env", "dev")

    assert refused.code == 1
    assert "wait for it to end: add --wait 600" in refused.err
    assert inv(verb, "--env", "dev", "--wait", "1").code == 0


def test_a_plan_of_a_release_names_it_in_the_command_that_applies_it(inv, stand):
    inv("deploy", "--env", "dev")
    release = stand.latest().release["id"][:12]

    ended = inv("plan", "--env", "dev", "--release", release)

    assert f"  inv deploy --env dev --release {release} --approve " in ended.out


def test_a_deploy_that_is_forbidden_ends_with_1_and_says_what_why_and_what_to_do(inv, stand):
    planted = [entry("module.site.aws_s3_bucket_acl.a", after={"acl": "public-read"})]
    stand.variables["DOUBLE_PLANTED"] = json.dumps(planted)

    ended = inv("deploy", "--env", "dev")

    assert ended.code == 1
    assert "public-acl: module.site.aws_s3_bucket_acl.a: acl: public-read" in ended.err
    assert "why:  anybody on the internet can then read or write objects" in ended.err


def test_a_plan_that_a_deploy_would_refuse_for_its_commit_names_no_next_command(inv, stand):
    stand.configure("defaults: {deploy: {uncommitted: refused}}\n")

    planned, deployed = inv("plan", "--env", "dev"), inv("deploy", "--env", "dev")

    assert (planned.code, deployed.code) == (0, 2)
    assert "refused: changes that are in no commit (deploy.uncommitted)" in planned.out
    assert "next:" not in planned.out
    assert "commit them (`git status` names them) and run it again" in deployed.err


def test_no_drift_ends_with_0_and_drift_with_2(inv, stand):
    inv("deploy", "--env", "dev")
    clean = inv("drift", "--env", "dev")
    change = entry(LOGS, "update", before={"retention": 1}, after={"retention": 7})
    stand.variables["DOUBLE_PLANTED"] = json.dumps([change])

    drifted = inv("drift", "--env", "dev")
    as_json = inv("drift", "--env", "dev", "--json")

    assert (clean.code, drifted.code, as_json.code) == (0, 2, 2)
    assert "no drift: 0 resources are as deploy 1 left them" in clean.out
    assert "functions.aws_cloudwatch_log_group.worker  retention  7         1" in drifted.out
    assert drifted.out.splitlines()[-1] == "  inv drift --env dev --fix"
    assert json.loads(as_json.out)["drift"][0]["declared"] == 7


def test_an_update_shows_old_and_new_and_a_replacement_what_forces_it(capsys):
    lines = printed(
        capsys,
        entry(FUNCTION, "update", before={"memory": 512}, after={"memory": 1024}),
        entry(
            BUCKET,
            "replace",
            before={"bucket": "a"},
            after={"bucket": "b"},
            replace_paths=[["bucket"]],
            action_reason="replace_because_cannot_update",
        ),
    )

    assert f"  ~   {FUNCTION}" in lines
    assert "        memory: 512 → 1024" in lines
    assert (
        f"  -/+ {BUCKET}   (cannot be changed in place; because of bucket; LOSES objects)" in lines
    )
    assert "        bucket: a → b   forces the replacement" in lines
    assert "plan: 1 to create, 1 to change, 1 to destroy (1 of them by replacement)" in lines


def test_what_loses_data_is_red_on_a_terminal_and_nothing_else_is(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    lines = printed(
        capsys, entry(BUCKET, "delete", before={"bucket": "a"}), entry(FUNCTION, "delete")
    )

    assert [line for line in lines if "\033[31m" in line] == [
        f"\033[31m  -   {BUCKET}   (LOSES objects)\033[0m"
    ]
    assert console.red("x") == "\033[31mx\033[0m"


def test_many_creations_are_told_by_kind_and_changes_in_full(capsys):
    many = [entry(f"aws_iam_role.r{number}") for number in range(13)]

    lines = printed(capsys, *many, entry(FUNCTION, "update", before={"m": 1}, after={"m": 2}))

    assert "  +   13 aws_iam_role" in lines
    assert not any("r12" in line for line in lines)
    assert f"  ~   {FUNCTION}" in lines


def test_a_long_change_is_cut_and_says_how_much_is_left(capsys):
    before = {f"a{number:02}": 1 for number in range(12)}

    lines = printed(
        capsys, entry(FUNCTION, "update", before=before, after=dict.fromkeys(before, 2))
    )

    assert "        and 4 more (--json)" in lines


def test_the_cost_says_how_old_its_prices_are_and_what_is_not_in_it(capsys):
    lines = printed(capsys)

    assert (
        "cost: 2.50 US dollars a month at list prices of 2025-01, us-east-1 (s3 storage 2.50)"
        in lines
    )
    assert "  not counted: taxes" in lines


def test_what_could_not_be_checked_and_what_was_accepted_is_told(capsys):
    finding = {"policy": "public-acl", "address": "a", "evidence": "e", "why": "w", "remedy": "r"}
    lines = printed(
        capsys,
        unseen=["aws_iam_role_policy.a"],
        findings=[finding],
        exempted=[{**finding, "until": "2027-01-31", "reason": "on purpose"}],
        expired_exceptions=["public-acl b 2020-01-01 long ago"],
    )

    assert any("policies of aws_iam_role_policy.a are known only after" in line for line in lines)
    assert "forbidden: public-acl: a: e" in lines
    assert "accepted until 2027-01-31: public-acl: a (on purpose)" in lines
    assert "no longer accepted: public-acl b 2020-01-01 long ago" in lines
