"""AWS has a bad day: throttling, server errors, lost connections and answers that contradict themselves, everywhere at once. A job ends
well with the right data, or fails with the code that names the cause; whatever happened, nothing was made twice. test_each_fault.py
takes every operation apart."""
import pytest

from peers import Peer
from world import Awsim, fingerprint_of, items_of, make_table, plain_items, put_items

OPERATIONS = {
    "dynamodb": "DescribeTable Scan CreateTable BatchWriteItem DescribeTimeToLive UpdateTimeToLive ListTagsOfResource DescribeContinuousBackups "
                "UpdateContinuousBackups".split(),
    "s3": "PutObject GetObject HeadObject ListObjectsV2".split(),
    "sts": ["GetCallerIdentity"],
}
EVERYWHERE = ["throttle", "error_500", "error_503", "reset_before", "reset_after", "delay", "truncate", "error_200", "bad_crc", "skew"]
ONLY = {"wrong_count": [("dynamodb", "Scan")], "no_items": [("dynamodb", "Scan")], "unprocessed": [("dynamodb", "BatchWriteItem")]}
ALL = [(service, operation) for service, names in OPERATIONS.items() for operation in names]


def rows():
    """name: faults"""
    for do in EVERYWHERE + list(ONLY):
        yield f"{do} everywhere", [fault(service, operation, do, skip=skip, count=count) for service, operation in ONLY.get(do, ALL)
                                   for skip, count in ((0, 1), (2, 2))]


def fault(service, operation, do, **more):
    return {"service": service, "operation": operation, "do": do, **({"ms": 50} if do == "delay" else {}), **more}


@pytest.fixture(params=["awsim s3"])
def peer(request, stand_ins):
    peer = Peer(request.param, stand_ins(Awsim))
    make_table(peer.dynamodb, "Sales")
    put_items(peer.dynamodb, "Sales", plain_items(400, 200))
    peer.dynamodb.update_time_to_live(TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    peer.dynamodb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    yield peer
    peer.aws.clear_faults()
    peer.stop()


def made_once(aws):
    """Of each table one, of each object one."""
    rows = [(row["operation"], row["resource"]) for operation in ("CreateTable", "PutObject") for row in aws.effects(operation)]
    assert len(rows) == len(set(rows)), rows


@pytest.mark.parametrize("faults", [pytest.param(faults, id=name) for name, faults in rows()])
def test_a_bad_moment_changes_nothing(peer, faults):
    items = items_of(peer.dynamodb, "Sales")
    peer.aws.faults(*faults)
    job = peer.server.backup("Sales", segments=2)
    assert job["result"]["fingerprint"] == fingerprint_of(items)
    restored = peer.server.restore(job["result"]["recovery_point"], "Back")
    assert restored["result"]["fingerprint"] == fingerprint_of(items)
    assert {row["name"]: row["outcome"] for row in restored["result"]["settings"]}["ttl"] == "applied"
    checked = peer.server.run("validate.backup", {"source": {"recovery_point": job["result"]["recovery_point"]}})
    assert checked["result"]["verdict"] == "intact"
    peer.aws.clear_faults()
    assert items_of(peer.dynamodb, "Back") == items
    assert len(peer.server.get("/v1/recovery-points")["items"]) == 1
    made_once(peer.aws)


# A day that does not end: the fault, in which job, and the code that it ends with.
LASTING = {
    "a scan whose count is wrong": ("dynamodb", "Scan", "wrong_count", "backup", {"AWS_LIED"}),
    "a scan without items": ("dynamodb", "Scan", "no_items", "backup", {"AWS_LIED"}),
    "a scan with a wrong crc": ("dynamodb", "Scan", "bad_crc", "backup", {"AWS_LIED", "AWS_UNREACHABLE"}),
    "a scan that is cut": ("dynamodb", "Scan", "truncate", "backup", {"AWS_UNREACHABLE", "AWS_LIED"}),
    "a scan that is refused": ("dynamodb", "Scan", "error_500", "backup", {"AWS_UNAVAILABLE"}),
    "a bucket that is not there": ("s3", "PutObject", "error_503", "backup", {"AWS_UNAVAILABLE", "AWS_THROTTLED"}),
    "a credential that has expired": ("dynamodb", "Scan", "expired_token", "backup", {"AWS_CREDENTIALS"}),
    "a table that cannot be made": ("dynamodb", "CreateTable", "error_500", "restore", {"AWS_UNAVAILABLE"}),
    "a table that is made without an answer": ("dynamodb", "CreateTable", "reset_after", "restore", None),
    "writes that are refused": ("dynamodb", "BatchWriteItem", "error_500", "restore", {"AWS_UNAVAILABLE"}),
    "objects that cannot be read": ("s3", "GetObject", "reset_before", "restore", {"AWS_UNREACHABLE"}),
}


@pytest.mark.parametrize("day", LASTING)
def test_a_bad_day_ends_with_its_name(peer, day):
    service, operation, do, during, codes = LASTING[day]
    point = peer.server.backup("Sales")["result"]["recovery_point"] if during == "restore" else None
    body = {"kind": "restore.table", "environment": "production", "spec": {"source": {"recovery_point": point}, "target_table": "Back"}}
    if point:
        status, _, plan = peer.server.call("POST", "/v1/plans", body)
        assert status == 200, plan
    peer.aws.faults(fault(service, operation, do, count=100000))
    if point:
        status, _, job = peer.server.call("POST", "/v1/jobs", {**body, "plan_hash": plan["plan_hash"]})
        if status != 202:
            assert job["code"] in codes, job
            return
    else:
        job = peer.server.submit("backup.table", {"table": "Sales"})
    job = peer.server.wait(job, want=None, seconds=240)
    peer.aws.clear_faults()
    made_once(peer.aws)
    if codes is None:
        assert job["state"] == "succeeded", job
        assert items_of(peer.dynamodb, "Back") == items_of(peer.dynamodb, "Sales")
        return
    assert job["state"] == "failed" and job["error"]["code"] in codes, job["error"]
    if during == "backup":
        assert [p["status"] for p in peer.server.get("/v1/recovery-points")["items"]] == ["failed"]
    elif "Back" in peer.dynamodb.list_tables()["TableNames"]:
        assert any("Back" in left for left in job["left_behind"]), job
