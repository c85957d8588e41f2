"""The verbs over snapshots: what they ask the deployed functions, print, and exit with."""

from __future__ import annotations

import io
import json

import pytest

from delivery import standing
from delivery.cloud import Cloud
from verbs import contents

OUTPUTS = {
    "orchestrator_function": "orchestrator",
    "collector_function": "collector",
    "sync_worker_function": "worker",
}
MOVED = {
    "channel": "default",
    "snapshot": "2026-11-15T030000Z",
    "was": "2026-11-22T030000Z",
    "files": ["formula.jws.json"],
}


class Functions:
    """Lambda, with the answers that a test lays out; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers, self.asked = [], []

    def invoke(self, FunctionName, Qualifier, Payload):  # noqa: N803 - AWS's names
        self.asked.append((FunctionName, json.loads(Payload)))
        answer, kind = self.answers.pop(0)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())} | kind

    def will_answer(self, *answers):
        self.answers += [(each, {}) for each in answers]

    def will_fail(self, message):
        self.answers.append(({"errorMessage": message}, {"FunctionError": "Unhandled"}))


@pytest.fixture
def functions(monkeypatch):
    """The deployed functions of dev."""
    double = Functions()
    cloud = Cloud("AWS", "123456789012", "us-east-1", {})
    cloud._clients["lambda"] = double
    monkeypatch.setattr(contents, "reach", lambda _: cloud)
    monkeypatch.setattr(standing, "deployed", lambda *_: OUTPUTS)
    return double


def test_snapshots_are_listed_with_what_serves_them(inv, functions):
    row = {"id": "2026-11-22T030000Z", "created_at": "2026-11-22T03:00:00Z", "age_seconds": 7200}
    row |= {"formulae": 3, "bottles": 4, "bytes": 2048, "new_bytes": 10, "channels": ["default"]}
    functions.will_answer({"snapshots": [row]})

    ended = inv("mirror.snapshots")

    assert ended.out.splitlines()[-1].split() == [
        *("2026-11-22T030000Z", "2.0", "h", "3", "4", "2.0", "KiB", "10", "B", "api/")
    ]


def test_snapshots_tell_how_many_casks_they_hold_where_any_holds_some(inv, functions):
    row = {"created_at": "2026-11-22T03:00:00Z", "age_seconds": 7200, "formulae": 3, "bottles": 4}
    row |= {"bytes": 2048, "new_bytes": 10, "channels": []}
    newest = row | {"id": "2026-11-22T030000Z", "casks": 17}
    functions.will_answer({"snapshots": [newest, row | {"id": "2026-11-15T030000Z"}]})

    head, *rows = (each.split() for each in inv("mirror.snapshots").out.splitlines()[-3:])

    assert head.index("casks") == 4
    assert [each[5] for each in rows] == ["17", "0"]


def test_a_rollback_says_what_is_served_instead_of_what(inv, functions):
    functions.will_answer({"moved": [MOVED], "dry_run": False})

    ended = inv("mirror.rollback", "--to", "2026-11-15T030000Z")

    assert functions.asked == [
        (
            "orchestrator",
            {
                "action": "rollback",
                "snapshot": "2026-11-15T030000Z",
                "channel": "default",
                "dry_run": False,
            },
        )
    ]
    assert "api/ serves 2026-11-15T030000Z instead of 2026-11-22T030000Z: 1 API files" in ended.out


def test_a_refusal_is_told_in_the_mirror_s_own_words(inv, functions):
    functions.will_fail("1 bottles are gone: jq\n  where: s3://m/x\n  next:  choose another")

    ended = inv("mirror.rollback", "--to", "2026-11-15T030000Z")

    assert ended.code == 1
    assert "the orchestrator did not roll back: 1 bottles are gone: jq" in ended.err
    assert "next:  choose another" in ended.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mirror.rollback"], "no snapshot is given"),
        (["mirror.promote"], "no channel is given"),
    ],
)
def test_what_must_be_named_is_asked_for_before_anything_is_called(inv, functions, words, told):
    ended = inv(*words)

    assert ended.code == 2
    assert told in ended.err
    assert functions.asked == []


@pytest.mark.parametrize(("words", "apply"), [([], False), (["--apply"], True)])
def test_a_collection_is_a_dry_run_unless_it_is_told_to_apply(inv, functions, words, apply):
    answer = {"applied": apply, "kept": {"2026-11-22T030000Z": "served as api/"}, "dropped": []}
    answer |= dict.fromkeys(("objects", "bytes", "waiting", "waiting_bytes", "api_files"), 0)
    functions.will_answer({**answer, "staging": 0, "examples": [], "moving": [], "report": ""})

    ended = inv("mirror.gc", *words)

    assert functions.asked == [("collector", {"action": "collect", "apply": apply})]
    assert ("nothing was deleted; --apply does it" in ended.out) is not apply


def test_a_verification_goes_on_until_it_is_finished_and_exits_1_for_damage(inv, functions):
    answer = {"run": "r", "report": "reports/verify/r.json", "snapshot": "s", "listed": 2, "of": 2}
    answer |= {"bytes": 9, "damaged": 1, "repaired": 0, "examples": ["jq 1.0: it is gone"]}
    functions.will_answer(
        answer | {"hashed": 1, "finished": False}, answer | {"hashed": 2, "finished": True}
    )

    ended = inv("mirror.verify", "--sample", "2")

    assert [event["run"] for _, event in functions.asked] == ["", "r"]
    assert {function for function, _ in functions.asked} == {"worker"}
    assert functions.asked[0][1]["deep"] is True
    assert ended.code == 1
    assert "jq 1.0: it is gone" in ended.out
    assert "inv mirror.verify --run r" in ended.err


@pytest.mark.parametrize(("repaired", "code"), [(2, 0), (1, 1)])
def test_manifests_are_mended_by_the_function_that_may_write_them(inv, functions, repaired, code):
    answer = {"run": "r", "report": "reports/verify/r.json", "snapshot": "s", "listed": 2, "of": 0}
    answer |= {"bytes": 0, "hashed": 0, "damaged": 2, "examples": ["jq: gone"], "finished": True}
    functions.will_answer(
        answer | {"repaired": 0, "to_mend": 2},
        answer | {"repaired": 1, "to_mend": 1},
        answer | {"repaired": repaired, "to_mend": 0},
    )

    ended = inv("mirror.verify", "--repair")

    assert functions.asked[1:] == [("orchestrator", {"action": "mend", "run": "r"})] * 2
    assert f"2 damaged, {repaired} repaired" in ended.out
    assert ended.code == code


@pytest.mark.parametrize("intact", [True, False])
def test_an_audit_exits_1_at_a_break(inv, functions, intact):
    first = None if intact else {"key": "snapshots/x/snapshot.json", "problem": "was rewritten"}
    answer = {"intact": intact, "breaks": 0 if intact else 1, "first": first, "newest": None}
    functions.will_answer({**answer, "snapshots": 2, "dropped": 0, "files": 9, "unproven": 0})

    ended = inv("mirror.audit")

    assert ended.code == (0 if intact else 1)
    assert ("BROKEN in 1 place:" in ended.out) is not intact


def test_an_audit_is_held_to_a_digest_that_was_noted_down(inv, functions):
    answer = {"intact": True, "breaks": 0, "first": None, "newest": None}
    functions.will_answer({**answer, "snapshots": 2, "dropped": 0, "files": 9, "unproven": 0})

    good = inv("mirror.audit", "--noted", "sha256:" + "0A" * 32)
    bad = inv("mirror.audit", "--noted", "yesterday")

    assert functions.asked == [("orchestrator", {"action": "audit", "noted": "0a" * 32})]
    assert (good.code, bad.code) == (0, 2)
    assert '"yesterday" is no digest' in bad.err


def test_what_was_deployed_before_there_was_a_collector_is_told_to_be_deployed_again(
    inv, functions, monkeypatch
):
    monkeypatch.setattr(standing, "deployed", lambda *_: {"orchestrator_function": "o"})

    ended = inv("mirror.gc")

    assert ended.code == 2
    assert "it is of an earlier release" in ended.err


def test_a_sample_that_cannot_be_drawn_is_bad_input_and_nobody_is_asked(inv, functions):
    ended = inv("mirror.verify", "--sample", "-3")

    assert ended.code == 2
    assert "a sample of -3 cannot be drawn\n  where: --sample" in ended.err
    assert functions.asked == []
