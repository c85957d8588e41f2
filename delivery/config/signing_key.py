"""The key that proves the upstream's API files: a file that the configuration names, as PEM."""

from __future__ import annotations

from pathlib import Path

from delivery.paths import ROOT

MIN_BITS = 2048


class UnfitKey(Exception):
    """The file holds no RSA public key; `problem` and `remedy` say what and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy


def read(file: str) -> str:
    """The PEM in `file`, whose path is relative to the checkout.

    Raises:
        UnfitKey: there is no such file, or it is not the PEM of an RSA public key.
    """
    path = ROOT / file
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise UnfitKey(
            f'"{file}" cannot be read: {error.strerror}',
            "the path of a PEM file, relative to the checkout",
        ) from error
    _check(file, path, pem)
    return pem.decode("ascii")


def _check(file: str, path: Path, pem: bytes) -> None:
    # A quarter of a second that a configuration without a key of its own need not pay.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - too
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - too

    if b"PRIVATE KEY" in pem:
        raise UnfitKey(
            f'"{file}" holds a private key; Terraform\'s state would, too',
            f"its public half: openssl pkey -in {file} -pubout -out {path.stem}-public.pem",
        )
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise UnfitKey(
            f'"{file}" is not a public key in PEM',
            "a file that begins with -----BEGIN PUBLIC KEY-----",
        ) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
        raise UnfitKey(
            f'"{file}" holds another key than RSA of {MIN_BITS} bits or more',
            "the RSA public key that signs the API files (PS512)",
        )
