"""state: what stands, by the addresses that a plan has, without running Terraform."""

from __future__ import annotations

import json

from delivery.terraform import state

STATE = {
    "version": 4,
    "lineage": "l",
    "serial": 7,
    "resources": [
        {
            "mode": "data",
            "type": "aws_caller_identity",
            "name": "here",
            "instances": [{"attributes": {}}],
        },
        {
            "mode": "managed",
            "type": "aws_s3_bucket",
            "name": "alone",
            "instances": [{"attributes": {"bucket": "a"}}],
        },
        {
            "module": "module.airbrew.module.monitoring[0]",
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": "each",
            "instances": [
                {"index_key": 0, "attributes": {"id": "q0"}},
                {"index_key": 'a "b"', "attributes": None},
            ],
        },
    ],
}


def test_each_instance_of_what_is_managed_has_the_address_that_a_plan_gives_it():
    found = {each.address: (each.type, each.attributes) for each in state.resources(STATE)}

    assert found == {
        "aws_s3_bucket.alone": ("aws_s3_bucket", {"bucket": "a"}),
        "module.airbrew.module.monitoring[0].aws_sqs_queue.each[0]": (
            "aws_sqs_queue",
            {"id": "q0"},
        ),
        'module.airbrew.module.monitoring[0].aws_sqs_queue.each["a \\"b\\""]': (
            "aws_sqs_queue",
            {},
        ),
    }


def test_it_is_read_from_where_the_backend_keeps_it_and_is_empty_before_the_first_apply(cloud, s3):
    s3.create_bucket(Bucket="state")

    before = state.read(cloud, "state", "dev")
    s3.put_object(Bucket="state", Key="terraform/dev.tfstate", Body=json.dumps(STATE))

    assert before == {}
    assert state.read(cloud, "state", "dev")["serial"] == 7
    assert list(state.resources(before)) == []
