"""GitHub's way in, for real: who may assume the roles of a bootstrapped account, and what they may.

Three environments are bootstrapped in one account. Each set of claims is put to the delivery's
own evaluator and to MiniStack's STS, which know nothing of each other.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from delivery.artifacts.build import Places
from delivery.checkout import Checkout
from delivery.config import effective, loading
from delivery.deploy import deployment
from delivery.oidc import access, explanation, trust
from delivery.oidc.bootstrap import bootstrap
from delivery.paths import TERRAFORM_DIR
from delivery.progress import Steps
from delivery.releases import origin, store
from delivery.security import report
from tests.doubles.github_tokens import MAIN, claims, token
from tests.integration.enforcement import ACCOUNT, UNNAMED, enforcing, sample_upstream

DEVELOP, RELEASE = "refs/heads/develop", "refs/tags/v1.2.3"
PULL = "refs/pull/7/merge"
CONFIGURATION = """
project: {name: airbrew}
defaults:
  github: {repository: acme/mirror}
  selection: {platforms: [arm64_tahoe], formulae: [jq, wget]}
environments:
  dev:
    type: development
    github: {owner_id: "1001", repository_id: "2002"}
    workflow: {batch_max_bottles: 3, fargate_threshold_gib: 1}
  staging: {type: staging}
  prod:
    type: production
    github:
      environment: production
      owner_id: "1001"
      repository_id: "2002"
      plan_pull_requests: true
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A local AWS that denies what no policy allows, behind TLS."""
    with enforcing(tmp_path_factory.mktemp("ministack"), "tests.doubles.tls_aws") as found:
        yield found


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """The three environments of one repository."""
    file = tmp_path_factory.mktemp("config") / "airbrew.yaml"
    file.write_text(CONFIGURATION)
    return effective.validated(loading.load(file))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, terraform):
    """A Terraform tree and a state folder of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    tree = folder / "terraform"
    shutil.copytree(TERRAFORM_DIR, tree, ignore=shutil.ignore_patterns(".terraform"))
    state = folder / "state"
    return Checkout(terraform_dir=tree, state_dir=state, places=Places(state_dir=state))


@pytest.fixture(scope="module")
def made(cloud, environments, checkout):
    """What the bootstrap of each environment answered, in this order."""
    return {
        name: bootstrap(environment, cloud, Steps(), checkout=checkout)
        for name, environment in environments.items()
    }


@pytest.fixture(scope="module")
def role(cloud, environments, made):
    """The role of an environment and a purpose, as IAM has it."""
    iam = cloud.client("iam")

    def found(environment, purpose):
        name = access.role_name(environments[environment], purpose)
        return iam.get_role(RoleName=name)["Role"]

    return found


@pytest.fixture(scope="module")
def unnamed(cloud, role):
    """Lets the roles of dev do what MiniStack could not hold against their policies."""
    statement = {"Effect": "Allow", "Action": UNNAMED, "Resource": "*"}
    for purpose in access.PURPOSES:
        cloud.client("iam").put_role_policy(
            RoleName=role("dev", purpose)["RoleName"],
            PolicyName="unnamed",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )


@pytest.fixture(scope="module")
def assumed(cloud, role):
    """The cloud as a workflow with these claims sees it; AccessDenied where it is not let in."""

    def assume(environment, purpose, told):
        answer = cloud.client("sts").assume_role_with_web_identity(
            RoleArn=role(environment, purpose)["Arn"],
            RoleSessionName="run-1",
            WebIdentityToken=token(told),
        )["Credentials"]
        return replace(
            cloud,
            variables=cloud.variables
            | {
                "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
                "AWS_SESSION_TOKEN": answer["SessionToken"],
            },
        )

    return assume


def dev(ref=DEVELOP, **told):
    return claims(ref, environment="dev", **told)


def prod(ref=RELEASE, **told):
    return claims(ref, environment="production", **told)


def lacking(claim):
    return {key: value for key, value in dev().items() if key != claim}


OTHERS = {"numbers": ("6666", "7777")}
LET_IN = {
    "dev deploy": {
        "develop, by name": dev(),
        "develop, by number": dev(immutable=True),
        "develop, started by hand": dev(event="workflow_dispatch", immutable=True),
    },
    "dev plan": {
        "develop": claims(DEVELOP),
        "develop, by number": claims(DEVELOP, immutable=True),
        "main, on a schedule": claims(event="schedule", immutable=True),
    },
    "staging deploy": {"main, by name": claims(environment="staging")},
    "staging plan": {
        "main, by name": claims(),
        "a release's tag, that takes over what stands there": claims(RELEASE),
    },
    "prod deploy": {
        "a release's tag": prod(),
        "a release's tag, by number": prod(immutable=True),
        "a candidate's tag": prod("refs/tags/v10.0.0-rc.1", immutable=True),
    },
    "prod plan": {
        "a release's tag": claims(RELEASE, immutable=True),
        "main, on a schedule": claims(event="schedule"),
        "a pull request of its own": claims(PULL, event="pull_request", immutable=True),
    },
}
REFUSED = {
    "dev deploy": {
        "another repository": dev(repository="acme/other", numbers=("1001", "3003")),
        "another owner": dev(repository="mallory/mirror", **OTHERS),
        "a fork, by number": dev(repository="mallory/mirror", immutable=True, **OTHERS),
        "a name that was taken over": dev(**OTHERS),
        "a name that was taken over, by number": dev(immutable=True, **OTHERS),
        "the numbers under another name": dev(repository="acme/renamed", immutable=True),
        "a repository whose name begins alike": dev(repository="acme/mirror-2"),
        "a repository whose owner begins alike": dev(repository="acme-2/mirror"),
        "another spelling": dev(repository="Acme/Mirror"),
        "another branch": dev("refs/heads/feature/x"),
        "main": dev(MAIN, immutable=True),
        "a branch that begins alike": dev("refs/heads/develop-2"),
        "a branch with the right one in its name": dev("refs/heads/x/refs/heads/develop"),
        "a tag named as the branch": dev("refs/tags/develop"),
        "a pull request in the environment": dev(PULL, event="pull_request"),
        "no environment": claims(DEVELOP),
        "no environment, by number": claims(DEVELOP, immutable=True),
        "another environment": claims(DEVELOP, environment="staging"),
        "an environment that begins alike": claims(DEVELOP, environment="dev-2"),
        "an environment spelled otherwise": claims(DEVELOP, environment="Dev"),
        "another audience": dev(aud="https://github.com/acme"),
        "no audience": lacking("aud"),
        "another issuer": dev(iss="https://token.actions.example.com"),
        "no reference": lacking("ref"),
        "no number of the repository": lacking("repository_id"),
        "a subject of its own making": dev(sub="repository_owner:acme"),
        "a subject with a star": dev(sub="repo:acme/mirror:*"),
        "a pull request": claims(PULL, event="pull_request"),
    },
    "dev plan": {
        "another repository": claims(DEVELOP, repository="acme/other", numbers=("1001", "3003")),
        "a fork's pull request": claims(
            PULL, event="pull_request", repository="mallory/mirror", **OTHERS
        ),
        "a name that was taken over": claims(DEVELOP, **OTHERS),
        "another branch": claims("refs/heads/feature/x"),
        "a pull request": claims(PULL, event="pull_request", immutable=True),
        "a job in the environment": dev(),
        "another audience": claims(aud="sigstore"),
        "a release's tag": claims(RELEASE, immutable=True),
        "a merge queue's branch": claims("refs/heads/gh-readonly-queue/main/pr-7", immutable=True),
    },
    "staging deploy": {
        "numbers that nobody configured": claims(environment="staging", immutable=True),
        "develop": claims(DEVELOP, environment="staging"),
        "production": claims(environment="production"),
        "another owner": claims(environment="staging", repository="mallory/mirror", **OTHERS),
    },
    "staging plan": {
        "numbers that nobody configured": claims(immutable=True),
        "a pull request": claims(PULL, event="pull_request"),
        "develop": claims(DEVELOP),
        "a tag of another form": claims("refs/tags/nightly"),
        "a fork's release": claims(RELEASE, repository="mallory/mirror", **OTHERS),
    },
    "prod deploy": {
        "main": prod(MAIN),
        "main, by number": prod(MAIN, immutable=True),
        "a tag of another form": prod("refs/tags/nightly"),
        "a branch named as a release": prod("refs/heads/v1.2.3"),
        "the environment's own name": claims(RELEASE, environment="prod"),
        "a release without the environment": claims(RELEASE, immutable=True),
        "a fork's release": prod(repository="mallory/mirror", immutable=True, **OTHERS),
    },
    "prod plan": {
        "a fork's pull request": claims(
            PULL, event="pull_request", repository="mallory/mirror", immutable=True, **OTHERS
        ),
        "a fork's pull request under our name": claims(PULL, event="pull_request", **OTHERS),
        "develop": claims(DEVELOP, immutable=True),
    },
}


def cases(table):
    return [
        pytest.param(*who.split(), told, id=f"{who}: {name}")
        for who, each in table.items()
        for name, told in each.items()
    ]


@pytest.mark.parametrize(("environment", "purpose", "told"), cases(LET_IN))
def test_what_comes_from_where_it_should_is_let_in(role, assumed, environment, purpose, told):
    policy = role(environment, purpose)["AssumeRolePolicyDocument"]

    assert trust.evaluate(policy, told) == trust.Verdict(accepted=True)
    assumed(environment, purpose, told)


@pytest.mark.parametrize(("environment", "purpose", "told"), cases(REFUSED))
def test_what_comes_from_elsewhere_is_refused(role, assumed, environment, purpose, told):
    verdict = trust.evaluate(role(environment, purpose)["AssumeRolePolicyDocument"], told)

    assert not verdict.accepted
    assert verdict.refusals
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(environment, purpose, told)


def test_a_second_bootstrap_finds_nothing_to_change(cloud, environments, checkout, made):
    again = bootstrap(environments["staging"], cloud, Steps(), checkout=checkout)

    assert (again.action, again.access) == ("unchanged", made["staging"].access)


def test_the_first_environment_in_an_account_owns_its_provider(made):
    provider = "module.access.aws_iam_openid_connect_provider.github[0]"

    owners = [name for name, each in made.items() if provider in " ".join(each.change_lines)]

    assert owners == ["dev"]
    assert len({each.access["provider_arn"] for each in made.values()}) == 1


def test_a_refusal_is_explained_from_the_roles_in_the_account(cloud, environments, made):
    deploy, plan = explanation.explain(environments["dev"], cloud, dev("refs/heads/feature/x"))

    assert [each.condition for each in deploy.reasons] == ["StringLike ref"]
    assert '"feature/x" to github.branches of dev' in deploy.reasons[0].remedy
    assert 'take "environment: dev" off the job' in plan.reasons[0].remedy


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """A sample Homebrew to mirror from."""
    with sample_upstream(tmp_path_factory.mktemp("upstream")) as server:
        yield {
            "api_url": f"{server.url}/api",
            "registry_url": server.url,
            "signing_key_pem": server.public_key_pem,
        }


@pytest.fixture(scope="module")
def deployed(environments, checkout, unnamed, assumed, upstream):
    """A whole deploy of dev by a workflow on develop: plan, apply, sync, fetch back, record."""
    workflow = replace(assumed("dev", "deploy", dev(immutable=True)), upstream=upstream)
    return deployment.deploy(environments["dev"], workflow, Steps(), checkout=checkout)


def test_the_deploy_role_suffices_for_a_whole_deploy_with_a_task_and_its_network(deployed):
    assert deployed.action == "deployed"
    assert deployed.bottle["formula"] in {"jq", "wget"}


def test_the_plan_role_suffices_for_a_plan(environments, checkout, assumed, upstream, deployed):
    workflow = replace(assumed("dev", "plan", claims(DEVELOP)), upstream=upstream)

    wish = deployment.Wish(dry_run=True, force=True)
    outcome = deployment.deploy(environments["dev"], workflow, Steps(), wish, checkout=checkout)

    assert outcome.action == "planned"


def test_the_plan_role_suffices_for_the_report_of_all_controls(environments, assumed, deployed):
    workflow = assumed("dev", "plan", claims(DEVELOP))

    found = report.make(environments["dev"], workflow)

    assert set(found.controls) == {each.id for each in report.CONTROLS}
    # The two that `unnamed` has put there are found, and nothing else.
    assert {each.resource for each in found.not_accepted} == {
        f"github-airbrew-dev-{purpose}/unnamed" for purpose in access.PURPOSES
    }


def test_the_plan_role_suffices_to_take_over_what_stands(environments, assumed, deployed, tmp_path):
    workflow = assumed("dev", "plan", claims(DEVELOP))

    found = origin.find(environments["dev"], workflow)
    at = (workflow, found.bucket, found.release)

    assert set(store.fetch(*at, tmp_path)) == set(found.release.components)
    assert store.bill(*at)
    assert store.provenance(*at)


STATE, MIRROR = f"airbrew-dev-state-{ACCOUNT}", f"airbrew-dev-mirror-{ACCOUNT}"
ELSEWHERE = f"airbrew-prod-state-{ACCOUNT}"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/airbrew-dev-boundary"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/airbrew-dev-trail"
NO_DEPLOY_EITHER = {
    "list another environment's bucket": ("s3", "list_objects_v2", {"Bucket": ELSEWHERE}),
    "read another environment's state": (
        "s3",
        "get_object",
        {"Bucket": ELSEWHERE, "Key": "access/prod.tfstate"},
    ),
    "delete the state bucket": ("s3", "delete_bucket", {"Bucket": STATE}),
    "delete the mirror": ("s3", "delete_bucket", {"Bucket": MIRROR}),
    "open the state bucket": ("s3", "put_bucket_policy", {"Bucket": STATE, "Policy": POLICY}),
    "end the state bucket's versions": (
        "s3",
        "put_bucket_versioning",
        {"Bucket": STATE, "VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "change the state of the access": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "access/dev.tfstate", "Body": b"{}"},
    ),
    "delete a snapshot": (
        "s3",
        "delete_object",
        {"Bucket": MIRROR, "Key": "snapshots/x/snapshot.json"},
    ),
    "publish by itself": (
        "s3",
        "put_object",
        {"Bucket": MIRROR, "Key": "api/formula.jws.json", "Body": b""},
    ),
    "make a user": ("iam", "create_user", {"UserName": "airbrew-dev-user"}),
    "make a key": ("iam", "create_access_key", {"UserName": "airbrew-dev-user"}),
    "make a role without the boundary": (
        "iam",
        "create_role",
        {"RoleName": "airbrew-dev-x", "AssumeRolePolicyDocument": POLICY},
    ),
    "make a role with another boundary": (
        "iam",
        "create_role",
        {
            "RoleName": "airbrew-dev-x",
            "AssumeRolePolicyDocument": POLICY,
            "PermissionsBoundary": ADMINISTRATOR,
        },
    ),
    "make a role of another name": (
        "iam",
        "create_role",
        {"RoleName": "x", "AssumeRolePolicyDocument": POLICY, "PermissionsBoundary": BOUNDARY},
    ),
    "take a role's boundary away": (
        "iam",
        "delete_role_permissions_boundary",
        {"RoleName": "airbrew-dev-orchestrator"},
    ),
    "give itself more": (
        "iam",
        "attach_role_policy",
        {"RoleName": "github-airbrew-dev-deploy", "PolicyArn": ADMINISTRATOR},
    ),
    "let others in": (
        "iam",
        "update_assume_role_policy",
        {"RoleName": "github-airbrew-dev-deploy", "PolicyDocument": POLICY},
    ),
    "widen the boundary": (
        "iam",
        "create_policy_version",
        {"PolicyArn": BOUNDARY, "PolicyDocument": POLICY, "SetAsDefault": True},
    ),
    "drop the provider": (
        "iam",
        "delete_open_id_connect_provider",
        {"OpenIDConnectProviderArn": access.provider_arn(ACCOUNT)},
    ),
    "call another environment's function": (
        "lambda",
        "invoke",
        {"FunctionName": f"{FUNCTION}:airbrew-prod-orchestrator"},
    ),
    "start another environment's sync": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": f"{MACHINE}:airbrew-prod-sync"},
    ),
    "read its own secret": ("secretsmanager", "get_secret_value", {"SecretId": "airbrew-dev/x"}),
    "read another's secret": ("secretsmanager", "get_secret_value", {"SecretId": "payroll"}),
    "stop the trail": ("cloudtrail", "stop_logging", {"Name": TRAIL}),
    "delete the trail": ("cloudtrail", "delete_trail", {"Name": TRAIL}),
    "make a machine": (
        "ec2",
        "run_instances",
        {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1},
    ),
    "make a key of KMS": ("kms", "create_key", {}),
}
NO_PLAN_EITHER = {
    "write the state": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "terraform/dev.tfstate", "Body": b"{}"},
    ),
    "write the history": (
        "s3",
        "put_object",
        {"Bucket": STATE, "Key": "releases/dev/000009.json", "Body": b"{}"},
    ),
    "write the settings": (
        "s3",
        "put_object",
        {"Bucket": MIRROR, "Key": "settings/mirror.json", "Body": b"{}"},
    ),
    "call a function": ("lambda", "invoke", {"FunctionName": f"{FUNCTION}:airbrew-dev-collector"}),
    "change a function": (
        "lambda",
        "update_function_configuration",
        {"FunctionName": f"{FUNCTION}:airbrew-dev-collector", "Timeout": 60},
    ),
    "start a sync": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": f"{MACHINE}:airbrew-dev-sync"},
    ),
    "make a bounded role": (
        "iam",
        "create_role",
        {
            "RoleName": "airbrew-dev-x",
            "AssumeRolePolicyDocument": POLICY,
            "PermissionsBoundary": BOUNDARY,
        },
    ),
    "change a role": (
        "iam",
        "put_role_policy",
        {"RoleName": "airbrew-dev-orchestrator", "PolicyName": "x", "PolicyDocument": POLICY},
    ),
}


def forbidden():
    for what, call in NO_DEPLOY_EITHER.items():
        yield pytest.param("deploy", *call, id=f"deploy: {what}")
    for what, call in (NO_DEPLOY_EITHER | NO_PLAN_EITHER).items():
        yield pytest.param("plan", *call, id=f"plan: {what}")


@pytest.fixture(scope="module")
def workflows(assumed, deployed):
    """A workflow under each role, after the deploy that its calls would spoil."""
    return {
        "deploy": assumed("dev", "deploy", dev(immutable=True)),
        "plan": assumed("dev", "plan", claims(DEVELOP)),
    }


@pytest.mark.parametrize(("purpose", "service", "operation", "given"), list(forbidden()))
def test_what_a_workflow_must_not_do_is_denied(workflows, purpose, service, operation, given):
    call = getattr(workflows[purpose].client(service), operation)

    with pytest.raises(ClientError, match=r"AccessDenied|UnauthorizedOperation"):
        call(**given)
