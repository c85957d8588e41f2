"""The steps of one job: actions by their stand-ins, `run:` for real, as GitHub's runner does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.rehearsal.expressions import Refused, condition, fill, spelt
from tests.rehearsal.scene import FOLDER, REPOSITORY, JobRun, Run
from tests.rehearsal.stand_ins import ACTIONS, COMMANDS, StepFailed

PATIENCE_SECONDS = 600


class Steps:
    """The steps of one job on a runner of its own."""

    def __init__(
        self,
        programs: Path,
        run: Run,
        job: Mapping[str, Any],
        contexts: Mapping[str, Any],
        permissions: Mapping[str, str],
    ) -> None:
        self.programs, self.run, self.job, self.permissions = programs, run, job, permissions
        self.contexts = {**contexts, "steps": {}}
        self.folder = Path(tempfile.mkdtemp(prefix="runner-", dir=run.workspace.parent))
        self.files = {name: self.folder / name for name in ("output", "summary", "path", "event")}
        for file in self.files.values():
            file.touch()
        run.exported.clear()
        self.files["event"].write_text(json.dumps(run.event.payload))

    def play(self) -> JobRun:
        ended = JobRun("success")
        for step in self.job["steps"]:
            status = {
                "success": ended.result == "success",
                "failure": ended.result == "failure",
                "cancelled": False,
                "always": True,
            }
            if not condition(step.get("if"), self.contexts, status):
                continue
            code = self._step(step, status)
            ended.ran.append((step.get("run", step.get("uses")).strip(), code))
            if code:
                ended.result = "failure"
        ended.outputs = fill(self.job.get("outputs", {}), self.contexts, {"success": True})
        self.run.lines += [
            f"   | {line}" for line in self.files["summary"].read_text().splitlines()
        ]
        return ended

    def _step(self, step: Mapping[str, Any], status: Mapping[str, bool]) -> int:
        self.files["output"].write_text("")
        if "uses" in step:
            code, outputs = self._action(step, status)
        else:
            code, outputs = self._shell(step, status)
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}
        return code

    def _action(self, step: Mapping[str, Any], status: Mapping[str, bool]) -> tuple[int, Any]:
        name, _, commit = step["uses"].partition("@")
        if name not in ACTIONS or not re.fullmatch("[0-9a-f]{40}", commit):
            raise Refused(f"no stand-in for {step['uses']!r}")
        inputs = fill(step.get("with", {}), self.contexts, status)
        try:
            outputs = ACTIONS[name](self.run, inputs, self.permissions)
        except StepFailed as error:
            self.run.say(f"   {name}: {error}")
            return 1, {}
        self.run.say(f"   {name}: stand-in")
        return 0, outputs

    def _shell(self, step: Mapping[str, Any], status: Mapping[str, bool]) -> tuple[int, Any]:
        command = step["run"].strip()
        given = fill(step.get("env", {}), self.contexts, status)
        env = {name: spelt(value) for name, value in given.items()}
        self.run.say(f"   $ {command}")
        if command in COMMANDS:
            code, said = COMMANDS[command](self.run, env), "stand-in"
        else:
            code, said = self._really(command, env)
        self.run.lines += [f"     {line}" for line in said.splitlines()[-40:]]
        self.run.say(f"     → {code}")
        return code, dict(_pairs(self.files["output"].read_text()))

    def _really(self, command: str, env: Mapping[str, str]) -> tuple[int, str]:
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
            cwd=self.run.workspace,
            env={**self._environment(), **self.run.exported, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return ended.returncode, ended.stdout

    def _environment(self) -> dict[str, str]:
        event, added = self.run.event, self.files["path"].read_text().splitlines()
        path = os.pathsep.join([str(self.programs), *reversed(added), os.environ["PATH"]])
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            "PATH": path,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": self.run.circumstances.api_url,
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/{FOLDER.as_posix()}/cicd.yml@{event.ref}",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "GITHUB_REF": event.ref,
            "GITHUB_SHA": event.sha,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(self.files["event"]),
            "GITHUB_OUTPUT": str(self.files["output"]),
            "GITHUB_STEP_SUMMARY": str(self.files["summary"]),
            "GITHUB_PATH": str(self.files["path"]),
        }


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, value = line.partition("=")
        yield name, value
