"""providers: a mirror on this machine is found and named; the user's own settings go first."""

from __future__ import annotations

import json
import subprocess

import pytest

from delivery.terraform import providers
from delivery.terraform.install import platform_name

AWS = "registry.terraform.io/hashicorp/aws"
LOCK = f"""# This file is maintained automatically by "terraform init".

provider "{AWS}" {{
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = ["h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0="]
}}
"""


@pytest.fixture
def lock_file(tmp_path):
    """A lock file that wants hashicorp/aws 5.100.0."""
    file = tmp_path / ".terraform.lock.hcl"
    file.write_text(LOCK)
    return file


@pytest.fixture
def home(tmp_path):
    """A home folder without anything of Terraform's."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def child(tmp_path, lock_file, home):
    """The environment that a child gets, with `shared` as the only machine-wide folder."""

    def made(**given: str) -> dict[str, str]:
        given = {"HOME": str(home), **given}
        return providers.environment(given, lock_file, tmp_path / "state", [tmp_path / "shared"])

    return made


def unpacked(folder, version="5.100.0"):
    (folder / AWS / version / platform_name()).mkdir(parents=True)
    return folder


def packed(folder, version="5.100.0"):
    (folder / AWS).mkdir(parents=True)
    (folder / AWS / f"terraform-provider-aws_{version}_{platform_name()}.zip").touch()
    return folder


def generated(child: dict[str, str], tmp_path) -> str:
    assert child["TF_CLI_CONFIG_FILE"] == str(tmp_path / "state" / "terraform" / "terraform.rc")
    return (tmp_path / "state" / "terraform" / "terraform.rc").read_text()


@pytest.mark.parametrize("layout", [unpacked, packed])
def test_a_mirror_among_the_shared_folders_is_used(tmp_path, child, layout):
    mirror = layout(tmp_path / "shared" / "add-ons")

    text = generated(child(), tmp_path)

    assert text == (
        "disable_checkpoint = true\n"
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["{AWS}"]\n  }}\n'
        f'  direct {{\n    exclude = ["{AWS}"]\n  }}\n'
        "}\n"
    )


def test_personal_mirrors_go_before_shared_ones(tmp_path, child, home):
    unpacked(tmp_path / "shared" / "add-ons")
    data = unpacked(tmp_path / "data" / "terraform" / "plugins")
    assert str(data) in generated(child(XDG_DATA_HOME=str(tmp_path / "data")), tmp_path)

    plugins = unpacked(home / ".terraform.d" / "plugins")
    assert str(plugins) in generated(child(), tmp_path)

    named = unpacked(tmp_path / "named")
    assert str(named) in generated(child(TF_PROVIDER_MIRROR=str(named)), tmp_path)


def test_a_mirror_of_another_version_does_not_hide_the_registry(tmp_path, child):
    unpacked(tmp_path / "shared" / "old", version="4.67.0")

    assert "TF_CLI_CONFIG_FILE" not in child()


def test_without_a_lock_file_all_that_a_mirror_holds_is_used(tmp_path, child, lock_file):
    lock_file.unlink()
    unpacked(tmp_path / "shared" / "add-ons", version="4.67.0")

    assert json.dumps([AWS]) in generated(child(), tmp_path)


def test_without_a_mirror_providers_come_direct_through_one_cache(tmp_path, child):
    environment = child()

    assert environment["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / "state" / "terraform" / "plugins")
    assert (tmp_path / "state" / "terraform" / "plugins").is_dir()


def test_with_a_mirror_nothing_is_copied_into_a_cache(tmp_path, child):
    unpacked(tmp_path / "shared" / "add-ons")

    assert "TF_PLUGIN_CACHE_DIR" not in child()


@pytest.mark.parametrize("own", [".terraformrc", ".terraform.d/mine.tfrc", "elsewhere.rc"])
def test_the_user_s_own_configuration_is_left_in_charge(tmp_path, child, home, own):
    unpacked(tmp_path / "shared" / "add-ons")
    (home / own).parent.mkdir(exist_ok=True)
    (home / own).touch()
    given = {"TF_CLI_CONFIG_FILE": str(home / own)} if own == "elsewhere.rc" else {}

    assert child(**given) == {"HOME": str(home), **given}


@pytest.mark.parametrize("named", ["/nonexistent/terraform.rc", ""])
def test_a_configuration_that_does_not_exist_is_not_passed_on(child, named):
    assert "TF_CLI_CONFIG_FILE" not in child(TF_CLI_CONFIG_FILE=named)


def test_the_configuration_is_written_once(tmp_path, child):
    unpacked(tmp_path / "shared" / "add-ons")
    file = child()["TF_CLI_CONFIG_FILE"]
    written = (tmp_path / file).stat().st_mtime_ns

    child()

    assert (tmp_path / file).stat().st_mtime_ns == written


def test_terraform_understands_the_configuration(tmp_path, child, terraform):
    unpacked(tmp_path / "shared" / 'a "quoted" name')

    answer = subprocess.run(
        [terraform, "version"], env=child(), capture_output=True, text=True, check=True
    )

    assert "Warning" not in answer.stderr
    assert "Error" not in answer.stderr
