"""What people change by hand is found, explained and put back; and an approved production deploy.

The tests are one story in the order they stand: each starts from what the one before left.
AIRBREW_CLEAN_LOOKS=50 looks fifty times at what nobody has changed instead of four.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict

import boto3
import pytest
import yaml

from tests.doubles.planted_drift import PLANTED, READER

# Economical: a look at everything takes five seconds on a quiet machine.
CLEAN_LOOKS = int(os.environ.get("AIRBREW_CLEAN_LOOKS", "4"))
PLANS = 10
CONFIGURATION = "config/airbrew.yaml"


@pytest.fixture(scope="module")
def outputs(checkout):
    """What the first deploy of dev put out."""
    return checkout.answer("deploy", "--env", "dev")["outputs"]


@pytest.fixture(scope="module")
def clients(checkout, outputs):
    """Clients of somebody else in dev's account."""
    servers = {each["name"]: each["url"] for each in checkout.answer("sandbox.status")}
    session = boto3.Session(
        aws_access_key_id="111111111111",
        aws_secret_access_key="sandbox",
        region_name="us-east-1",
    )
    return lambda service: session.client(service, endpoint_url=servers["ministack"])


def configure_production(checkout, **settings):
    """Set what prod has of its own; the file as it was before."""
    file = checkout.root / CONFIGURATION
    before = file.read_text()
    document = yaml.safe_load(before)
    document["environments"]["prod"] |= settings
    file.write_text(yaml.safe_dump(document))
    return before


def drift(checkout, *words):
    """The exit code and the document of `inv drift`."""
    ended = checkout.inv("drift", "--env", "dev", "--json", *words)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_what_was_just_deployed_has_not_drifted(checkout, outputs):
    for _ in range(CLEAN_LOOKS):
        code, found = drift(checkout)

        assert (code, found["drift"], found["gaps"]) == (0, [], [])


def test_the_record_names_what_no_rollback_may_take_away(checkout, outputs):
    (record,) = checkout.answer("history", "--env", "dev")

    assert {
        "module.airbrew.module.storage.aws_s3_bucket.mirror",
        "module.airbrew.module.monitoring[0].aws_cloudtrail.trail",
    } <= set(record["protected"])
    assert not any("aws_iam_" in each or "aws_lambda_" in each for each in record["protected"])


def test_what_a_sync_is_bringing_is_no_drift(checkout, outputs):
    sync = subprocess.Popen(
        checkout.command("mirror.sync", "--env", "dev", "--json"),
        cwd=checkout.root,
        env=checkout.environment({}),
        stdout=subprocess.PIPE,
        text=True,
    )
    with sync:
        code, found = drift(checkout)
        synced = json.loads(sync.communicate()[0])

    assert (code, found["drift"], found["gaps"]) == (0, [], [])
    assert (sync.returncode, synced["output"]["bottles"] > 0) == (0, True)


@pytest.fixture(scope="module")
def planted(checkout, outputs, clients):
    """Every change by hand at once, and what a drift report says of them."""
    for each in PLANTED.values():
        each.plant(clients, outputs)
    code, found = drift(checkout)
    assert code == 2
    return found["drift"]


@pytest.mark.parametrize("name", PLANTED)
def test_every_change_by_hand_is_found_at_its_place(planted, outputs, name):
    change = PLANTED[name]
    address = change.address.format(**outputs)

    seen = [
        each
        for each in planted
        if each["address"].startswith(address) and each["attribute"].startswith(change.attribute)
    ]

    assert seen, sorted({f"{each['address']} {each['attribute']}" for each in planted})
    assert {each["mended_by"] for each in seen} == {"hand" if change.by_hand else "deploy"}


def test_nothing_else_is_found(planted, outputs):
    addresses = {each.address.format(**outputs) for each in PLANTED.values()}

    strangers = [each for each in planted if not each["address"].startswith(tuple(addresses))]
    assert strangers == []


def test_where_the_trail_knows_it_says_who_and_when(planted):
    events = defaultdict(set)
    for each in planted:
        events[each["address"].rpartition(".")[2]].add((each["event"], each["who"]))

    told = events['function["orchestrator"]']
    assert ("PutRetentionPolicy", "arn:aws:iam::111111111111:user/111111111111") in told
    assert all(each["when"] for each in planted if each["who"])
    assert sum(bool(each["who"]) for each in planted) > len(planted) / 2


def test_a_person_reads_one_table_and_the_command_that_puts_it_back(checkout, planted):
    ended = checkout.inv("drift", "--env", "dev")

    assert ended.returncode == 2
    assert "retention_in_days" in ended.stdout
    assert "by hand: " in ended.stdout
    assert ended.stdout.splitlines()[-1] == "  inv drift --env dev --fix"


def test_fixing_puts_back_all_but_what_nobody_declares(checkout, planted):
    code, found = drift(checkout, "--fix")
    again, left = drift(checkout)

    assert (code, again) == (2, 2)
    assert len(found["drift"]) > len(left["drift"])
    assert {each["attribute"] for each in left["drift"]} == {"inline_policy", "managed_policy_arns"}


def test_what_a_person_has_taken_away_is_no_longer_told(checkout, planted, outputs, clients):
    role, iam = outputs["orchestrator_function"], clients("iam")
    iam.delete_role_policy(RoleName=role, PolicyName="backdoor")
    iam.detach_role_policy(RoleName=role, PolicyArn=READER)

    code, found = drift(checkout)
    assert (code, found["drift"]) == (0, [])


def test_no_policy_is_violated_by_our_own_plan_of_staging(checkout, outputs):
    review = checkout.answer("plan", "--env", "staging")["review"]

    assert (review["findings"], review["unseen"]) == ([], [])


@pytest.fixture(scope="module")
def plans(checkout, outputs):
    """Plans of the same production, one after the other; nothing is deployed there yet."""
    configure_production(checkout, deploy={"uncommitted": "allowed"})  # The copy is of no commit.
    return [checkout.answer("plan", "--env", "prod")["review"] for _ in range(PLANS)]


def test_a_plan_of_anything_else_is_refused_with_the_difference_in_words(checkout, plans):
    before = configure_production(checkout, logs={"retention_days": 3})

    ended = checkout.inv("deploy", "--env", "prod", "--approve", plans[0]["digest"])
    (checkout.root / CONFIGURATION).write_text(before)

    assert ended.returncode == 1
    assert "the setting logs.retention_days is 3, approved was " in ended.stderr
    assert "retention_in_days would go none → 3, approved was none → " in ended.stderr


def test_plans_of_the_same_production_have_one_digest_and_it_is_applied(checkout, plans):
    refused = checkout.inv("deploy", "--env", "prod")
    digest = plans[0]["digest"]

    deployed = checkout.answer("deploy", "--env", "prod", "--approve", digest)

    assert {each["digest"] for each in plans} == {digest}
    assert all(each["findings"] == [] and each["unseen"] == [] for each in plans)
    assert refused.returncode == 1
    assert digest in refused.stderr
    assert deployed["action"] == "deployed"
