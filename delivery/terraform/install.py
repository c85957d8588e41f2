"""Bringing one release of Terraform here: signature, checksum, then the program, or nothing."""

from __future__ import annotations

import hashlib
import http.client
import io
import platform
import re
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import ToolMissing, UntrustedDownload
from delivery.terraform import signature

HOW_TO_INSTALL = (
    "install Terraform 1.10 or newer: `brew install hashicorp/tap/terraform`,"
    " `apt install terraform` (from apt.releases.hashicorp.com),"
    " or https://developer.hashicorp.com/terraform/install"
)
PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# A host that is unreachable must not hold up a deploy that can only fail.
SILENCE_SECONDS = 10
HASHICORP_KEY = Path(__file__).with_name("hashicorp.asc")


@dataclass(frozen=True)
class Releases:
    """Where Terraform's releases are published, and whose signature counts."""

    base_url: str = "https://releases.hashicorp.com/terraform"
    key_file: Path = HASHICORP_KEY


def install(version: str, program: Path, releases: Releases) -> None:
    """Download, verify and unpack one version as the executable file `program`.

    The file appears whole or not at all, also when two of these run at once.

    Raises:
        ToolMissing: there is no such release, or no way to reach it.
        UntrustedDownload: signature, checksum or archive do not hold; nothing was kept.

    Source: https://releases.hashicorp.com layout; "Verify HashiCorp binaries" (its security page).
    """
    archive = f"terraform_{version}_{platform_name()}.zip"
    folder = f"{releases.base_url}/{version}"
    sums = _signed_checksums(folder, version, releases.key_file.read_bytes())
    expected = _checksum_of(archive, sums, folder)
    body = _fetch(f"{folder}/{archive}")
    found = hashlib.sha256(body).hexdigest()
    if found != expected:
        raise _untrusted(f"has SHA-256 {found}, not {expected}", f"{folder}/{archive}")
    _unpack(body, program, f"{folder}/{archive}")


def platform_name() -> str:
    """This machine as HashiCorp names it: ``linux_amd64``, ``darwin_arm64``, …"""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system not in {"linux", "darwin"} or machine not in PROCESSORS:
        raise ToolMissing(
            f"there is no Terraform for {system} on {machine} that could be installed by itself",
            where="this machine",
            remedy=HOW_TO_INSTALL,
        )
    return f"{system}_{PROCESSORS[machine]}"


def _signed_checksums(folder: str, version: str, public_key: bytes) -> str:
    url = f"{folder}/terraform_{version}_SHA256SUMS"
    sums = _fetch(url)
    signature.verify(sums, _fetch(f"{url}.sig"), public_key, where=f"{url}.sig")
    return sums.decode()


def _checksum_of(archive: str, sums: str, folder: str) -> str:
    match = re.search(rf"^([0-9a-f]{{64}})  {re.escape(archive)}$", sums, re.MULTILINE)
    if match is None:
        raise _untrusted("has no entry in the signed checksums", f"{folder}/{archive}")
    return match[1]


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=SILENCE_SECONDS) as answer:  # noqa: S310 - an https address, or a test's
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise _unreachable(f"it answers {error.code} {error.reason}", url) from error
    except urllib.error.URLError as error:
        raise _unreachable(str(error.reason), url) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(f"the download broke off ({error!r})", url) from error
    return body


def _unpack(body: bytes, program: Path, url: str) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is a rename, which is atomic.
    with tempfile.TemporaryDirectory(dir=program.parent, prefix=".unpacking-") as scratch:
        unpacked = Path(scratch) / "terraform"
        try:
            # By name: whatever else the archive holds, and wherever it points, stays in it.
            with (
                zipfile.ZipFile(io.BytesIO(body)) as archive,
                archive.open("terraform") as member,
                unpacked.open("wb") as file,
            ):
                shutil.copyfileobj(member, file)
        except (zipfile.BadZipFile, EOFError) as error:
            raise _untrusted(f"is not a whole zip ({error})", url) from error
        except KeyError as error:
            raise _untrusted('holds no file "terraform"', url) from error
        unpacked.chmod(0o755)
        unpacked.replace(program)


def _unreachable(reason: str, url: str) -> ToolMissing:
    return ToolMissing(
        f"Terraform is not installed, and could not be downloaded: {reason}",
        where=url,
        remedy=HOW_TO_INSTALL,
    )


def _untrusted(problem: str, url: str) -> UntrustedDownload:
    return UntrustedDownload(
        f"{url.rpartition('/')[2]} {problem}; nothing was kept",
        where=url,
        remedy=f"try again later or from another network; or {HOW_TO_INSTALL}",
    )
