"""make: one release of a checkout, with its bill of materials and its provenance."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from delivery.artifacts.packages import Installed
from delivery.artifacts.target import Target
from delivery.errors import BuildFailed
from delivery.releases import folders, manifest, package, provenance, sbom, store
from delivery.releases.manifest import Component
from tests.doubles.packaging import checkout_in


@pytest.fixture
def checkout(tmp_path):
    """A small checkout, in git, with a pip that installs one package."""
    return checkout_in(tmp_path / "checkout")


@pytest.fixture
def made(checkout):
    """Its release."""
    return package.make_for(checkout, TARGET)


TARGET = Target("arm64", "3.13")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def document(body: bytes) -> dict:
    return json.loads(body)


def test_a_release_says_what_it_is_of(made, checkout):
    release = made.release
    commit = subprocess.check_output(
        ["git", "rev-parse", "HEAD"], cwd=checkout.repository, text=True
    ).strip()

    assert (release.version, release.commit, release.dirty) == ("1.2.3", commit, False)
    assert (release.target, release.layout, release.image) == (TARGET, 1, "")
    assert release.configuration_schema == sha256(checkout.schema_file.read_bytes())
    assert sorted(release.components) == ["layer", "orchestrator", "sync_worker", "terraform"]
    assert release.components["layer"].sha256 == made.artifacts["layer"].sha256


def test_two_checkouts_of_one_commit_make_one_release(made, checkout, tmp_path):
    address = checkout.repository.as_uri()
    elsewhere = tmp_path / "elsewhere" / "deeper"
    subprocess.run(["git", "clone", "--quiet", address, elsewhere], check=True)

    other = package.make_for(checkout_in(elsewhere, lay_out=False), TARGET)

    assert other.rebuilt == list(other.artifacts)
    assert other.release.body == made.release.body
    assert other.sbom == made.sbom


def test_nothing_changed_nothing_is_built_and_it_takes_no_time(made, checkout):
    begun = time.perf_counter()
    again = package.make_for(checkout, TARGET)
    took = time.perf_counter() - begun

    assert again.rebuilt == []
    assert again.release == made.release
    assert took < 0.5  # 0.02 on a quiet machine: what a deploy that changes nothing can afford.


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("lambdas/sync_worker/handler.py", "components"),
        ("terraform/environments/dev/main.tf", "components"),
        ("config/schema.yaml", "configuration_schema"),
    ],
)
def test_a_changed_file_makes_another_release_that_is_dirty(made, checkout, file, key):
    (checkout.repository / file).write_text("changed = 1\n")

    release = package.make_for(checkout, TARGET).release

    before = document(made.release.body)
    moved = {name for name, each in document(release.body).items() if each != before[name]}
    # The bill of materials names the components, so it moves with them.
    assert moved == {key, "dirty", *(["sbom"] if key == "components" else [])}


def test_a_note_beside_the_code_leaves_every_digest_but_the_release_is_dirty(made, checkout):
    (checkout.repository / "NOTES").write_text("not packed")

    release = package.make_for(checkout, TARGET).release

    assert release == replace(made.release, dirty=True)


def test_the_layout_is_the_mirror_s(checkout):
    (checkout.repository / "lambdas/mirror/layout.txt").write_text("7\n")

    assert package.make_for(checkout, TARGET).release.layout == 7


@pytest.mark.parametrize("text", ["", "one", None])
def test_a_checkout_without_a_layout_is_not_released(checkout, text):
    file = checkout.repository / "lambdas/mirror/layout.txt"
    file.write_text(text) if text is not None else file.unlink()

    with pytest.raises(BuildFailed, match="layout is not known") as refused:
        package.make_for(checkout, TARGET)

    assert refused.value.where.endswith("lambdas/mirror/layout.txt")


def test_the_bill_of_materials_names_our_components_wheels_and_providers(made):
    bill = document(made.sbom)
    components = {each["bom-ref"]: each for each in bill["components"]}

    assert made.release.sbom == sha256(made.sbom)
    assert sorted(components) == [
        *("airbrew/layer", "airbrew/orchestrator", "airbrew/sync_worker", "airbrew/terraform"),
        *("pkg:pypi/sealed@1", "terraform-provider/hashicorp/aws@5.100.0"),
    ]
    layer = made.release.components["layer"].sha256
    assert components["airbrew/layer"]["hashes"] == [{"alg": "SHA-256", "content": layer}]
    sealed = components["pkg:pypi/sealed@1"]
    assert sealed["purl"] == "pkg:pypi/sealed@1"
    assert sealed["hashes"] == [{"alg": "SHA-256", "content": "5e" * 32}]
    assert sealed["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert {"ref": "airbrew/layer", "dependsOn": ["pkg:pypi/sealed@1"]} in bill["dependencies"]


def test_the_bill_of_materials_tells_neither_time_nor_machine(made, checkout):
    text = made.sbom.decode()

    assert not {"timestamp", "serialNumber"} & set(document(made.sbom)) - {"metadata"}
    assert "timestamp" not in text
    assert str(checkout.repository) not in text
    assert "https://index" not in text


def test_provenance_is_an_in_toto_statement_about_every_file_of_the_release(made):
    told = document(made.provenance())

    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {each["name"]: each["digest"]["sha256"] for each in told["subject"]}
    assert subjects == {
        **{f"{name}.zip": each.sha256 for name, each in made.release.components.items()},
        "release.json": made.release.id,
        "sbom.json": made.release.sbom,
    }


def test_provenance_names_commit_wheels_tools_and_times(made):
    predicate = document(made.provenance())["predicate"]

    checkout, wheel = predicate["buildDefinition"]["resolvedDependencies"]
    assert checkout["digest"] == {"gitCommit": made.release.commit}
    assert (wheel["uri"], wheel["name"]) == ("pkg:pypi/sealed@1", "sealed-1-py3-none-any.whl")
    run = predicate["runDetails"]
    assert run["builder"]["id"].startswith("urn:airbrew:desk:")
    assert run["builder"]["version"]["pip"] == "25"
    assert run["metadata"]["startedOn"] <= run["metadata"]["finishedOn"]


def test_on_github_the_builder_is_the_workflow_and_its_run_is_named():
    found = provenance.builder(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/brew",
            "GITHUB_WORKFLOW_REF": "acme/brew/.github/workflows/cicd.yml@refs/heads/main",
            "GITHUB_RUN_ID": "42",
        }
    )

    assert found.id.endswith("github.com/acme/brew/.github/workflows/cicd.yml@refs/heads/main")
    assert found.run == "https://github.com/acme/brew/actions/runs/42"


def test_an_image_is_part_of_the_release_and_a_subject_of_its_provenance(checkout, made):
    image = f"sha256:{'1a' * 32}"

    found = package.make_for(checkout, TARGET, image=image)

    assert found.release.image == image
    assert found.release.id != made.release.id
    assert document(found.provenance())["subject"][-1] == {
        "name": "sync-worker",
        "digest": {"sha256": "1a" * 32},
    }


def test_what_is_written_is_the_release_and_its_files(made, tmp_path):
    place = folders.write(made, tmp_path / "out")

    assert place == tmp_path / "out" / made.release.id
    assert sorted(each.name for each in place.iterdir()) == [
        *("layer.zip", "orchestrator.zip", "provenance.json", "release.json", "sbom.json"),
        *("sync_worker.zip", "terraform.zip"),
    ]
    release = manifest.parse((place / "release.json").read_bytes(), "there")
    for name, each in release.components.items():
        assert sha256((place / f"{name}.zip").read_bytes()) == each.sha256


def test_written_zips_take_no_space_beside_the_cache(made, tmp_path):
    place = folders.write(made, tmp_path / "out")

    assert (place / "layer.zip").samefile(made.paths["layer"])


def test_a_release_that_is_written_again_keeps_who_built_it_first(made, checkout, tmp_path):
    place = folders.write(made, tmp_path)
    (place / "provenance.json").write_bytes(b"the first")

    folders.write(package.make_for(checkout, TARGET), tmp_path)

    assert (place / "provenance.json").read_bytes() == b"the first"


def test_it_goes_into_the_store_and_comes_back(made, cloud, s3, tmp_path):
    s3.create_bucket(Bucket="state")

    store.keep(cloud, "state", made)

    found = store.find(cloud, "state", made.release.short_id)
    fetched = store.fetch(cloud, "state", found, tmp_path)
    assert found == made.release
    assert fetched["terraform"].read_bytes() == made.paths["terraform"].read_bytes()
    assert Path(fetched["layer"]).name == made.paths["layer"].name


def test_the_bill_of_materials_is_strict_cyclonedx(made):
    complaint = JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.sbom.decode())

    assert complaint is None


@pytest.mark.parametrize("licence", ["", "BSD", "Apache License, Version 2.0", "MIT, BSD License"])
def test_licences_in_any_words_are_told_as_the_schema_wants_them(licence):
    package = Installed("sealed", "1", "sealed-1.whl", "5e" * 32, licence, ())

    bill = sbom.bill("1.2.3", {"layer": Component("a" * 64, 1)}, [package], {})

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.decode()) is None
