"""Every fault of awsim on every operation of every kind, one at a time, at its first, second and last call. The operations are those of
the ledger of a clean run. Each cell's job ends well with the right data, or by the code that names the cause, and by the ledger nothing
was made twice. `make check` takes one fault of each operation of each kind, TORTURE=1 all of them; the matrix is printed."""
import collections
import concurrent.futures
import os
import queue

import pytest

from peers import BUCKET, end
from world import Awsim, Server, fingerprint_of, items_of, make_table, plain_items, put_items

TORTURE = bool(os.environ.get("TORTURE"))
LANES = 6 if TORTURE else 4
FAULTS = ["throttle", "error_500", "error_503", "reset_before", "reset_after", "delay", "truncate", "error_200", "bad_crc", "expired_token", "skew",
          "wrong_count", "no_items", "overlap", "unprocessed", "lie"]
OF_SCAN, OF_BATCHES = {"wrong_count", "no_items", "overlap"}, {"unprocessed"}
MADE = ("CreateTable", "PutObject")
OK = {("succeeded", "")}

# How a cell may end that does not succeed: (kind or None, operation or None, fault) -> {(state, code)}. The rest succeeds.
ENDS = {
    ("backup", "Scan", "overlap"): {("failed", "AWS_LIED")},
    ("restore", "Scan", "overlap"): {("failed", "MISMATCH")},
    ("prove", "Scan", "overlap"): {("failed", "MISMATCH")},
    ("compare", "Scan", "overlap"): {("failed", "MISMATCH")},
    ("backup", "PutObject", "lie"): {("failed", "RECOVERY_POINT_DAMAGED")},
    ("restore", "BatchWriteItem", "lie"): {("failed", "MISMATCH")},
    ("prove", "BatchWriteItem", "lie"): {("failed", "MISMATCH")},
    ("restore", None, "lie"): OK | {("partial", "SETTING_FAILED")},  # of a setting
}


class Lane:
    """An AWS and a recoverd for one cell at a time."""

    def __init__(self):
        self.aws = Awsim()
        self.aws.own("POST", "settings", {"table_create_delay": "0s", "table_update_delay": "0s"})
        self.dynamodb = self.aws.client("dynamodb")
        self.aws.client("s3").create_bucket(Bucket=BUCKET)
        make_table(self.dynamodb, "Sales")
        put_items(self.dynamodb, "Sales", plain_items(120, 200))
        self.dynamodb.update_time_to_live(TableName="Sales", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
        self.dynamodb.update_continuous_backups(TableName="Sales", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        self.dynamodb.tag_resource(ResourceArn=self.dynamodb.describe_table(TableName="Sales")["Table"]["TableArn"],
                                   Tags=[{"Key": "owner", "Value": "sales"}])
        self.items = items_of(self.dynamodb, "Sales")
        self.fingerprint = fingerprint_of(self.items)
        self.server = Server(self.aws.url, root=f"s3://{BUCKET}/recoverd", uri_roots=[f"s3://{BUCKET}/foreign"], threads=4).start()
        self.point = self.server.backup("Sales", segments=2)["result"]["recovery_point"]
        self.number = 0

    def stop(self):
        end(self.server)
        self.aws.stop()

    def target(self):
        self.number += 1
        return f"Back{self.number}"

    def seq(self):
        rows = self.aws.ledger()
        return rows[-1]["seq"] + 1 if rows else 0

    # -- the kinds: each submits one job and says what must hold when it has succeeded -----------------------------------------------

    def backup(self):
        job = self.server.submit("backup.table", {"table": "Sales", "segments": 2})
        return job, self.whole_point

    def restore(self):
        target = self.target()
        body = {"kind": "restore.table", "environment": "production",
                "spec": {"source": {"recovery_point": self.point}, "target_table": target}}
        body["plan_hash"] = self.patiently("/v1/plans", body)["plan_hash"]
        return self.patiently("/v1/jobs", body), lambda job: self.whole_table(job, target)

    def patiently(self, path, body):
        """What a client does who is told that the same request may go well: a plan is not made in the background."""
        status, _, answer = self.server.call("POST", path, body)
        if status >= 500:
            assert answer["retryable"] and answer["code"] == "AWS_LIED", answer
            status, _, answer = self.server.call("POST", path, body)
        assert status in (200, 202), answer
        return answer

    def check(self):
        job = self.server.submit("validate.backup", {"source": {"recovery_point": self.point}})
        return job, self.is_intact

    def prove(self):
        job = self.server.submit("validate.backup", {"source": {"recovery_point": self.point}, "prove": True})
        return job, self.is_intact

    def compare(self):
        job = self.server.submit("validate.table", {"table": "Sales", "against": {"recovery_point": self.point}})
        return job, self.is_intact

    # -- what must hold ------------------------------------------------------------------------------------------------------------

    def whole_point(self, job):
        assert job["result"]["fingerprint"] == self.fingerprint, job["result"]
        assert self.server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")["status"] == "verified"
        checked = self.server.run("validate.backup", {"source": {"recovery_point": job["result"]["recovery_point"]}})
        assert checked["result"]["verdict"] == "intact", checked

    def whole_table(self, job, target):
        assert job["result"]["fingerprint"] == self.fingerprint, job["result"]
        assert items_of(self.dynamodb, target) == self.items
        refused = {row["name"] for row in job["result"]["settings"] if row["outcome"] in ("failed", "unreadable")}
        assert bool(refused) == (job["state"] == "partial"), job["result"]
        if "pitr" not in refused:
            pitr = self.dynamodb.describe_continuous_backups(TableName=target)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            assert pitr["PointInTimeRecoveryStatus"] == "ENABLED"

    def is_intact(self, job):
        assert job["result"]["verdict"] == "intact" and job["result"]["fingerprint"] == self.fingerprint, job["result"]

    def after_failure(self, kind, job):
        """What failed is called so, and what it made is named or gone."""
        if kind == "backup":
            rows = [row for row in self.server.get("/v1/recovery-points?limit=500")["items"] if row["job_id"] == job["id"]]
            assert rows and all(row["status"] in ("failed", "damaged") for row in rows), rows
        if kind == "restore":
            assert job["left_behind"], job
        if kind == "prove":
            assert not [name for name in self.dynamodb.list_tables()["TableNames"] if name.startswith("recoverd-prove")], "the proof's table"

    # -- one cell ------------------------------------------------------------------------------------------------------------------

    def clean(self, kind):
        """-> {(service, operation): how many calls of the job}"""
        since = self.seq()
        job, holds = getattr(self, kind)()
        job = self.server.wait(job)
        calls = collections.Counter((row["service"], row["operation"]) for row in self.aws.ledger(since=since))
        holds(job)
        return calls

    def cell(self, kind, service, operation, skip, do):
        since = self.seq()
        self.aws.faults({"service": service, "operation": operation, "do": do, "skip": skip, **({"ms": 50} if do == "delay" else {})})
        try:
            job, holds = getattr(self, kind)()
            job = self.server.wait(job, want=None, seconds=200)
            reached = not any(row["left"] for row in self.aws.own("GET", "faults"))
        finally:
            self.aws.clear_faults()
        rows = [(row["operation"], row["resource"]) for row in self.aws.ledger(since=since) if row["effect"] == "made" and row["operation"] in MADE]
        assert len(rows) == len(set(rows)), f"made twice: {rows}"
        code = (job.get("error") or {}).get("code") or ", ".join(one["reason"] for one in job["conditions"])
        ending = (job["state"], code)
        expected = next((ENDS[key] for key in ((kind, operation, do), (kind, None, do)) if key in ENDS), OK)
        assert ending in expected or (ending == ("succeeded", "") and not reached), f"{ending} instead of {expected}: {job.get('error')}"
        if job["state"] == "failed":
            self.after_failure(kind, job)
        else:
            holds(job)
        return ending, reached


def cells(kind, calls, do):
    """The cells of one fault: (service, operation, skip)."""
    for (service, operation), count in sorted(calls.items()):
        if do in OF_SCAN and operation != "Scan" or do in OF_BATCHES and operation != "BatchWriteItem":
            continue
        if do == "lie" and operation.startswith(("Get", "Head", "List", "Describe", "Scan")):
            continue  # a read has no effect that could be missing
        for skip in sorted({0, 1, count - 1} & set(range(count))):
            yield service, operation, skip


@pytest.fixture(scope="module")
def lanes():
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        made = list(pool.map(lambda _: Lane(), range(LANES)))
        free = queue.Queue()
        for lane in made:
            free.put(lane)

        def run(kind, *cell):
            lane = free.get()
            try:
                return cell, lane.cell(kind, *cell)
            except AssertionError as failure:
                return cell, failure
            finally:
                free.put(lane)

        run.pool, run.one = pool, made[0]
        yield run
        for lane in made:
            lane.stop()


def chosen(kind, calls):
    """All of them, or one fault of each operation, another one for each."""
    every = [(*place, do) for do in FAULTS for place in cells(kind, calls, do)]
    if TORTURE:
        return every
    of = collections.defaultdict(list)
    for cell in every:
        of[cell[1]].append(cell)
    return [rows[(7 * i) % len(rows)] for i, rows in enumerate(of.values())]


@pytest.mark.parametrize("kind", ["backup", "restore", "check", "prove", "compare"])
def test_each_fault_ends_right(lanes, kind, record_property):
    calls = lanes.one.clean(kind)
    assert len(calls) > 2, calls
    ended = list(lanes.pool.map(lambda cell: lanes(kind, *cell), chosen(kind, calls)))
    failures = [f"{cell}: {found}" for cell, found in ended if isinstance(found, AssertionError)]
    matrix = collections.defaultdict(collections.Counter)
    for (_, operation, _, do), found in ended:
        if not isinstance(found, AssertionError):
            matrix[operation][f"{do}: {' '.join(found[0]).strip()}"] += 1
    unmet = sum(not found[1] for _, found in ended if not isinstance(found, AssertionError))
    lines = [f"faults of {kind}: {len(ended)} cells over {len(calls)} operations, {unmet} not met again, {len(failures)} wrong"]
    for operation in sorted(matrix):
        fine = sum(count for name, count in matrix[operation].items() if name.endswith("succeeded"))
        other = [f"{name} ({count})" for name, count in matrix[operation].items() if not name.endswith("succeeded")]
        lines.append(f"  {operation:<32} {fine:>3} succeeded  {'; '.join(other)}")
    record_property("told", "\n".join(lines))
    assert not failures, "\n".join(failures)
    assert unmet <= len(ended) // 5, "faults that were never met say nothing"
