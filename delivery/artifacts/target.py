"""What the Lambdas' code will run on, and which wheels fit it."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from typing import Self

LAMBDA = "lambda"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Target:
    """An architecture in AWS's spelling (``x86_64``, ``arm64``), a Python (``3.13``), a system.

    `system` is ``lambda``, or this machine as Python names it (``macosx-14.0-arm64``).
    """

    architecture: str
    python: str
    system: str = LAMBDA

    @classmethod
    def for_host(cls) -> Self:
        """This machine and this interpreter: the sandbox runs the Lambdas' code with them."""
        is_arm = os.uname().machine.lower() in {"arm64", "aarch64"}
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls("arm64" if is_arm else "x86_64", python, sysconfig.get_platform())

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to choose wheels for Lambda; nothing for the host, whom pip knows."""
        if self.system != LAMBDA:
            return []
        machine = MACHINES[self.architecture]
        # pip takes a newer manylinux only when named, so each that the runtime's glibc can run is.
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(self._glibc_minor, 16, -1)]
        platforms = [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{machine}")]
        return [*platforms, "--implementation=cp", f"--python-version={self.python}"]

    @property
    def _glibc_minor(self) -> int:
        # Source: AWS Lambda runtimes; Amazon Linux 2023 from Python 3.12 on, before that 2.
        return 34 if int(self.python.partition(".")[2]) >= 12 else 26
