"""Playing an event: which jobs run, in which order, with what; their `run:` steps for real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.rehearsal import stand_ins, syntax
from tests.rehearsal.expressions import Refused, condition, fill
from tests.rehearsal.scene import FOLDER, REPOSITORY, Circumstances, Event, JobRun, Run
from tests.rehearsal.steps import Steps
from tests.rehearsal.syntax import Workflow

# What a pull request from a fork gets of what a job asks for, whatever it asks.
# Source: GitHub, "Events that trigger workflows": forks get a token that may only read.
READ_ONLY = {"write": "read"}
# What these deploy to is on the runner, and gone with it: the account stays as it was.
ON_A_RUNNER_OF_ITS_OWN = {"preview"}
REGION = "us-east-1"


class Player:
    """Plays events on the workflows of one working copy.

    Args:
        workspace: a clone, which the checkout's stand-in empties and fills.
        programs: a folder that stands first on the PATH of every step.
    """

    def __init__(self, workspace: Path, programs: Path) -> None:
        self.workspace, self.programs = workspace, programs
        shim = programs / "python"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        shim.chmod(0o755)
        self.attested: dict[str, str] = {}
        self.runner = workspace.with_name(f"{workspace.name}-runner")

    def place_of(self, job: str, sha: str) -> Path:
        """The working copy, or another one with a sandbox of its own."""
        if job not in ON_A_RUNNER_OF_ITS_OWN:
            return self.workspace
        if not self.runner.exists():
            added = ["worktree", "add", "-q", "--detach", str(self.runner), sha]
            subprocess.run(["git", "-C", str(self.workspace), *added], check=True)
        return self.runner

    def at_the_desk(self, *words: str, account: str) -> str:
        """What an `inv` answers a person who has come into an account without any workflow."""
        session = stand_ins.session(self.workspace, account, REGION)
        ended = subprocess.run(
            [self.programs / "python", "-m", "invoke", *words],
            cwd=self.workspace,
            env={**os.environ, **session},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def stop(self) -> None:
        """Stop the sandboxes that the jobs have started."""
        for place in (self.workspace, self.runner):
            if place.exists():
                words = [self.programs / "python", "-m", "invoke", "sandbox.down"]
                subprocess.run(words, cwd=place, check=False)

    def play(self, event: Event, circumstances: Circumstances | None = None) -> Run:
        """Every workflow that the event starts."""
        before = dict(self.attested)
        run = Run(event, circumstances or Circumstances(), self.workspace, attested_before=before)
        for file in sorted((self.workspace / FOLDER).glob("*.yml")):
            workflow = syntax.read(file)
            if workflow.is_started_by(event.name, event.ref):
                run.say(f"== {workflow.path}, by {event.name} {event.ref}")
                _Jobs(self, run, workflow, inputs={}, ceiling=None).play()
        self.attested |= run.attested
        return run

    def standing(self, environment: str, account: str) -> str:
        """The id of the release that stands in an environment, as `inv history` tells."""
        told = self.at_the_desk("history", "--env", environment, "--json", account=account)
        return str(json.loads(told)[0]["release"]["id"])


class _Jobs:
    """The jobs of a workflow, or of one that is called: then under a ceiling of permissions."""

    def __init__(
        self,
        player: Player,
        run: Run,
        workflow: Workflow,
        *,
        inputs: Mapping[str, Any],
        ceiling: Mapping[str, str] | None,
        prefix: str = "",
    ) -> None:
        self.player, self.run, self.workflow = player, run, workflow
        self.inputs, self.ceiling, self.prefix = inputs, ceiling, prefix
        self.done: dict[str, JobRun] = {}

    def play(self) -> None:
        waiting = dict(self.workflow.jobs)
        while waiting:
            ready = [
                name for name, job in waiting.items() if set(syntax.needs(job)) <= set(self.done)
            ]
            if not ready:
                raise Refused(f"{list(waiting)} need each other, or a job that is not there")
            for name in ready:
                self.done[name] = self._job(name, waiting.pop(name))
                self.run.jobs[self.prefix + name] = self.done[name]

    def _job(self, name: str, job: Mapping[str, Any]) -> JobRun:
        status = self._status(job)
        if not condition(job.get("if"), self._contexts(job), status):
            self.run.say(f"-- {self.prefix}{name}: skipped")
            return JobRun("skipped")
        strategy = fill(job.get("strategy", {}), self._contexts(job), status)
        found = [self._leg(name, job, leg) for leg in syntax.legs(strategy)]
        results = {each.result for each in found}
        whole = JobRun("success" if results == {"success"} else "failure")
        for each in found:
            whole.outputs |= each.outputs
            whole.ran += each.ran
        return whole

    def _leg(self, name: str, job: Mapping[str, Any], matrix: Mapping[str, Any]) -> JobRun:
        contexts = {**self._contexts(job), "matrix": matrix}
        status = {"success": True, "failure": False, "cancelled": False, "always": True}
        # Every field that GitHub fills in has to be one that can be.
        told = fill(
            {key: job.get(key) for key in ("name", "concurrency", "environment")}, contexts, status
        )
        self.run.say(f"-- {self.prefix}{name} ({told['name']})")
        permissions = self._permissions(job)
        if "uses" in job:
            return self._called(name, job, fill(job.get("with", {}), contexts, status), permissions)
        if told["environment"] in self.run.circumstances.rejected:
            self.run.say(f"   rejected by the reviewers of {told['environment']}")
            return JobRun("failure")
        place = self.player.place_of(name, self.run.event.sha)
        run = replace(self.run, workspace=place)
        return Steps(self.player.programs, run, job, contexts, permissions).play()

    def _called(
        self,
        name: str,
        job: Mapping[str, Any],
        inputs: Mapping[str, Any],
        permissions: Mapping[str, str],
    ) -> JobRun:
        path = re.fullmatch(r"\$/(\.github/workflows/[\w-]+\.yml)", job["uses"])
        if path is None:
            raise Refused(f"a called workflow of elsewhere: {job['uses']!r}")
        workflow = syntax.read(self.player.workspace / path[1])
        declared = workflow.triggers["workflow_call"]["inputs"]
        if set(inputs) != set(declared):
            raise Refused(f"{job['uses']} takes {list(declared)}, and gets {list(inputs)}")
        called = _Jobs(
            self.player,
            self.run,
            workflow,
            inputs=inputs,
            ceiling=permissions,
            prefix=f"{name} / ",
        )
        called.play()
        fine = all(each.result != "failure" for each in called.done.values())
        return JobRun("success" if fine else "failure")

    def _permissions(self, job: Mapping[str, Any]) -> dict[str, str]:
        asked = dict(job["permissions"])
        if self.ceiling is not None and not asked.items() <= self.ceiling.items():
            raise Refused(f"a called workflow asks for more than its caller has: {asked}")
        if self.run.event.is_fork:
            asked = {what: READ_ONLY.get(how, how) for what, how in asked.items()}
        self.run.obtained.write_tokens += [
            what for what, how in asked.items() if how == "write" and what != "id-token"
        ]
        return asked

    def _status(self, job: Mapping[str, Any]) -> dict[str, bool]:
        """What the functions of status say before a job: all that it needs, and what those need."""
        results = {self.done[name].result for name in self._ancestors(job)}
        return {
            "success": results <= {"success"},
            "failure": "failure" in results,
            "cancelled": False,
            "always": True,
        }

    def _ancestors(self, job: Mapping[str, Any]) -> set[str]:
        direct = set(syntax.needs(job))
        return direct.union(*(self._ancestors(self.workflow.jobs[name]) for name in direct))

    def _contexts(self, job: Mapping[str, Any]) -> dict[str, Any]:
        event = self.run.event
        return {
            "github": {
                "event_name": event.name,
                "ref": event.ref,
                "run_id": "1",
                "event": event.payload,
                "repository": REPOSITORY,
                "token": "" if event.is_fork else "token",
            },
            "secrets": _Secrets(self.run, are_given="environment" in job and not event.is_fork),
            "vars": self.run.circumstances.variables,
            "inputs": self.inputs,
            "needs": {
                name: {"result": self.done[name].result, "outputs": self.done[name].outputs}
                for name in syntax.needs(job)
            },
        }


class _Secrets(dict[str, Any]):
    """The repository's and the environment's: what is read is noted, a fork reads nothing."""

    def __init__(self, run: Run, *, are_given: bool) -> None:
        super().__init__({} if run.event.is_fork else run.circumstances.secrets)
        self._run, self._are_given = run, are_given

    def get(self, name: str, default: Any = None) -> Any:
        self._run.obtained.secrets.append(name)
        return super().get(name, "a secret" if self._are_given else "")
