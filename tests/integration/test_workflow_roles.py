"""What GitHub's two roles do for an environment from its first deploy to its last, and no more.

The tests are one story in the order they stand: each starts from what the one before left.
"""

from __future__ import annotations

import fnmatch
import json
import shutil
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from delivery import image_repository, standing
from delivery.deploy import deployment, destruction, rollback
from delivery.drift import looking
from delivery.errors import TerraformFailed
from delivery.mirror import periods, sync_reports
from delivery.oidc import access
from delivery.oidc.bootstrap import bootstrap
from delivery.paths import LAMBDAS_DIR
from delivery.progress import Steps
from delivery.releases import origin, store
from delivery.secrets import checking
from delivery.security import report
from tests.doubles import iam_use, planted_strays, service_calls
from tests.doubles.github_tokens import claims
from tests.doubles.planted_drift import PLANTED
from tests.integration.bootstrapped import Account, checkout_in, environments_of
from tests.integration.enforcement import (
    CONTEXT,
    DECISIONS,
    UNNAMED,
    enforcing,
    sample_upstream,
)
from tests.integration.forbidden_workflows import ELSEWHERE, NO_DEPLOY_EITHER, NO_PLAN_EITHER
from tests.integration.unplayed_workflows import REFUSED, UNPLAYED
from tests.integration.workflow_settings import BEGINS, LATER, WITHOUT
from verbs import probing

DEVELOP = "refs/heads/develop"
LIFE, MISDEEDS = "life", "misdeeds"
SECRET = "airbrew-dev/slack-webhook-url"
# A plain deploy does not look at them; `inv drift --fix` puts them back (test_drift).
SETTINGS = "settings overwritten"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workflows")


@pytest.fixture(scope="module")
def account(folder):
    """A local AWS behind TLS that denies what no policy allows, and writes down what is asked."""
    (folder / "ministack").mkdir()
    with enforcing(folder / "ministack", "tests.doubles.recording_tls_aws") as cloud:
        yield Account(cloud, environments_of(BEGINS, folder))


@pytest.fixture(scope="module")
def begins(account):
    """The environment as it is deployed first."""
    return account.environments["dev"]


@pytest.fixture(scope="module")
def later(folder):
    """The same, with other settings of everything that can be changed."""
    return environments_of(LATER, folder)["dev"]


@pytest.fixture(scope="module")
def checkout(folder, terraform):
    """A checkout whose functions can be changed."""
    shutil.copytree(LAMBDAS_DIR, folder / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    return checkout_in(folder, lambdas=folder / "lambdas")


@pytest.fixture(scope="module")
def policies(account, begins, checkout):
    """Purpose → what the role is allowed, once the account is bootstrapped."""
    bootstrap(begins, account.cloud, Steps(), checkout=checkout)
    found = {purpose: account.policy("dev", purpose) for purpose in access.PURPOSES}
    account.allow_unnamed("dev")
    return found


@pytest.fixture(scope="module")
def workflows(account, policies, tmp_path_factory):
    """Purpose → the cloud as a workflow of develop sees it."""
    told = {
        "deploy": claims(DEVELOP, environment="dev", immutable=True),
        "plan": claims(DEVELOP),
    }
    with sample_upstream(tmp_path_factory.mktemp("upstream")) as server:
        upstream = {
            "api_url": f"{server.url}/api",
            "registry_url": server.url,
            "signing_key_pem": server.public_key_pem,
        }
        yield {
            purpose: replace(account.assumed("dev", purpose, each, LIFE), upstream=upstream)
            for purpose, each in told.items()
        }


@pytest.fixture(scope="module")
def deployed(account, begins, workflows, checkout):
    """A whole deploy by a workflow on develop: plan, apply, sync, fetch back, record."""
    account.cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString="x")
    image_repository.ensure(begins, workflows["deploy"])
    image_repository.login(begins, workflows["deploy"])
    workflows["deploy"].client("ecr").put_image(
        repositoryName=image_repository.name(begins), imageManifest="{}", imageTag="of-sources"
    )
    return deployment.deploy(begins, workflows["deploy"], Steps(), checkout=checkout)


def test_the_deploy_role_suffices_for_a_whole_deploy_with_a_task_and_its_network(deployed):
    assert deployed.action == "deployed"
    assert deployed.bottle["formula"] in {"jq", "wget"}


@pytest.fixture(scope="module")
def passed(account, policies, deployed):
    """The roles that the deploy handed to services."""
    role = access.role_name(account.environments["dev"], "deploy")
    return service_calls.handed(account.cloud, role, "airbrew-dev-", policies["deploy"])


def test_the_plan_role_suffices_to_take_over_what_stands(begins, workflows, deployed, tmp_path):
    found = origin.find(begins, workflows["plan"])
    at = (workflows["plan"], found.bucket, found.release)

    assert set(store.fetch(*at, tmp_path)) == set(found.release.components)
    assert store.bill(*at)
    assert store.provenance(*at)


def test_the_plan_role_suffices_for_a_plan_that_says_what_would_be_lost(
    workflows, checkout, deployed, folder
):
    without = environments_of(WITHOUT, folder)["dev"]

    planned = deployment.plan(without, workflows["plan"], Steps(), checkout=checkout)

    told = json.dumps(planned.review)
    assert "objects" in told
    assert planned.review["findings"]


def test_the_plan_role_suffices_for_status_reports_and_secrets(begins, workflows, deployed):
    cloud, bucket = workflows["plan"], deployed.outputs["mirror_bucket"]

    stands = standing.of(begins, cloud)
    last = sync_reports.find(cloud, bucket, "")
    week = periods.of(cloud, bucket, 7)
    secrets = checking.check(begins, cloud, None)

    assert stands.snapshot is not None
    assert sync_reports.page(cloud, bucket, last["sync"])
    assert week.copied == last["counts"]["copied"]
    assert [each.state for each in secrets if each.name == "SLACK_WEBHOOK_URL"] == ["ok"]
    assert image_repository.digest_of(begins, cloud, tag="of-sources").startswith("sha256:")


def test_the_plan_role_suffices_to_probe_what_macs_get(begins, workflows, deployed):
    cloud, bucket = workflows["plan"], deployed.outputs["mirror_bucket"]

    proof = probing.prove(begins, cloud, bucket, standing.of(begins, cloud).snapshot.id)

    assert proof.requests > 0


def test_the_plan_role_suffices_for_the_report_of_all_controls(
    account, begins, workflows, deployed
):
    account.cloud.client("iam").create_user(UserName="ada")

    found = report.make(begins, workflows["plan"])

    assert set(found.controls) == {each.id for each in report.CONTROLS}
    # The two that `allow_unnamed` has put there are found, and nothing else.
    assert {each.resource for each in found.not_accepted} == {
        f"github-airbrew-dev-{purpose}/unnamed" for purpose in access.PURPOSES
    }


def forbidden():
    for what, call in NO_DEPLOY_EITHER.items():
        yield pytest.param("deploy", *call, id=f"deploy: {what}")
    for what, call in (NO_DEPLOY_EITHER | NO_PLAN_EITHER).items():
        yield pytest.param("plan", *call, id=f"plan: {what}")


@pytest.fixture(scope="module")
def misled(account, deployed):
    """Purpose → a workflow that somebody made do other things."""
    account.cloud.client("s3").create_bucket(Bucket=ELSEWHERE)
    return {
        "deploy": account.assumed("dev", "deploy", claims(DEVELOP, environment="dev"), MISDEEDS),
        "plan": account.assumed("dev", "plan", claims(DEVELOP), MISDEEDS),
    }


@pytest.mark.parametrize(("purpose", "service", "operation", "given"), list(forbidden()))
def test_what_a_workflow_must_not_do_is_denied(misled, purpose, service, operation, given):
    call = getattr(misled[purpose].client(service), operation)

    with pytest.raises(ClientError, match=r"AccessDenied|UnauthorizedOperation"):
        call(**given)


@pytest.fixture(scope="module")
def drifted(account, begins, workflows, checkout, deployed):
    """What the plan role tells of all that people have changed by hand."""
    for name, each in PLANTED.items():
        if name != SETTINGS:
            each.plant(account.cloud.client, deployed.outputs)
    planted_strays.plant(account.cloud.client, "airbrew-dev")
    return looking.look(begins, workflows["plan"], Steps(), checkout=checkout)


def test_the_plan_role_suffices_for_drift_and_who_did_it(drifted):
    attributes = {each.attribute for each in drifted.drift}

    assert {"tags_all.Stray", "enable_log_file_validation", "max_session_duration"} <= attributes
    assert any(each.who for each in drifted.drift)


@pytest.fixture(scope="module")
def changed(later, workflows, checkout, drifted):
    """A deploy of other settings, which also puts back what people changed."""
    return deployment.deploy(later, workflows["deploy"], Steps(), checkout=checkout)


def test_the_deploy_role_suffices_to_change_settings_and_mend_what_drifted(changed):
    assert changed.action == "deployed"
    assert changed.changes["update"] > 10


@pytest.fixture(scope="module")
def recoded(later, workflows, checkout, changed):
    """A deploy of other code alone."""
    with (checkout.places.lambdas / "orchestrator" / "handler.py").open("a") as file:
        file.write("# other\n")
    return deployment.deploy(later, workflows["deploy"], Steps(), checkout=checkout)


@pytest.fixture(scope="module")
def returned(later, workflows, checkout, recoded):
    """The way back to the code before."""
    return rollback.roll_back(later, workflows["deploy"], Steps(), checkout=checkout)


def test_the_deploy_role_suffices_for_other_code_and_for_the_way_back(changed, recoded, returned):
    assert recoded.action == "deployed"
    assert returned.rollback["number"] == changed.number


@pytest.fixture(scope="module")
def calls(account, folder, begins, workflows, checkout, returned, policies, passed):
    """What the two roles asked for in all that, and in taking all down but what watches."""
    standing.of(begins, workflows["deploy"])
    with pytest.raises(TerraformFailed, match="DeleteTrail"):
        destruction.destroy(
            begins, workflows["deploy"], Steps(), delete_data=False, checkout=checkout
        )
    by_role = {access.role_name(begins, each): policies[each] for each in policies}
    made = iam_use.calls(folder / "ministack" / DECISIONS, LIFE)
    held = [
        iam_use.decide(by_role[each.role], each, CONTEXT) if each.action in UNNAMED else each
        for each in iam_use.named(made, UNNAMED)
    ]
    return {
        purpose: [
            each for each in (*held, *passed) if each.role == access.role_name(begins, purpose)
        ]
        for purpose in policies
    }


@pytest.mark.parametrize("purpose", access.PURPOSES)
def test_a_workflow_is_refused_only_what_it_can_do_without(purpose, calls):
    refused = {f"{each.action} {each.resource}" for each in iam_use.denied(calls[purpose])}

    explained = {
        each
        for each in refused
        if any(fnmatch.fnmatchcase(each, known) for known in REFUSED[purpose])
    }
    idle = {known for known in REFUSED[purpose] if not fnmatch.filter(refused, known)}
    assert (refused - explained, idle) == (set(), set())


@pytest.mark.parametrize("purpose", access.PURPOSES)
def test_a_workflow_has_no_permission_that_it_does_not_need(purpose, policies, calls):
    assert set(iam_use.excess(policies[purpose], calls[purpose])) == UNPLAYED[purpose].keys()
