"""Backup, restore and memory: what recoverd spends on an item of a table made of arithmetic (stub.c), and what its peers do. Items
are records of ten attributes, as tables mostly have them; the backup is also told for items of four, of which one is a long text.

CPU time is that of the whole process, by the kernel's clock of it, read every few milliseconds beside the wall clock and cut where
the job says that a step began: what a backup spends up to its manifest apart from the read-back, what a restore spends until
everything is loaded (its check of the source included) apart from the proof.
"""
import datetime
import os
import shutil
import time

import table_peers
from common import KEYS, MOST, Server, Stub, Watch, row

ITEMS = int(os.environ.get("BENCH_ITEMS", 1_000_000))
PEER_ITEMS = int(os.environ.get("BENCH_PEER_ITEMS", 200_000))
LARGE = int(os.environ.get("BENCH_LARGE", 10_000_000))
THREADS = 4
WORKERS_MEMORY_MIB = 64  # workers.memory, left as it is when it is not configured
MIB = 1 << 20


class Course(Watch):
    """A watch that also knows what the CPU clock said at any time in between."""

    def cpu(self):
        return time.clock_gettime(~self.pid << 3 | 2)  # of another process: what clock_getcpuclockid(3) gives

    def __enter__(self):
        self.samples = [(time.time(), self.cpu())]
        return super().__enter__()

    def sample(self):
        while not self.over:
            self.peak = max(self.peak, self.anonymous())
            self.samples.append((time.time(), self.cpu()))
            time.sleep(0.005)

    def __exit__(self, *_):
        super().__exit__()
        self.samples.append((time.time(), self.cpu()))

    def cpu_at(self, wall):
        """Between two samples by proportion."""
        before = self.samples[0]
        for sample in self.samples:
            if sample[0] >= wall:
                part = (wall - before[0]) / (sample[0] - before[0]) if sample[0] > before[0] else 0
                return before[1] + part * (sample[1] - before[1])
            before = sample
        return before[1]

    def cut(self, job, step, items):
        """-> (us of CPU an item, seconds) before that step of the job began, and from then on"""
        text = next(s["started_at"] for s in job["steps"] if s["name"] == step)
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        first, middle, last = self.samples[0], self.cpu_at(at), self.samples[-1]
        return ((middle - first[1]) / items * 1e6, at - first[0]), ((last[1] - middle) / items * 1e6, last[0] - at)


def backup(server, items):
    with Course(server.process.pid) as course:
        job = server.wait(server.submit("backup.table", {"table": "Bench", "segments": THREADS, "read_units_per_second": 1_000_000}),
                          seconds=3600)
    assert job["result"]["items"] == items, job
    point = server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")
    scan, read_back = course.cut(job, "read_back", items)
    return point, {"scan": scan, "read_back": read_back, "idle": course.idle, "peak": course.peak,
                   "stored": point["stored_bytes"] / items}


def restore(server, items, point):
    spec = {"source": {"recovery_point": point["id"]}, "target_table": "BenchRestored", "write_units_per_second": 1_000_000}
    with Course(server.process.pid) as course:
        job = server.run("restore.table", spec, plan=True, seconds=3600)
    assert job["result"]["items"] == items, job
    load, proof = course.cut(job, "prove", items)
    return {"load": load, "proof": proof, "restore_peak": course.peak}


def ours(items, shape="record", with_restore=True):
    stub = Stub(items, shape=shape)
    server = Server(stub.url, tables=["Bench*"], account=False, threads=THREADS)
    server.start()
    time.sleep(1)
    point, found = backup(server, items)
    if with_restore:
        found |= restore(server, items, point)
    server.stop()
    stub.stop()
    shutil.rmtree(server.dir)
    return found


def theirs(shape):
    stub = Stub(PEER_ITEMS, shape=shape)
    found = table_peers.measure(stub.url, PEER_ITEMS, KEYS)
    stub.stop()
    return found


def at_most(id_, work, unit, ours_, limit):
    row(id_, work, unit, ours_, "at most", limit, 1, MOST)


def backup_rows(shape, peer, found):
    unit, of, prefix = "us CPU/item", f"{ITEMS:,} {shape}s of 400 bytes", "" if shape == "record" else f"{shape}_"
    scan, read_back = found["scan"][0], found["read_back"][0]
    for name, against, goal in (("boto3", "boto3 + gzip", 25), ("awscli", "awscli + gzip", 60), ("node", "Node SDK + gzip", 7)):
        row(f"{prefix}scan_{name}", f"backup, scan and seal, {of}", unit, scan, against, peer[f"backup_{name}"], goal)
    at_most(f"{prefix}read_back", "the same backup, read-back", unit, read_back, 0.7)
    row(f"{prefix}backup", "the same backup, both", unit, scan + read_back, "boto3 + gzip", peer["backup_boto3"])
    row(f"{prefix}stored", "stored, an item", "bytes", found["stored"])


def restore_rows(peer, found):
    unit, (load, proof) = "us CPU/item", (found["load"][0], found["proof"][0])
    row("load", f"restore, check and load, {ITEMS:,} records", unit, load, "boto3 batch_writer", peer["restore_boto3"], 20)
    row("restore", "the same restore, with its proof", unit, load + proof, "boto3 batch_writer", peer["restore_boto3"], 15)
    row("backup_wall", "the backup, wall time", "s", found["scan"][1] + found["read_back"][1])
    row("restore_wall", "the restore, wall time", "s", found["load"][1] + found["proof"][1])


def measure():
    found = ours(ITEMS)
    peer = theirs("record")
    backup_rows("record", peer, found)
    restore_rows(peer, found)
    backup_rows("text", theirs("text"), ours(ITEMS, "text", with_restore=False))
    limit = 8 + WORKERS_MEMORY_MIB + 0.5 * THREADS
    at_most("idle", "anonymous memory, idle", "MiB", found["idle"] / MIB, 8)
    at_most("memory", f"anonymous memory, backup of {ITEMS:,}", "MiB", found["peak"] / MIB, limit)
    at_most("memory_restore", f"anonymous memory, restore of {ITEMS:,}", "MiB", found["restore_peak"] / MIB, limit)
    if LARGE:
        large = ours(LARGE, with_restore=False)
        at_most("memory_large", f"anonymous memory, backup of {LARGE:,}", "MiB", large["peak"] / MIB, limit)
