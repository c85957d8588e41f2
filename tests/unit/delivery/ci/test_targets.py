"""What an event deploys: the whole rule, on payloads as GitHub sends them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from delivery.ci import events, targets
from delivery.ci.events import Event
from delivery.config import effective, loading
from delivery.errors import BadInput
from delivery.paths import CONFIG_FILE


@pytest.fixture(scope="module")
def environments():
    """The repository's own three, with accounts."""
    found = effective.validated(loading.load(CONFIG_FILE))
    accounts = {"dev": "111122223333", "staging": "222233334444", "prod": "333344445555"}
    return {name: replace(each, account_id=accounts[name]) for name, each in found.items()}


def pull_request(head, base="owner/repo", into="main"):
    repository = {"full_name": head} if head else None
    return {
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": {"repo": repository, "sha": "b" * 40},
            "base": {"repo": {"full_name": base}, "sha": "a" * 40, "ref": into},
        },
    }


def deployed(environments, event, **options):
    found = targets.of(event, environments, **{"in_sandbox": False, **options})
    return [target.environment for target in found.deploy]


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("refs/heads/develop", ["dev"]),
        ("refs/heads/main", ["staging"]),
        ("refs/tags/v1.2.3", ["prod"]),
        ("refs/tags/v10.0.27", ["prod"]),
        ("refs/tags/v1.2.3-rc1", []),
        ("refs/tags/v1.2", []),
        ("refs/tags/v01.2.3", []),
        ("refs/tags/v1.2.3/../main", []),
        ("refs/tags/main", []),
        ("refs/heads/v1.2.3", []),
        ("refs/heads/main2", []),
        ("refs/heads/feature/main", []),
        ("main", []),
        ("", []),
    ],
)
def test_a_push_deploys_by_its_ref(environments, ref, expected):
    assert deployed(environments, Event("push", ref)) == expected


def test_a_ref_that_was_deleted_deploys_nothing(environments):
    payload = {"ref": "refs/heads/main", "before": "a" * 40, "after": "0" * 40, "deleted": True}

    assert deployed(environments, events.of_payload(payload)) == []


@pytest.mark.parametrize("name", ["pull_request", "merge_group", "schedule", "workflow_dispatch"])
def test_no_other_event_deploys_even_on_main(environments, name):
    assert deployed(environments, Event(name, "refs/heads/main")) == []


@pytest.mark.parametrize(
    ("ref", "approve"), [("refs/tags/v1.2.3", True), ("refs/heads/main", False)]
)
def test_only_what_the_configuration_says_waits_for_an_approval(environments, ref, approve):
    found = targets.of(Event("push", ref), environments, in_sandbox=False)

    assert found.approve is approve


def test_roles_are_named_by_account_environment_and_purpose(environments):
    (target,) = targets.of(Event("push", "refs/heads/main"), environments, in_sandbox=False).deploy

    assert target.deploy_role == "arn:aws:iam::222233334444:role/github-airbrew-staging-deploy"
    assert target.plan_role == "arn:aws:iam::222233334444:role/github-airbrew-staging-plan"


def test_prod_takes_over_staging_s_release_read_with_the_role_that_may_only_look(environments):
    found = targets.of(Event("push", "refs/tags/v1.2.3"), environments, in_sandbox=False)

    (target,) = found.deploy
    assert target.release_from == "staging"
    assert target.release_role == "arn:aws:iam::222233334444:role/github-airbrew-staging-plan"
    assert (target.release_region, target.release_cloud) == ("us-east-1", "AWS")
    assert found.why == "refs/tags/v1.2.3 deploys prod, with staging's release"


@pytest.mark.parametrize("ref", ["refs/heads/develop", "refs/heads/main"])
def test_what_proves_a_release_builds_its_own(environments, ref):
    (target,) = targets.of(Event("push", ref), environments, in_sandbox=False).deploy

    assert (target.release_from, target.release_role) == ("", "")


def test_without_a_staging_in_aws_prod_is_not_deployed_unless_it_is_said_to_build(environments):
    some = {**environments, "staging": replace(environments["staging"], account_id=None)}
    deploy = {**some["prod"].settings["deploy"], "release_from": None}
    prod = replace(some["prod"], settings={**some["prod"].settings, "deploy": deploy})
    event = Event("push", "refs/tags/v1.2.3")

    refused = targets.of(event, some, in_sandbox=True)
    (built,) = targets.of(event, {**some, "prod": prod}, in_sandbox=True).deploy

    assert refused.deploy == ()
    assert "staging, which has no account_id" in refused.why
    assert built.release_from == ""


def looked_at_by_pull_requests(environment):
    github = {**environment.settings["github"], "plan_pull_requests": True}
    return replace(environment, settings={**environment.settings, "github": github})


def test_a_pull_request_is_shown_and_compared_with_where_it_would_go(environments):
    event = events.of_payload(pull_request("owner/repo", into="develop"))
    open_ones = {name: looked_at_by_pull_requests(each) for name, each in environments.items()}

    found = targets.of(event, open_ones, in_sandbox=True)

    assert (found.deploy, found.preview) == ((), True)
    assert [target.environment for target in found.compare] == ["dev"]


def test_a_pull_request_is_compared_with_nothing_that_does_not_let_it_look(environments):
    event = events.of_payload(pull_request("owner/repo", into="develop"))

    assert targets.of(event, environments, in_sandbox=True).compare == ()


@pytest.mark.parametrize("head", ["somebody/repo", None], ids=["a fork", "a fork that is gone"])
def test_a_fork_s_pull_request_gets_a_preview_and_no_role(environments, head):
    event = events.of_payload(pull_request(head))

    found = targets.of(event, environments, in_sandbox=True)

    assert event.is_fork
    assert (found.deploy, found.compare, found.preview) == ((), (), True)


def test_a_schedule_looks_at_every_environment_that_has_an_account(environments):
    some = {**environments, "dev": replace(environments["dev"], account_id=None)}

    found = targets.of(Event("schedule"), some, in_sandbox=True)

    assert [target.environment for target in found.compare] == ["staging", "prod"]


def test_without_an_account_there_is_nothing_to_deploy_to_unless_one_tries_it_out(environments):
    some = {name: replace(each, account_id=None) for name, each in environments.items()}
    event = Event("push", "refs/heads/main")

    (tried,) = targets.of(event, some, in_sandbox=True).deploy

    assert deployed(some, event) == []
    assert "account_id" in targets.of(event, some, in_sandbox=False).why
    assert (tried.cloud, tried.deploy_role, tried.plan_role) == ("sandbox", "", "")


def test_a_new_branch_has_no_base_to_compare_with():
    payload = {"ref": "refs/heads/main", "before": "0" * 40, "after": "a" * 40}

    assert events.of_payload(payload).base == ""


def test_a_payload_is_read_from_its_file(tmp_path):
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"merge_group": {"head_ref": "refs/x", "base_sha": "a" * 40}}))

    assert events.read(str(file), "") == Event("merge_group", "refs/x", base="a" * 40)


@pytest.mark.parametrize("text", ["[]", "{}", "no JSON", '{"pull_request": {}}'])
def test_what_is_no_payload_is_refused(tmp_path, text):
    file = tmp_path / "event.json"
    file.write_text(text)

    with pytest.raises(BadInput, match=r"not a payload of GitHub's"):
        events.read(str(file), "")


def test_an_event_that_starts_nothing_here_is_refused():
    with pytest.raises(BadInput, match="'pull_request_target' is neither an event nor a file"):
        events.read("pull_request_target", "refs/heads/main")
