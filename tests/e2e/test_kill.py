"""kill -9 at every sync and rename of the main job: the restarted server ends it as it would have ended, at once, with nothing
made twice and nothing lost. CRASH_POINTS says at how many points (default 40), spread evenly over all of them."""
import http.client
import os
import shutil
import struct

import pytest

from peers import BUCKET, BucketTree, FileTree
from world import Server, items_of, make_table, plain_items, preloaded, put_items

POINTS = int(os.environ.get("CRASH_POINTS", "40"))
ITEMS = plain_items(400, 300)
ENDED = ("succeeded", "partial", "failed", "cancelled")


@pytest.fixture(scope="module")
def shim():
    return preloaded("shim")


class Crashing:
    """A server with the shim, killed at sync number `at` of what is done next."""

    def __init__(self, aws, shim, in_bucket):
        root = {"root": f"s3://{BUCKET}/recoverd"} if in_bucket else {}
        self.server = Server(aws.url, threads=4, lease="300s", **root)  # a lease that nobody could wait for
        self.tree = (lambda location: BucketTree(location, aws.client("s3"))) if in_bucket else FileTree
        self.env = {"LD_PRELOAD": shim, "CRASH_ARM": str(self.server.dir / "arm"), "CRASH_COUNT": str(self.server.dir / "count")}
        self.server.start(self.env)

    def arm(self, at, when="before"):
        (self.server.dir / "arm").write_text(f"{at} {when}")

    def count(self):
        return struct.unpack("<Q", (self.server.dir / "count").read_bytes())[0]

    def do(self, kind, spec):
        """Accepts and waits; -> the finished job and how often the server died on the way. The request is sent again, with its key,
        to the restarted server when it is not known whether it was accepted: that is what a client does."""
        key = os.urandom(8).hex()
        body = {"kind": kind, "environment": "production", "spec": spec}
        died = 0
        while True:
            try:
                if kind == "restore.table" and "plan_hash" not in body:
                    status, _, plan = self.server.call("POST", "/v1/plans", body)
                    assert status == 200, plan
                    body["plan_hash"] = plan["plan_hash"]
                status, _, job = self.server.call("POST", "/v1/jobs", body, headers={"Idempotency-Key": key})
                assert status == 202, job
                while job["state"] not in ENDED:
                    status, _, job = self.server.call("GET", f"/v1/jobs/{job['id']}?wait=5")
                    assert status == 200, job
                return job, died
            except (OSError, http.client.HTTPException):
                assert self.server.process.wait(10) == -9
                died += 1
                (self.server.dir / "arm").unlink()
                self.server.start(self.env)


def story(aws, crashing):
    """Backup, restore, validate; everything that must hold afterwards. -> how often the server died"""
    dynamodb = aws.client("dynamodb")
    job, died = crashing.do("backup.table", {"table": "Sales", "segments": 2})
    assert job["state"] == "succeeded", job
    points = crashing.server.get("/v1/recovery-points")["items"]
    assert len(points) == 1 and points[0]["items"] == len(ITEMS), points
    job, more = crashing.do("restore.table", {"source": {"recovery_point": points[0]["id"]}, "target_table": "Restored"})
    assert job["state"] == "succeeded", job
    died += more
    assert items_of(dynamodb, "Restored") == items_of(dynamodb, "Sales")
    made = [row for row in aws.effects("CreateTable") if "Restored" in row["resource"]]
    assert len(made) == 1, made
    job, more = crashing.do("validate.backup", {"source": {"recovery_point": points[0]["id"]}})
    assert job["state"] == "succeeded" and job["result"]["verdict"] == "intact", job
    tree = crashing.tree(points[0]["location"].rsplit("/", 1)[0])  # of the whole environment: nothing beside the point's folder
    folder = points[0]["location"].rsplit("/", 1)[1]
    listed = {f["path"] for f in crashing.server.get(f"/v1/recovery-points/{points[0]['id']}/manifest")["files"]} | {"manifest.json"}
    assert set(tree.paths()) == {f"{folder}/{path}" for path in listed}
    return died + more


def prepare(aws):
    aws.reset()
    aws.client("s3").create_bucket(Bucket=BUCKET)
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", ITEMS)


def deaths(aws, shim, in_bucket, at, when="before"):
    """The story with a kill there. -> (deaths, syncs counted)"""
    prepare(aws)
    crashing = Crashing(aws, shim, in_bucket)
    crashing.arm(at, when)
    try:
        died = story(aws, crashing)
    except AssertionError as failure:
        raise AssertionError(f"killed {when} sync {at}; log in {crashing.server.dir}/log") from failure
    finally:
        crashing.server.kill()
    count = crashing.count()
    shutil.rmtree(crashing.server.dir)
    return died, count


@pytest.mark.parametrize("in_bucket,points", [(False, POINTS - POINTS // 4), (True, POINTS // 4)], ids=["file", "s3"])
def test_a_kill_at_any_sync_changes_nothing(aws, shim, in_bucket, points, record_property):
    died, total = deaths(aws, shim, in_bucket, 0)
    assert died == 0 and total > 50
    for i in range(points):
        died += deaths(aws, shim, in_bucket, 1 + i * total // points, ("before", "after")[i % 2])[0]
    record_property("told", f"kill -9, root {'s3' if in_bucket else 'file'}: {points} points over {total} syncs and renames, {died} deaths, "
                            "nothing lost or made twice")
    assert died >= points * 3 // 4
