"""The Terraform sources: equal environments, narrow modules, a sound workflow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREE = ROOT / "terraform"
MODULES = sorted((TREE / "modules").iterdir())
ENVIRONMENTS = ["dev", "prod", "staging"]
MACHINE = json.loads((TREE / "modules" / "workflow" / "sync.asl.json").read_text())
COPYING = MACHINE["States"]["Copy"]["ItemProcessor"]
MACHINES = pytest.mark.parametrize("machine", [MACHINE, COPYING], ids=["sync", "Copy"])
TASKS = [
    pytest.param(state, id=name)
    for machine in (MACHINE, COPYING)
    for name, state in machine["States"].items()
    if state["Type"] == "Task"
]
CALLS = [each for each in TASKS if each.values[0]["Resource"].endswith("lambda:invoke")]
WITH_TASK = MACHINE["States"]["CopyWithTask"]
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def blocks(kind: str, folder: Path) -> dict[str, str]:
    """Each ``kind "name" {…}`` of a module, by name; `terraform fmt` puts its end at the margin."""
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    return dict(re.findall(rf'^{kind} "([^"]+)" {{\n(.*?)^}}$', text, re.MULTILINE | re.DOTALL))


def following(state: dict) -> set[str]:
    """The states that may come after this one."""
    ways = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    return {way[key] for way in ways for key in ("Next", "Default") if key in way}


def test_the_environments_are_the_same_file_three_times():
    assert sorted(folder.name for folder in (TREE / "environments").iterdir()) == ENVIRONMENTS
    for file in ("main.tf", ".terraform.lock.hcl"):
        assert len({(TREE / "environments" / env / file).read_bytes() for env in ENVIRONMENTS}) == 1


def test_the_way_in_is_made_with_the_environments_provider():
    environment, access = TREE / "environments" / "dev", TREE / "access"

    for file, lines in (("main.tf", r"version = .*"), (".terraform.lock.hcl", r".*")):
        assert re.findall(lines, (access / file).read_text()) == re.findall(
            lines, (environment / file).read_text()
        )


def test_the_locked_provider_is_the_one_that_the_environments_ask_for():
    main = (TREE / "environments" / "dev" / "main.tf").read_text()
    lock = (TREE / "environments" / "dev" / ".terraform.lock.hcl").read_text()

    (asked,) = re.findall(r'version = "= ([0-9.]+)"', main)
    (locked,) = re.findall(r'^  version     = "([0-9.]+)"', lock, re.MULTILINE)

    assert asked == locked
    assert len(re.findall('"h1:', lock)) == 2, "one for Linux, one for a Mac"


@each_module
def test_a_module_has_its_files_its_readme_and_its_test(module):
    expected = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"}

    assert expected <= {file.name for file in module.iterdir()}
    assert (module / "tests" / f"{module.name}.tftest.hcl").is_file()
    assert "It never" in (module / "README.md").read_text()


@each_module
def test_a_module_is_narrow_and_says_what_it_takes(module):
    variables = blocks("variable", module)

    assert 1 <= len(variables) <= 10
    for name, body in {**variables, **blocks("output", module)}.items():
        assert "description" in body, name
    for name, body in variables.items():
        assert re.search(r"^  nullable\s+= false$", body, re.MULTILINE), name


@each_module
def test_a_module_refuses_what_it_cannot_work_with(module):
    variables = blocks("variable", module)
    validated = [name for name, body in variables.items() if "validation {" in body]

    assert len(validated) / len(variables) >= 0.6


@each_module
def test_every_refusal_is_tried_out(module):
    test = (module / "tests" / f"{module.name}.tftest.hcl").read_text()
    refused = set(
        re.findall(r"var\.(\w+)", " ".join(re.findall(r"expect_failures = \[(.*?)\]", test, re.S)))
    )
    validated = {
        name for name, body in blocks("variable", module).items() if "validation {" in body
    }

    assert refused == validated


@each_module
def test_a_module_gives_lower_bounds_and_leaves_the_version_to_the_environments(module):
    versions = re.findall(r'version\s+= "([^"]+)"', (module / "versions.tf").read_text())

    assert [version.split()[0] for version in versions] == [">=", ">="]


def test_no_module_names_an_environment():
    for file in TREE.glob("modules/*/*.tf"):
        text = re.sub(r'contains\(\["dev", "staging", "prod"\].*', "", file.read_text())

        assert not re.search(r'"(dev|staging|prod)"', text), file


@MACHINES
def test_every_state_that_is_named_exists_and_is_reached(machine):
    states, reached, waiting = machine["States"], set(), {machine["StartAt"]}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= following(states[name]) - reached

    assert reached == set(states)


@MACHINES
def test_every_state_ends_or_goes_on(machine):
    for name, state in machine["States"].items():
        ends = state.get("End", False) or state["Type"] in ("Fail", "Succeed")

        assert ends != bool(following(state) - {"NotifyFailure", "BatchFailed"}), name


def repeated(state: dict) -> set[str]:
    return {error for retry in state["Retry"] for error in retry["ErrorEquals"]}


@pytest.mark.parametrize("state", CALLS)
def test_every_call_of_a_function_is_repeated_and_ended(state):
    assert state["TimeoutSeconds"] > 900, "Lambda ends by itself at 900 s, and says why"
    assert {"Lambda.TooManyRequestsException", "UpstreamUnavailable"} <= repeated(state)


@pytest.mark.parametrize(
    "state",
    [MACHINE["States"]["Plan"], COPYING["States"]["CopyBatch"], MACHINE["States"]["Publish"]],
    ids=["Plan", "CopyBatch", "Publish"],
)
def test_a_step_that_was_cut_off_goes_on_where_it_was(state):
    assert {"Lambda.Unknown", "Sandbox.Timedout", "States.Timeout"} <= repeated(state)


@pytest.mark.parametrize("state", TASKS)
def test_every_task_is_caught_and_never_repeated_in_vain(state):
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert not {"States.ALL", "States.TaskFailed", "IncompleteSync", "SyncUnderWay"} & repeated(
        state
    )
    for retry in state["Retry"]:
        assert retry["BackoffRate"] > 1
        assert retry["MaxAttempts"] <= 6


@pytest.mark.parametrize("name", ["Plan", "CopyWithTask", "Copy", "Publish"])
def test_a_failure_anywhere_is_told_with_its_error_and_cause(name):
    catch = MACHINE["States"][name]["Catch"][-1]
    payload = MACHINE["States"]["NotifyFailure"]["Parameters"]["Payload"]

    assert (catch["ResultPath"], catch["Next"]) == ("$.failure", "NotifyFailure")
    assert (payload["error.$"], payload["cause.$"]) == ("$.failure.Error", "$.failure.Cause")


def test_an_execution_ends_with_the_first_error_even_when_it_could_not_be_told():
    notify, failed = (MACHINE["States"][name] for name in ("NotifyFailure", "Failed"))

    assert notify["ResultPath"] is None
    assert notify["Catch"][0]["ResultPath"] != "$.failure"
    assert (failed["ErrorPath"], failed["CausePath"]) == ("$.failure.Error", "$.failure.Cause")


def test_batches_are_carried_without_what_the_sandbox_ignores():
    copy = MACHINE["States"]["Copy"]

    assert copy["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert copy["ResultPath"] is None
    assert not {"ItemBatcher", "ResultWriter"} & set(copy)


def test_nothing_to_copy_goes_straight_on_and_much_goes_to_the_task():
    route = MACHINE["States"]["Route"]

    assert [choice["Next"] for choice in route["Choices"]] == ["Publish", "CopyWithTask"]
    assert route["Default"] == "Copy"


def test_a_task_answers_for_itself_and_its_silence_ends():
    assert WITH_TASK["Resource"] == "arn:aws:states:::ecs:runTask.waitForTaskToken"
    assert WITH_TASK["HeartbeatSeconds"] < WITH_TASK["TimeoutSeconds"] < MACHINE["TimeoutSeconds"]
    assert "States.HeartbeatTimeout" in repeated(WITH_TASK)


def test_a_task_is_told_by_pointers_that_fit_into_its_overrides():
    (container,) = WITH_TASK["Parameters"]["Overrides"]["ContainerOverrides"]

    assert {each["Name"]: each["Value.$"] for each in container["Environment"]} == {
        "AIRBREW_BATCHES_KEY": "$.batches_key",
        "AIRBREW_TASK_TOKEN": "$$.Task.Token",
    }
    assert WITH_TASK["ResultPath"] is None


def test_an_interrupted_task_is_followed_by_another_and_in_the_end_by_functions():
    assert "Interrupted" in repeated(WITH_TASK)
    first, _ = WITH_TASK["Catch"]
    assert (set(first["ErrorEquals"]), first["Next"]) == (
        {"Interrupted", "States.HeartbeatTimeout"},
        "Copy",
    )
