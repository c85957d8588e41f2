"""Fixtures for all: no test reaches an account; a missing tool skips at a desk and fails in CI."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import boto3
import pytest
from hypothesis import settings
from moto import mock_aws

ROOT = Path(__file__).parents[1]

# Examples that touch files or sockets take as long as a busy machine lets them. In CI hypothesis
# has a profile of its own, which also repeats the same examples each time.
settings.register_profile("desk", deadline=None)
if "CI" not in os.environ:
    settings.load_profile("desk")

# A shell that runs the tests in the background lets them ignore Ctrl-C, and their children
# inherit that: those that are to be interrupted would run for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nobody_s_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests is logged in somewhere; the tests must not be."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session")
def s3_client():
    """One client for all tests: making one costs more than most tests do."""
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def s3(s3_client):
    """An S3 that forgets everything after the test."""
    with mock_aws():
        yield s3_client


def needed(tool: str) -> str:
    """The path of a program that a test needs: without it, a skip at a desk, a failure in CI."""
    found = shutil.which(tool)
    if found is None:
        missing = f"{tool} is not installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def terraform() -> str:
    """The path of Terraform."""
    return needed("terraform")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which every test was skipped has tested nothing, and says so."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or exitstatus != 0 or session.config.option.collectonly:
        return
    if not reporter.stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
