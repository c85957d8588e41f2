"""The sandbox's local AWS as if behind TLS, writing down what each principal asked for."""

from __future__ import annotations

import os
from pathlib import Path

from ministack.core import iam_actions

from sandbox import local_aws
from tests.doubles import lambda_actions
from tests.doubles.recording_aws import record
from tests.doubles.tls_aws import BehindTls
from tests.integration.enforcement import DECISIONS_VARIABLE

if __name__ == "__main__":
    iam_actions._lambda_action = lambda_actions.action
    record(Path(os.environ[DECISIONS_VARIABLE]))
    local_aws.SavingMiniStack = BehindTls
    local_aws.main()
