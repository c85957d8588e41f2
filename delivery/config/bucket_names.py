"""What S3 takes as the name of a bucket.

Source: Amazon S3 user guide, "General purpose bucket naming rules".
"""

from __future__ import annotations

import re

RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
MIN_LENGTH, MAX_LENGTH = 3, 63


def flaw(name: str) -> str:
    """Why S3, or our Terraform, refuses the name; empty when it is sound.

    Dots are legal in S3, but TLS certificates do not cover them, so they are refused here.
    """
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        return f'"{name}" has {len(name)} characters'
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", name):
        return f'"{name}" is an IP address'
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name):
        odd = ", ".join(sorted(set(re.findall(r"[^a-z0-9-]", name))))
        return f'"{name}" has {odd} in it' if odd else f'"{name}" begins or ends with -'
    for reserved in (*RESERVED_PREFIXES, *RESERVED_SUFFIXES):
        at_its_end = name.startswith if reserved in RESERVED_PREFIXES else name.endswith
        if at_its_end(reserved):
            return f'"{name}" has "{reserved}", which S3 keeps for itself'
    return ""
