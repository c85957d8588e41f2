"""rendering: what docs/reference/terraform-variables.md promises to Terraform, key by key."""

from __future__ import annotations

import json
import re

import pytest

from delivery.config import effective, rendering
from delivery.config.loading import load
from delivery.paths import HOMEBREW_KEY_FILE, ROOT

PAGE = (ROOT / "docs" / "reference" / "terraform-variables.md").read_text()
SAMPLE = {
    "api_url": "http://127.0.0.1:4000/api",
    "registry_url": "http://127.0.0.1:4000",
    "signing_key_pem": "-----BEGIN PUBLIC KEY-----\nsample\n",
}
REFERENCE = {"key": "artifacts/x/00.zip", "digest": "AA=="}
ARTIFACTS = {"bucket": "state"} | dict.fromkeys(("orchestrator", "sync_worker", "layer"), REFERENCE)


@pytest.fixture
def rendered(tmp_path):
    """The settings of dev, with these lines in its part of the configuration."""

    def render(dev="", override=None):
        path = tmp_path / "airbrew.yaml"
        path.write_text(
            "project: {name: acme}\nenvironments:\n"
            f"  dev: {{type: development{dev}}}\n"
            "  staging: {type: staging}\n  prod: {type: production}\n"
        )
        return rendering.terraform_settings(
            effective.effective(load(path), "dev"),
            account_id="111111111111",
            upstream_override=override,
            artifacts=ARTIFACTS,
            architecture="x86_64",
            runtime="python3.11",
        )

    return render


def shape(value):
    """The keys of a document at every depth; what is not a mapping is its kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return type(value).__name__


def test_it_has_exactly_the_keys_and_kinds_that_the_reference_shows(rendered):
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert shape({"settings": rendered()}) == shape(json.loads(example))


def test_a_bucket_without_a_name_of_its_own_gets_the_account_s(rendered):
    assert rendered()["mirror"]["bucket_name"] == "acme-dev-mirror-111111111111"
    named = rendered(", mirror: {bucket_name: ours}")
    assert named["mirror"]["bucket_name"] == "ours"


def test_what_the_lambdas_run_on_is_the_caller_s_word(rendered):
    functions = rendered(", functions: {architecture: arm64}")["functions"]

    assert (functions["architecture"], functions["runtime"]) == ("x86_64", "python3.11")


def test_without_any_word_the_upstream_is_homebrew_with_its_own_key(rendered):
    assert rendered()["upstream"] == {
        "api_url": "https://formulae.brew.sh/api",
        "registry_url": "https://ghcr.io",
        "signing_key_pem": HOMEBREW_KEY_FILE.read_text(),
    }


def test_a_sample_upstream_stands_in_where_nothing_is_configured(rendered):
    assert rendered(override=SAMPLE)["upstream"] == SAMPLE


def test_a_configured_upstream_is_never_replaced_nor_mixed_with_another(
    rendered, tmp_path, public_key_pem
):
    (tmp_path / "key.pem").write_text(public_key_pem)
    upstream = f", upstream: {{api_url: 'https://a.example', public_key_file: {tmp_path}/key.pem}}"

    assert rendered(upstream, override=SAMPLE)["upstream"] == {
        "api_url": "https://a.example",
        "registry_url": "https://ghcr.io",
        "signing_key_pem": public_key_pem,
    }


def test_the_file_holds_the_settings_and_nothing_else(rendered, tmp_path):
    file = tmp_path / "terraform.tfvars.json"
    settings = rendered()

    assert rendering.write(file, settings)

    assert json.loads(file.read_text()) == {"settings": settings}
    assert [path.name for path in tmp_path.glob("*tfvars*")] == [file.name]


def test_a_file_that_says_so_already_is_not_touched(rendered, tmp_path):
    file = tmp_path / "terraform.tfvars.json"
    rendering.write(file, rendered())
    before = file.stat()

    assert not rendering.write(file, rendered())

    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_write_that_fails_leaves_the_file_as_it_was(rendered, tmp_path):
    file = tmp_path / "terraform.tfvars.json"
    rendering.write(file, rendered())

    with pytest.raises(TypeError):
        rendering.write(file, {"bad": object()})

    assert json.loads(file.read_text()) == {"settings": rendered()}


def test_roles_are_bounded_where_github_deploys(rendered):
    bounded = rendered(", github: {repository: acme/mirror}")

    assert rendered()["roles"] == {"permissions_boundary_arn": ""}
    assert bounded["roles"] == {
        "permissions_boundary_arn": "arn:aws:iam::111111111111:policy/acme-dev-boundary"
    }
