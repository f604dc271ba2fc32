"""What a retry makes of a job that did not succeed: what was done and is right stays, what was found wrong or was refused is done again,
and where nothing can be built on it begins anew. Nothing is made twice."""
import pytest

from peers import Peer, end
from world import Awsim, fingerprint_of, items_of, make_table, plain_items, put_items, wait_until

FOREVER = 100000


@pytest.fixture
def peer(stand_ins):
    peer = Peer("awsim s3", stand_ins(Awsim))
    make_table(peer.dynamodb, "Sales")
    put_items(peer.dynamodb, "Sales", plain_items(120, 200))
    peer.dynamodb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    peer.items = items_of(peer.dynamodb, "Sales")
    yield peer
    peer.aws.clear_faults()
    peer.stop()


def fault(peer, operation, do, count=FOREVER, service="dynamodb", **more):
    peer.aws.faults({"service": service, "operation": operation, "do": do, "count": count, **more})


def effects(peer, operation, effect="made", of=""):
    return len([row for row in peer.aws.effects(operation, effect) if of in row["resource"]])


def retry(peer, job, plan=True, want="succeeded"):
    body = {}
    if plan:
        status, _, answer = peer.server.call("POST", "/v1/plans", {"retry_of": job["id"]})
        assert status == 200, answer
        body["plan_hash"] = answer["plan_hash"]
    status, _, again = peer.server.call("POST", f"/v1/jobs/{job['id']}/retry", body)
    assert status == 202 and again["retry_of"] == job["id"], again
    return peer.server.wait(again, want=want)


def status_of(peer, job):
    return {row["job_id"]: row["status"] for row in peer.server.get("/v1/recovery-points")["items"]}.get(job["id"])


# -- backups -------------------------------------------------------------------------------------------------------


def test_what_could_not_be_read_back_is_failed_and_only_read_again(peer):
    fault(peer, "GetObject", "error_500", service="s3")
    job = peer.server.wait(peer.server.submit("backup.table", {"table": "Sales"}), want="failed")
    assert job["error"]["code"] == "AWS_UNAVAILABLE" and status_of(peer, job) == "failed"
    point = peer.server.get("/v1/recovery-points")["items"][0]
    peer.aws.clear_faults()
    checked = peer.server.run("validate.backup", {"source": {"recovery_point": point["id"]}}, want="failed")
    assert checked["error"]["code"] == "RECOVERY_POINT_UNUSABLE" and "Retry" in checked["error"]["hint"], checked["error"]
    scans, puts = effects(peer, "Scan", "read"), effects(peer, "PutObject")
    again = retry(peer, job, plan=False)
    assert again["result"]["recovery_point"] == point["id"] and again["result"]["fingerprint"] == fingerprint_of(peer.items)
    assert [row["status"] for row in peer.server.get("/v1/recovery-points")["items"]] == ["verified"]
    assert (effects(peer, "Scan", "read"), effects(peer, "PutObject")) == (scans, puts), "something was done again"


def reading_back(peer, job):
    return any(step["name"] == "read_back" and step["state"] == "running" for step in peer.server.get(f"/v1/jobs/{job['id']}")["steps"])


def test_a_backup_cancelled_while_it_is_read_back_is_failed(peer):
    fault(peer, "GetObject", "delay", service="s3", ms=20000)
    job = peer.server.submit("backup.table", {"table": "Sales"})
    wait_until(lambda: reading_back(peer, job), what="the reading back")
    peer.server.call("POST", f"/v1/jobs/{job['id']}/cancel")
    job = peer.server.wait(job, want="cancelled")
    assert status_of(peer, job) == "failed"
    peer.aws.clear_faults()
    assert status_of(peer, retry(peer, job, plan=False)) in (None, "verified")
    assert [row["status"] for row in peer.server.get("/v1/recovery-points")["items"]] == ["verified"]


def test_a_backup_that_lacks_only_its_last_step_is_verified_by_its_retry(peer):
    """The one worker is busy with an older job when all is read back: the backup is cancelled with nothing but the verdict left to do."""
    point = peer.server.backup("Sales", segments=1)["result"]["recovery_point"]
    busy = peer.fresh_server(threads=1)
    try:
        peer.aws.own("POST", "settings", {"table_create_delay": "1h"})
        location = peer.server.get(f"/v1/recovery-points/{point}")["location"]
        busy.submit("restore.table", {"source": {"uri": location}, "target_table": "Back"}, plan=True)
        wait_until(lambda: effects(peer, "CreateTable", of="Back"), what="the table that is never ready")
        fault(peer, "GetObject", "delay", service="s3", ms=1000)
        job = busy.submit("backup.table", {"table": "Sales", "segments": 1})

        def read_back():
            steps = {step["name"]: step["state"] for step in busy.get(f"/v1/jobs/{job['id']}")["steps"]}
            return steps["read_back"] == "done" and steps["close"] != "done"

        wait_until(read_back, 60, "the moment before the last step")
        busy.call("POST", f"/v1/jobs/{job['id']}/cancel")
        job = busy.wait(job, want="cancelled")
        peer.aws.clear_faults()
        status, _, again = busy.call("POST", f"/v1/jobs/{job['id']}/retry", {})
        assert status == 202, again
        again = busy.wait(again)
        made = busy.get(f"/v1/recovery-points/{again['result']['recovery_point']}")
        assert (made["status"], made["fingerprint"]) == ("verified", fingerprint_of(peer.items)), made
    finally:
        end(busy)


def test_a_damaged_backup_is_made_anew(peer):
    """One data file is answered 200 and not stored: the files are no ground to go on from."""
    fault(peer, "PutObject", "lie", 1, service="s3")
    job = peer.server.wait(peer.server.submit("backup.table", {"table": "Sales"}), want="failed")
    assert job["error"]["code"] == "RECOVERY_POINT_DAMAGED" and status_of(peer, job) == "damaged"
    again = retry(peer, job, plan=False)
    assert again["result"]["fingerprint"] == fingerprint_of(peer.items)
    assert (status_of(peer, job), status_of(peer, again)) == ("damaged", "verified")


def test_a_backup_of_a_table_that_was_replaced_meanwhile_is_made_anew(peer):
    fault(peer, "Scan", "denied")
    job = peer.server.wait(peer.server.submit("backup.table", {"table": "Sales"}), want="failed")
    peer.aws.clear_faults()
    peer.dynamodb.delete_table(TableName="Sales")
    peer.dynamodb.get_waiter("table_not_exists").wait(TableName="Sales", WaiterConfig={"Delay": 1})
    make_table(peer.dynamodb, "Sales")
    put_items(peer.dynamodb, "Sales", plain_items(7))
    replaced = retry(peer, job, plan=False, want="failed")
    assert replaced["error"]["code"] == "TABLE_REPLACED", replaced["error"]
    assert retry(peer, replaced, plan=False)["result"]["items"] == 7


# -- restores ------------------------------------------------------------------------------------------------------


def restored(peer, want, target="Back"):
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    return point, lambda: peer.server.restore(point, target, want=want)


def test_a_restore_that_lost_writes_loads_them_again(peer):
    """BatchWriteItem says yes and does nothing: the comparison finds it, and a retry loads the same table again."""
    point, restore = restored(peer, "failed")
    fault(peer, "BatchWriteItem", "lie", 1)
    job = restore()
    assert job["error"]["code"] == "MISMATCH" and len(items_of(peer.dynamodb, "Back")) < len(peer.items)
    assert "retry" in job["error"]["hint"], job["error"]
    again = retry(peer, job)
    assert again["result"]["fingerprint"] == fingerprint_of(peer.items) and again["left_behind"] == []
    assert items_of(peer.dynamodb, "Back") == peer.items and effects(peer, "CreateTable", of="Back") == 1
    assert peer.server.get(f"/v1/recovery-points/{point}")["status"] == "proven"


def test_what_differs_after_a_second_load_is_told_so(peer):
    point, restore = restored(peer, "failed")
    fault(peer, "BatchWriteItem", "lie", 1)
    job = restore()
    put_items(peer.dynamodb, "Back", [{"pk": {"S": "stranger"}, "sk": {"S": "1"}}])
    again = retry(peer, job, want="failed")
    assert again["error"]["code"] == "MISMATCH" and "somebody else" in again["error"]["detail"], again["error"]
    assert peer.server.get(f"/v1/recovery-points/{point}")["status"] == "verified"


def test_a_partial_restore_tried_again_asks_only_for_what_was_refused(peer):
    point, restore = restored(peer, "partial")
    fault(peer, "UpdateContinuousBackups", "denied")
    job = restore()
    assert {row["name"]: row["outcome"] for row in job["result"]["settings"]}["pitr"] == "failed", job["result"]
    peer.aws.clear_faults()
    before = effects(peer, "BatchWriteItem", "changed")
    assert before > 0
    status, _, answer = peer.server.call("POST", f"/v1/jobs/{job['id']}/retry", {})
    assert status == 428 and answer["code"] == "PLAN_REQUIRED", answer
    status, _, plan = peer.server.call("POST", "/v1/plans", {"retry_of": job["id"]})
    assert status == 200 and [row["action"] for row in plan["effects"]] == ["apply settings"], plan
    again = retry(peer, job)
    assert {row["name"]: row["outcome"] for row in again["result"]["settings"]}["pitr"] == "applied" and not again["conditions"]
    assert again["result"]["fingerprint"] == fingerprint_of(peer.items) and again["left_behind"] == []
    assert effects(peer, "BatchWriteItem", "changed") == before and effects(peer, "CreateTable", of="Back") == 1
    pitr = peer.dynamodb.describe_continuous_backups(TableName="Back")["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert pitr["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.parametrize("then,code", [("gone", "TABLE_NOT_FOUND"), ("another", "TABLE_REPLACED")])
def test_a_partial_restore_is_only_gone_on_with_in_its_own_table(peer, then, code):
    _, restore = restored(peer, "partial")
    fault(peer, "UpdateContinuousBackups", "denied")
    job = restore()
    peer.aws.clear_faults()
    peer.dynamodb.delete_table(TableName="Back")
    peer.dynamodb.get_waiter("table_not_exists").wait(TableName="Back", WaiterConfig={"Delay": 1})
    if then == "another":
        make_table(peer.dynamodb, "Back")
    status, _, answer = peer.server.call("POST", "/v1/plans", {"retry_of": job["id"]})
    assert status == 409 and answer["code"] == code, answer


def test_a_restore_whose_table_is_gone_makes_it_anew(peer):
    point, _ = restored(peer, "failed")
    fault(peer, "BatchWriteItem", "denied")
    job = peer.server.wait(peer.server.submit("restore.table", {"source": {"recovery_point": point}, "target_table": "Back"}, plan=True), want="failed")
    peer.aws.clear_faults()
    peer.dynamodb.delete_table(TableName="Back")
    peer.dynamodb.get_waiter("table_not_exists").wait(TableName="Back", WaiterConfig={"Delay": 1})
    lost = retry(peer, job, want="failed")
    assert lost["error"]["code"] == "TABLE_NOT_FOUND", lost["error"]
    retry(peer, lost)
    assert items_of(peer.dynamodb, "Back") == peer.items


def test_a_setting_that_cannot_be_read_for_a_moment_is_waited_for(peer):
    """More often than a call is repeated: the call fails, and the step reads again."""
    fault(peer, "DescribeTimeToLive", "error_500", 6)
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "DescribeContinuousBackups", "reset_before", 6)
    fault(peer, "UpdateContinuousBackups", "reset_before", 6)
    restored = peer.server.restore(point, "Back")
    assert {row["name"]: row["outcome"] for row in restored["result"]["settings"]}["pitr"] == "applied"
    fault(peer, "DescribeTimeToLive", "denied")
    job = peer.server.run("backup.table", {"table": "Sales"}, want="partial")
    assert [row["type"] for row in job["conditions"]] == ["SettingsRead"], job["conditions"]


def outcomes(job):
    return {row["name"]: row["outcome"] for row in job["result"]["settings"]}


def test_a_setting_that_is_throttled_is_sent_again(peer):
    """More often than a call is repeated: AWS has not taken it, so that it shows is not waited for."""
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "UpdateContinuousBackups", "throttle", 5)
    assert outcomes(peer.server.restore(point, "Back"))["pitr"] == "applied"


def test_a_setting_whose_write_died_with_the_server_is_sent_again(peer):
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "UpdateContinuousBackups", "delay", 1, ms=60000)
    job = peer.server.submit("restore.table", {"source": {"recovery_point": point}, "target_table": "Back"}, plan=True)
    wait_until(lambda: not any(row["left"] for row in peer.aws.own("GET", "faults")), what="the write")
    peer.server.kill()
    peer.server.start()
    assert outcomes(peer.server.wait(job))["pitr"] == "applied"


# -- tables that a job makes ----------------------------------------------------------------------------------------


def submit_restore(peer, point):
    return peer.server.submit("restore.table", {"source": {"recovery_point": point}, "target_table": "Back"}, plan=True)


def taken(peer):
    return not any(row["left"] for row in peer.aws.own("GET", "faults"))


def test_a_table_that_never_appears_is_waited_for_an_hour(peer):
    """CreateTable says yes and does nothing."""
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "CreateTable", "lie")
    job = submit_restore(peer, point)
    wait_until(lambda: peer.aws.ledger(operation="CreateTable", resource="Back"), what="the request")
    peer.aws.own("POST", "clock", {"advance": "2h"})
    job = peer.server.wait(job, want="failed")
    assert job["error"]["code"] == "TABLE_NOT_ACTIVE" and "not there, an hour after" in job["error"]["detail"], job["error"]


def test_the_hour_of_a_retry_is_its_own(peer):
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "CreateTable", "error_500")
    job = peer.server.wait(submit_restore(peer, point), want="failed")
    peer.aws.clear_faults()
    peer.aws.own("POST", "clock", {"advance": "2h"})
    peer.aws.own("POST", "settings", {"table_create_delay": "20s"})
    assert retry(peer, job)["result"]["fingerprint"] == fingerprint_of(peer.items)


def test_a_table_that_appears_after_the_cancel_is_deleted(peer):
    """The job is cancelled while CreateTable is on its way: the table is there only when DescribeTable has said that it is not."""
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "CreateTable", "delay", 1, ms=5000)
    job = peer.server.submit("validate.backup", {"source": {"recovery_point": point}, "prove": True})
    wait_until(lambda: taken(peer), what="the request")
    peer.server.call("POST", f"/v1/jobs/{job['id']}/cancel")
    job = peer.server.wait(job, want="cancelled")
    assert wait_until(lambda: effects(peer, "CreateTable", of="recoverd-prove"), what="the table") == 1
    assert not [name for name in peer.dynamodb.list_tables()["TableNames"] if name.startswith("recoverd-prove")] and not job["left_behind"]


def test_a_strangers_table_is_not_taken_for_ours_when_tags_cannot_be_read_for_a_moment(peer):
    """Somebody else makes a table of this name, with the same keys, while our CreateTable is on its way."""
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    fault(peer, "CreateTable", "delay", 1, ms=3000)
    job = submit_restore(peer, point)
    wait_until(lambda: taken(peer), what="the request")
    fault(peer, "ListTagsOfResource", "error_500", 6)
    make_table(peer.dynamodb, "Back")
    wait_until(lambda: taken(peer), what="the look at the tags")
    peer.aws.own("POST", "clock", {"advance": "1m"})  # its tags would be there by now
    job = peer.server.wait(job, want="failed")
    assert job["error"]["code"] == "TARGET_EXISTS" and not job["left_behind"] and not items_of(peer.dynamodb, "Back"), job


def test_lines_without_keys_are_proven_with_those_of_the_request(peer):
    uri, tree = peer.foreign("lines")
    tree.write("sales.json", b'{"Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}\n{"Item":{"pk":{"S":"a"},"sk":{"N":"2"}}}\n')
    spec = {"source": {"uri": f"{uri}/sales.json"}, "prove": True}
    job = peer.server.run("validate.backup", spec, want="failed")
    assert job["error"]["code"] == "KEY_SCHEMA_REQUIRED" and "overrides.key_schema" in job["error"]["hint"], job["error"]
    status, _, answer = peer.server.call("POST", "/v1/plans", {"kind": "validate.backup", "environment": "production", "spec": spec})
    assert status == 422 and answer["code"] == "KEY_SCHEMA_REQUIRED", answer
    keys = {"key_schema": {"hash": "pk", "range": "sk"}, "attributes": {"pk": "S", "sk": "N"}}
    job = peer.server.run("validate.backup", {**spec, "overrides": keys}, want="partial", plan=True)
    assert [row["ok"] for row in job["result"]["checks"] if row["name"] == "proof"] == [True], job["result"]
    assert not [name for name in peer.dynamodb.list_tables()["TableNames"] if name.startswith("recoverd-prove")]
