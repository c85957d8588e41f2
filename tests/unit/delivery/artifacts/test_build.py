"""build: equal sources give equal bytes; what is unchanged, or whole, is not made again."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from delivery.artifacts import cache
from delivery.artifacts.build import COMPONENTS, Places, Target, build
from delivery.errors import BuildFailed
from tests.doubles.packaging import PIP

TARGET = Target("arm64", "3.13")
SOURCES = {
    "orchestrator/__init__.py": '"""The orchestrator."""\n',
    "orchestrator/handler.py": "handle = 1\n",
    "orchestrator/notes.txt": "not code\n",
    "sync_worker/handler.py": "handle = 2\n",
    "mirror/keys.py": "blob = 3\n",
    "mirror/homebrew-1.pem": "-----BEGIN PUBLIC KEY-----\n",
    "mirror/__pycache__/keys.cpython-313.pyc": "stale",
}
TERRAFORM = {
    "environments/dev/main.tf": "module {}\n",
    "environments/dev/.terraform.lock.hcl": "provider {}\n",
    "environments/dev/.terraform/modules.json": "{}",
    "environments/dev/terraform.tfvars.json": "{}",
    "environments/dev/terraform.tfstate": "{}",
    "modules/storage/main.tf": "bucket {}\n",
    "modules/storage/README.md": "# Storage\n",
    "modules/storage/tests/storage.tftest.hcl": "run {}\n",
}


class Checkout:
    """A checkout of our own, with its own .airbrew and a pip that counts how often it runs."""

    def __init__(self, folder: Path, sources: dict[str, str]) -> None:
        self.folder = folder
        for name, text in sources.items():
            self.write(f"lambdas/{name}", text)
        for name, text in TERRAFORM.items():
            self.write(f"terraform/{name}", text)
        self.write("requirements/layer.txt", "sealed==1 --hash=sha256:00\n")
        self.write("pip.py", PIP)
        self.places = Places(
            lambdas=folder / "lambdas",
            requirements=folder / "requirements" / "layer.txt",
            terraform=folder / "terraform",
            state_dir=folder / ".airbrew",
            pip=(sys.executable, str(folder / "pip.py")),
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def build(self, *components: str, target: Target = TARGET):
        return build(components or COMPONENTS, target=target, places=self.places)

    def pip_runs(self) -> list[str]:
        log = self.folder / "pip.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which nothing was built yet."""
    return Checkout(tmp_path / "checkout", SOURCES)


def names(artifact) -> list[str]:
    with zipfile.ZipFile(artifact.path) as archive:
        return archive.namelist()


def rebuilt(artifacts) -> list[str]:
    return [name for name, artifact in artifacts.items() if artifact.was_built]


def test_an_artifact_is_a_file_named_by_its_digest(checkout):
    artifact = checkout.build()["orchestrator"]

    body = artifact.path.read_bytes()
    digest = hashlib.sha256(body)
    assert artifact.path.name == f"orchestrator-{digest.hexdigest()}.zip"
    assert artifact.path.parent == checkout.folder / ".airbrew" / "artifacts"
    assert (artifact.sha256, artifact.size_bytes) == (digest.hexdigest(), len(body))
    assert artifact.base64_digest == base64.b64encode(digest.digest()).decode()


def test_a_function_holds_its_code_under_its_import_path(checkout):
    built = checkout.build()

    assert names(built["orchestrator"]) == ["orchestrator/__init__.py", "orchestrator/handler.py"]
    assert names(built["sync_worker"]) == ["sync_worker/handler.py"]


def test_the_layer_holds_the_library_its_data_and_its_packages_and_no_notes(checkout):
    assert names(checkout.build()["layer"]) == [
        "python/mirror/homebrew-1.pem",
        "python/mirror/keys.py",
        "python/sealed-1.dist-info/METADATA",
        "python/sealed/__init__.py",
        "python/sealed/_rust.abi3.so",
    ]


def test_the_terraform_tree_is_whole_without_what_is_generated_or_beside_it(checkout):
    assert names(checkout.build()["terraform"]) == [
        "environments/dev/.terraform.lock.hcl",
        "environments/dev/main.tf",
        "modules/storage/main.tf",
    ]


def test_two_checkouts_build_the_same_bytes(checkout, tmp_path):
    before = os.umask(0o077)
    other = Checkout(tmp_path / "elsewhere" / "deeper", dict(reversed(SOURCES.items())))
    for path in (other.folder / "lambdas").rglob("*.py"):
        os.utime(path, (0, time.time() - 1e6))
    os.umask(before)

    assert [(name, each.sha256) for name, each in checkout.build().items()] == [
        (name, each.sha256) for name, each in other.build().items()
    ]


def test_nothing_changed_nothing_is_built_and_no_process_is_started(checkout):
    first = checkout.build()

    second = checkout.build()

    assert rebuilt(first) == list(COMPONENTS)
    assert rebuilt(second) == []
    assert [each.path for each in first.values()] == [each.path for each in second.values()]
    assert len(checkout.pip_runs()) == 1


@pytest.mark.parametrize(
    ("edited", "component"),
    [
        ("orchestrator/handler.py", "orchestrator"),
        ("sync_worker/handler.py", "sync_worker"),
        ("mirror/keys.py", "layer"),
        ("mirror/homebrew-1.pem", "layer"),
    ],
)
def test_one_changed_byte_builds_its_component_only(checkout, edited, component):
    first = checkout.build()
    checkout.write(f"lambdas/{edited}", SOURCES[edited].replace("=", "-", 1).replace("---", "--_"))

    second = checkout.build()

    assert rebuilt(second) == [component]
    assert second[component].sha256 != first[component].sha256
    assert len(checkout.pip_runs()) == 1  # Our own code alone never runs pip again.


def test_other_bytes_are_seen_though_size_and_time_are_the_old_ones(checkout):
    file = checkout.folder / "lambdas" / "orchestrator" / "handler.py"
    checkout.build()
    before = file.stat()
    file.write_text(SOURCES["orchestrator/handler.py"].replace("1", "5"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    second = checkout.build()

    assert file.stat().st_size == before.st_size
    assert rebuilt(second) == ["orchestrator"]


def test_links_are_read_to_files_and_not_followed_to_folders(checkout, tmp_path):
    folder = checkout.folder / "lambdas" / "orchestrator"
    (tmp_path / "shared.py").write_text("shared = 1\n")
    (folder / "linked.py").symlink_to(tmp_path / "shared.py")
    (folder / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (folder / "round").symlink_to(folder)

    built = checkout.build("orchestrator")

    assert names(built["orchestrator"]) == [
        "orchestrator/__init__.py",
        "orchestrator/handler.py",
        "orchestrator/linked.py",
    ]


def test_a_change_taken_back_finds_the_earlier_artifact(checkout):
    first = checkout.build()
    checkout.write("lambdas/mirror/keys.py", "blob = 4\n")
    checkout.build()
    checkout.write("lambdas/mirror/keys.py", SOURCES["mirror/keys.py"])

    third = checkout.build()

    assert rebuilt(third) == []
    assert third["layer"].path == first["layer"].path


@pytest.mark.parametrize("changed", ["pins", "target"])
def test_new_pins_or_another_target_build_the_layer_anew(checkout, changed):
    checkout.build()
    if changed == "pins":
        checkout.write("requirements/layer.txt", "sealed==2 --hash=sha256:00\n")

    second = checkout.build(target=TARGET if changed == "pins" else Target("x86_64", "3.13"))

    assert rebuilt(second) == ["layer"]
    assert len(checkout.pip_runs()) == 2


@pytest.mark.parametrize("damage", ["gone", "cut short", "same size, other bytes"])
def test_a_damaged_artifact_is_built_again(checkout, damage):
    layer = checkout.build()["layer"]
    sound = layer.path.read_bytes()
    layer.path.write_bytes(sound[:-1] if damage == "cut short" else b"x" * len(sound))
    if damage == "gone":
        layer.path.unlink()

    again = checkout.build()

    assert rebuilt(again) == ["layer"]
    assert again["layer"].path.read_bytes() == sound


def test_a_touched_artifact_is_read_and_found_sound(checkout):
    layer = checkout.build()["layer"]
    os.utime(layer.path, (0, 0))

    assert rebuilt(checkout.build()) == []


@pytest.mark.parametrize("note", ["{", "[]", "", "{}"])
def test_spoilt_notes_cost_a_build_and_nothing_more(checkout, note):
    first = checkout.build()
    for file in checkout.folder.glob(".airbrew/artifacts/*.json"):
        file.write_text(note)

    second = checkout.build()

    assert rebuilt(second) == list(COMPONENTS)
    assert [each.path for each in first.values()] == [each.path for each in second.values()]


@pytest.mark.parametrize("damage", [b"", None])
def test_damaged_packages_are_installed_again(checkout, damage):
    checkout.build()
    [library] = checkout.folder.glob(".airbrew/wheels/*/sealed/_rust.abi3.so")
    library.write_bytes(damage) if damage is not None else library.unlink()
    checkout.write("lambdas/mirror/keys.py", "blob = 4\n")

    layer = checkout.build()["layer"]

    with zipfile.ZipFile(layer.path) as archive:
        assert archive.read("python/sealed/_rust.abi3.so") == b"\x7fELF"
    assert len(checkout.pip_runs()) == 2


def test_old_artifacts_go_the_newest_stay(checkout):
    for number in range(cache.KEPT + 3):
        checkout.write("lambdas/sync_worker/handler.py", f"handle = {number}\n")
        newest = checkout.build("sync_worker", "orchestrator")

    left = list((checkout.folder / ".airbrew" / "artifacts").glob("sync_worker-*.zip"))
    notes = list((checkout.folder / ".airbrew" / "artifacts").glob("*.json"))
    assert len(left) == cache.KEPT
    assert newest["sync_worker"].path in left
    assert newest["orchestrator"].path.is_file()
    assert len(notes) == cache.KEPT + 1


def test_for_lambda_pip_is_told_platform_python_and_to_trust_hashes_only(checkout):
    checkout.build("layer", target=Target("arm64", "3.13"))

    [asked] = checkout.pip_runs()
    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.13"):
        assert option in asked
    assert "--platform=manylinux_2_34_aarch64" in asked
    assert "--platform=manylinux2014_aarch64" in asked
    assert "manylinux_2_35" not in asked


def test_for_this_machine_pip_chooses_by_itself(checkout):
    checkout.build("layer", target=Target.for_host())

    [asked] = checkout.pip_runs()
    assert "--platform" not in asked
    assert Target.for_host().python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_builds_at_the_same_moment_do_not_disturb_each_other(checkout):
    with ThreadPoolExecutor(4) as pool:
        built = [pool.submit(checkout.build) for _ in range(4)]

    assert len({each.result()["layer"].sha256 for each in built}) == 1
    assert rebuilt(checkout.build("layer")) == []


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("ERROR: No matching distribution found for sealed==1", "reach the package index"),
        ("/usr/bin/python3: No module named pip", "python -m ensurepip"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "pin it with hashes"),
    ],
)
def test_what_pip_complains_of_is_told_with_a_remedy(checkout, complaint, remedy):
    checkout.write("pip.py", f"import sys; sys.exit({complaint!r})")

    with pytest.raises(BuildFailed, match="pip could not install the layer's packages") as told:
        checkout.build()

    assert complaint in told.value.problem
    assert told.value.remedy.startswith(remedy)
    assert list((checkout.folder / ".airbrew" / "wheels").iterdir()) == []


def test_a_component_without_sources_is_an_error(checkout):
    with pytest.raises(BuildFailed, match='nothing to build "workers" from'):
        checkout.build("workers")


def test_what_is_built_is_reported(checkout):
    told: list[str] = []

    for _ in range(2):
        build(["orchestrator", "layer"], target=TARGET, report=told.append, places=checkout.places)

    assert [each.split(" ")[:2] for each in told] == [
        ["built", "orchestrator"],
        ["packages", "for"],
        ["built", "layer"],
    ]
