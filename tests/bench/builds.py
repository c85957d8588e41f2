"""How long `inv build` takes beside `sam build` of the same functions, layer and requirements."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import yaml

from tests.bench.figures import Figure
from tests.integration.conftest import ROOT, copied, listed

SAM = ROOT / "build" / "sam"
LOCK = ROOT / "requirements" / "bench.txt"
GOALS = {"build.cold_vs_sam": 2.0, "build.warm_vs_sam": 5.0}
WAYS = {
    "build.cold_vs_sam": "nothing built before, pip's cache warm for both",
    "build.warm_vs_sam": "again, nothing changed, sam with --cached",
}
NOT_INSTALLED = "sam is not installed in build/sam; the whole bench installs it"
# What runs this builds for itself, so that sam finds the interpreter that it insists on.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def measure(runs: int = 5, *, install: bool = True) -> list[Figure]:
    """``build.cold_vs_sam`` and ``build.warm_vs_sam``: whole commands, in turns."""
    sam = _sam(install=install)
    if sam is None:
        return [Figure(key, [], ">=", goal, NOT_INSTALLED) for key, goal in GOALS.items()]
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = _checkout(Path(scratch) / "ours"), _project(Path(scratch) / "theirs")
        inv = [sys.executable, "-m", "invoke", "build", "--env", "prod"]
        build = [str(sam), "build", "--template", "template.yaml"]

        def cold() -> tuple[float, float]:
            for left in (ours / ".airbrew", theirs / ".aws-sam"):
                shutil.rmtree(left, ignore_errors=True)
            return _seconds(build, theirs), _seconds(inv, ours)

        def warm() -> tuple[float, float]:
            return _seconds([*build, "--cached"], theirs), _seconds(inv, ours)

        figures = []
        for key, run in zip(GOALS, (cold, warm), strict=True):
            run()  # Fills pip's cache the first time, sam's own the second.
            figures.append(_figure(key, [run() for _ in range(runs)]))
    return figures


def _figure(key: str, runs: Sequence[tuple[float, float]]) -> Figure:
    theirs, ours = (median(each) for each in zip(*runs, strict=True))
    how = (
        f"sam build over inv build of two functions and their layer, {WAYS[key]};"
        f" medians {theirs:.2f} s and {ours:.2f} s"
    )
    return Figure(key, [sam / inv for sam, inv in runs], ">=", GOALS[key], how)


def _sam(*, install: bool) -> Path | None:
    """The program, in an environment of its own: its requirements clash with ours."""
    program = SAM / "bin" / "sam"
    if not program.is_file() and install:
        subprocess.run([sys.executable, "-m", "venv", "--clear", SAM], check=True)
        pip = [SAM / "bin" / "python", "-m", "pip", "install", "--quiet"]
        # The lock is complete; resolved anew, an extra that it does not repeat has no hash.
        locked = ["--no-deps", "--require-hashes", "--requirement", LOCK]
        subprocess.run([*pip, *locked], check=True)
    return program if program.is_file() else None


def _checkout(folder: Path) -> Path:
    """This working tree, with a prod that is built for Lambda."""
    copied(folder, listed())
    file = folder / "config" / "airbrew.yaml"
    document = yaml.safe_load(file.read_text())
    prod = document["environments"]["prod"]
    prod["account_id"] = "123456789012"
    prod["functions"] = {"architecture": ARCHITECTURE, "python": PYTHON}
    file.write_text(yaml.safe_dump(document))
    return folder


def _project(folder: Path) -> Path:
    """The same as a project of sam's: a layer with our library and its requirements."""
    for name in ("orchestrator", "sync_worker"):
        shutil.copytree(ROOT / "lambdas" / name, folder / name / name, ignore=_caches)
    shutil.copytree(ROOT / "lambdas" / "mirror", folder / "layer" / "mirror", ignore=_caches)
    shutil.copy(ROOT / "requirements" / "layer.txt", folder / "layer" / "requirements.txt")
    (folder / "template.yaml").write_text(json.dumps(_template()))  # JSON is YAML.
    return folder


_caches = shutil.ignore_patterns("__pycache__")


def _template() -> dict[str, object]:
    runtime = f"python{PYTHON}"
    layer = {
        "Type": "AWS::Serverless::LayerVersion",
        "Metadata": {"BuildMethod": runtime, "BuildArchitecture": ARCHITECTURE},
        "Properties": {"ContentUri": "layer", "CompatibleRuntimes": [runtime]},
    }
    functions = {
        name.title().replace("_", ""): {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": name,
                "Handler": f"{name}.handler.handle",
                "Runtime": runtime,
                "Architectures": [ARCHITECTURE],
                "Layers": [{"Ref": "Layer"}],
            },
        }
        for name in ("orchestrator", "sync_worker")
    }
    transform = "AWS::Serverless-2016-10-31"
    return {"Transform": transform, "Resources": {"Layer": layer, **functions}}


def _seconds(command: Sequence[str], folder: Path) -> float:
    # sam looks for a python3.x that is one: a shim that only stands in for it will not do.
    interpreter = Path(sys.executable).resolve().parent
    # And whoever forbids Python to keep what it compiled slows down sources, not what is installed.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables = {
        **inherited,
        "PATH": f"{interpreter}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    since = time.perf_counter()
    subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=True)
    return time.perf_counter() - since
