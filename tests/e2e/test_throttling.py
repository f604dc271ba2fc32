"""AWS says slow down: to everything for a while, then to every other call. The job slows, says what it waits for, and ends right, with
nothing made twice. TORTURE=1 makes the while a minute."""
import os
import threading
import time

from peers import BUCKET, end
from test_faults import fault, made_once
from world import Server, fingerprint_of, items_of, make_table, plain_items, put_items

WHILE, HALF = (60, 100) if os.environ.get("TORTURE") else (8, 5)  # seconds; calls of an operation that go wrong, each second one
EVERYTHING = [("dynamodb", name) for name in "DescribeTable Scan CreateTable BatchWriteItem DescribeTimeToLive ListTagsOfResource "
              "DescribeContinuousBackups".split()] + [("s3", name) for name in ("PutObject", "GetObject", "HeadObject", "ListObjectsV2")]


def throttled(aws, server, job):
    """-> the ended job, and what it was seen to wait for"""
    seen, over = [], threading.Event()

    def watch():
        while not over.wait(0.2):
            shown = server.get(f"/v1/jobs/{job['id']}")
            if shown.get("waiting_for"):
                seen.append((time.monotonic(), shown["waiting_for"]["reason"], shown["state"]))

    aws.faults(*(fault(service, name, "throttle", count=10 ** 6) for service, name in EVERYTHING))
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        time.sleep(WHILE)
        asked = len(aws.ledger())
        shown = server.get(f"/v1/jobs/{job['id']}")
        assert shown["state"] in ("queued", "running"), shown["error"]
        aws.clear_faults()
        aws.faults(*(fault(service, name, "throttle", skip=skip) for service, name in EVERYTHING for skip in range(HALF)))
        return server.wait(job, 300), seen, asked
    finally:
        over.set()
        watcher.join()
        aws.clear_faults()


def test_a_throttled_job_slows_and_ends_right(aws):
    dynamodb = aws.client("dynamodb")
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", plain_items(600, 300))
    items = items_of(dynamodb, "Sales")
    aws.client("s3").create_bucket(Bucket=BUCKET)
    server = Server(aws.url, root=f"s3://{BUCKET}/recoverd", uri_roots=[f"s3://{BUCKET}/foreign"]).start()
    try:
        before = len(aws.ledger())
        job, seen, asked = throttled(aws, server, server.submit("backup.table", {"table": "Sales", "segments": 2}))
        assert job["result"]["fingerprint"] == fingerprint_of(items)
        assert ("aws", "running") in {(reason, state) for _, reason, state in seen}, seen
        assert asked - before < 20 + 10 * WHILE, "it asks more often than one may who is told to slow down"
        spec = {"source": {"recovery_point": job["result"]["recovery_point"]}, "target_table": "Back"}
        job, seen, _ = throttled(aws, server, server.submit("restore.table", spec, plan=True))
        assert job["result"]["fingerprint"] == fingerprint_of(items) and items_of(dynamodb, "Back") == items
        assert ("aws", "running") in {(reason, state) for _, reason, state in seen}, seen
    finally:
        end(server)
    made_once(aws)
