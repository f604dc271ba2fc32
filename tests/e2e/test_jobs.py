"""A job that is cancelled, tried again, drained or killed half-way: it ends as promised, and what was done is not done again."""
import pytest

from peers import Peer
from test_damage import planned
from world import Awsim, fingerprint_of, items_of, make_table, plain_items, put_items, wait_until


@pytest.fixture(params=["awsim", "awsim s3"])
def peer(request, stand_ins):
    peer = Peer(request.param, stand_ins(Awsim))
    yield peer
    peer.aws.clear_faults()
    peer.stop()


def scans(peer):
    """How many pages were read."""
    return len(peer.aws.effects("Scan", "read"))


def large_table(peer, name="Sales"):
    """Of a few pages of 1 MB each."""
    make_table(peer.dynamodb, name)
    put_items(peer.dynamodb, name, [{**item, "text": {"S": "x" * 90000}} for item in plain_items(60)])
    return items_of(peer.dynamodb, name)


def slow(peer, operation, ms=700, count=1000, service="dynamodb"):
    peer.aws.faults({"service": service, "operation": operation, "do": "delay", "ms": ms, "count": count})


def begun(peer, job, step):
    wait_until(lambda: any(s["name"] == step and s["state"] == "running" for s in peer.server.get(f"/v1/jobs/{job['id']}")["steps"]), 20, step)


def state(peer, job):
    return peer.server.get(f"/v1/jobs/{job['id']}")["state"]


def test_a_cancelled_backup_stops_in_the_middle_of_a_call(peer):
    large_table(peer)
    slow(peer, "Scan", 8000)
    before = scans(peer)
    job = peer.server.submit("backup.table", {"table": "Sales", "segments": 2})
    peer.aws.wait_met(2)
    status, _, answer = peer.server.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert status in (200, 202), answer
    job = peer.server.wait(job, want="cancelled")
    assert scans(peer) == before, "it waited for the call"
    assert job["cancel_requested_at"] and job["finished_at"]
    assert [p["status"] for p in peer.server.get("/v1/recovery-points")["items"]] == ["failed"]
    status, _, answer = peer.server.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert status in (200, 202) and answer["state"] == "cancelled"


def test_a_cancelled_restore_names_the_table_that_it_leaves(peer):
    large_table(peer)
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    slow(peer, "BatchWriteItem", 500)
    job = peer.server.submit("restore.table", {"source": {"recovery_point": point}, "target_table": "Back"}, plan=True)
    begun(peer, job, "load")
    peer.server.call("POST", f"/v1/jobs/{job['id']}/cancel")
    job = peer.server.wait(job, want="cancelled")
    assert any("Back" in left for left in job["left_behind"]), job
    assert "Back" in peer.dynamodb.list_tables()["TableNames"]
    assert peer.server.get(f"/v1/recovery-points/{point}")["status"] == "verified"


def test_a_failed_restore_tried_again_takes_over_its_table(peer):
    items = large_table(peer)
    point = peer.server.backup("Sales", segments=4)["result"]["recovery_point"]
    peer.aws.faults({"service": "dynamodb", "operation": "BatchWriteItem", "do": "denied", "skip": 2, "count": 10000})
    job = peer.server.submit("restore.table", {"source": {"recovery_point": point}, "target_table": "Back"}, plan=True)
    job = peer.server.wait(job, want="failed")
    assert job["error"]["code"] == "AWS_ACCESS_DENIED" and any("Back" in left for left in job["left_behind"]), job
    peer.aws.clear_faults()
    status, _, plan = peer.server.call("POST", "/v1/plans", {"retry_of": job["id"]})
    assert status == 200, plan
    status, _, again = peer.server.call("POST", f"/v1/jobs/{job['id']}/retry", {"plan_hash": plan["plan_hash"]})
    assert status == 202 and again["retry_of"] == job["id"], again
    again = peer.server.wait(again)
    assert again["result"]["fingerprint"] == fingerprint_of(items) and again["left_behind"] == []
    assert items_of(peer.dynamodb, "Back") == items
    assert peer.made("CreateTable", "Back") == 1


def test_a_failed_backup_tried_again_keeps_its_sealed_files(peer):
    items = large_table(peer)
    before = scans(peer)
    peer.server.backup("Sales", segments=8)
    needed = scans(peer) - before
    peer.aws.faults({"service": "dynamodb", "operation": "Scan", "do": "denied", "skip": 5, "count": 10000})
    job = peer.server.wait(peer.server.submit("backup.table", {"table": "Sales", "segments": 8}), want="failed")
    assert job["error"]["code"] == "AWS_ACCESS_DENIED", job["error"]
    peer.aws.clear_faults()
    before = scans(peer)
    status, _, again = peer.server.call("POST", f"/v1/jobs/{job['id']}/retry", {})
    assert status == 202, again
    again = peer.server.wait(again)
    assert again["result"]["fingerprint"] == fingerprint_of(items)
    assert 0 < scans(peer) - before < needed, f"{scans(peer) - before} pages where {needed} are all"
    point = peer.server.get(f"/v1/recovery-points/{again['result']['recovery_point']}")
    assert point["status"] == "verified" and peer.server.restore(point["id"], "Back")["result"]["fingerprint"] == fingerprint_of(items)


def test_sealed_files_are_not_read_again_after_a_kill(peer):
    items = large_table(peer)
    before = scans(peer)
    peer.server.backup("Sales", segments=16)
    needed = scans(peer) - before
    peer.aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 20000, "skip": 12, "count": 1000})
    before = scans(peer)
    job = peer.server.submit("backup.table", {"table": "Sales", "segments": 16})
    wait_until(lambda: scans(peer) - before >= 12, 30, "some of the scan")  # more than there are workers: some files are sealed
    peer.server.kill()
    killed = scans(peer)
    peer.aws.clear_faults()
    peer.server.start()
    job = peer.server.wait(job)
    assert job["result"]["fingerprint"] == fingerprint_of(items)
    assert 0 < scans(peer) - killed < needed, f"{scans(peer) - killed} pages where {needed} are all"
    assert len(peer.server.get("/v1/recovery-points")["items"]) == 2


def test_a_drained_server_hands_its_job_to_the_next(peer):
    items = large_table(peer)
    slow(peer, "Scan", 8000)
    before = scans(peer)
    job = peer.server.submit("backup.table", {"table": "Sales", "segments": 4})
    peer.aws.wait_met(4)
    assert peer.server.stop() == 0
    assert scans(peer) == before, "it waited for the calls"
    peer.aws.clear_faults()
    peer.server.start()
    job = peer.server.wait(job)
    assert job["result"]["fingerprint"] == fingerprint_of(items)
    assert len(peer.server.get("/v1/recovery-points")["items"]) == 1


def test_two_jobs_for_one_table_wait_for_each_other(peer):
    items = large_table(peer)
    point = peer.server.backup("Sales")["result"]["recovery_point"]
    first = planned(peer.server, {"source": {"recovery_point": point}, "target_table": "Back"})
    second = planned(peer.server, {"source": {"recovery_point": point}, "target_table": "Back"})
    slow(peer, "BatchWriteItem", 300)
    jobs = [peer.server.call("POST", "/v1/jobs", body)[2] for body in (first, second)]
    waiting = wait_until(lambda: peer.server.get(f"/v1/jobs/{jobs[1]['id']}").get("waiting_for"), 10, "waiting_for")
    assert waiting["reason"] == "conflict" and waiting["job_ids"] == [jobs[0]["id"]], waiting
    assert peer.server.wait(jobs[0])["result"]["fingerprint"] == fingerprint_of(items)
    late = peer.server.wait(jobs[1], want="failed")
    assert late["error"]["code"] in ("PLAN_STALE", "TARGET_EXISTS"), late["error"]
    assert peer.made("CreateTable", "Back") == 1


def test_backups_of_one_table_run_side_by_side(peer):
    large_table(peer)
    slow(peer, "Scan", 300)
    jobs = [peer.server.submit("backup.table", {"table": "Sales", "segments": 1}) for _ in range(2)]
    wait_until(lambda: [state(peer, job) for job in jobs] == ["running"] * 2, 10, "both")
    results = [peer.server.wait(job)["result"] for job in jobs]
    assert results[0]["fingerprint"] == results[1]["fingerprint"] and results[0]["recovery_point"] != results[1]["recovery_point"]
