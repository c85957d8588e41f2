"""effective: the environment's word, then the defaults', then its type's, then the schema's."""

from __future__ import annotations

import pytest

from delivery.config import effective, schema
from delivery.config.loading import load
from delivery.errors import BadInput

CONFIGURATION = """\
project: {name: acme}
defaults:
  mirror: {keep_replaced_days: 5}
  workflow: {max_concurrency: 3}
  upstream: {api_url: "https://brew.example/api"}
environments:
  dev:
    type: development
    workflow: {max_concurrency: 6}
    selection: {formulae: [jq]}
  staging: {type: staging}
  prod: {type: production, account_id: "123456789012"}
"""


@pytest.fixture
def environments(tmp_path):
    """The three environments of the file above."""
    path = tmp_path / "airbrew.yaml"
    path.write_text(CONFIGURATION)
    return effective.validated(load(path))


def test_its_own_word_comes_before_the_defaults(environments):
    dev, staging = environments["dev"], environments["staging"]

    assert dev.settings["workflow"]["max_concurrency"] == 6
    assert str(dev.origins["workflow.max_concurrency"]).endswith("airbrew.yaml:9 (environment)")
    assert staging.settings["workflow"]["max_concurrency"] == 3
    assert str(staging.origins["workflow.max_concurrency"]).endswith("airbrew.yaml:4 (defaults)")


def test_what_nobody_says_follows_from_the_type_or_the_schema(environments):
    sizes = [each.settings["workflow"]["batch_max_mib"] for each in environments.values()]

    assert sizes == [64, 1024, 2048]
    assert environments["dev"].origins["workflow.batch_max_mib"].kind == "type"
    assert environments["dev"].origins["schedule.timezone"].kind == "schema"


def test_every_key_of_the_schema_is_in_force_and_has_an_origin(environments):
    keys = {".".join(path) for path, _ in schema.leaves(schema.rules()["settings"])}

    for environment in environments.values():
        assert set(environment.origins) == keys


def test_null_takes_the_defaults_word_back(tmp_path):
    path = tmp_path / "airbrew.yaml"
    path.write_text(
        "project: {name: acme}\n"
        "defaults: {mirror: {bucket_name: acme-homebrew}}\n"
        "environments:\n"
        "  dev: {type: development, mirror: {bucket_name: null}}\n"
        "  staging: {type: staging, mirror: {bucket_name: null}}\n"
        "  prod: {type: production}\n"
    )

    environments = effective.validated(load(path))

    assert environments["dev"].settings["mirror"]["bucket_name"] is None
    assert environments["prod"].settings["mirror"]["bucket_name"] == "acme-homebrew"


def test_an_environment_without_an_account_lives_in_the_sandbox(environments):
    assert environments["dev"].is_sandbox
    assert not environments["prod"].is_sandbox


def test_the_bucket_s_name_is_made_unique_by_the_account(environments):
    assert environments["dev"].bucket_name("111111111111") == "acme-dev-mirror-111111111111"


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        ("prd", 'no environment "prd"', "--env prod, if that is what you mean"),
        ("", "no environment was named", "--env with one of dev, staging, prod"),
        ("live", 'no environment "live"', "--env with one of dev, staging, prod"),
    ],
)
def test_an_unknown_environment_is_named_with_those_that_there_are(tmp_path, name, problem, remedy):
    path = tmp_path / "airbrew.yaml"
    path.write_text(CONFIGURATION)

    with pytest.raises(BadInput) as caught:
        effective.effective(load(path), name)

    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)
