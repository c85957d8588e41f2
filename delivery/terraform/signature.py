"""Whether a file is what the holder of an OpenPGP key signed."""

from __future__ import annotations

from delivery.errors import UntrustedDownload


def verify(signed: bytes, signature: bytes, public_key: bytes, *, where: str) -> None:
    """Return when the detached `signature` over `signed` is by `public_key`; else raise.

    Args:
        signature: binary or ASCII-armored.
        public_key: one certificate, binary or ASCII-armored; nobody else's signature counts.
        where: the URL of the signature, for the message.

    Raises:
        UntrustedDownload: another key signed it, it signs other bytes, or it is no signature.
    """
    import pysequoia  # noqa: PLC0415 - needed once per machine, when Terraform is downloaded

    certificate = pysequoia.Cert.from_bytes(public_key)
    try:
        detached = pysequoia.Sig.from_bytes(signature)
        # Sequoia's policy refuses expired keys and weak digests by itself.
        pysequoia.verify(signed, lambda _key_ids: [certificate], signature=detached)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]  # The rest is a backtrace of the library's own.
        raise UntrustedDownload(
            f"the signature does not hold for key {certificate.fingerprint}: {reason}",
            where=where,
            remedy="do not use the file; try again from another network, or install Terraform"
            " by other means",
        ) from error
