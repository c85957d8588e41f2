"""claims: a token's claims, from wherever they come; and never the token in a message."""

from __future__ import annotations

import base64
import io
import json

import pytest

from delivery.errors import BadInput
from delivery.oidc.claims import Subject, read
from tests.doubles.github_tokens import claims, token

TOLD = claims("refs/heads/develop", environment="dev")


def test_claims_are_read_from_json_a_token_a_file_and_standard_input(tmp_path):
    file = tmp_path / "claims"
    file.write_text(json.dumps(TOLD))

    for given in (json.dumps(TOLD), token(TOLD), str(file)):
        assert read(given, io.StringIO()) == TOLD
    assert read("-", io.StringIO(f"{token(TOLD)}\n")) == TOLD


def test_what_github_answers_to_a_workflow_is_read_as_it_is():
    answer = json.dumps({"value": token(TOLD)})

    assert read("-", io.StringIO(answer)) == TOLD


SECRET = token(TOLD)
HEADER, PAYLOAD, SIGNATURE = SECRET.split(".")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", "no claims were given"),
        ("nowhere.json", "there is no such file"),
        ("-", "these are no claims and no token"),
        (f"{HEADER}.%%%.{SIGNATURE}", "these are no claims and no token"),
        (f"{HEADER}.{base64.urlsafe_b64encode(b'[]').decode()}.", 'the claims have no "sub"'),
        ('{"aud": "x"}', 'the claims have no "sub"'),
        ('{"sub": 7}', 'the claims have no "sub"'),
        (SECRET[:400], "these are no claims and no token"),
        (PAYLOAD[7:], "there is no such file"),
    ],
)
def test_what_is_neither_is_refused_without_repeating_it(given, problem):
    with pytest.raises(BadInput) as refused:
        read(given, io.StringIO(HEADER))

    assert refused.value.problem == problem
    assert "eyJ" not in str(refused.value).replace("eyJ…", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "repo:acme/mirror:ref:refs/heads/main",
            Subject("acme/mirror", None, None, "ref:refs/heads/main"),
        ),
        (
            "repo:acme@12/mirror@34:environment:dev",
            Subject("acme/mirror", "12", "34", "environment:dev"),
        ),
        ("repo:acme@12/mirror:pull_request", None),
        ("repo:acme@x/mirror@34:pull_request", None),
        ("repository_owner:acme", None),
        ("repo:acme/mirror", None),
    ],
)
def test_a_subject_is_taken_apart_in_both_forms(text, expected):
    assert Subject.parse(text) == expected
