"""meaning: what a schema cannot say; beside it, the broken files of tests/data tell each rule."""

from __future__ import annotations

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from delivery.config import bucket_names, effective
from delivery.config.loading import load
from delivery.errors import BadConfiguration

LONGEST_NAME = "a" * 20


@pytest.fixture
def problems(tmp_path):
    """What is wrong with a file of these parts; empty when it is right."""

    def check(name="acme", defaults=None, **environments):
        document = {
            "project": {"name": name},
            "defaults": defaults or {},
            "environments": {
                "dev": {"type": "development"} | environments.get("dev", {}),
                "staging": {"type": "staging"} | environments.get("staging", {}),
                "prod": {"type": "production"} | environments.get("prod", {}),
            },
        }
        path = tmp_path / "airbrew.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        try:
            effective.validated(load(path))
        except BadConfiguration as error:
            return [told.split("  ", 1)[1] for told in error.told]
        return []

    return check


def test_a_problem_of_the_defaults_is_told_once_not_once_per_environment(problems):
    found = problems(defaults={"schedule": {"expression": "rate(1 hours)"}})

    assert found == [
        'defaults.schedule.expression: "hours" does not go with 1\n    write: rate(1 hour)'
    ]


def test_a_size_that_follows_from_the_type_is_told_where_the_misfit_was_written(problems):
    found = problems(dev={"functions": {"sync_worker": {"transfers": 32}}})

    assert len(found) == 1
    assert found[0].startswith("environments.dev.functions.sync_worker.memory_mib: 512 MiB")


def test_the_longest_name_that_the_schema_allows_still_makes_a_bucket(problems):
    assert problems(name=LONGEST_NAME) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://ghcr.io",
        "https://mirror.example:8443/brew/api",
        "http://127.0.0.1:4566/api",
        "http://127.9.9.9",
        "http://localhost:8080/api",
        "http://[::1]:8080/api",
    ],
)
def test_an_upstream_over_https_or_on_this_machine_is_taken(problems, url):
    assert problems(dev={"upstream": {"api_url": url}}) == []


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("http://10.0.0.1", "is not encrypted"),
        ("http://localhost.example", "is not encrypted"),
        ("ftp://ghcr.io", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://ghcr.io:port", "is not a URL"),
        ("https://ghcr.io/a b", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://ghcr.io?token=1", "holds a query or a fragment"),
        ("https://ghcr.io#top", "holds a query or a fragment"),
        ("https://me@ghcr.io", "holds credentials"),
    ],
)
def test_any_other_upstream_is_refused(problems, url, flaw):
    (found,) = problems(dev={"upstream": {"registry_url": url}})

    assert f'"{url}" {flaw}' in found


def pem_of(key) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def test_a_key_file_with_an_rsa_public_key_is_taken(problems, tmp_path, public_key_pem):
    (tmp_path / "key.pem").write_text(public_key_pem)

    assert problems(dev={"upstream": {"public_key_file": str(tmp_path / "key.pem")}}) == []


@pytest.mark.parametrize(
    ("made", "flaw"),
    [
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())), "another key than RSA"),
        (lambda: pem_of(rsa.generate_private_key(65537, 1024)), "another key than RSA of 2048"),
        (lambda: b"not a key", "is not a public key in PEM"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\n", "holds a private key"),
    ],
    ids=["elliptic", "short", "none", "private"],
)
def test_any_other_key_file_is_refused(problems, tmp_path, made, flaw):
    (tmp_path / "key.pem").write_bytes(made())

    (found,) = problems(dev={"upstream": {"public_key_file": str(tmp_path / "key.pem")}})

    assert flaw in found


def test_dev_and_staging_may_share_an_account_but_production_may_not(problems):
    account = {"account_id": "123456789012"}

    assert problems(dev=account, staging=account) == []
    (found,) = problems(staging=account, prod=account)
    assert "is the account of staging and of prod" in found


@pytest.mark.parametrize(
    "name",
    [
        *("", "ab", "a" * 64, "-ab", "ab-", "a.b", "a_b", "Abc", "10.0.0.1"),
        *("xn--abc", "sthree-abc", "amzn-s3-demo-abc"),
        *("abc-s3alias", "abc--ol-s3", "abc--x-s3", "abc--table-s3"),
    ],
)
def test_a_name_that_s3_refuses_has_a_flaw(name):
    assert bucket_names.flaw(name)


@given(st.from_regex(r"[a-z0-9]([a-z0-9]|-(?=[a-z0-9])){1,61}[a-z0-9]", fullmatch=True))
def test_any_other_name_of_letters_digits_and_single_hyphens_has_none(name):
    reserved = ("sthree-", "amzn-s3-demo-"), ("-s3alias",)

    has_flaw = bool(bucket_names.flaw(name))

    assert has_flaw == (name.startswith(reserved[0]) or name.endswith(reserved[1]))


def test_problems_come_in_the_order_of_their_lines(problems):
    found = problems(
        dev={"schedule": {"timezone": "Nowhere"}, "mirror": {"bucket_name": "A"}},
        prod={"schedule": {"expression": "never"}},
    )

    assert [each.split(":")[0] for each in found] == [
        "environments.dev.schedule.timezone",
        "environments.dev.mirror.bucket_name",
        "environments.prod.schedule.expression",
    ]


@pytest.mark.parametrize(
    ("publish", "told"),
    [
        ({"channels": ["canary", "canary"]}, '"canary" stands there twice'),
        ({"channels": ["default"]}, '"default" is what api/ itself is called'),
        ({"default_channel": "stable"}, 'there is no channel "stable"'),
        ({"channels": ["canary"], "default_channel": "stable"}, "write: one of canary"),
    ],
    ids=["twice", "reserved", "followed but none", "followed but not there"],
)
def test_channels_that_could_not_be_told_apart_or_followed_are_refused(problems, publish, told):
    (found,) = problems(dev={"publish": publish})

    assert told in found


def test_channels_and_the_one_that_the_default_follows_are_right(problems):
    publish = {"channels": ["canary", "stable"], "default_channel": "stable"}

    assert problems(dev={"publish": publish}) == []


@pytest.mark.parametrize(
    ("cpu_units", "memory_mib"),
    [
        (256, 512),
        (256, 2048),
        (512, 4096),
        (1024, 3072),
        (4096, 30720),
        (8192, 20480),
        (16384, 32768),
    ],
)
def test_a_pair_that_fargate_has_is_taken(problems, cpu_units, memory_mib):
    task = {"cpu_units": cpu_units, "memory_mib": memory_mib, "transfers": 1}

    assert problems(dev={"task": task}) == []


@pytest.mark.parametrize(
    ("cpu_units", "memory_mib", "instead"),
    [(256, 4096, 2048), (1024, 1024, 2048), (1024, 2500, 3072), (8192, 17408, 20480)],
)
def test_a_pair_that_fargate_lacks_is_told_with_one_that_it_has(
    problems, cpu_units, memory_mib, instead
):
    task = {"cpu_units": cpu_units, "memory_mib": memory_mib, "transfers": 1}

    (found,) = problems(dev={"task": task})

    assert f"has no {memory_mib} MiB with {cpu_units} CPU units" in found
    assert f"write: {instead}: " in found


def test_a_task_needs_memory_for_its_transfers(problems):
    (found,) = problems(dev={"task": {"transfers": 64}})

    assert found.startswith("environments.dev.task.memory_mib: 2048 MiB are too few")


def test_a_threshold_in_an_account_needs_no_image_here_because_the_pushed_one_is_taken(problems):
    threshold = {"workflow": {"fargate_threshold_gib": 0.5}, "account_id": "1" * 12}

    assert problems(dev=threshold) == []


def test_subnets_and_security_groups_come_together_or_not_at_all(problems):
    subnets, groups = {"subnet_ids": ["subnet-01234567"]}, {"security_group_ids": ["sg-01234567"]}

    assert problems(dev={"network": {**subnets, **groups}}) == []
    (alone,) = problems(dev={"network": subnets})
    assert alone.startswith("environments.dev.network.subnet_ids: network.security_group_ids is")
    (alone,) = problems(dev={"network": groups})
    assert alone.startswith("environments.dev.network.security_group_ids: network.subnet_ids is")


def test_a_repository_from_which_nothing_may_deploy_is_refused(problems):
    nothing = {"repository": "acme/mirror", "branches": [], "tags": []}

    (found,) = problems(dev={"github": nothing})

    assert "no branch and no tag may deploy" in found
    assert problems(dev={"github": nothing | {"tags": ["v*.*.*"]}}) == []


@pytest.mark.parametrize(
    ("given", "lacking"), [("owner_id", "repository_id"), ("repository_id", "owner_id")]
)
def test_half_of_the_numbers_of_a_subject_are_refused(problems, given, lacking):
    (found,) = problems(dev={"github": {"repository": "acme/mirror", given: "123456"}})

    assert found.startswith(f"environments.dev.github.{given}: github.{lacking} is not set")


def test_numbers_without_a_repository_wait_for_one(problems):
    assert problems(defaults={"github": {"owner_id": "123456"}}) == []
