"""The organisation's own signature on a parcel: Ed25519 over the bytes of `parcel.json`.

Keys are PEM (PKCS 8, SubjectPublicKeyInfo) and the signature is the 64 bytes of RFC 8032, so
that ``openssl pkeyutl -verify -rawin`` can check it where Airbrew is not at hand.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from delivery.air_gap import parcel
from delivery.errors import BadInput

KEYGEN = "make a pair with `inv mirror.keygen --to FILE`"


def make_pair(private_file: Path) -> Path:
    """Write a new private key, for its owner's eyes only, and beside it ``….pub``.

    The file's own folder is made if it is not there, for the owner only; none above it is,
    since that would be a typing error.

    Returns:
        The public key's file.

    Raises:
        BadInput: one of the two files exists, or a folder above theirs is not there.
    """
    above = private_file.parent.parent
    if not above.is_dir():
        missing = next(each for each in reversed([above, *above.parents]) if not each.is_dir())
        raise BadInput(
            f'there is no folder "{missing}"',
            where="--to",
            remedy=f"correct the name, or make the folder: mkdir -p {private_file.parent}",
        )
    key = Ed25519PrivateKey.generate()
    public_file = private_file.with_name(f"{private_file.name}.pub")
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public_pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for file, pem, mode in ((private_file, private_pem, 0o600), (public_file, public_pem, 0o644)):
        _create(file, pem, mode)
    return public_file


def private_key(file: str) -> Ed25519PrivateKey:
    """The key to sign with.

    Raises:
        BadInput: no such file, others may read it, or it holds no such key.
    """
    path = Path(file).expanduser()
    pem = _read(path, "air_gap.signing_key_file or --key")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _unfit(path, "can be read by others than its owner", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise _unfit(path, "holds no private key without a passphrase", KEYGEN) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unfit(path, "holds another key than an Ed25519 one", KEYGEN)
    return key


def public_key(file: str) -> Ed25519PublicKey:
    """The key that a parcel must be signed with.

    Raises:
        BadInput: no such file, or it holds no such key.
    """
    path = Path(file).expanduser()
    pem = _read(path, "air_gap.public_key_file or --public-key")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unfit(path, "holds no public key", "name the .pub file of the pair") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unfit(path, "holds another key than an Ed25519 one", "name the .pub file")
    return key


def check(body: bytes, signature: bytes, key: Ed25519PublicKey, where: str) -> None:
    """Whether the holder of the private key has signed these bytes.

    Args:
        where: the file that they were read from; its signature lies beside it, as ``….sig``.

    Raises:
        UntrustedParcel: not these bytes, or not that key.
    """
    try:
        key.verify(signature, body)
    except InvalidSignature as error:
        name = Path(where).name
        problem = f"{name}.sig is not the signature of {name} by this key"
        remedy = f"name the .pub file of the pair that exports sign with, or copy {name} again"
        raise parcel.refused(problem, where, remedy) from error


def _create(file: Path, pem: bytes, mode: int) -> None:
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            opened.write(pem)
    except OSError as error:
        raise BadInput(
            f'"{file}" cannot be created: {error.strerror}',
            where="--to",
            remedy="name a file that does not exist yet, in a folder of yours",
        ) from error


def _read(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            f'the key "{path}" cannot be read: {error.strerror}', where=where, remedy=KEYGEN
        ) from error


def _unfit(path: Path, problem: str, remedy: str) -> BadInput:
    return BadInput(f'"{path}" {problem}', where=str(path), remedy=remedy)
