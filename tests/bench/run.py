#!/usr/bin/env python3
"""make bench: what recoverd costs, beside what its users have today, in one run on one machine.

CPU time per item is user and system time of the process that does the work (recoverd; the Python process of the peer), never of
the stub. Prints a table and writes build/bench.json. Nothing here is asserted: goals are shown as met or not.
BENCH_ITEMS (1,000,000), BENCH_PEER_ITEMS (200,000: a peer's cost per item does not depend on it), BENCH_LARGE (10,000,000; 0: skip).
"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from world import BUILD, KEYS, Server, free_port  # noqa: E402

ITEMS = int(os.environ.get("BENCH_ITEMS", 1_000_000))
PEER_ITEMS = int(os.environ.get("BENCH_PEER_ITEMS", 200_000))
LARGE = int(os.environ.get("BENCH_LARGE", 10_000_000))
TICKS = os.sysconf("SC_CLK_TCK")
ROWS = []


class Stub:
    """The DynamoDB made of arithmetic (stub.c)."""

    def __init__(self, items):
        self.port = free_port()
        self.process = subprocess.Popen([BUILD / "release/bench/stub", str(self.port), str(items)], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()


class Watch:
    """CPU seconds and the largest anonymous memory of a process while something is done."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, 0, False

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def anonymous(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
        return 0

    def __enter__(self):
        self.idle = self.anonymous()
        self.began, self.wall = self.cpu(), time.monotonic()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()
        return self

    def sample(self):
        while not self.over:
            self.peak = max(self.peak, self.anonymous())
            time.sleep(0.05)

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.seconds, self.wall = self.cpu() - self.began, time.monotonic() - self.wall


def row(id_, work, unit, ours, against=None, theirs=None, goal=None):
    ratio = theirs / ours if theirs and ours else None
    met = None if goal is None or ratio is None else ratio >= goal
    ROWS.append({"id": id_, "work": work, "unit": unit, "ours": round(ours, 3), "against": against,
                 "theirs": None if theirs is None else round(theirs, 3), "ratio": None if ratio is None else round(ratio, 2),
                 "goal": goal, "met": met})
    print(f"{work:58} {ours:10.3f} {unit:12}" + (f" {against}: {theirs:9.3f}, {ratio:.1f} times" if theirs else "") +
          (f" (goal {goal}: {'met' if met else 'missed'})" if goal else ""), flush=True)


def ours(items):
    """-> (scan and seal, read back, restore) CPU us per item, memory figures"""
    stub = Stub(items)
    server = Server(stub.url, tables=["Bench*"], account=False, threads=4)
    server.start()
    found = {}
    watch = Watch(server.process.pid)
    time.sleep(1)
    with watch:
        job = server.wait(server.submit("backup.table", {"table": "Bench", "segments": 4, "read_units_per_second": 1_000_000}),
                          seconds=3600)
    found["backup"], found["backup_wall"] = watch.seconds / items * 1e6, watch.wall
    found["idle"], found["peak"] = watch.idle, watch.peak
    assert job["result"]["items"] == items, job
    point = server.get(f"/v1/recovery-points/{job['result']['recovery_point']}")
    found["stored"] = point["stored_bytes"]
    watch = Watch(server.process.pid)
    with watch:
        job = server.run("restore.table", {"source": {"recovery_point": point["id"]}, "target_table": "BenchRestored",
                                           "write_units_per_second": 1_000_000}, plan=True, seconds=3600)
    found["restore"], found["restore_wall"] = watch.seconds / items * 1e6, watch.wall
    assert job["result"]["items"] == items, job
    server.stop()
    stub.stop()
    subprocess.run(["rm", "-rf", server.dir], check=True)
    return found


PEER = r"""
import boto3, gzip, json, resource, sys
from botocore.config import Config
url, items, path, what = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
session = boto3.session.Session()
def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime
config = Config(parameter_validation=False)
began = cpu()
if what == "backup":
    client = session.client("dynamodb", endpoint_url=url, region_name="us-east-1", config=config)
    count = 0
    with gzip.open(path, "wt", compresslevel=6) as out:
        for page in client.get_paginator("scan").paginate(TableName="Bench", ConsistentRead=True):
            for item in page["Items"]:
                out.write(json.dumps({"Item": item}, separators=(",", ":")) + "\n")
                count += 1
else:
    from boto3.dynamodb.types import TypeDeserializer
    table = session.resource("dynamodb", endpoint_url=url, region_name="us-east-1").Table("Bench")
    read, count = TypeDeserializer().deserialize, 0
    with gzip.open(path, "rt") as lines, table.batch_writer() as batch:
        for line in lines:
            batch.put_item(Item={k: read(v) for k, v in json.loads(line)["Item"].items()})
            count += 1
assert count == items, count
print((cpu() - began) / items * 1e6)
"""


def theirs(items):
    stub = Stub(items)
    path = BUILD / "bench-peer.json.gz"
    found = {}
    for what in ("backup", "restore"):
        run = subprocess.run([sys.executable, "-c", PEER, stub.url, str(items), path, what], env={**os.environ, **KEYS},
                             capture_output=True, text=True, check=True)
        found[what] = float(run.stdout)
    stub.stop()
    path.unlink()
    return found


def main():
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{platform.node()}: {processor}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
    peer = theirs(PEER_ITEMS)
    small = ours(ITEMS)
    million = f"{ITEMS:,} items of 400 bytes"
    row("backup", f"backup with read-back, {million}", "us CPU/item", small["backup"], "boto3 + gzip", peer["backup"], 25)
    row("restore", f"restore with proof, {million}", "us CPU/item", small["restore"], "boto3 batch_writer", peer["restore"], 15)
    row("backup_wall", "the same backup, wall time", "s", small["backup_wall"])
    row("restore_wall", "the same restore, wall time", "s", small["restore_wall"])
    row("idle", "anonymous memory, idle", "MiB", small["idle"] / 2**20)
    row("memory", f"anonymous memory, backup of {ITEMS:,}", "MiB", small["peak"] / 2**20)
    if LARGE:
        large = ours(LARGE)
        row("memory_large", f"anonymous memory, backup of {LARGE:,}", "MiB", large["peak"] / 2**20, f"at {ITEMS:,}",
            small["peak"] / 2**20)
    (BUILD / "bench.json").write_text(json.dumps(ROWS, indent=1) + "\n")


if __name__ == "__main__":
    main()
