"""GitHub's way in, for real: who may assume the roles of a bootstrapped account.

Three environments are bootstrapped in one account. Each set of claims is put to the delivery's
own evaluator and to MiniStack's STS, which know nothing of each other.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from delivery.oidc import explanation, trust
from delivery.oidc.bootstrap import bootstrap
from delivery.progress import Steps
from tests.doubles.github_tokens import MAIN, claims
from tests.integration.bootstrapped import Account, checkout_in, environments_of
from tests.integration.enforcement import enforcing

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
def account(tmp_path_factory):
    """A local AWS that denies what no policy allows, behind TLS."""
    configured = environments_of(CONFIGURATION, tmp_path_factory.mktemp("config"))
    with enforcing(tmp_path_factory.mktemp("ministack"), "tests.doubles.tls_aws") as found:
        yield Account(found, configured)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, terraform):
    """A Terraform tree and a state folder of its own."""
    return checkout_in(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def made(account, checkout):
    """What the bootstrap of each environment answered, in this order."""
    return {
        name: bootstrap(environment, account.cloud, Steps(), checkout=checkout)
        for name, environment in account.environments.items()
    }


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
def test_what_comes_from_where_it_should_is_let_in(account, made, environment, purpose, told):
    policy = account.role(environment, purpose)["AssumeRolePolicyDocument"]

    assert trust.evaluate(policy, told) == trust.Verdict(accepted=True)
    account.assumed(environment, purpose, told)


@pytest.mark.parametrize(("environment", "purpose", "told"), cases(REFUSED))
def test_what_comes_from_elsewhere_is_refused(account, made, environment, purpose, told):
    policy = account.role(environment, purpose)["AssumeRolePolicyDocument"]

    verdict = trust.evaluate(policy, told)

    assert not verdict.accepted
    assert verdict.refusals
    with pytest.raises(ClientError, match="AccessDenied"):
        account.assumed(environment, purpose, told)


def test_a_second_bootstrap_finds_nothing_to_change(account, checkout, made):
    again = bootstrap(account.environments["staging"], account.cloud, Steps(), checkout=checkout)

    assert (again.action, again.access) == ("unchanged", made["staging"].access)


def test_the_first_environment_in_an_account_owns_its_provider(made):
    provider = "module.access.aws_iam_openid_connect_provider.github[0]"

    owners = [name for name, each in made.items() if provider in " ".join(each.change_lines)]

    assert owners == ["dev"]
    assert len({each.access["provider_arn"] for each in made.values()}) == 1


def test_a_refusal_is_explained_from_the_roles_in_the_account(account, made):
    environment, told = account.environments["dev"], dev("refs/heads/feature/x")

    deploy, plan = explanation.explain(environment, account.cloud, told)

    assert [each.condition for each in deploy.reasons] == ["StringLike ref"]
    assert '"feature/x" to github.branches of dev' in deploy.reasons[0].remedy
    assert 'take "environment: dev" off the job' in plan.reasons[0].remedy
