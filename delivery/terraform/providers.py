"""Where Terraform gets its providers: from a mirror on this machine where there is one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from delivery.terraform.install import platform_name

REGISTRY = "registry.terraform.io"
# Each folder in these is looked at: where packages and add-on software put a provider mirror.
SHARED_FOLDERS = (
    Path("/usr/local/share/terraform"),
    Path("/usr/share/terraform"),
    Path("/usr/lib/terraform"),
    Path("/opt"),
)


def environment(
    given: Mapping[str, str],
    lock_file: Path,
    state_dir: Path,
    shared_folders: Sequence[Path] = SHARED_FOLDERS,
) -> dict[str, str]:
    """The `given` environment, changed so that a child Terraform finds its providers.

    A user's own CLI configuration is left in charge. Where there is none, the locked
    providers that a mirror here holds are taken from it, the others direct, through a shared
    cache. Only the returned mapping changes, so nothing outlives the child.

    Args:
        lock_file: ``.terraform.lock.hcl``; when absent, every provider in a mirror is used.
        state_dir: holds the generated configuration and the cache.
    """
    child = dict(given)
    if not _is_file(child.get("TF_CLI_CONFIG_FILE", "")):
        child.pop("TF_CLI_CONFIG_FILE", None)  # Terraform would warn at every command.
    if _has_own_configuration(child):
        return child
    wanted = _locked(lock_file)
    mirrors = find([*_personal_folders(child), *_inside(shared_folders)], wanted)
    if mirrors:
        file = state_dir / "terraform" / "terraform.rc"
        _write(file, render(mirrors))
        child["TF_CLI_CONFIG_FILE"] = str(file)
    if not mirrors or wanted.keys() - mirrors.keys():
        _use_cache(child, state_dir / "terraform" / "plugins")
    return child


def find(folders: Sequence[Path], wanted: Mapping[str, str]) -> dict[str, Path]:
    """Which folder holds each provider: ``{"registry.terraform.io/hashicorp/aws": folder}``.

    Args:
        folders: each may hold a folder ``registry.terraform.io``; the first that has it wins.
        wanted: version by provider. A mirror with other versions only does not count, since
            naming it would keep Terraform from asking the registry. Empty: all, any version.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for provider in wanted or _providers_in(folder):
            if _holds(folder, provider, wanted.get(provider)):
                found.setdefault(provider, folder)
    return found


def render(mirrors: Mapping[str, Path]) -> str:
    """A Terraform CLI configuration that takes these from their mirrors, all others direct.

    Without `exclude`, Terraform asks the registry even for what the mirror holds.
    Source: Terraform CLI configuration, "Explicit Installation Method Configuration".
    """
    blocks = [_mirror_block(folder, mirrors) for folder in sorted(set(mirrors.values()))]
    direct = f"  direct {{\n    exclude = {json.dumps(sorted(mirrors))}\n  }}"
    lines = ["disable_checkpoint = true", "provider_installation {", *blocks, direct, "}", ""]
    return "\n".join(lines)


def _mirror_block(folder: Path, mirrors: Mapping[str, Path]) -> str:
    path = json.dumps(str(folder))
    held = json.dumps(sorted(each for each in mirrors if mirrors[each] == folder))
    return f"  filesystem_mirror {{\n    path    = {path}\n    include = {held}\n  }}"


def _has_own_configuration(given: Mapping[str, str]) -> bool:
    home = Path(given.get("HOME", "/nonexistent"))
    return (
        "TF_CLI_CONFIG_FILE" in given
        or (home / ".terraformrc").is_file()
        or any((home / ".terraform.d").glob("*.tfrc"))
    )


def _personal_folders(given: Mapping[str, str]) -> Iterator[Path]:
    if given.get("TF_PROVIDER_MIRROR"):
        yield Path(given["TF_PROVIDER_MIRROR"])
    if given.get("HOME"):
        yield Path(given["HOME"]) / ".terraform.d" / "plugins"
        shared = given.get("XDG_DATA_HOME") or Path(given["HOME"]) / ".local" / "share"
        yield Path(shared) / "terraform" / "plugins"


def _inside(folders: Sequence[Path]) -> list[Path]:
    return [inner for folder in folders if folder.is_dir() for inner in sorted(folder.iterdir())]


def _locked(lock_file: Path) -> dict[str, str]:
    if not lock_file.is_file():
        return {}
    pattern = r'^provider "([^"]+)" \{\s+version\s*=\s*"([^"]+)"'
    return dict(re.findall(pattern, lock_file.read_text(encoding="utf-8"), re.MULTILINE))


def _providers_in(folder: Path) -> list[str]:
    found = sorted(folder.glob(f"{REGISTRY}/*/*"))
    return [path.relative_to(folder).as_posix() for path in found]


def _holds(folder: Path, provider: str, version: str | None) -> bool:
    if version is None:
        return True
    # Unpacked and packed layout. Source: Terraform CLI configuration, "filesystem_mirror".
    packed = f"terraform-provider-{provider.rpartition('/')[2]}_{version}_{platform_name()}.zip"
    places = (folder / provider / version / platform_name(), folder / provider / packed)
    return any(place.exists() for place in places)


def _use_cache(child: dict[str, str], folder: Path) -> None:
    # The AWS provider is 650 MB: once for all environments, not once for each.
    if "TF_PLUGIN_CACHE_DIR" not in child:
        folder.mkdir(parents=True, exist_ok=True)
        child["TF_PLUGIN_CACHE_DIR"] = str(folder)


def _is_file(path: str) -> bool:
    return path != "" and Path(path).is_file()


def _write(file: Path, text: str) -> None:
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(file)
