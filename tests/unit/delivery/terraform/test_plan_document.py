"""Plan documents: what happens to each resource, attribute by attribute, with secrets hidden."""

from __future__ import annotations

import json

import pytest

from delivery.terraform.plan_document import AttributeChange
from tests.doubles.plans import document, entry

BUCKET = "module.storage.aws_s3_bucket.mirror"
FUNCTION = 'module.functions.aws_lambda_function.function["sync_worker"]'


def only(*entries, **more):
    (found,) = document(*entries, **more).changes
    return found


def test_an_update_names_only_what_differs():
    before = {"memory_size": 512, "timeout": 900, "tags": None}

    found = only(
        entry(FUNCTION, "update", before=before, after={**before, "memory_size": 1024, "tags": {}})
    )

    assert found.attributes == (AttributeChange("memory_size", 512, 1024),)


def test_nested_blocks_and_json_texts_are_compared_inside():
    def values(variable, action):
        policy = json.dumps({"Statement": [{"Action": action}]})
        return {"environment": [{"variables": {"KEY": variable}}], "policy": policy}

    found = only(
        entry(FUNCTION, "update", before=values("a", "s3:Get"), after=values("b", "s3:Put"))
    )

    assert [each.path for each in found.attributes] == [
        "environment.0.variables.KEY",
        "policy.Statement.0.Action",
    ]


def test_the_order_of_keys_in_a_policy_is_no_change():
    found = only(
        entry(
            FUNCTION,
            "update",
            before={"policy": '{"A":1,"B":2}', "n": 1},
            after={"policy": '{"B": 2, "A": 1}', "n": 2},
        )
    )

    assert [each.path for each in found.attributes] == ["n"]


def test_a_list_of_plain_values_is_one_value():
    found = only(entry(FUNCTION, "update", before={"layers": ["a"]}, after={"layers": ["a", "b"]}))

    assert found.attributes == (AttributeChange("layers", ["a"], ["a", "b"]),)


def test_what_only_the_apply_decides_is_said_to_be_unknown_and_never_gone():
    found = only(
        entry(
            FUNCTION,
            "update",
            before={"version": "1", "tracing": [{"mode": "Active"}]},
            after={},
            unknown={"version": True, "tracing": True},
        )
    )

    told = {each.path: each.after for each in found.attributes}
    assert told == {"version": "(known after apply)", "tracing": "(known after apply)"}


def test_a_secret_is_shown_as_a_digest_that_moves_with_it():
    def found(value):
        marks = {"password": True, "nested": [{"token": True}]}
        after = {"password": value, "nested": [{"token": value, "name": "x"}]}
        return only(entry(FUNCTION, after=after, sensitive=marks))

    first, second = found("hunter2"), found("hunter3")

    told = {each.path: each.after for each in first.attributes}
    assert told["password"].startswith("(sensitive, sha256:")
    assert told["nested.0.token"] != told["password"]
    assert told["nested.0.name"] == "x"
    assert "hunter2" not in json.dumps(first.as_json())
    assert first.as_json() != second.as_json()


def test_a_replacement_says_what_forces_it_and_what_is_lost():
    found = only(
        entry(
            BUCKET,
            "replace",
            before={"bucket": "a"},
            after={"bucket": "b"},
            action_reason="replace_because_cannot_update",
            replace_paths=[["bucket"]],
        )
    )

    assert (found.action, found.because) == ("replace", ("bucket",))
    assert found.reason == "cannot be changed in place"
    assert (found.destroys_data, found.holds) == (True, "objects")


@pytest.mark.parametrize(
    ("action", "is_destroyed"),
    [("create", False), ("update", False), ("forget", False), ("delete", True)],
)
def test_data_goes_only_with_what_is_destroyed(action, is_destroyed):
    found = only(entry(BUCKET, action, before={"bucket": "a"}, after={"bucket": "a", "x": 1}))

    assert found.destroys_data is is_destroyed


def test_unchanged_and_read_resources_are_no_changes_and_a_new_address_is_a_move():
    moved = entry(BUCKET, "none", previous_address="aws_s3_bucket.old")
    data = {**entry("data.aws_region.here", "none"), "mode": "data"}

    found = document(entry(FUNCTION, "none"), moved, data)

    assert [(each.address, each.action) for each in found.changes] == [(BUCKET, "move")]
    assert len(found.resources) == 2


def test_counts_tell_replacements_apart():
    found = document(entry(FUNCTION), entry(BUCKET, "replace"), entry("aws_iam_role.a", "delete"))

    assert found.counts == {
        "create": 1,
        "update": 0,
        "delete": 1,
        "replace": 1,
        "move": 0,
        "forget": 0,
    }
    assert not found.is_only_creation


def test_outputs_that_change_are_named():
    found = document(outputs={"a": {"actions": ["update"]}, "b": {"actions": ["no-op"]}})

    assert found.outputs == ("a",)
