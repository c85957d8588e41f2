"""verb: a failure that was foreseen is a message and an exit code; a bug shows its traceback."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from invoke.collection import Collection

from delivery.errors import BadInput, DeployUnderWay
from sandbox.errors import SandboxError
from verbs.verb import verb

PLACE = {"where": "config/airbrew.yaml:3", "remedy": "inv config.validate"}
DENIED = {"Error": {"Code": "AccessDenied", "Message": "no"}}


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


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ClientError(DENIED, "PutObject"), "(AccessDenied) when calling the PutObject operation"),
        (EndpointConnectionError(endpoint_url="https://s3"), 'endpoint URL: "https://s3"'),
    ],
)
def test_what_aws_refuses_is_told_in_its_words_without_a_traceback(ending, error, told):
    ended = ending(error)

    assert ended.code == 1
    assert told in ended.err
    assert "next:  log in again" in ended.err
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
