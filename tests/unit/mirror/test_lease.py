"""One sync at a time, by a lease that expires, can be inherited, and is given back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from mirror import executions, lease, reports
from mirror.errors import IncompleteSync, SyncUnderWay
from tests.unit.mirror.conftest import EXECUTION, NOW

MINUTE = timedelta(minutes=1)


def alive(_execution):
    return True


def ended(_execution):
    return False


def test_a_second_execution_is_told_who_holds_the_lease(bucket):
    lease.acquire(bucket, EXECUTION, alive, NOW)

    told = f'the sync "2026-11-22T030000Z" of {EXECUTION}, until 2026-11-22T03:30:00Z'
    with pytest.raises(SyncUnderWay, match=told):
        lease.acquire(bucket, "two", alive, NOW + MINUTE)


def test_the_same_execution_gets_its_own_sync_back(bucket):
    first = lease.acquire(bucket, EXECUTION, alive, NOW)

    assert lease.acquire(bucket, EXECUTION, alive, NOW + 5 * MINUTE) == first
    assert lease.acquire(bucket, EXECUTION, alive, NOW + 50 * MINUTE) == first


def test_a_lease_that_has_expired_is_taken_over(bucket):
    lease.acquire(bucket, EXECUTION, alive, NOW)

    assert lease.acquire(bucket, "two", alive, NOW + 31 * MINUTE) == "2026-11-22T033100Z"


@pytest.mark.parametrize("sync", ["2026-13-45T999999Z", "2026-02-30T030000Z", "9999-12-31T235959Z"])
def test_a_lease_for_an_id_that_no_sync_can_have_belongs_to_nobody(bucket, sync):
    told = {"sync": sync, "execution": "two", "expires_at": "2026-11-22T03:30:00Z"}
    bucket.write_json("syncs/lease.json", told)

    assert lease.acquire(bucket, EXECUTION, alive, NOW) == "2026-11-22T030000Z"


def test_a_lease_whose_execution_has_ended_is_taken_over(bucket):
    lease.acquire(bucket, EXECUTION, alive, NOW)

    assert lease.acquire(bucket, "two", ended, NOW + MINUTE) == "2026-11-22T030100Z"


@pytest.mark.parametrize("earlier", [None, "before"])
def test_a_lease_whose_writing_was_not_answered_belongs_to_who_wrote_it(bucket, earlier):
    class Deaf(type(bucket)):
        """S3 refuses the SDK's second try of a write whose answer was lost."""

        def replace(self, key, document, etag):
            assert super().replace(key, document, etag)
            return False

    if earlier:
        lease.acquire(bucket, earlier, alive, NOW - 60 * MINUTE)
    deaf = Deaf(bucket._client, "mirror")

    assert lease.acquire(deaf, EXECUTION, alive, NOW) == "2026-11-22T030000Z"
    lease.take(deaf, "2026-11-22T030000Z", EXECUTION, alive, NOW + MINUTE)


def test_of_two_that_find_no_lease_one_wins(bucket, s3):
    class Slow(type(bucket)):
        def find_version(self, key):
            found = super().find_version(key)
            if not found:
                lease.acquire(bucket, "faster", alive, NOW)
            return found

    with pytest.raises(SyncUnderWay, match="faster"):
        lease.acquire(Slow(s3, "mirror"), EXECUTION, alive, NOW)


def test_two_syncs_within_a_second_have_different_ids(bucket):
    first = lease.acquire(bucket, EXECUTION, alive, NOW)
    lease.release(bucket, EXECUTION, NOW)

    assert lease.acquire(bucket, "two", alive, NOW) > first


def test_a_lease_is_renewed_only_when_it_runs_low(bucket, stored):
    sync = lease.acquire(bucket, EXECUTION, alive, NOW)
    before = stored("syncs/lease.json")

    lease.renew(bucket, sync, NOW + 4 * MINUTE)
    untouched = stored("syncs/lease.json") == before
    lease.renew(bucket, sync, NOW + 6 * MINUTE)

    assert untouched
    assert json.loads(stored("syncs/")["syncs/lease.json"])["expires_at"] == "2026-11-22T03:36:00Z"


def test_a_lease_that_someone_took_over_cannot_be_renewed(bucket):
    sync = lease.acquire(bucket, EXECUTION, alive, NOW)
    lease.acquire(bucket, "two", ended, NOW + MINUTE)

    with pytest.raises(SyncUnderWay, match="two"):
        lease.renew(bucket, sync, NOW + 2 * MINUTE)


def test_batches_that_renew_at_the_same_time_do_not_fail(bucket, s3):
    sync = lease.acquire(bucket, EXECUTION, alive, NOW)

    class Slow(type(bucket)):
        def replace(self, key, document, etag):
            lease.renew(bucket, sync, NOW + 10 * MINUTE)
            return super().replace(key, document, etag)

    lease.renew(Slow(s3, "mirror"), sync, NOW + 11 * MINUTE)


def test_a_lease_file_that_nobody_can_read_holds_nobody_up(bucket, s3):
    s3.put_object(Bucket="mirror", Key="syncs/lease.json", Body=b"{}")

    assert lease.acquire(bucket, EXECUTION, alive, NOW) == "2026-11-22T030000Z"


def test_publishing_gives_the_lease_back(upstream, sync):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()

    assert sync.plan("two", NOW + MINUTE)["sync"] == "2026-11-22T030100Z"


def test_a_batch_and_a_publish_of_a_sync_that_lost_its_lease_are_refused(upstream, sync, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = sync.plan()
    sync.plan("two", NOW + MINUTE, is_running=ended)

    with pytest.raises(SyncUnderWay):
        sync.copy(planned)
    with pytest.raises(SyncUnderWay):
        sync.publish(planned)

    assert not stored("api/")


def test_a_failure_is_recorded_and_frees_the_way(upstream, sync, bucket, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    planned = sync.plan()
    with pytest.raises(IncompleteSync):
        sync.publish(planned)

    answer = reports.report_failure(bucket, EXECUTION, "IncompleteSync", "why", now=NOW + MINUTE)

    assert answer == {"sync": planned["sync"], "error": "IncompleteSync", "cause": "why"}
    report = json.loads(stored("syncs/")[f"syncs/{planned['sync']}/report.json"])
    assert (
        report.items()
        >= {
            "outcome": "failed",
            "ended_at": "2026-11-22T03:01:00Z",
            "error": "IncompleteSync",
            "cause": "why",
        }.items()
    )
    assert sync.plan("two", NOW + 2 * MINUTE)["sync"] == "2026-11-22T030200Z"


def test_a_failure_after_publishing_does_not_unsay_the_publish(upstream, sync, bucket, stored):
    upstream.add("jq", {"arm64_tahoe": b"jq"})
    sync.run()
    before = stored("syncs/2026-11-22T030000Z/report.json")

    reports.report_failure(bucket, EXECUTION, "States.Timeout", "lost its way", now=NOW)

    assert stored("syncs/2026-11-22T030000Z/report.json") == before


def test_who_was_refused_the_lease_cannot_free_it(bucket):
    lease.acquire(bucket, EXECUTION, alive, NOW)

    answer = reports.report_failure(bucket, "two", "SyncUnderWay", "why", now=NOW)

    assert answer["sync"] is None
    with pytest.raises(SyncUnderWay):
        lease.acquire(bucket, "two", alive, NOW)


class States:
    """Step Functions as far as a lease needs it; the errors are botocore's own."""

    def __init__(self, status=None, code=None):
        self.status, self.code = status, code

    def describe_execution(self, executionArn):  # noqa: N803 - the service's spelling
        if self.code:
            raise executions.ClientError({"Error": {"Code": self.code}}, "DescribeExecution")
        return {"status": self.status}


@pytest.mark.parametrize(
    ("states", "running"),
    [
        (States("RUNNING"), True),
        (States("FAILED"), False),
        (States("SUCCEEDED"), False),
        (States(code="ExecutionDoesNotExist"), False),
        (States(code="AccessDeniedException"), True),
        (States(code="InvalidArn"), True),
    ],
)
def test_an_execution_counts_as_running_unless_it_is_known_to_have_ended(states, running):
    assert executions.is_running(states, EXECUTION) is running
