"""The image: built from nothing twice it is the same bytes, and a registry has it by its digest."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.integration.conftest import REPOSITORY

ACCEPTED = "application/vnd.oci.image.manifest.v1+json"
# Ours is what comes on top of the base: cryptography, boto3 and its packages, the mirror itself.
OURS_AT_MOST_BYTES = 40_000_000


@pytest.fixture(scope="module")
def manifest(registry, pushed):
    """What the registry answers to whoever pulls by digest."""
    url = f"http://{registry}/v2/{REPOSITORY}/manifests/{pushed.digest}"
    request = urllib.request.Request(url, headers={"Accept": ACCEPTED})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def test_what_has_not_changed_is_not_built_again(workshop, pushed):
    again = workshop.build()

    assert (again.id, again.was_built) == (pushed.id, False)


def test_built_from_nothing_a_second_time_it_is_the_same_bytes(workshop, registry, pushed):
    again = workshop.build(force=True)

    assert again.was_built
    assert workshop.push(again, f"{registry}/again").digest == pushed.digest


def test_what_comes_on_top_of_the_base_is_small(manifest):
    _, *ours = manifest["layers"]

    assert len(ours) == 3
    assert sum(layer["size"] for layer in ours) < OURS_AT_MOST_BYTES


def test_it_runs_as_nobody_and_finds_its_packages(workshop, pushed):
    container = workshop.buildah("from", "--pull-never", pushed.id)
    script = "import boto3, cryptography, mirror.task, os; print(os.getuid(), mirror.__file__)"

    told = workshop.buildah("run", "--isolation=chroot", container, "--", "python3", "-c", script)

    workshop.buildah("rm", container)
    assert told == "65532 /app/mirror/__init__.py"
