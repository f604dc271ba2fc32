"""Disks fill up and go read-only: the store's, and the root's. The job waits or fails by that name; when the disk is mended the next
job succeeds, and what was there before is still whole. Each disk is a small tmpfs, which only root can mount."""
import contextlib
import os
import pathlib
import subprocess
import tempfile

import pytest

from peers import end
from world import Server, fingerprint_of, items_of, make_table, plain_items, put_items, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a tmpfs")
MIB = 1 << 20
ITEMS = plain_items(1500)


class Disk:
    """A tmpfs of its own."""

    def __init__(self, size):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="recoverd-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "recoverd-test", self.path], check=True)

    def fill(self, leave=0):
        """What is left is `leave` bytes, in whole pages."""
        def filled():
            free = os.statvfs(self.path)
            room = free.f_bavail * free.f_frsize - leave
            with open(self.path / "ballast", "ab") as file, contextlib.suppress(OSError):  # the server has taken some of it meanwhile
                os.posix_fallocate(file.fileno(), 0, (file.tell() + room) // 4096 * 4096)
                return True
            return False

        wait_until(filled, what="the full disk")

    def make_room(self):
        (self.path / "ballast").unlink(missing_ok=True)

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.path], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=True)
        self.path.rmdir()


@pytest.fixture
def disk():
    disk = Disk(48 * MIB)
    yield disk
    disk.remove()


@pytest.fixture
def sales(aws):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", [{**item, "text": {"S": os.urandom(750).hex()}} for item in ITEMS])
    return dynamodb


@pytest.fixture
def on_root(aws, disk):
    """The points on the small disk, the store elsewhere."""
    server = Server(aws.url, root=f"file://{disk.path}/points")
    (disk.path / "points").mkdir()
    server.start()
    yield server
    end(server)


@pytest.fixture
def on_store(aws, disk):
    """The store on the small disk, the points elsewhere."""
    server = Server(aws.url)
    data = disk.path / "data"
    server.config.write_text(server.config.read_text().replace(f"data_dir: {server.dir}/data", f"data_dir: {data}"))
    server.start()
    yield server
    end(server)


def whole(server, dynamodb, job, target):
    """A job's point can be restored, and is the table."""
    assert job["result"]["fingerprint"] == fingerprint_of(items_of(dynamodb, "Sales"))
    restored = server.restore(job["result"]["recovery_point"], target)
    assert restored["result"]["fingerprint"] == job["result"]["fingerprint"]


def named(server, job, codes):
    """The job waits or has failed, and one of the codes says why."""
    shown = server.get(f"/v1/jobs/{job['id']}")
    told = {code for step in shown["steps"] for code in (step.get("errors") or {}).get("by_code", {})}
    return shown if told & codes or (shown.get("error") or {}).get("code") in codes else None


def test_a_full_root_is_waited_for(sales, disk, on_root):
    first = on_root.backup("Sales")
    disk.fill(leave=MIB + 64 * 1024)
    job = on_root.submit("backup.table", {"table": "Sales", "segments": 2})
    wait_until(lambda: named(on_root, job, {"DISK_FULL"}), 30, "DISK_FULL")
    assert on_root.ready(), "the server itself has room"
    disk.make_room()
    whole(on_root, sales, on_root.wait(job), "Waited")
    whole(on_root, sales, on_root.backup("Sales"), "Next")
    whole(on_root, sales, first, "First")


def test_a_read_only_root_is_told(sales, disk, on_root):
    first = on_root.backup("Sales")
    disk.remount("ro")
    job = on_root.wait(on_root.submit("backup.table", {"table": "Sales"}), want="failed")
    assert job["error"]["code"] == "ROOT_UNWRITABLE" and "ead-only" in job["error"]["detail"], job["error"]
    checked = on_root.run("validate.backup", {"source": {"recovery_point": first["result"]["recovery_point"]}})
    assert checked["result"]["verdict"] == "intact", "a read-only root can still be read"
    disk.remount("rw")
    whole(on_root, sales, on_root.backup("Sales"), "Next")


def test_a_full_store_refuses_and_goes_on(sales, disk, on_store):
    first = on_store.backup("Sales")
    disk.fill()
    problem = refusal(on_store)
    assert problem["code"] in ("STORE_FULL", "DISK_FULL"), problem
    assert on_store.get(f"/v1/jobs/{first['id']}")["state"] == "succeeded", "reading needs no room"
    disk.make_room()
    whole(on_store, sales, next_backup(on_store), "Next")
    whole(on_store, sales, first, "First")


def test_a_store_that_fills_while_a_job_runs(aws, sales, disk, on_store):
    aws.faults({"service": "dynamodb", "operation": "Scan", "do": "delay", "ms": 1500, "count": 2})
    job = on_store.submit("backup.table", {"table": "Sales", "segments": 2})
    aws.wait_met()
    disk.fill()
    refusal(on_store)
    disk.make_room()
    whole(on_store, sales, on_store.wait(job), "Back")


def refusal(server):
    """Jobs are accepted as long as there is some room in the store's file; -> how it ends"""
    for _ in range(400):
        status, _, answer = server.call("POST", "/v1/jobs", {"kind": "backup.table", "environment": "production", "spec": {"table": "Nowhere"}})
        if status >= 500:
            assert status == 503, answer
            return answer
    raise AssertionError("a full disk took everything")


def next_backup(server):
    wait_until(lambda: server.call("POST", "/v1/jobs", {"kind": "validate.table", "environment": "production", "spec": {"table": "Sales"}})[0] == 202,
               30, "the store's recovery")
    return server.backup("Sales")


def test_a_read_only_store_is_told_and_mended(sales, disk, on_store):
    first = on_store.backup("Sales")
    on_store.stop()
    disk.remount("ro")
    on_store.start(wait=False)
    assert on_store.process.wait(20) != 0
    log = (on_store.dir / "log").read_text()
    assert "ead-only" in log or "read only" in log or "readonly" in log, log[-2000:]
    disk.remount("rw")
    on_store.start()
    whole(on_store, sales, on_store.backup("Sales"), "Next")
    whole(on_store, sales, first, "First")
