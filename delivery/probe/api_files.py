"""One API file: is it there, whole, signed, what its name says, and can it be asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from delivery.mirror import jws
from delivery.mirror.jws import BadJws, Flaw
from delivery.probe import decoding
from delivery.probe.clients import ApiFile
from delivery.probe.defects import Sighting, Stumble
from delivery.probe.web import Answer, Web

MAX_BYTES = 512 * 1024 * 1024
LONG_AGO = "Mon, 01 Jan 1990 00:00:00 GMT"
# Clocks of a front and its storage may differ by this much without anybody's fault.
CLOCK_SKEW = timedelta(minutes=2)
DEFECT_BY_FLAW = {
    Flaw.FORM: "api-not-json",
    Flaw.KEY: "signature-key-unknown",
    Flaw.ALGORITHM: "signature-algorithm",
    Flaw.SIGNATURE: "signature-mismatch",
}


@dataclass(frozen=True)
class CheckedFile:
    """An API file as a client would have it: its payload, or None when it would not."""

    file: ApiFile
    url: str
    payload: Any
    sightings: tuple[Sighting, ...]


def check(
    web: Web, api_url: str, file: ApiFile, public_key_pem: str, limit_bytes: int = MAX_BYTES
) -> CheckedFile:
    """Fetch, verify and read a file, then ask again as an update would."""
    url = f"{api_url}/{file.path}"
    missing = "internal-api-file-missing" if file.is_optional else "api-file-missing"
    try:
        answer = web.get(url, limit_bytes, missing, Accept_Encoding=decoding.ACCEPTED)
        payload = read(answer, file, public_key_pem)
    except Stumble as stumble:
        return CheckedFile(file, url, None, (stumble.sighting,))
    sightings = [*answer.sightings, *_asked_again(web, answer)]
    return CheckedFile(file, url, payload, tuple(dict.fromkeys(sightings)))


def read(answer: Answer, file: ApiFile, public_key_pem: str) -> Any:
    """The payload, once its signature holds and its form is what brew reads under this name.

    Raises:
        Stumble: one of them does not.
    """
    refuse_web_page(answer)
    try:
        payload = json.loads(jws.verified_payload(answer.body, public_key_pem))
    except BadJws as error:
        raise Stumble(DEFECT_BY_FLAW[error.flaw], error.problem, answer.url) from error
    except (ValueError, RecursionError) as error:
        problem = f"the payload is not JSON: {error}"
        raise Stumble("payload-malformed", problem, answer.url) from error
    _check_form(payload, file, answer.url)
    return payload


def refuse_web_page(answer: Answer) -> None:
    """Tell a login page from a file that is merely broken.

    Raises:
        Stumble: the body begins as HTML does.
    """
    start = answer.body[:1024].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")):
        shown = start[:60].decode("utf-8", "replace")
        raise Stumble("html-instead", f'the body begins with "{shown}"', answer.url)


def _check_form(payload: Any, file: ApiFile, url: str) -> None:
    if not _has_form(payload, file.payload):
        problem = f"the payload is not what brew reads as {file.path}"
        raise Stumble("payload-malformed", problem, url)
    if file.payload == "packages":
        _check_tag(payload, file, url)


def _has_form(payload: Any, form: str) -> bool:
    if form == "formulae":
        return _is_list_with(payload, "name")
    if form == "casks":
        return _is_list_with(payload, "token")
    if form == "packages":
        return isinstance(payload, dict) and isinstance(payload.get("formulae"), dict)
    return isinstance(payload, dict)


def _is_list_with(payload: Any, key: str) -> bool:
    if not isinstance(payload, list):
        return False
    return all(isinstance(each, dict) and key in each for each in payload)


def _check_tag(payload: dict[str, Any], file: ApiFile, url: str) -> None:
    metadata = payload.get("metadata")
    found = metadata.get("bottle_tag") if isinstance(metadata, dict) else None
    if found is not None and str(found).removeprefix(":") != file.platform:
        problem = f'the payload is that of "{found}", not of "{file.platform}"'
        raise Stumble("payload-wrong-tag", problem, url)


def _asked_again(web: Web, answer: Answer) -> Iterator[Sighting]:
    modified = answer.headers.get("last-modified")
    when = _moment(modified)
    if modified is None or when is None:
        problem = f'Last-Modified is "{modified}"' if modified else "there is no Last-Modified"
        yield Sighting("last-modified-missing", problem, answer.url)
        return
    if when > (_moment(answer.headers.get("date")) or datetime.now(UTC)) + CLOCK_SKEW:
        yield Sighting("last-modified-in-future", f'Last-Modified is "{modified}"', answer.url)
        return
    try:
        yield from _conditions(web, answer.url, modified)
    except Stumble as stumble:
        yield stumble.sighting


def _conditions(web: Web, url: str, modified: str) -> Iterator[Sighting]:
    status = _status_if_modified_since(web, url, LONG_AGO)
    if status == 304:
        yield Sighting("conditional-always-304", f"304 to If-Modified-Since: {LONG_AGO}", url)
        return
    status = _status_if_modified_since(web, url, modified)
    if status != 304:
        problem = f"{status} to If-Modified-Since: {modified}, the file's own date"
        yield Sighting("conditional-ignored", problem, url)


def _status_if_modified_since(web: Web, url: str, date: str) -> int:
    return web.look(url, If_Modified_Since=date, Accept_Encoding=decoding.ACCEPTED).status


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
