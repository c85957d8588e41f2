"""What a workflow's token says of it, read from a file, a token, or standard input."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TextIO

from delivery.errors import BadInput

REMEDY = (
    "give the token's claims as JSON, the token itself, or a file with either; in a workflow"
    " the token is what ACTIONS_ID_TOKEN_REQUEST_URL answers"
)
# Names hold neither "@" nor ":"; what a context holds of ":" GitHub writes as "%3A".
# Source: GitHub, "OpenID Connect reference"; changelog of 2026-04-23, "Immutable subject claims".
SUBJECT = re.compile(
    r"repo:(?P<owner>[^@/:]+)(@(?P<owner_id>\d+))?/(?P<name>[^@/:]+)(@(?P<id>\d+))?:(?P<context>.+)"
)

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """A subject taken apart; the numbers are None in the form that GitHub sent before 2026-07-15.

    `context` is ``environment:dev``, ``ref:refs/heads/main`` or ``pull_request``.
    """

    repository: str
    owner_id: str | None
    repository_id: str | None
    context: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no default subject: an organisation can make up its own."""
        found = SUBJECT.fullmatch(text)
        if found is None or (found["owner_id"] is None) != (found["id"] is None):
            return None
        repository = f"{found['owner']}/{found['name']}"
        return cls(repository, found["owner_id"], found["id"], found["context"])


def read(given: str, stdin: TextIO) -> Claims:
    """The claims in `given`: JSON, a token, a file's name, or ``-`` for standard input.

    Raises:
        BadInput: it is none of these. What was given is never part of the message: it may be
            a token.
    """
    if not given:
        raise BadInput("no claims were given", where="the command line", remedy=REMEDY)
    if given == "-":
        return _parsed(stdin.read(), "standard input")
    if given.lstrip().startswith(("{", "eyJ")):
        return _parsed(given, "the command line")
    path = Path(given)
    try:
        is_there = path.is_file()
    except OSError:  # Too long for a name: half a token, perhaps.
        is_there = False
    if not is_there:
        raise BadInput("there is no such file", where="the command line", remedy=REMEDY)
    return _parsed(path.read_text(encoding="utf-8", errors="replace"), "the file")


def _parsed(text: str, where: str) -> Claims:
    text = text.strip()
    try:
        claims = json.loads(text if text.startswith("{") else _payload(text))
    except (ValueError, binascii.Error):
        raise BadInput("these are no claims and no token", where=where, remedy=REMEDY) from None
    if isinstance(claims, dict) and "value" in claims and "sub" not in claims:
        return _parsed(str(claims["value"]), where)  # As GitHub answers: {"value": "eyJ…"}.
    if not isinstance(claims, dict) or not isinstance(claims.get("sub"), str):
        raise BadInput('the claims have no "sub"', where=where, remedy=REMEDY)
    return claims


def _payload(token: str) -> bytes:
    """The middle of a token, unverified: it is explained here, and trusted by nobody."""
    _, payload, _ = token.split(".")
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
