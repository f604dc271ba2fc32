"""Backup and restore of tables of 400-byte items from the stub, and what memory they take, beside what boto3 costs."""
import os
import subprocess
import sys
import time

from common import BUILD, KEYS, Server, Stub, Watch, row

ITEMS = int(os.environ.get("BENCH_ITEMS", 1_000_000))
PEER_ITEMS = int(os.environ.get("BENCH_PEER_ITEMS", 200_000))
LARGE = int(os.environ.get("BENCH_LARGE", 10_000_000))


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


def measure():
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
