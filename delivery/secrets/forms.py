"""What a value must look like, and what shows that it works; no message holds a value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

PATIENCE_SECONDS = 10
FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "role_arn": (re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+"), "the ARN of a role"),
    "slack_webhook": (
        re.compile(r"https://hooks\.slack\.com/services/T\w+/B\w+/\w{16,}"),
        "a Slack webhook: https://hooks.slack.com/services/T…/B…/…",
    ),
    "url": (re.compile(r"https://[^\s/@]+(/\S*)?"), "an https URL without credentials"),
    "email": (re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"), "one e-mail address"),
    "text": (re.compile(r"\S(.*\S)?", re.DOTALL), "text without space around it"),
}

# Sends JSON to a URL and answers with the status and the body.
Post = Callable[[str, bytes], tuple[int, str]]


def flaw(form: str, value: str) -> str | None:
    """What the value is not; None when it has its form."""
    pattern, words = FORMS[form]
    return None if pattern.fullmatch(value) else f"it is not {words}"


def post(url: str, body: bytes) -> tuple[int, str]:
    """POST over HTTPS; the URL is a secret, so an error must not carry it."""
    parts = urlsplit(url)
    connection = HTTPSConnection(parts.netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(1000).decode(errors="replace")
    except (OSError, HTTPException) as error:
        return 0, f"{parts.hostname} was not reached: {type(error).__name__}"
    finally:
        connection.close()


def is_alive(form: str, value: str, send: Post = post) -> bool | None:
    """Whether the value's issuer still takes it; None where that cannot be tried.

    A Slack webhook that lives says ``no_text`` to a message without text, and posts nothing.
    Source: Slack, "Sending messages using incoming webhooks", error responses.

    Raises:
        Unreachable: the issuer did not answer.
    """
    if form != "slack_webhook":
        return None
    status, answer = send(value, json.dumps({"text": ""}).encode())
    if status == 0 or status >= 500:
        raise Unreachable(answer if status == 0 else f"it answers {status}")
    return answer.strip() == "no_text"


class Unreachable(Exception):
    """A value's issuer did not say whether it takes it."""
