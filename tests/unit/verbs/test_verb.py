"""verb: a failure that was foreseen is a message and an exit code; a bug shows its traceback."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from invoke.collection import Collection

from delivery.errors import BadInput, DeployUnderWay
from sandbox.errors import SandboxError
from verbs.verb import verb

PLACE = {"where": "config/airbrew.yaml:3", "remedy": "inv config.validate"}


@pytest.fixture
def ending(run_program):
    """How a verb ends whose work raises this."""

    def end(error):
        @verb
        def work(context):
            """Work."""
            raise error

        return run_program(Collection(work), "work")

    return end


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput('no environment "prd"', **PLACE), 2),
        (DeployUnderWay("somebody is deploying", **PLACE), 1),
        (SandboxError("the sandbox is gone", **PLACE), 1),
    ],
)
def test_a_foreseen_failure_tells_problem_place_and_next_step(ending, error, code):
    ended = ending(error)

    assert ended.code == code
    assert ended.out == ""
    assert ended.err == (
        f"error: {error.problem}\n  where: config/airbrew.yaml:3\n  next:  inv config.validate\n"
    )


def refusal(code, status):
    """What boto3 raises when a service answers so."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


@pytest.mark.parametrize(
    ("error", "where", "remedy"),
    [
        (refusal("AccessDenied", 403), "the AWS API, PutObject", "that permission"),
        (refusal("ExpiredToken", 400), "the AWS API, PutObject", "log in"),
        (refusal("SlowDown", 503), "the AWS API, PutObject", "again in a minute"),
        (refusal("ThrottlingException", 400), "the AWS API, PutObject", "again in a minute"),
        (refusal("InternalError", 500), "the AWS API, PutObject", "again in a minute"),
        (refusal("NoSuchBucket", 404), "the AWS API, PutObject", "act on what AWS says"),
        (NoCredentialsError(), "the credentials boto3 finds", "log in"),
        (EndpointConnectionError(endpoint_url="https://s3"), "https://s3", "network, proxy, VPN"),
        (
            ConnectTimeoutError(endpoint_url="http://127.0.0.1:4566"),
            "http://127.0.0.1:4566",
            "starts the sandbox",
        ),
        (ParamValidationError(report="no Key"), "boto3", "act on what AWS says"),
    ],
)
def test_each_kind_of_no_from_aws_is_told_in_its_words_with_what_helps(
    ending, error, where, remedy
):
    ended = ending(error)

    assert ended.code == 1
    assert str(error) in ended.err
    assert where in ended.err.split("where:")[1].split("next:")[0]
    assert remedy in ended.err.split("next:")[1]
    assert "Traceback" not in ended.err


def test_ctrl_c_ends_quietly_with_the_shell_s_exit_code(ending):
    ended = ending(KeyboardInterrupt())

    assert ended.code == 130
    assert ended.err == "interrupted; the same command again goes on from here\n"


def test_a_bug_is_not_dressed_up(ending):
    with pytest.raises(ZeroDivisionError):
        ending(ZeroDivisionError())


def test_an_option_that_wants_a_number_says_so_without_a_traceback(run_program):
    waited = []

    @verb
    def work(context, wait=0):
        """Work."""
        waited.append(wait)

    ended = run_program(Collection(work), "work", "--wait", "soon")

    assert ended.code == 2
    assert ended.err == (
        'error: "soon" is no whole number\n  where: --wait\n  next:  give it digits only\n'
    )
    assert run_program(Collection(work), "work", "--wait", "2").code == 0
    assert waited == [2]
