"""A disk that fails for a moment: an error on a sync, a write that is refused, a write that takes half. The store's process ends where
nobody knows what is on the disk, and the restarted one is whole; everything else is gone on with. A preloaded library makes the moments
(tests/crash/disk.c); DISK_POINTS says how many of each sort, spread over all that the main job does."""
import os
import struct
import time

import pytest

from peers import end
from test_kill import ENDED
from world import Server, fingerprint_of, items_of, make_table, plain_items, preloaded, put_items, token

POINTS = int(os.environ.get("DISK_POINTS", "30" if os.environ.get("TORTURE") else "2"))
ITEMS = plain_items(300, 400)
HAPPENED = 1 << 63

# (call, how, whose file): the part of its path. What fails in a commit of the store ends the process.
SORTS = {
    "a sync of the store fails": ("sync", "EIO", "recoverd.db"),
    "a write of the store fails": ("write", "EIO", "recoverd.db"),
    "a write of the store is short": ("write", "short", "recoverd.db"),
    "a write of the store finds no room": ("write", "ENOSPC", "recoverd.db"),
    "a sync of the root fails": ("sync", "EIO", "/points/"),
    "a write of the root fails": ("write", "EIO", "/points/"),
    "a write of the root is short": ("write", "short", "/points/"),
    "a write of the root finds no room": ("write", "ENOSPC", "/points/"),
}


@pytest.fixture(scope="module")
def shim():
    return preloaded("disk")


class Shaky:
    """A server whose disk fails once; restarted when it ends over it, as systemd would."""

    def __init__(self, aws, shim):
        self.server = Server(aws.url, threads=4, lease="300s")
        self.arm_file, self.count_file = self.server.dir / "arm", self.server.dir / "count"
        self.env = {"LD_PRELOAD": shim, "DISK_ARM": str(self.arm_file), "DISK_COUNT": str(self.count_file)}
        self.server.start(self.env)
        self.deaths = 0

    def arm(self, call, number, how, where):
        self.count_file.write_bytes(bytes(8))
        self.arm_file.write_text(f"{call} {number} {how} {where}")

    def disarm(self):
        """-> (calls, whether it has happened)"""
        self.arm_file.unlink()
        seen = struct.unpack("<Q", self.count_file.read_bytes())[0]
        return seen & ~HAPPENED, bool(seen & HAPPENED)

    def ask(self, *args, **kw):
        """A call, sent again when the process ended over it. A full or failing disk says 503: then later."""
        answer, until = None, time.monotonic() + 60
        while time.monotonic() < until:
            try:
                answer = self.server.call(*args, **kw)
                if answer[0] != 503:
                    return answer
                time.sleep(0.2)
            except OSError:
                code = self.server.process.wait(10)
                assert code == 3, f"it ended with {code}"
                assert "the store cannot go on" in (self.server.dir / "log").read_text()
                self.deaths += 1
                self.server.start(self.env)
        raise AssertionError(f"no answer: {answer}")

    def run(self, kind, spec, plan=False):
        body, key = {"kind": kind, "environment": "production", "spec": spec}, os.urandom(8).hex()
        if plan:
            status, _, answer = self.ask("POST", "/v1/plans", body)
            assert status == 200, answer
            body["plan_hash"] = answer["plan_hash"]
        status, _, job = self.ask("POST", "/v1/jobs", body, headers={"Idempotency-Key": key}, auth=token(subject="ann"))
        assert status == 202, job
        until = time.monotonic() + 120
        while job["state"] not in ENDED and time.monotonic() < until:
            status, _, job = self.ask("GET", f"/v1/jobs/{job['id']}?wait=5")
            assert status == 200, job
        assert job["state"] == "succeeded", job
        return job


@pytest.fixture
def sales(aws):
    aws.own("POST", "settings", {"table_create_delay": "0s"})
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", ITEMS)
    return items_of(dynamodb, "Sales")


def story(aws, shaky, items, target):
    job = shaky.run("backup.table", {"table": "Sales", "segments": 2})
    assert job["result"]["fingerprint"] == fingerprint_of(items)
    point = {"recovery_point": job["result"]["recovery_point"]}
    restored = shaky.run("restore.table", {"source": point, "target_table": target}, plan=True)
    assert restored["result"]["fingerprint"] == fingerprint_of(items)
    assert items_of(aws.client("dynamodb"), target) == items
    assert len([row for row in aws.effects("CreateTable") if row["resource"].endswith(target)]) == 1
    return point


@pytest.mark.parametrize("sort", SORTS)
def test_a_disk_that_fails_for_a_moment_loses_nothing(aws, sales, shim, sort, record_property):
    call, how, where = SORTS[sort]
    shaky = Shaky(aws, shim)
    try:
        shaky.arm(call, 0, how, where)
        story(aws, shaky, sales, "Count")
        total, _ = shaky.disarm()
        assert total >= 4, total
        happened = 0
        for i in range(POINTS):
            shaky.arm(call, 1 + i * (total - 1) // POINTS, how, where)
            point = story(aws, shaky, sales, f"Back{i}")
            happened += shaky.disarm()[1]
            checked = shaky.run("validate.backup", {"source": point})
            assert checked["result"]["verdict"] == "intact"
        record_property("told", f"bad disk: {sort:<36} {happened:>3} times of {total} calls, {shaky.deaths} deaths, nothing lost or made twice")
        assert happened >= POINTS * 3 // 4
        assert (shaky.deaths > 0) == (how == "EIO" and "store" in sort)
    finally:
        end(shaky.server)
